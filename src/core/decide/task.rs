//! What workers say of attempts. A result counts once, and only under the lease that holds
//! the attempt; saying the same again is answered alike and changes nothing.

use std::time::Duration;

use super::{Effect, Outcome, Rejection, turn::Turn};
use crate::{
    core::{
        execution::{Execution, RunId, StepState},
        value::Value,
    },
    proto::{StepStarted, Usage, event},
};

impl Turn<'_> {
    pub fn accept(
        &mut self,
        task: u64,
        worker_id: String,
        agent: String,
        lease: u64,
    ) -> Result<(), Rejection> {
        let run = self.execution.task(task).ok_or(Rejection::Stale)?;
        let step = self.execution.run(run);
        match step.state {
            StepState::Waiting => {}
            StepState::Running if step.lease == lease => return Ok(()),
            _ => return Err(Rejection::Stale),
        }
        let started = StepStarted {
            attempt: step.attempt,
            worker_id,
            agent,
            lease,
            deadline: self.node(run).timeout.map(|t| self.now.after(t).into()),
            ..StepStarted::default()
        };
        self.emit(run, event::Kind::StepStarted(started));
        Ok(())
    }

    pub fn complete(
        &mut self,
        task: u64,
        lease: u64,
        output: &Value,
        usage: Option<Usage>,
    ) -> Result<(), Rejection> {
        if let Some(run) = self.held(task, lease)? {
            self.effect(Effect::Release { task });
            self.attempt_succeeded(run, output.clone(), usage);
        }
        Ok(())
    }

    pub fn fail(
        &mut self,
        task: u64,
        lease: u64,
        class: String,
        message: String,
        retry_after: Option<Duration>,
        usage: Option<Usage>,
    ) -> Result<(), Rejection> {
        if let Some(run) = self.held(task, lease)? {
            self.effect(Effect::Release { task });
            let error = self.error(run, &class, message);
            self.attempt_failed(run, error, retry_after, usage);
        }
        Ok(())
    }

    /// The step whose attempt this lease holds; `None` when its result was already counted.
    fn held(&self, task: u64, lease: u64) -> Result<Option<RunId>, Rejection> {
        let run = self.execution.task(task).ok_or(Rejection::Stale)?;
        let step = self.execution.run(run);
        if step.lease != lease || lease == 0 {
            return Err(Rejection::Stale);
        }
        match step.state {
            StepState::Running => Ok(Some(run)),
            StepState::Completed | StepState::Failed | StepState::Retrying => Ok(None),
            _ => Err(Rejection::Stale),
        }
    }
}

/// The answer to a result that comes when the execution has ended.
pub(super) fn repeated(execution: &Execution, task: u64, lease: u64) -> Result<Outcome, Rejection> {
    let run = execution.task(task).ok_or(Rejection::Stale)?;
    let step = execution.run(run);
    let counted = matches!(step.state, StepState::Completed | StepState::Failed);
    if counted && step.lease == lease && lease != 0 {
        Ok(Outcome::default())
    } else {
        Err(Rejection::Stale)
    }
}
