//! Tests over a real server: the generated clients, the client crate and the binary against
//! the API as users meet it.

#![allow(clippy::unwrap_used, missing_docs)]

mod agents;
mod architecture;
mod cli;
mod clients;
mod demo;
mod docs;
mod errors;
mod executions;
mod formats;
mod killed;
mod restart;
mod support;
mod system;
mod watch;
mod workers;
mod workflows;
