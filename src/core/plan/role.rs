//! What a node is to the node around it, and what may run beside a step.

use super::{Node, NodeId};
use crate::core::expr::Expr;

impl Node {
    /// What takes its failure, tried in order.
    pub fn catches(&self) -> &[Catch] {
        self.beside.as_ref().map_or(&[], |b| &b.catches)
    }

    /// The call that undoes it.
    pub fn compensation(&self) -> Option<NodeId> {
        self.beside.as_ref()?.compensation
    }

    /// The calls that it may need besides its own attempts.
    pub fn auxiliary(&self) -> &[NodeId] {
        self.beside.as_ref().map_or(&[], |b| &b.auxiliary)
    }

    /// The name that `vars` get once it has completed.
    pub fn mark(&self) -> Option<&str> {
        self.beside.as_ref()?.mark.as_deref()
    }

    /// True when its failure holds the execution.
    pub fn parks(&self) -> bool {
        self.beside.as_ref().is_some_and(|b| b.parks)
    }

    /// True when a failure of it undoes the steps within that completed.
    pub fn undoes(&self) -> bool {
        self.beside.as_ref().is_some_and(|b| b.undoes)
    }
}

/// What a node is to the node around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// One of its steps.
    #[default]
    Step,
    /// The steps that run instead of its failure.
    Catch,
    /// The call that undoes it.
    Compensation,
    /// The steps at the end of the workflow.
    Finally,
    /// A call that it needs besides its own attempts.
    Auxiliary(Asked),
}

/// What an agent is asked besides a step's own attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// What it says of the value that the gate at this place checks.
    Judge(u32),
    /// To repair the value that violates the gate at this place.
    Repair(u32),
    /// To make the context shorter that the step is handed on.
    Summary,
}

/// What may run beside a step: none of it is one of the steps within it.
#[derive(Debug, Default)]
pub struct Beside {
    /// What takes its failure, tried in order.
    pub catches: Vec<Catch>,
    /// The call that undoes it.
    pub compensation: Option<NodeId>,
    /// True when a failure of it undoes the steps within that completed.
    pub undoes: bool,
    /// The calls that it may need besides its own attempts.
    pub auxiliary: Vec<NodeId>,
    /// True when its failure holds the execution.
    pub parks: bool,
    /// The name that `vars` get once it has completed.
    pub mark: Option<String>,
}

/// Steps that run instead of a failure.
#[derive(Debug)]
pub struct Catch {
    /// The classes it takes; none: all.
    pub classes: Vec<String>,
    /// Whether it takes the error; none: always.
    pub when: Option<Expr>,
    /// The block of its steps.
    pub steps: NodeId,
}
