//! The instants at which an execution needs to be woken, in order.

use std::collections::BTreeSet;

use super::RunId;
use crate::core::time::Time;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKind {
    /// A wait is over; before what is due with it, so that it is not too late by nothing.
    Wait,
    /// All attempts must have ended: of a step, or of the execution.
    Total,
    /// The attempt must have ended.
    Attempt,
    /// The attempt must have been accepted.
    Queue,
    /// The next attempt begins.
    Retry,
}

/// The timers of one execution. At most one of each kind for a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timers {
    due: BTreeSet<(Time, RunId, TimerKind)>,
}

impl Timers {
    /// All, the earliest first.
    pub fn iter(&self) -> impl Iterator<Item = (Time, RunId, TimerKind)> {
        self.due.iter().copied()
    }

    /// Takes one away; true when it was set.
    pub fn take(&mut self, due: Time, run: RunId, kind: TimerKind) -> bool {
        self.due.remove(&(due, run, kind))
    }

    /// Adds one.
    pub fn set(&mut self, due: Time, run: RunId, kind: TimerKind) {
        self.due.insert((due, run, kind));
    }

    /// Takes one away, if it was set.
    pub fn clear(&mut self, due: Option<Time>, run: RunId, kind: TimerKind) {
        if let Some(due) = due {
            self.due.remove(&(due, run, kind));
        }
    }

    /// Takes all away.
    pub fn clear_all(&mut self) {
        self.due.clear();
    }
}
