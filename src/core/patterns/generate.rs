//! `generate`: a call whose output is a workflow, then that workflow as a child execution. The
//! child gets what the step was given.

use crate::{
    core::{
        definition,
        finding::any_error,
        limits::Limits,
        plan::{self, Child, Compiler, Input, Kind, NodeId, Source},
        value::{self, Value},
    },
    proto::{Finding, PatternCall, Workflow, finding::Severity},
};

/// The pattern as nodes: `plan`, then `run`.
pub(in crate::core) fn compile(c: &mut Compiler<'_>, written: &PatternCall, id: NodeId) -> Kind {
    let plan = c.pattern_call(id, "plan", written, Input::Previous);
    c.node(plan).gives_workflow = true;
    let run = c.pattern_node(id, "run");
    c.node(run).kind = Kind::Child(Child {
        source: Source::Given(plan),
        detached: false,
    });
    c.node(id).hides_steps = true;
    let sequence = c.in_sequence(vec![plan, run]);
    // Without a step before it, `previous` is what the step around was given.
    c.node(run).input = Input::Previous;
    c.node(run).previous = None;
    sequence
}

/// The workflow that an agent's output is: an object in the canonical JSON mapping, or text in
/// YAML or JSON, perhaps in a fenced block as models write it. Validated in full.
///
/// # Errors
/// What is wrong with it, in words: every error with its place.
pub(in crate::core) fn check(output: &Value, limits: &Limits) -> Result<(), String> {
    let checked = plan::check(&source(output), limits);
    if any_error(&checked.findings) {
        return Err(words(&checked.findings));
    }
    Ok(())
}

/// The workflow that an output is that was checked before.
pub(in crate::core) fn workflow(output: &Value) -> Option<Workflow> {
    definition::parse(&source(output)).workflow
}

fn source(output: &Value) -> String {
    match &output.kind {
        Some(value::Kind::StringValue(text)) => unfenced(text).to_owned(),
        _ => value::to_json(output).to_string(),
    }
}

/// What is in the first fenced block; the text itself when there is none.
fn unfenced(text: &str) -> &str {
    let Some((_, fenced)) = text.split_once("```") else {
        return text;
    };
    let block = fenced.split_once('\n').map_or("", |(_, block)| block);
    block.split("```").next().unwrap_or_default()
}

fn words(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|f| f.severity() == Severity::Error);
    let errors = errors.map(|finding| {
        let place = match finding.path.as_str() {
            "" => String::new(),
            path => format!("{path}: "),
        };
        match finding.hint.as_str() {
            "" => format!("{place}{}", finding.message),
            hint => format!("{place}{} ({hint})", finding.message),
        }
    });
    let errors: Vec<String> = errors.collect();
    format!("the output is no valid workflow: {}", errors.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name: made\nsteps: [ { id: a, agent: x } ]\n";

    #[test]
    fn a_workflow_is_an_object_or_a_text_or_a_fenced_block() {
        let limits = Limits::default();
        let object = value::from_json(&serde_json::json!({
            "name": "made", "steps": [{"id": "a", "agent": "x"}],
        }));
        let fenced = format!("Here it is:\n```yaml\n{GOOD}```\nIt has one step.");
        for output in [object, value::string(GOOD), value::string(fenced)] {
            assert_eq!(check(&output, &limits), Ok(()));
            let made = workflow(&output).expect("it was checked");
            assert_eq!((made.name.as_str(), made.steps.len()), ("made", 1));
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_with_its_place() {
        let limits = Limits {
            workflow_steps_max: 1,
            ..Limits::default()
        };
        let bad = "name: Bad Name\nsteps: [ { id: a } ]";
        let said = check(&value::string(bad), &limits).expect_err("it is wrong");
        assert!(said.contains("name: `Bad Name` is not a name"), "{said}");
        assert!(said.contains("steps[0]: the step has no kind"), "{said}");
        let large = "name: x\nsteps: [ { id: a, agent: x }, { id: b, agent: x } ]";
        let said = check(&value::string(large), &limits).expect_err("it is too large");
        assert!(said.contains("limit `workflow_steps_max`"), "{said}");
        assert!(check(&value::number(3.0), &limits).is_err());
    }
}
