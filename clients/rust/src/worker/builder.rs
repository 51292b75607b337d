//! Puts a worker together and checks it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::FutureExt as _;
use serde_json::Value as Json;

use super::{TaskContext, TaskError, TaskOutput, Worker, handler::Handler};
use crate::{Agent, Error, endpoint::Server, proto};

const MAX_CONCURRENCY: u32 = 16;
/// The most tasks that a worker may ask for at once; the server's limit as well.
const CONCURRENCY_LIMIT: u32 = 10_000;
const GRACE_PERIOD: Duration = Duration::from_secs(30);
const ID_LENGTH_MAX: usize = 128;

/// Puts a [`Worker`] together; made by [`Worker::builder`].
pub struct WorkerBuilder {
    address: String,
    hello: proto::Hello,
    handlers: HashMap<String, Handler>,
    grace: Duration,
}

impl WorkerBuilder {
    pub(super) fn new(address: String) -> Self {
        Self {
            address,
            hello: proto::Hello {
                worker_id: format!("worker-{}", uuid::Uuid::new_v4()),
                max_concurrency: MAX_CONCURRENCY,
                ..Default::default()
            },
            handlers: HashMap::new(),
            grace: GRACE_PERIOD,
        }
    }

    /// Names this instance, at most 128 characters; a random name unless set.
    ///
    /// Must be another after a restart of the process: under the same name the server expects
    /// the tasks held to go on.
    pub fn worker_id(mut self, id: impl Into<String>) -> Self {
        self.hello.worker_id = id.into();
        self
    }

    /// Serves agents of this namespace; the server's default unless set.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.hello.namespace = namespace.into();
        self
    }

    /// How many tasks run at once, over all agents: 1 to 10,000; 16 unless set.
    pub fn max_concurrency(mut self, tasks: u32) -> Self {
        self.hello.max_concurrency = tasks;
        self
    }

    /// How long tasks may take to finish after the shutdown; 30 s unless set.
    pub fn grace_period(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Serves the agent `id`: each task runs `handler` in a Tokio task of its own. A panic in
    /// it fails the attempt with class `agent_error`, and nothing else.
    pub fn agent<F, Fut, O>(self, id: impl Into<String>, handler: F) -> Self
    where
        F: Fn(TaskContext, Json) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, TaskError>> + Send + 'static,
        O: Into<TaskOutput> + Send + 'static,
    {
        self.agent_with(named(id), handler)
    }

    /// As [`agent`](Self::agent), with what the server is told of it: skills, description,
    /// schemas, labels. An agent that is registered already stays as it is.
    pub fn agent_with<F, Fut, O>(self, agent: Agent, handler: F) -> Self
    where
        F: Fn(TaskContext, Json) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, TaskError>> + Send + 'static,
        O: Into<TaskOutput> + Send + 'static,
    {
        let handler = Arc::new(move |context, input| {
            handler(context, input)
                .map(|outcome| outcome.map(Into::into))
                .boxed()
        });
        self.serve(agent, Handler::Spawned(handler))
    }

    /// Serves the agent `id` with a function that never blocks and takes microseconds: it is
    /// run at once, in the worker's own task, which costs the least. It cannot be cancelled.
    pub fn agent_fn<F, O>(self, id: impl Into<String>, handler: F) -> Self
    where
        F: Fn(Json) -> Result<O, TaskError> + Send + Sync + 'static,
        O: Into<TaskOutput>,
    {
        self.agent_fn_with(named(id), handler)
    }

    /// As [`agent_fn`](Self::agent_fn), with what the server is told of the agent.
    pub fn agent_fn_with<F, O>(self, agent: Agent, handler: F) -> Self
    where
        F: Fn(Json) -> Result<O, TaskError> + Send + Sync + 'static,
        O: Into<TaskOutput>,
    {
        let handler = Arc::new(move |input| handler(input).map(Into::into));
        self.serve(agent, Handler::Inline(handler))
    }

    fn serve(mut self, agent: Agent, handler: Handler) -> Self {
        self.handlers.insert(agent.id.clone(), handler);
        self.hello.agents.push(agent);
        self
    }

    /// Checks it all.
    ///
    /// # Errors
    /// [`Error::Address`]; [`Error::Worker`] without agents, with an agent twice, and for a
    /// name or a number out of range.
    pub fn build(self) -> Result<Worker, Error> {
        let server = Server::new(&self.address)?;
        let bad = |what: String| Err(Error::Worker(what));
        let id = &self.hello.worker_id;
        if id.is_empty() || id.chars().count() > ID_LENGTH_MAX {
            return bad(format!("its id must have 1 to {ID_LENGTH_MAX} characters"));
        }
        if !(1..=CONCURRENCY_LIMIT).contains(&self.hello.max_concurrency) {
            return bad(format!("max_concurrency must be 1 to {CONCURRENCY_LIMIT}"));
        }
        if self.handlers.is_empty() {
            return bad("it serves no agent".into());
        }
        if self.handlers.len() < self.hello.agents.len() {
            return bad("it serves an agent twice".into());
        }
        if self.handlers.contains_key("") {
            return bad("it serves an agent without id".into());
        }
        Ok(Worker {
            server,
            hello: self.hello,
            handlers: self.handlers,
            grace: self.grace,
        })
    }
}

fn named(id: impl Into<String>) -> Agent {
    Agent {
        id: id.into(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> WorkerBuilder {
        Worker::builder("127.0.0.1:7420")
    }

    fn echo(builder: WorkerBuilder) -> WorkerBuilder {
        builder.agent_fn("echo", Ok::<Json, TaskError>)
    }

    #[test]
    fn each_worker_gets_a_name_of_its_own() {
        let [one, other] = [echo(builder()), echo(builder())].map(|b| b.build().expect("good"));
        assert_ne!(one.hello.worker_id, other.hello.worker_id);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let bad = [
            builder(),
            echo(echo(builder())),
            echo(builder()).worker_id("x".repeat(129)),
            echo(builder()).max_concurrency(0),
            echo(builder()).max_concurrency(10_001),
            builder().agent_fn("", Ok::<Json, TaskError>),
        ];
        for builder in bad {
            assert!(matches!(builder.build(), Err(Error::Worker(_))));
        }
    }
}
