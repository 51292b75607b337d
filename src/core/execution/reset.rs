//! Steps made new again: the children of a step that is attempted again, and what did not
//! complete when the whole execution is.

use super::{Execution, Exit, ROOT, RunId, StepRun, StepState, TimerKind};
use crate::core::time::Time;

impl Execution {
    /// Forgets the children of a step, which have all ended or never begun.
    pub(super) fn drop_children(&mut self, id: RunId) {
        for child in std::mem::take(&mut self.run_mut(id).children) {
            self.forget(child);
        }
        let run = self.run_mut(id);
        run.branch = None;
        run.frames = None;
        run.states = None;
        run.exit = Exit::Unspecified;
        run.ready.clear();
        run.active = 0;
        run.ended = 0;
        run.completed = 0;
        run.calls = 0;
    }

    /// Forgets a step with all that is within and beside it.
    pub(super) fn forget(&mut self, id: RunId) {
        self.drop_children(id);
        for past in self.past_runs(id).to_vec() {
            self.forget(past);
        }
        self.drop_beside(id);
        self.give_up(id);
    }

    /// Forgets what ran beside a step, but for earlier runs that can be undone.
    pub(super) fn drop_beside(&mut self, id: RunId) {
        let Some(beside) = self.run_mut(id).beside.take() else {
            return;
        };
        for run in beside.runs {
            self.note_begun(run);
            self.forget(run);
        }
        if !beside.past.is_empty() {
            self.beside_mut(id).past = beside.past;
        }
    }

    /// Makes every step that did not complete as if it had not begun; steps that hold others
    /// go on with what they have.
    pub(super) fn reset_unfinished(&mut self, now: Time) {
        self.resume(ROOT, now);
    }

    fn resume(&mut self, id: RunId, now: Time) {
        let run = self.run_mut(id);
        run.state = StepState::Running;
        run.error = None;
        run.end_time = None;
        self.drop_beside(id);
        if self.take_up_items(id) {
            return self.set_deadlines(id, now);
        }
        for child in self.run(id).children.clone() {
            if self.must_run_again(child) {
                if !self.node(child).undoes() && self.holds_unfinished(child) {
                    self.resume(child, now);
                } else {
                    self.renew(child);
                }
            }
        }
        if id != ROOT {
            self.set_deadlines(id, now);
        }
        self.recount(id);
    }

    fn must_run_again(&self, id: RunId) -> bool {
        match self.run(id).state {
            StepState::Failed => !self.node(id).tolerates_failure,
            state => matches!(state, StepState::Cancelled | StepState::Compensated),
        }
    }

    fn holds_unfinished(&self, id: RunId) -> bool {
        let run = self.run(id);
        if let Some(states) = &run.states {
            return self.is_unfinished(states.current);
        }
        let items = run.items.as_ref();
        items.is_some_and(|items| items.has_unfinished())
            || run.children.iter().any(|c| self.is_unfinished(*c))
    }

    fn is_unfinished(&self, id: RunId) -> bool {
        self.run(id).state == StepState::Pending || self.must_run_again(id)
    }

    /// Makes a step as if it had not begun: one without children, or one that failed though
    /// they did not.
    fn renew(&mut self, id: RunId) {
        self.set_children_aside(id);
        self.drop_children(id);
        self.drop_beside(id);
        let beside = self.run_mut(id).beside.take();
        let run = self.run(id);
        let mut new = StepRun::new(run.node, run.parent, run.path.clone());
        new.dependants.clone_from(&run.dependants);
        (new.index, new.again) = (run.index, run.again);
        new.beside = beside;
        let scheduled = run.scheduled;
        self.tasks.remove(&scheduled);
        *self.run_mut(id) = new;
    }

    fn set_deadlines(&mut self, id: RunId, now: Time) {
        let (timeout, total) = (self.node(id).timeout, self.node(id).total_timeout);
        let run = self.run_mut(id);
        run.deadline = timeout.map(|t| now.after(t));
        run.total_deadline = total.map(|t| now.after(t));
        let (deadline, total) = (run.deadline, run.total_deadline);
        if let Some(due) = deadline {
            self.timers.set(due, id, TimerKind::Attempt);
        }
        if let Some(due) = total {
            self.timers.set(due, id, TimerKind::Total);
        }
    }

    /// Counts the children of a step anew.
    fn recount(&mut self, id: RunId) {
        let children = self.run(id).children.clone();
        let count = |wanted: fn(&StepRun) -> bool| {
            let number = children.iter().filter(|c| wanted(self.run(**c))).count();
            u32::try_from(number).expect("steps are bounded")
        };
        let active = count(StepRun::is_active);
        let ended = count(StepRun::is_ended);
        let completed = count(|run| run.state == StepState::Completed);
        let run = self.run_mut(id);
        run.ready.clear();
        (run.active, run.ended, run.completed) = (active, ended, completed);
        for child in &children {
            self.run_mut(*child).waits = u32::from(self.is_left_out(*child));
        }
        for child in &children {
            if !self.run(*child).is_ended() {
                for dependant in self.run(*child).dependants.clone() {
                    self.run_mut(dependant).waits += 1;
                }
            }
        }
        for child in children {
            self.note_ready(child);
        }
        self.note_room(id);
    }
}
