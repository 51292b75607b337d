//! `tutti cancel`: asks an execution to end, or ends it.

use tutti_client::Client;

use super::{failure::Failure, global::Global, json, output, session};
use crate::proto::{CancelExecutionRequest, Execution, TerminateExecutionRequest};

/// Cancels an execution: its agents are told to stop
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti cancel 0193f4c2-… --reason \"ordered twice\"
  tutti cancel 0193f4c2-… --terminate          without waiting for agents to stop")]
pub struct Args {
    /// The execution
    id: String,

    /// Why, for those who look later
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,

    /// Ends it now: results of steps in progress no longer count
    #[arg(long)]
    terminate: bool,
}

/// Cancels and prints the execution's state.
///
/// # Errors
/// `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let execution = end(&session, args).await?.unwrap_or_default();
    if global.json() {
        return output::print(&json::pretty(&execution, "tutti.v1.Execution")?);
    }
    let state = execution.state().as_str_name();
    if execution.end_time.is_some() {
        return output::print(&format!("{} {state}", execution.execution_id));
    }
    output::print(&format!(
        "{} {state}, cancel requested",
        execution.execution_id
    ))
}

async fn end(session: &Client, args: Args) -> Result<Option<Execution>, Failure> {
    let mut executions = session.executions();
    let namespace = session.namespace().to_owned();
    if args.terminate {
        let request = TerminateExecutionRequest {
            namespace,
            execution_id: args.id,
            reason: args.reason,
        };
        let response = executions.terminate_execution(request).await?;
        return Ok(response.into_inner().execution);
    }
    let request = CancelExecutionRequest {
        namespace,
        execution_id: args.id,
        reason: args.reason,
    };
    let response = executions.cancel_execution(request).await?;
    Ok(response.into_inner().execution)
}
