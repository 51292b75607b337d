//! What the agents tell the engine, as facts for shards. Handed over at once, in the order in
//! which they are told; the shards say what became of them.

use futures::{FutureExt as _, future::BoxFuture};
use tokio::sync::mpsc;

use super::{Error, handle::Handle, shard::Message, start::shard_of};
use crate::{
    agents::{Fact, Refusal, Settled, TaskKey, TaskSink},
    proto::{Agent, Chunk},
};

/// The engine, to the agents.
pub struct Sink {
    handle: Handle,
}

impl Sink {
    pub fn new(handle: Handle) -> Self {
        Self { handle }
    }
}

impl TaskSink for Sink {
    fn tell(&self, facts: Vec<Fact>) -> Vec<Settled> {
        let shards = &self.handle.inner.shards;
        let mut parts: Vec<Vec<Fact>> = shards.iter().map(|_| Vec::new()).collect();
        for fact in facts {
            parts[shard_of(fact.token.key.execution_id, shards.len())].push(fact);
        }
        let told = shards
            .iter()
            .zip(parts)
            .filter(|(_, part)| !part.is_empty());
        let refused = told.filter_map(|(shard, part)| shard.send(Message::Facts(part)).err());
        refused.flat_map(|unsent| unsent.0.refused()).collect()
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

/// What a worker is told of an error.
pub(super) fn refusal(error: Error) -> Refusal {
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
