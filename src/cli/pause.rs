//! `tutti pause` and `tutti resume`: hold an execution, and let it go on.

use super::{failure::Failure, global::Global, input::InputArgs, json, output, session};
use crate::{
    core::value::Kind,
    proto::{Execution, PauseExecutionRequest, ResumeExecutionRequest},
};

/// Holds an execution: what is in progress goes on, nothing begins until it is resumed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti pause 0193f4c2-… --reason \"the bank is down\"")]
pub struct Args {
    /// The execution
    id: String,

    /// Why, for those who look later
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// Lets an execution go on that is PAUSED: what failed is attempted again
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti list --state PAUSED
  tutti resume 0193f4c2-… --reason \"the bank is back\"
  tutti resume 0193f4c2-… --set account=DE02     vars.account is set first")]
pub struct ResumeArgs {
    /// The execution
    id: String,

    /// Why, for those who look later
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,

    /// Writes into `vars` first: NAME=TEXT, NAME=@FILE (the file's text) or NAME:=JSON
    #[arg(long = "set", value_name = "NAME=VALUE")]
    variables: Vec<String>,
}

/// Asks for the pause and prints the execution's state.
///
/// # Errors
/// `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let request = PauseExecutionRequest {
        namespace: session.namespace().to_owned(),
        execution_id: args.id,
        reason: args.reason,
    };
    let response = session.executions().pause_execution(request).await?;
    show(response.into_inner().execution, global)
}

/// Lets it go on and prints the execution's state.
///
/// # Errors
/// `Failure::Usage`, `Failure::Refused`, `Failure::Unreachable`.
pub async fn resume(args: ResumeArgs, global: &Global) -> Result<(), Failure> {
    let given = InputArgs {
        input: None,
        members: args.variables,
    };
    let variables = given.read()?.and_then(|given| given.kind);
    let session = session::open(global).await?;
    let request = ResumeExecutionRequest {
        namespace: session.namespace().to_owned(),
        execution_id: args.id,
        reason: args.reason,
        variables: match variables {
            Some(Kind::StructValue(variables)) => Some(variables),
            _ => None,
        },
    };
    let response = session.executions().resume_execution(request).await?;
    show(response.into_inner().execution, global)
}

fn show(execution: Option<Execution>, global: &Global) -> Result<(), Failure> {
    let execution = execution.unwrap_or_default();
    if global.json() {
        return output::print(&json::pretty(&execution, "tutti.v1.Execution")?);
    }
    let state = execution.state().as_str_name();
    output::print(&format!("{} {state}", execution.execution_id))
}
