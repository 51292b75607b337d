//! What a gate is once compiled: what it checks, and what a violation does. Made by `gates`.

use super::{Expr, Schema, Template};

/// One check.
#[derive(Debug)]
pub struct Gate {
    /// What is checked.
    pub check: Check,
    /// What is said when it fails.
    pub message: Option<Template>,
    /// What a violation does.
    pub on_violation: OnViolation,
}

/// What a gate checks.
#[derive(Debug)]
pub enum Check {
    /// Neither null, nor blank, nor without members.
    NotEmpty,
    /// Not a string, or a string that is JSON.
    Json,
    /// Fulfils a JSON Schema.
    JsonSchema(Schema),
    /// A string that matches somewhere.
    Regex(regex::Regex),
    /// An expression that gives true.
    Cel(Expr),
    /// A length within bounds, both included.
    Length {
        /// The least.
        min: Option<u64>,
        /// The most.
        max: Option<u64>,
    },
    /// A number within bounds, both included.
    Range {
        /// The number; `None`: the value checked.
        of: Option<Expr>,
        /// The least.
        min: Option<f64>,
        /// The most.
        max: Option<f64>,
    },
}

/// What a violated gate does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnViolation {
    /// The step fails without another attempt.
    Fail,
    /// The attempt fails and is repeated as the retry policy says.
    Retry,
    /// It is recorded and the step goes on.
    Continue,
}
