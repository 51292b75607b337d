//! Tests over a real server: the generated clients, the client crate and the binary against
//! the API as users meet it.

#![allow(clippy::cloned_ref_to_slice_refs, clippy::unwrap_used, missing_docs)]

mod agents;
mod architecture;
mod bench;
mod cache;
mod children;
mod cli;
mod clients;
mod commits;
mod contexts;
mod demo;
mod docs;
mod each;
mod errors;
mod executions;
mod failure;
mod formats;
mod gates;
mod held;
mod killed;
mod loops;
mod orchestrate;
mod passive;
mod patterns;
mod restart;
mod states;
mod support;
mod system;
mod upkeep;
mod waits;
mod watch;
mod workers;
mod workflows;
