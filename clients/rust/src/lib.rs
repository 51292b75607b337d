//! Client and worker for [Tutti](https://github.com/tutti-dev/tutti), the durable orchestrator
//! for AI agents.
//!
//! In reading order: [`Client`] starts and watches executions, [`Worker`] serves agents,
//! [`json`] turns `serde_json` values into those of the API and back, [`proto`] is the whole
//! API as generated.
//!
//! ```no_run
//! use serde_json::json;
//! use tutti_client::{Client, Start, Worker};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let worker = Worker::builder("127.0.0.1:7420")
//!     .agent("greeter", |_ctx, input| async move {
//!         Ok(json!({ "text": format!("Hello {}", input["name"].as_str().unwrap_or("you")) }))
//!     })
//!     .build()?;
//! let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
//! let serving = tokio::spawn(worker.run(async { drop(stopped.await) }));
//!
//! let client = Client::connect("127.0.0.1:7420").await?;
//! client.register("{ name: hello, steps: [ { id: greet, agent: greeter } ] }").await?;
//! let execution = client.run(Start::workflow("hello").input(json!({ "name": "Ada" }))).await?;
//! println!("{:?}", execution.output.map(tutti_client::json::to_json));
//!
//! drop(stop);
//! serving.await??;
//! # Ok(())
//! # }
//! ```

mod backoff;
mod client;
mod endpoint;
mod error;
pub mod json;
mod patience;
mod start;
mod watch;
pub mod worker;

pub use client::Client;
pub use error::Error;
pub use start::Start;
pub use tutti_proto::v1 as proto;
pub use watch::{EventStream, Update, UpdateStream};
pub use worker::{TaskContext, TaskError, TaskOutput, Worker};

/// What a worker says of an agent that it serves: its id, skills, schemas and labels.
pub use proto::Agent;

// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
