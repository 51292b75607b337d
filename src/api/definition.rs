//! Definitions as requests bring them: read, compiled, and every finding placed in its source.

use super::convert::workflow::Given;
use crate::{
    core::{
        definition::{self, Positions},
        finding::any_error,
        plan::Compiled,
    },
    engine::{Error, Handle},
    proto::{Finding, ValidateWorkflowResponse, Workflow},
};

/// A definition, read.
pub struct Read {
    /// The definition; `None` when reading found errors.
    workflow: Option<Workflow>,
    /// What could be read in spite of errors: only good for finding more of them.
    draft: Option<Workflow>,
    /// What was found while reading.
    findings: Vec<Finding>,
    /// Where in the source things stand; `None` for a message.
    positions: Option<Positions>,
}

/// Reads a definition. Text is parsed on a thread of its own: it may be large.
pub async fn read(given: Given) -> Result<Read, Error> {
    let source = match given {
        Given::Workflow(workflow) => {
            return Ok(Read {
                workflow: Some(*workflow),
                draft: None,
                findings: Vec::new(),
                positions: None,
            });
        }
        Given::Source(source) => source,
    };
    let parsed = tokio::task::spawn_blocking(move || definition::parse(&source)).await;
    let parsed = parsed.map_err(|e| Error::Internal(format!("reading a definition: {e}")))?;
    let draft = match parsed.workflow {
        None => parsed.draft().cloned(),
        Some(_) => None,
    };
    Ok(Read {
        draft,
        workflow: parsed.workflow,
        findings: parsed.findings,
        positions: Some(parsed.positions),
    })
}

impl Read {
    /// Everything there is to say about the definition.
    pub fn validate(mut self, engine: &Handle) -> ValidateWorkflowResponse {
        let mut response = ValidateWorkflowResponse::default();
        let later = match self.compile(engine) {
            None => Vec::new(),
            Some(Err(findings)) => findings,
            Some(Ok(compiled)) => {
                response.graph = Some(compiled.graph);
                response.worst_case_calls = compiled.worst_case_calls;
                compiled.warnings
            }
        };
        response.findings = self.placed(later);
        response.valid = self.workflow.is_some() && !any_error(&response.findings);
        response.workflow = self.workflow;
        response
    }

    /// The definition, when reading found no error.
    ///
    /// # Errors
    /// All that reading and compiling find.
    pub fn sound(&mut self, engine: &Handle) -> Result<Workflow, Error> {
        if let Some(workflow) = self.workflow.take() {
            return Ok(workflow);
        }
        let later = self.compile(engine).and_then(Result::err);
        let findings = self.placed(later.unwrap_or_default());
        Err(Error::Definition { findings })
    }

    fn compile(&self, engine: &Handle) -> Option<Result<Compiled, Vec<Finding>>> {
        let readable = self.workflow.as_ref().or(self.draft.as_ref());
        readable.map(|workflow| engine.validate(workflow))
    }

    /// What reading found and what is found later, with positions, in the source's order.
    pub fn placed(&mut self, later: Vec<Finding>) -> Vec<Finding> {
        let mut findings = std::mem::take(&mut self.findings);
        findings.extend(later);
        if let Some(positions) = &self.positions {
            positions.locate(&mut findings);
            findings.sort_by_key(|finding| (finding.line, finding.column));
        }
        findings
    }

    /// An error of the engine about this definition, with positions.
    pub fn placed_error(&mut self, error: Error) -> Error {
        match error {
            Error::Definition { findings } => Error::Definition {
                findings: self.placed(findings),
            },
            other => other,
        }
    }
}
