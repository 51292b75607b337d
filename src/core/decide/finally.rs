//! How an execution ends: what completed is undone if the workflow says so, then its `finally`
//! runs, then it has ended.

use super::turn::Turn;
use crate::{
    core::execution::{Ending, Error, ExecutionState, ROOT},
    proto::{
        ExecutionCancelled, ExecutionCompleted, ExecutionFailed, ExecutionFinalizing,
        ExecutionTimedOut, event,
    },
};

impl Turn<'_> {
    /// The execution ends so, once what comes before is done.
    pub fn end(&mut self, ending: Ending) {
        if self.parked_whole(&ending) || self.undo_all_first(&ending) || self.finalize(&ending) {
            return;
        }
        self.end_now(ending);
    }

    /// The execution fails.
    pub fn end_failed(&mut self, error: Error) {
        self.cancel_within(ROOT, "the execution failed");
        self.end(Ending {
            state: ExecutionState::Failed,
            output: None,
            error: Some(error),
            reason: String::new(),
        });
    }

    /// True when the workflow has a `finally` that has not run: it has begun.
    fn finalize(&mut self, ending: &Ending) -> bool {
        if self.execution.plan.finally.is_none() || self.execution.ending.is_some() {
            return false;
        }
        let finalizing = ExecutionFinalizing {
            state: ending.state.into(),
            output: ending.output.clone(),
            error: ending.error.clone(),
            reason: ending.reason.clone(),
            deadline: Some(self.now.after(self.limits.finally_timeout).into()),
        };
        self.emit(ROOT, event::Kind::ExecutionFinalizing(finalizing));
        true
    }

    /// The `finally` has ended, however: so has the execution.
    pub fn finally_ended(&mut self) {
        if let Some(ending) = self.execution.ending.clone() {
            self.end_now(ending);
        }
    }

    fn end_now(&mut self, ending: Ending) {
        let Ending {
            state,
            output,
            error,
            reason,
        } = ending;
        let kind = match state {
            ExecutionState::Completed => {
                event::Kind::ExecutionCompleted(ExecutionCompleted { output })
            }
            ExecutionState::Cancelled => event::Kind::ExecutionCancelled(ExecutionCancelled {
                reason,
                terminated: false,
            }),
            ExecutionState::TimedOut => event::Kind::ExecutionTimedOut(ExecutionTimedOut { error }),
            _ => event::Kind::ExecutionFailed(ExecutionFailed { error }),
        };
        self.emit(ROOT, kind);
    }
}
