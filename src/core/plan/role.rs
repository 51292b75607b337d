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
