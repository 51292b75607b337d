//! Definitions as requests bring them: read and checked, every finding placed in its source.

use super::convert::workflow::Given;
use crate::{
    core::{
        finding::any_error,
        plan::{self, Checked},
    },
    engine::{Error, Handle},
    proto::{ValidateWorkflowResponse, Workflow},
};

/// Checks a definition. Text is read on a thread of its own: it may be large.
pub async fn check(given: Given, engine: &Handle) -> Result<Checked, Error> {
    let engine = engine.clone();
    let checked = tokio::task::spawn_blocking(move || match given {
        Given::Source(source) => plan::check(&source, engine.limits()),
        Given::Workflow(workflow) => match engine.validate(&workflow) {
            Ok(compiled) => Checked {
                findings: compiled.warnings.clone(),
                compiled: Some(compiled),
                workflow: Some(*workflow),
            },
            Err(findings) => Checked {
                workflow: Some(*workflow),
                compiled: None,
                findings,
            },
        },
    });
    let checked = checked.await;
    checked.map_err(|e| Error::Internal(format!("checking a definition: {e}")))
}

/// Everything there is to say about a definition.
pub fn report(checked: Checked) -> ValidateWorkflowResponse {
    let mut response = ValidateWorkflowResponse {
        valid: checked.workflow.is_some() && !any_error(&checked.findings),
        findings: checked.findings,
        workflow: checked.workflow,
        ..ValidateWorkflowResponse::default()
    };
    if let Some(compiled) = checked.compiled {
        response.graph = Some(compiled.graph);
        response.worst_case_calls = compiled.worst_case_calls;
    }
    response
}

/// The definition, when there is no error in it.
///
/// # Errors
/// `Definition` with all that was found.
pub fn sound(checked: &mut Checked) -> Result<Workflow, Error> {
    match checked.workflow.take() {
        Some(workflow) if !any_error(&checked.findings) => Ok(workflow),
        _ => Err(Error::Definition {
            findings: std::mem::take(&mut checked.findings),
        }),
    }
}
