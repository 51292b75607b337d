//! Undoing what completed when what is around it failed: the calls run one after the other, the
//! newest step first; one that fails is told and the others still run.

use super::turn::{Turn, truncated};
use crate::{
    core::{
        execution::{Ending, Error, ExecutionState, ROOT, RunId},
        value::Value,
    },
    proto::{
        CompensationFailed, ExecutionCompensating, StepCompensated, StepCompensating, Usage, event,
    },
};

impl Turn<'_> {
    /// True when the step is a saga with something to undo before it fails: that has begun.
    pub fn undo_first(&mut self, run: RunId, error: &Error, retried: bool) -> bool {
        if run == ROOT || !self.node(run).undoes() || self.execution.undoable(run).is_empty() {
            return false;
        }
        let compensating = StepCompensating {
            error: Some(error.clone()),
            retried,
        };
        self.emit(run, event::Kind::StepCompensating(compensating));
        true
    }

    /// As `undo_first`, for the whole.
    pub fn undo_all_first(&mut self, ending: &Ending) -> bool {
        use ExecutionState::{Failed, TimedOut};
        let fails = matches!(ending.state, Failed | TimedOut);
        let undoes = fails && self.node(ROOT).undoes();
        if !undoes || self.execution.undoable(ROOT).is_empty() {
            return false;
        }
        let compensating = ExecutionCompensating {
            error: ending.error.clone(),
            state: ending.state.into(),
        };
        self.emit(ROOT, event::Kind::ExecutionCompensating(compensating));
        true
    }

    /// The call undid its step.
    pub fn compensated(&mut self, call: RunId, output: Value, usage: Option<Usage>) {
        let compensated = StepCompensated {
            output: Some(output),
            usage,
        };
        self.end_compensation(call, event::Kind::StepCompensated(compensated));
    }

    /// The call did not.
    pub fn compensation_failed(&mut self, call: RunId, error: Error, usage: Option<Usage>) {
        let failed = CompensationFailed {
            error: Some(error),
            usage,
        };
        self.end_compensation(call, event::Kind::CompensationFailed(failed));
    }

    fn end_compensation(&mut self, call: RunId, told: event::Kind) {
        let within = self.execution.undone_within(call);
        let step = self.execution.run(call).parent;
        let (Some(within), Some(step)) = (within, step) else {
            return;
        };
        self.emit(step, told);
        let undo = self.execution.undo(within);
        let Some(undo) = undo.filter(|undo| undo.left.is_empty()) else {
            return;
        };
        let (retried, state) = (undo.retried, undo.state);
        let error = with_failures(&undo.error, &undo.failures);
        if within == ROOT {
            self.end(Ending {
                state,
                output: None,
                error: Some(error),
                reason: String::new(),
            });
        } else if retried {
            self.retry_or_fail(within, error, None, None, true);
        } else {
            self.fail_step(within, error, None);
        }
    }
}

/// The error, with what could not be undone.
fn with_failures(error: &Error, failures: &[Error]) -> Error {
    let mut message = error.message.clone();
    for failure in failures {
        message.push_str(&format!("; {} failed: {}", failure.step, failure.message));
    }
    Error {
        message: truncated(message),
        ..error.clone()
    }
}
