//! `tutti diff`: what differs between two versions of a workflow.

use super::{
    failure::Failure,
    global::Global,
    json, output,
    output::{Paint, Tone},
    session,
};
use crate::{
    core::value,
    proto::{DiffWorkflowsRequest, DiffWorkflowsResponse, diff_workflows_response::Difference},
};

/// Shows what differs between two versions of a workflow
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti diff ecommerce-order          the newest version against the one before it
  tutti diff ecommerce-order 1 3")]
pub struct Args {
    /// The workflow
    name: String,

    /// The older version; left out: the one before TO
    #[arg(requires = "to")]
    from: Option<u32>,

    /// The newer version; left out: the newest
    to: Option<u32>,
}

/// Prints the differences, field by field.
///
/// # Errors
/// `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let request = DiffWorkflowsRequest {
        namespace: session.namespace().to_owned(),
        name: args.name.clone(),
        from_version: args.from.unwrap_or(0),
        to_version: args.to.unwrap_or(0),
    };
    let response = session.workflows().diff_workflows(request).await?;
    let response = response.into_inner();
    if global.json() {
        return output::print(&json::pretty(&response, "tutti.v1.DiffWorkflowsResponse")?);
    }
    output::print(&said(&args.name, &response, global.stdout()))
}

fn said(name: &str, response: &DiffWorkflowsResponse, paint: Paint) -> String {
    let (from, to) = (response.from_version, response.to_version);
    if response.differences.is_empty() {
        return format!("{name}: versions {from} and {to} do not differ");
    }
    let head = format!("{name}: version {from} to {to}");
    let mut lines = vec![paint.tone(Tone::Strong, &head)];
    for difference in &response.differences {
        lines.extend(difference_lines(difference, paint));
    }
    lines.join("\n")
}

fn difference_lines(difference: &Difference, paint: Paint) -> Vec<String> {
    let Difference {
        path,
        before,
        after,
    } = difference;
    let shown = |value| value::to_json(value).to_string();
    match (before, after) {
        (Some(before), Some(after)) => vec![
            format!("~ {path}"),
            paint.tone(Tone::Bad, &format!("    - {}", shown(before))),
            paint.tone(Tone::Good, &format!("    + {}", shown(after))),
        ],
        (Some(before), None) => {
            vec![paint.tone(Tone::Bad, &format!("- {path}: {}", shown(before)))]
        }
        (None, Some(after)) => {
            vec![paint.tone(Tone::Good, &format!("+ {path}: {}", shown(after)))]
        }
        (None, None) => vec![format!("~ {path}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::value::{number, string};

    #[test]
    fn changes_additions_and_removals_are_told_apart() {
        let difference = |path: &str, before, after| Difference {
            path: path.into(),
            before,
            after,
        };
        let response = DiffWorkflowsResponse {
            from_version: 1,
            to_version: 2,
            differences: vec![
                difference(
                    "steps[pay].timeout",
                    Some(string("20s")),
                    Some(string("30s")),
                ),
                difference("max_parallel_steps", None, Some(number(4.0))),
                difference("description", Some(string("old")), None),
            ],
        };
        assert_eq!(
            said("order", &response, Paint::new(false)),
            "order: version 1 to 2\n~ steps[pay].timeout\n    - \"20s\"\n    + \"30s\"\n\
             + max_parallel_steps: 4\n- description: \"old\""
        );
    }

    #[test]
    fn versions_without_a_difference_are_said_to_be_alike() {
        let response = DiffWorkflowsResponse {
            from_version: 1,
            to_version: 2,
            differences: vec![],
        };
        let text = said("order", &response, Paint::new(false));
        assert_eq!(text, "order: versions 1 and 2 do not differ");
    }
}
