//! What workers say of attempts. A result counts once, and only under the lease that holds
//! the attempt; saying the same again is answered alike and changes nothing.

use std::time::Duration;

use super::{Effect, Outcome, Rejection, turn::Turn};
use crate::{
    core::{
        execution::{Execution, RunId, StepRun, StepState},
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
            StepState::Running if step.lease == lease && step.awaited().is_none() => return Ok(()),
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
        if let Some(run) = self.held(task, lease, Said::Output)? {
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
        if let Some(run) = self.held(task, lease, Said::Failure(&class))? {
            self.effect(Effect::Release { task });
            let error = self.error(run, &class, message);
            self.attempt_failed(run, error, retry_after, usage);
        }
        Ok(())
    }

    /// The step whose attempt this lease holds; `None` when what is said was already counted.
    fn held(&self, task: u64, lease: u64, said: Said<'_>) -> Result<Option<RunId>, Rejection> {
        if let Some(run) = self.execution.task(task) {
            let step = self.execution.run(run);
            let open = step.state == StepState::Running && step.awaited().is_none();
            if open && step.lease == lease && lease != 0 {
                return Ok(Some(run));
            }
        }
        repeats(self.execution, task, lease, said)
            .then_some(None)
            .ok_or(Rejection::Stale)
    }
}

/// What a worker says became of its attempt.
#[derive(Clone, Copy)]
pub(super) enum Said<'a> {
    /// It gave an output.
    Output,
    /// It failed with an error of this class.
    Failure(&'a str),
}

/// Classes of errors that an attempt can fail with by its own output.
const OUTPUT_CLASSES: [&str; 3] = ["expression", "invalid_output", "validation"];

/// True when the attempt under this lease ended by what is said now: it is said again. One that
/// ended otherwise, as by its timeout or a lost lease, did not: what its worker says does not
/// count, and must not be answered as if it did.
fn counted(step: &StepRun, lease: u64, said: Said<'_>) -> bool {
    if step.lease != lease || lease == 0 {
        return false;
    }
    if step.answered {
        return matches!(said, Said::Output);
    }
    let caught = step.beside.as_ref().and_then(|b| b.caught.as_ref());
    let error = caught.or(step.error.as_ref());
    let class = error.map_or("", |error| error.class.as_str());
    let state = match caught {
        Some(_) => StepState::Failed,
        None => step.state,
    };
    match (state, said) {
        (StepState::Completed, Said::Output) => true,
        (StepState::Failed | StepState::Retrying, Said::Output) => OUTPUT_CLASSES.contains(&class),
        (StepState::Failed | StepState::Retrying, Said::Failure(said)) => said == class,
        _ => false,
    }
}

/// The answer to a result that comes when the execution has ended.
pub(super) fn repeated(
    execution: &Execution,
    task: u64,
    lease: u64,
    said: Said<'_>,
) -> Result<Outcome, Rejection> {
    let repeats = repeats(execution, task, lease, said);
    repeats.then(Outcome::default).ok_or(Rejection::Stale)
}

/// True when what is said now ended the attempt, of a step that is there or was given up.
fn repeats(execution: &Execution, task: u64, lease: u64, said: Said<'_>) -> bool {
    if let Some(run) = execution.task(task) {
        return counted(execution.run(run), lease, said);
    }
    let past = execution.past_task(task).filter(|past| past.lease == lease);
    past.is_some_and(|past| match (past.class.as_deref(), said) {
        (None, said) => matches!(said, Said::Output),
        (Some(class), Said::Output) => OUTPUT_CLASSES.contains(&class),
        (Some(class), Said::Failure(said)) => said == class,
    })
}
