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
    let steps = output::counted(u64::try_from(steps).unwrap_or(u64::MAX), "step");
    let calls = output::counted(calls, "call");
    format!("{label}: {name} is valid: {steps}, at most {calls} to agents")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_valid_and_leaves_nothing_to_say() {
        for (name, text) in [
            ("hello", include_str!("../../examples/hello.yaml")),
            (
                "content-analysis",
                include_str!("../../examples/content-analysis.yaml"),
            ),
            (
                "ecommerce-order",
                include_str!("../../examples/ecommerce-order.yaml"),
            ),
            (
                "document-processing",
                include_str!("../../examples/document-processing.yaml"),
            ),
            (
                "order-routing",
                include_str!("../../examples/order-routing.yaml"),
            ),
        ] {
            let checked = check(text);
            assert!(checked.valid, "{name}: {:?}", checked.findings);
            assert!(
                checked.findings.is_empty(),
                "{name}: {:?}",
                checked.findings
            );
            assert_eq!(checked.workflow.map(|w| w.name).as_deref(), Some(name));
        }
    }

    #[test]
    fn errors_make_a_definition_invalid_and_carry_their_place() {
        let checked = check("name: x\nsteps:\n  - id: a\n    agnt: y\n");
        assert!(!checked.valid);
        let place = checked.findings.first().map(|f| (f.line, f.column));
        assert_eq!(place, Some((4, 5)));
    }

    #[test]
    fn what_is_valid_is_said_with_its_size() {
        let checked = check("name: x\nsteps:\n  - id: a\n    agent: y\n");
        assert_eq!(
            said("x.yaml", &checked),
            "x.yaml: x is valid: 1 step, at most 1 call to agents"
        );
    }
}
