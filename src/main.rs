//! The `tutti` binary: parses the command line and calls.

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    tutti::cli::run(tutti::cli::Cli::parse()).await
}
