//! What the agents tell the engine, as commands to shards. Sent at once, in the order of the
//! calls; answered when durable.

use futures::{FutureExt as _, future::BoxFuture};
use tokio::sync::mpsc;

use super::{Error, handle::Handle, shard::Message};
use crate::{
    agents::{Failure, HeldLease, Refusal, TaskKey, TaskSink},
    core::{
        decide::Command,
        value::{self, Value},
    },
    proto::{Agent, Chunk, Usage},
};

/// The engine, to the agents.
pub struct Sink {
    handle: Handle,
}

impl Sink {
    pub fn new(handle: Handle) -> Self {
        Self { handle }
    }

    fn tell(&self, key: TaskKey, command: Command) -> BoxFuture<'static, Result<(), Refusal>> {
        self.tell_in_time(key, command, true)
    }

    fn tell_in_time(
        &self,
        key: TaskKey,
        command: Command,
        pressing: bool,
    ) -> BoxFuture<'static, Result<(), Refusal>> {
        match self.handle.command(key.execution_id, command, pressing) {
            Ok(answer) => async move { answer.await.map_err(refusal) }.boxed(),
            Err(error) => futures::future::ready(Err(refusal(error))).boxed(),
        }
    }
}

impl TaskSink for Sink {
    fn accepted(
        &self,
        key: TaskKey,
        lease: HeldLease,
        awaited: bool,
    ) -> BoxFuture<'static, Result<(), Refusal>> {
        let command = Command::Accept {
            task: key.sequence,
            worker_id: lease.worker_id,
            agent: lease.agent,
            lease: lease.lease,
        };
        self.tell_in_time(key, command, awaited)
    }

    fn completed(
        &self,
        key: TaskKey,
        lease: u64,
        output: Value,
        usage: Option<Usage>,
    ) -> BoxFuture<'static, Result<(), Refusal>> {
        // A value without a kind is no JSON: readers of the events would stumble over it.
        let output = if value::is_null(&output) {
            value::null()
        } else {
            output
        };
        let command = Command::Complete {
            task: key.sequence,
            lease,
            output,
            usage,
        };
        self.tell(key, command)
    }

    fn failed(
        &self,
        key: TaskKey,
        lease: u64,
        failure: Failure,
    ) -> BoxFuture<'static, Result<(), Refusal>> {
        let command = Command::Fail {
            task: key.sequence,
            lease,
            class: failure.class,
            message: failure.message,
            retry_after: failure.retry_after,
            usage: failure.usage,
        };
        self.tell(key, command)
    }

    fn fetch(&self, keys: Vec<TaskKey>) -> BoxFuture<'static, ()> {
        let (done, mut fetched) = mpsc::channel(1);
        for task in keys {
            let done = done.clone();
            // A shard that has ended is asked for nothing.
            let _ = self
                .handle
                .send(task.execution_id, Message::Fetch { task, done });
        }
        async move {
            fetched.recv().await;
        }
        .boxed()
    }

    fn chunk(&self, chunk: Chunk) {
        if let Ok(id) = uuid::Uuid::parse_str(&chunk.execution_id) {
            self.handle.chunk(id, chunk);
        }
    }

    fn register(&self, namespace: String, agent: Agent) -> BoxFuture<'static, Result<(), Refusal>> {
        let handle = self.handle.clone();
        async move {
            let known = handle.register_if_unknown(&namespace, agent).await;
            known.map_err(refusal)
        }
        .boxed()
    }
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::StaleToken(why) => Refusal::Stale(why),
        Error::NotFound { .. } => Refusal::Stale("there is no such execution".into()),
        Error::Invalid { violations } => {
            let first = violations.into_iter().next();
            let (field, message) = first.map_or_else(Default::default, |v| (v.field, v.message));
            Refusal::Invalid { field, message }
        }
        _ => Refusal::Unavailable,
    }
}
