//! Holding an execution: on request, or because of a failure that waits for someone.

use super::{Rejection, turn::Turn};
use crate::{
    core::{
        execution::{Ending, Error, ExecutionState, ROOT, RunId},
        value::Struct,
    },
    proto::{ExecutionParked, ExecutionPaused, ExecutionResumed, StepRetryScheduled, Usage, event},
};

impl Turn<'_> {
    /// Holds the execution for a step that says so of its failure. Gives the error back when
    /// it does not. What runs at the end of it all is not waited for.
    pub fn parked(&mut self, run: RunId, error: Error, usage: Option<Usage>) -> Option<Error> {
        if !self.node(run).parks() || self.execution.is_ending() {
            return Some(error);
        }
        let scheduled = StepRetryScheduled {
            attempt: self.execution.run(run).attempt + 1,
            due_time: None,
            error: Some(error.clone()),
            usage,
        };
        self.emit(run, event::Kind::StepRetryScheduled(scheduled));
        self.hold(error, false);
        None
    }

    /// True when the workflow says that its failure holds it: it is held.
    pub fn parked_whole(&mut self, ending: &Ending) -> bool {
        let fails = ending.state == ExecutionState::Failed && self.node(ROOT).parks();
        let error = ending.error.as_ref().filter(|_| fails);
        if let Some(error) = error {
            self.hold(error.clone(), true);
        }
        error.is_some()
    }

    fn hold(&mut self, error: Error, whole: bool) {
        let error = Some(error);
        let parked = ExecutionParked { error, whole };
        self.emit(ROOT, event::Kind::ExecutionParked(parked));
    }

    /// Holds the execution on request; one that is held stays so.
    pub fn pause(&mut self, reason: String) -> Result<(), Rejection> {
        if let Some(ending) = &self.execution.ending {
            return Err(Rejection::Ended(ending.state));
        }
        if self.execution.pause.is_none() {
            self.emit(
                ROOT,
                event::Kind::ExecutionPaused(ExecutionPaused { reason }),
            );
        }
        Ok(())
    }

    /// Lets the execution go on, with these in `vars`.
    pub fn resume(&mut self, reason: String, variables: Struct) -> Result<(), Rejection> {
        if self.execution.pause.is_none() {
            return Err(Rejection::NotPaused(self.execution.state));
        }
        let resumed = ExecutionResumed {
            reason,
            variables: (!variables.fields.is_empty()).then_some(variables),
        };
        self.emit(ROOT, event::Kind::ExecutionResumed(resumed));
        Ok(())
    }
}
