//! The `tutti` binary: parses the command line and calls.

use std::process::ExitCode;

use clap::Parser as _;

/// Small, short-lived allocations from many threads are most of what a server does with memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    tutti::cli::run(tutti::cli::Cli::parse()).await
}
