//! Executions that are held: by someone, or by a failure that waits for someone. Nothing begins,
//! and no time counts but that of what workers are asked to do already.

use super::{Execution, ExecutionState, ROOT, RunId, StepRun, StepState, TimerKind};
use crate::{
    core::{plan::Kind, time::Time, value},
    proto::{ExecutionParked, ExecutionResumed},
};

/// How an execution is held.
#[derive(Clone, Debug, PartialEq)]
pub struct Pause {
    /// Since when.
    pub since: Time,
    /// Its state before, or what that has become since.
    pub state: ExecutionState,
    /// True when the whole failed.
    pub whole: bool,
}

impl Execution {
    /// True when the whole failed and waits to be resumed.
    pub fn is_parked_whole(&self) -> bool {
        self.pause.as_ref().is_some_and(|pause| pause.whole)
    }

    /// True for a step that failed and waits for the execution to be resumed.
    pub fn is_parked(&self, id: RunId) -> bool {
        let run = self.run(id);
        run.state == StepState::Retrying && run.next_attempt_time.is_none()
    }

    pub(super) fn execution_paused(&mut self, now: Time) {
        if self.pause.is_none() {
            self.pause = Some(Pause {
                since: now,
                state: self.state,
                whole: false,
            });
            self.state = ExecutionState::Paused;
        }
    }

    pub(super) fn execution_parked(&mut self, event: &ExecutionParked, now: Time) {
        self.execution_paused(now);
        self.error.clone_from(&event.error);
        if let Some(pause) = &mut self.pause {
            pause.whole |= event.whole;
        }
        if event.whole {
            self.end_review(ROOT);
        }
    }

    pub(super) fn execution_resumed(&mut self, event: &ExecutionResumed, now: Time) {
        let Some(pause) = self.release_pause() else {
            return;
        };
        if let (Some(given), Some(value::Kind::StructValue(vars))) =
            (&event.variables, &mut self.vars.kind)
        {
            let given = given.fields.iter().map(|(k, v)| (k.clone(), v.clone()));
            vars.fields.extend(given);
        }
        self.shift_deadlines(pause.since, now);
        if pause.whole {
            self.state = ExecutionState::Running;
            return self.reset_unfinished(now);
        }
        let runs: Vec<RunId> = self.runs().map(|(id, _)| id).collect();
        for id in runs {
            if self.is_parked(id) {
                self.unpark(id);
            }
        }
    }

    /// It is held no longer; what was held is not taken up.
    pub(super) fn release_pause(&mut self) -> Option<Pause> {
        let pause = self.pause.take()?;
        self.state = match pause.state {
            ExecutionState::Pending => ExecutionState::Running,
            state => state,
        };
        if self.state == ExecutionState::Running {
            self.error = None;
        }
        Some(pause)
    }

    /// Puts it into a state, in which it is once it is held no longer.
    pub(super) fn turn(&mut self, state: ExecutionState) {
        match &mut self.pause {
            Some(pause) => pause.state = state,
            None => self.state = state,
        }
    }

    /// A step that was held begins anew; its attempts go on being counted, its retries begin
    /// anew.
    fn unpark(&mut self, id: RunId) {
        if let Some(parent) = self.around(id) {
            self.run_mut(parent).active -= 1;
        }
        self.set_total(id, None);
        self.set_children_aside(id);
        self.drop_children(id);
        self.drop_beside(id);
        let beside = self.run_mut(id).beside.take();
        let run = self.run(id);
        let mut new = StepRun::new(run.node, run.parent, run.path.clone());
        new.dependants.clone_from(&run.dependants);
        (new.index, new.again) = (run.index, run.again);
        (new.attempt, new.fallbacks) = (run.attempt, run.attempt);
        new.usage = run.usage;
        new.beside = beside;
        let scheduled = run.scheduled;
        self.tasks.remove(&scheduled);
        *self.run_mut(id) = new;
        self.note_ready(id);
    }

    /// What must have ended at an instant may take as much longer as it was held.
    fn shift_deadlines(&mut self, since: Time, now: Time) {
        let runs: Vec<RunId> = self.runs().map(|(id, _)| id).collect();
        for id in runs {
            let run = self.run(id);
            let held = now.since(since.max(run.start_time.unwrap_or(since)));
            let (total, attempt) = (run.total_deadline, run.deadline);
            if let Some(due) = total {
                self.set_total(id, Some(due.after(held)));
            }
            if let Some(due) = attempt.filter(|_| !self.is_call(id)) {
                self.timers.clear(attempt, id, TimerKind::Attempt);
                let later = due.after(held);
                self.timers.set(later, id, TimerKind::Attempt);
                self.run_mut(id).deadline = Some(later);
            }
        }
        if let Some(due) = self.deadline {
            let later = due.after(now.since(since));
            if self.timers.take(due, ROOT, TimerKind::Total) {
                self.timers.set(later, ROOT, TimerKind::Total);
            }
            self.deadline = Some(later);
        }
    }

    /// True when a timer counts: while held, only those of what is handed out.
    pub(super) fn counts(&self, id: RunId, kind: TimerKind) -> bool {
        let of_attempt = matches!(kind, TimerKind::Attempt | TimerKind::Queue);
        self.pause.is_none() || (of_attempt && self.is_call(id))
    }

    fn is_call(&self, id: RunId) -> bool {
        matches!(self.node(id).kind, Kind::Call(_))
    }
}
