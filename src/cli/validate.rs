//! `tutti validate`: everything there is to say about a definition. Needs no server.

use super::{failure::Failure, findings, global::Global, json, output, source::SourceFile};
use crate::{
    core::{limits::Limits, plan},
    proto::ValidateWorkflowResponse,
};

/// Checks a definition and tells every finding at once; needs no server
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each finding is one line: FILE:LINE:COLUMN: error[RULE] PATH: MESSAGE (HINT). The exit code is
2 when there is an error; warnings do not count.

Examples:
  tutti validate examples/ecommerce-order.yaml
  tutti validate --output json my.yaml | jq '.findings[].message'")]
pub struct Args {
    /// The definition, YAML or JSON; - for stdin
    file: String,
}

/// Prints the findings and what the definition comes to.
///
/// # Errors
/// `Failure::Invalid` when there is an error in it; `Failure::Usage` when it cannot be read.
pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let file = SourceFile::read(&args.file)?;
    let checked = check(&file.text);
    if global.json() {
        output::print(&json::pretty(
            &checked,
            "tutti.v1.ValidateWorkflowResponse",
        )?)?;
    } else {
        findings::print(&file.label, &checked.findings, global.stderr());
    }
    if !checked.valid {
        return Err(Failure::Invalid(String::new()));
    }
    if global.json() {
        return Ok(());
    }
    output::print(&said(&file.label, &checked))
}

/// What ValidateWorkflow answers for this text, with the default limits.
pub fn check(text: &str) -> ValidateWorkflowResponse {
    let checked = plan::check(text, &Limits::default());
    ValidateWorkflowResponse {
        valid: checked.compiled.is_some(),
        findings: checked.findings,
        worst_case_calls: checked.compiled.as_ref().map_or(0, |c| c.worst_case_calls),
        graph: checked.compiled.map(|c| c.graph),
        workflow: checked.workflow,
    }
}

fn said(label: &str, checked: &ValidateWorkflowResponse) -> String {
    let name = checked.workflow.as_ref().map_or("", |w| w.name.as_str());
    let steps = checked.graph.as_ref().map_or(0, |g| g.nodes.len());
    let calls = checked.worst_case_calls;
    let steps = counted(u64::try_from(steps).unwrap_or(u64::MAX), "step");
    let calls = counted(calls, "call");
    format!("{label}: {name} is valid: {steps}, at most {calls} to agents")
}

fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}
