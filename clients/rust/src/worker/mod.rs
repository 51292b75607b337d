//! Serves agents: takes tasks from the server's stream and gives their results back.
//!
//! One Tokio task (`run`) owns the stream and the books (`ledger`); handlers run in tasks of
//! their own and send a note when they end. Results are kept until the server acknowledges
//! them, over as many connections as it takes: a worker whose connection breaks connects
//! again, names the tasks it holds, and goes on.

use std::{collections::HashMap, time::Duration};

use crate::{Error, endpoint::Server, proto};

mod builder;
mod chunk;
mod context;
mod error;
mod handler;
mod ledger;
mod link;
mod outbox;
mod report;
mod run;
mod stop;
mod tasks;

pub use builder::WorkerBuilder;
pub use context::TaskContext;
pub use error::TaskError;
pub use handler::TaskOutput;

/// Serves agents over one stream.
///
/// ```no_run
/// use serde_json::json;
/// use tutti_client::{Agent, TaskError, Worker};
///
/// # async fn example() -> Result<(), tutti_client::Error> {
/// let worker = Worker::builder("127.0.0.1:7420")
///     .agent("word-count", |_ctx, input| async move {
///         let text = input["text"]
///             .as_str()
///             .ok_or_else(|| TaskError::validation("`text` is missing"))?;
///         Ok(json!({ "words": text.split_whitespace().count() }))
///     })
///     .agent_with(
///         Agent {
///             id: "researcher".into(),
///             skills: vec!["research".into()],
///             ..Default::default()
///         },
///         |ctx, _input| async move {
///             ctx.chunk(json!("looking…"));
///             Ok(json!({ "found": ctx.step() }))
///         },
///     )
///     .agent_fn("echo", |input| Ok(input))
///     .max_concurrency(8)
///     .build()?;
/// worker.run(async { drop(tokio::signal::ctrl_c().await) }).await
/// # }
/// ```
pub struct Worker {
    server: Server,
    hello: proto::Hello,
    handlers: HashMap<String, handler::Handler>,
    grace: Duration,
}

impl Worker {
    /// Begins a worker of the server at `address`: `host:port` or an `http://` URL.
    pub fn builder(address: impl Into<String>) -> WorkerBuilder {
        WorkerBuilder::new(address.into())
    }

    /// The name under which the server knows this worker.
    pub fn worker_id(&self) -> &str {
        &self.hello.worker_id
    }

    /// Serves until `shutdown` ends or the server asks to drain: then takes no more tasks,
    /// finishes those it has, waits for the acks of their results, and returns. Tasks that
    /// exceed the grace period are given up, and fail with class `unavailable`.
    ///
    /// A server that is not there, or goes away, is connected to again for as long as it
    /// takes; tasks run on meanwhile, and their results are kept. Must run in a Tokio runtime.
    ///
    /// # Errors
    /// When the server refuses the worker: a bad agent, no permission.
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        run::Run::new(self, shutdown).serve().await
    }
}
