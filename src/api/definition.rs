//! Definitions as requests bring them: read, compiled, and every finding placed in its source.

use super::convert::workflow::Given;
use crate::{
    core::{
        definition::Positions,
        finding::{Finding, warning},
        plan::{self, Checked, Compiled},
    },
    engine::{Error, Handle},
    proto::{ValidateWorkflowResponse, Workflow},
};

/// Checks a definition, on a thread where that holds nobody up: it may be large. A workflow that
/// it names and the namespace does not have yet gets a warning.
///
/// # Errors
/// `Internal` when the thread fails; what is wrong with the definition is in the result.
pub async fn check(namespace: &str, given: Given, engine: &Handle) -> Result<Checked, Error> {
    let mut checked = compile(given, engine.clone()).await?;
    let unknown = unknown_workflows(namespace, &checked, engine).await?;
    checked.add(unknown);
    Ok(checked)
}

async fn compile(given: Given, engine: Handle) -> Result<Checked, Error> {
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
        positions: Positions::default(),
    }
}

/// Warnings about the workflows that a definition names and nobody has registered.
async fn unknown_workflows(
    namespace: &str,
    checked: &Checked,
    engine: &Handle,
) -> Result<Vec<Finding>, Error> {
    let (Some(workflow), Some(compiled)) = (&checked.workflow, &checked.compiled) else {
        return Ok(Vec::new());
    };
    let mut findings = Vec::new();
    for reference in &compiled.references {
        let (name, version) = (&reference.name, reference.version);
        if *name == workflow.name && version.is_none() {
            continue;
        }
        match engine.workflow(namespace, name, version).await {
            Ok(_) => {}
            Err(error @ Error::NotFound { .. }) => {
                let hint = "register it before the step begins";
                let path = reference.path.clone();
                findings.push(warning(path, "unknown-workflow", error.to_string(), hint));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(findings)
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
