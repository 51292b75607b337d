//! Text to plan in one go, with everything that either reading or compiling has to say.

use super::{Compiled, compile};
use crate::{
    core::{
        definition::{self, Positions},
        finding::{Finding, any_error},
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
    /// Where its fields stand in the text.
    pub positions: Positions,
}

impl Checked {
    /// Adds what was found out since, in its place.
    pub fn add(&mut self, mut findings: Vec<Finding>) {
        self.positions.locate(&mut findings);
        self.findings.extend(findings);
        self.findings.sort_by_key(|f| (f.line, f.column));
    }
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
    let errors = parsed.findings.iter();
    let errors = errors.filter(|f| f.severity() == Severity::Error);
    let unread: Vec<&str> = errors.map(|f| f.path.as_str()).collect();
    further.retain(|finding| !follows(finding, &unread));
    let mut findings = parsed.findings.clone();
    findings.extend(further);
    findings.sort_by_key(|f| (f.line, f.column));
    Checked {
        workflow: parsed.workflow,
        compiled: compiled.filter(|_| !any_error(&findings)),
        findings,
        positions: parsed.positions,
    }
}

/// True when a finding may come from a field that could not be read: one at the same place
/// or within it; or one around it that misses something.
fn follows(finding: &Finding, unread: &[&str]) -> bool {
    let path = finding.path.as_str();
    let misses = matches!(finding.rule.as_str(), "required" | "out-of-range");
    unread
        .iter()
        .any(|field| is_within(path, field) || (misses && is_within(field, path)))
}

/// True when `inner` is `outer` or a field of it. Nothing but itself is within the whole: a
/// finding about the whole says nothing about its parts.
fn is_within(inner: &str, outer: &str) -> bool {
    match inner.strip_prefix(outer) {
        _ if outer.is_empty() => inner.is_empty(),
        Some(rest) => rest.is_empty() || rest.starts_with(['.', '[']),
        None => false,
    }
}
