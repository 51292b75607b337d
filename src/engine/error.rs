//! Why the engine cannot do what it was asked. The api turns each into one `Status`.

use std::time::Duration;

use crate::proto::{Finding, finding::Severity};

/// Why a request was refused or failed. Nothing changed unless said.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Bad fields, all of them.
    #[error("{}", violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// One a field.
        violations: Vec<Violation>,
    },
    /// A definition with errors, all of them.
    #[error("the workflow is not valid: {}", first_error(findings))]
    Definition {
        /// Every finding, warnings too.
        findings: Vec<Finding>,
    },
    /// There is no such thing.
    #[error("{} {name} not found", kind.trim_end_matches(" version"))]
    NotFound {
        /// What kind of thing: `workflow`, `workflow version`, `execution`, `agent`, `worker`.
        kind: &'static str,
        /// Its name as asked for; of a version with the number.
        name: String,
    },
    /// The request id was used with another body.
    #[error("request_id {0} was used before with another body: use a new one for another request")]
    RequestReused(String),
    /// Its state forbids it.
    #[error("{subject} {reason}")]
    State {
        /// What: `execution 0190…`.
        subject: String,
        /// Why not: `has ended (COMPLETED)`.
        reason: String,
    },
    /// Agents that a workflow needs before it starts are missing.
    #[error("workflow {workflow} starts only when its agents are there: {}", missing.join("; "))]
    AgentsMissing {
        /// The workflow's name.
        workflow: String,
        /// What is missing, each in words.
        missing: Vec<String>,
    },
    /// A limit is reached.
    #[error("{message}")]
    Exhausted {
        /// The limit's name as GetServerInfo publishes it, or the field that is too large.
        subject: String,
        /// What and how much, in words.
        message: String,
        /// When trying again helps: after this long.
        retry_after: Option<Duration>,
    },
    /// A task token that does not hold its task.
    #[error("{0}")]
    StaleToken(String),
    /// A watch position that is not there.
    #[error("sequence {after} is past the last event, {last}")]
    OutOfRange {
        /// The sequence asked for.
        after: u64,
        /// The last there is.
        last: u64,
    },
    /// The server is shutting down.
    #[error("the server is shutting down: try again")]
    Unavailable,
    /// What is kept cannot be read.
    #[error("{0}")]
    DataLoss(String),
    /// A broken invariant; told to the log, not to the caller.
    #[error("internal error: {0}")]
    Internal(String),
}

/// One bad field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Violation {
    /// The field's path in the request; for an input that breaks its schema, `input` and the
    /// JSON pointer: `input/items/0`.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// The first error among the findings, and how many more there are.
fn first_error(findings: &[Finding]) -> String {
    let is_error = |finding: &&Finding| finding.severity() == Severity::Error;
    let mut errors = findings.iter().filter(is_error);
    let Some(first) = errors.next() else {
        return String::new();
    };
    let place = match first.path.as_str() {
        "" => String::new(),
        path => format!("{path}: "),
    };
    let more = match errors.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    format!("{place}{}{more}", first.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::finding::{error, warning};

    #[test]
    fn a_bad_definition_names_its_first_error_and_counts_the_others() {
        let finding = |path: &str| error(path, "required", "there are no steps", "");
        let said = |findings: Vec<Finding>| Error::Definition { findings }.to_string();
        assert_eq!(
            said(vec![
                warning("", "unused", "never read", ""),
                finding("steps")
            ]),
            "the workflow is not valid: steps: there are no steps"
        );
        assert_eq!(
            said(vec![finding(""), finding("steps"), finding("finally")]),
            "the workflow is not valid: there are no steps (and 2 more)"
        );
    }
}
