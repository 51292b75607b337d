//! What a gate is once compiled: what it checks, and what a violation does. Made by `gates`.

use super::{Expr, NodeId, Schema, Template};

/// One check.
#[derive(Debug)]
pub struct Gate {
    /// What is checked.
    pub check: Check,
    /// What is said when it fails.
    pub message: Option<Template>,
    /// What a violation does.
    pub on_violation: OnViolation,
    /// Who repairs what violates it; there for REPAIR.
    pub repair: Option<Repair>,
}

impl Gate {
    /// The agent that is asked, when one is.
    pub fn judge(&self) -> Option<&Judge> {
        match &self.check {
            Check::Judge(judge) => Some(judge),
            _ => None,
        }
    }
}

/// An agent's judgement as a check.
#[derive(Debug)]
pub struct Judge {
    /// The call.
    pub call: NodeId,
    /// What it goes by.
    pub criteria: Option<Template>,
    /// The least score that passes.
    pub threshold: f64,
}

/// An agent that repairs what violates a gate.
#[derive(Clone, Copy, Debug)]
pub struct Repair {
    /// The call.
    pub call: NodeId,
    /// The most repairs of one value; at least 1.
    pub attempts: u32,
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
    /// What an agent says of it.
    Judge(Judge),
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
    /// An agent repairs the value, which is then checked again.
    Repair,
}
