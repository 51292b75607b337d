//! Definitions as requests bring them: read, compiled, and every finding placed in its source.

use super::convert::workflow::Given;
use crate::{
    core::plan::{self, Checked, Compiled},
    engine::{Error, Handle},
    proto::{ValidateWorkflowResponse, Workflow},
};

/// Checks a definition, on a thread where that holds nobody up: it may be large.
///
/// # Errors
/// `Internal` when the thread fails; what is wrong with the definition is in the result.
pub async fn check(given: Given, engine: &Handle) -> Result<Checked, Error> {
    let engine = engine.clone();
    let checked = tokio::task::spawn_blocking(move || match given {
        Given::Workflow(workflow) => of_message(*workflow, &engine),
        Given::Source(source) => plan::check(&source, engine.limits()),
    });
    checked
        .await
        .map_err(|e| Error::Internal(format!("checking a definition: {e}")))
}

fn of_message(workflow: Workflow, engine: &Handle) -> Checked {
    let (compiled, findings) = match engine.validate(&workflow) {
        Ok(mut compiled) => {
            let warnings = std::mem::take(&mut compiled.warnings);
            (Some(compiled), warnings)
        }
        Err(findings) => (None, findings),
    };
    Checked {
        workflow: Some(workflow),
        compiled,
        findings,
    }
}

/// Everything there is to say about the definition.
pub fn validated(checked: Checked) -> ValidateWorkflowResponse {
    let compiled = checked.compiled.as_ref();
    ValidateWorkflowResponse {
        valid: compiled.is_some(),
        findings: checked.findings,
        worst_case_calls: compiled.map_or(0, |c| c.worst_case_calls),
        graph: checked.compiled.map(|c| c.graph),
        workflow: checked.workflow,
    }
}

/// The definition and what it compiles to, when there is no error in it; warnings stay behind.
///
/// # Errors
/// `Definition` with every finding.
pub fn sound(checked: &mut Checked) -> Result<(Workflow, Compiled), Error> {
    match (checked.workflow.take(), checked.compiled.take()) {
        (Some(workflow), Some(compiled)) => Ok((workflow, compiled)),
        _ => Err(Error::Definition {
            findings: std::mem::take(&mut checked.findings),
        }),
    }
}
