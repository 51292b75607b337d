//! `tutti delete`: forgets an ended execution with its events.

use super::{failure::Failure, global::Global, json, output, session};
use crate::proto::{DeleteExecutionRequest, DeleteExecutionResponse};

/// Deletes an ended execution with its events
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti delete 0193f4c2-…")]
pub struct Args {
    /// The execution
    id: String,
}

/// Deletes and says so.
///
/// # Errors
/// `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let request = DeleteExecutionRequest {
        namespace: session.namespace().to_owned(),
        execution_id: args.id.clone(),
    };
    session.executions().delete_execution(request).await?;
    if global.json() {
        let response = DeleteExecutionResponse {};
        return output::print(&json::pretty(
            &response,
            "tutti.v1.DeleteExecutionResponse",
        )?);
    }
    output::print(&format!("{} deleted", args.id))
}
