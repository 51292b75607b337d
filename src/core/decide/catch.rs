//! What takes a step's failure: the steps of its first `catch` that fits run instead, and what
//! the last of them gives is what the step gives.

use super::turn::Turn;
use crate::{
    core::{
        execution::{Error, Given, RunId, StepState},
        plan::{Asked, Role},
        value,
    },
    proto::{StepCaught, StepCompleted, Usage, event},
};

impl Turn<'_> {
    /// Lets a catch of the step take its failure. Gives the error back when none does; another
    /// one, when it cannot be told whether one would.
    pub fn caught(&mut self, run: RunId, error: Error, usage: Option<Usage>) -> Option<Error> {
        let index = match self.fitting_catch(run, &error) {
            Ok(Some(index)) => index,
            Ok(None) => return Some(error),
            Err(undecided) => return Some(undecided),
        };
        let caught = StepCaught {
            index,
            error: Some(error),
            attempt: self.execution.run(run).attempt,
            usage,
        };
        self.emit(run, event::Kind::StepCaught(caught));
        if let Some(steps) = self.execution.run(run).awaited()
            && self.execution.run(steps).children.is_empty()
        {
            self.attempt_succeeded(steps, value::null(), None);
        }
        None
    }

    /// What was caught once is not caught again: a failure of the catch is the step's.
    fn fitting_catch(&self, run: RunId, error: &Error) -> Result<Option<u32>, Error> {
        let step = self.execution.run(run);
        if step.beside.as_ref().is_some_and(|b| b.caught.is_some()) {
            return Ok(None);
        }
        let given = Given {
            error: Some((error, step.attempt)),
            ..Given::default()
        };
        for (index, catch) in (0..).zip(self.node(run).catches()) {
            let takes = catch.classes.is_empty() || catch.classes.contains(&error.class);
            let fits = match &catch.when {
                _ if !takes => false,
                None => true,
                Some(when) => when.eval_bool(&self.scope(run, given)).map_err(|e| {
                    let words = format!("catch[{index}].when: {e}; caught was: {}", error.message);
                    self.error(run, "expression", words)
                })?,
            };
            if fits {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// What runs beside a step has ended.
    pub fn beside_ended(&mut self, run: RunId) {
        let ended = self.execution.run(run);
        let Some(owner) = ended.parent else { return };
        match (self.node(run).role, ended.state) {
            (Role::Catch, StepState::Completed) => {
                let output = ended.output.clone().unwrap_or_else(value::null);
                if let Err(error) = self.check_output_schema(owner, &output) {
                    return self.fail_step(owner, error, None);
                }
                let completed = StepCompleted {
                    attempt: self.execution.run(owner).attempt,
                    output: Some(output),
                    ..StepCompleted::default()
                };
                self.emit(owner, event::Kind::StepCompleted(completed));
                self.step_ended(owner);
            }
            (Role::Finally, _) => self.finally_ended(),
            (Role::Auxiliary(Asked::Summary), StepState::Completed) => self.summarized(owner, run),
            (Role::Auxiliary(_), StepState::Completed) => self.reviewed(owner, run),
            (Role::Catch | Role::Auxiliary(_), _) => {
                let error = ended.error.clone();
                let error = error.unwrap_or_else(|| self.error(run, "agent_error", ""));
                self.fail_step(owner, error, None);
            }
            _ => {}
        }
    }
}
