//! Text to plan in one go, with everything that either reading or compiling has to say.

use super::{Compiled, compile};
use crate::{
    core::{
        definition,
        finding::{self, Finding, any_error},
        limits::Limits,
    },
    proto::{Workflow, finding::Severity},
};

/// What became of the text of a definition.
#[derive(Debug)]
pub struct Checked {
    /// The workflow; `None` when it could not be read without error.
    pub workflow: Option<Workflow>,
    /// The plan; `None` when any finding is an error.
    pub compiled: Option<Compiled>,
    /// Every finding with line and column, warnings among them, by place.
    pub findings: Vec<Finding>,
}

/// Reads and compiles the text of a YAML or JSON file.
///
/// What could be read of a faulty text is compiled too, so that all its problems come at
/// once; findings that only follow from what could not be read are left out.
pub fn check(source: &str, limits: &Limits) -> Checked {
    let parsed = definition::parse(source);
    let result = parsed.draft().map(|draft| compile(draft, limits));
    let (compiled, mut further) = match result {
        None => (None, Vec::new()),
        Some(Ok(mut compiled)) => {
            parsed.positions.locate(&mut compiled.warnings);
            let warnings = compiled.warnings.clone();
            (Some(compiled), warnings)
        }
        Some(Err(findings)) => (None, findings),
    };
    parsed.positions.locate(&mut further);
    let unread: Vec<&str> = errors(&parsed.findings).map(|f| f.path.as_str()).collect();
    further.retain(|f| !follows(&f.path, &unread));
    let mut findings = parsed.findings.clone();
    findings.extend(further);
    findings.sort_by_key(|f| (f.line, f.column));
    Checked {
        workflow: parsed.workflow,
        compiled: compiled.filter(|_| !any_error(&findings)),
        findings,
    }
}

fn errors(findings: &[Finding]) -> impl Iterator<Item = &finding::Finding> {
    findings.iter().filter(|f| f.severity() == Severity::Error)
}

/// True when a finding at `path` may come from a field that could not be read: one at the
/// same place, around it or within it.
fn follows(path: &str, unread: &[&str]) -> bool {
    unread
        .iter()
        .any(|field| is_within(field, path) || is_within(path, field))
}

/// True when `inner` is `outer` or a field of it; everything is within the whole, but a
/// finding about the whole says nothing about its parts.
fn is_within(inner: &str, outer: &str) -> bool {
    match inner.strip_prefix(outer) {
        _ if outer.is_empty() => inner.is_empty(),
        Some(rest) => rest.is_empty() || rest.starts_with(['.', '[']),
        None => false,
    }
}
