//! The undoing of what completed, and the end that is known before it comes.

use super::{
    Error, Execution, ExecutionState, ROOT, RunId, StepState, TimerKind, apply::add_usage,
};
use crate::{
    core::{
        plan::Role,
        time::Time,
        value::{self, Value},
    },
    proto::{
        CompensationFailed, ExecutionCompensating, ExecutionFinalizing, StepCompensated,
        StepCompensating,
    },
};

/// The undoing of the steps within a step that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    /// The calls that undo, the one in progress first.
    pub left: Vec<RunId>,
    /// Why the step failed.
    pub error: Error,
    /// True when its attempt may be repeated afterwards.
    pub retried: bool,
    /// How the execution will end, when it is the whole that failed.
    pub state: ExecutionState,
    /// What could not be undone.
    pub failures: Vec<Error>,
}

/// How an execution will end.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// Its last state.
    pub state: ExecutionState,
    /// Its output, for COMPLETED.
    pub output: Option<Value>,
    /// Why, for FAILED and TIMED_OUT.
    pub error: Option<Error>,
    /// Why, in the caller's words, for CANCELLED.
    pub reason: String,
}

impl Execution {
    /// True once nothing but its undoing and its `finally` is left to do.
    pub fn is_ending(&self) -> bool {
        self.ending.is_some() || self.undo(ROOT).is_some()
    }

    /// What is being undone within a step.
    pub fn undo(&self, id: RunId) -> Option<&Undo> {
        self.run(id).beside.as_ref()?.undo.as_ref()
    }

    /// The completed steps within a step that can be undone and were not, the newest first. What
    /// is within a step that has its own compensation is undone by that alone.
    pub fn undoable(&self, id: RunId) -> Vec<RunId> {
        let mut found = Vec::new();
        self.gather_undoable(id, &mut found);
        found.sort_unstable_by_key(|run| std::cmp::Reverse(self.run(*run).ended_by));
        found
    }

    fn gather_undoable(&self, id: RunId, found: &mut Vec<RunId>) {
        let run = self.run(id);
        // What items and iterations did is not kept: a saga in each undoes itself before it ends.
        if run.items.is_some() || run.frames.is_some() {
            return;
        }
        let beside = run.beside_runs().iter().chain(self.past_runs(id));
        for inner in run.children.iter().chain(beside) {
            self.gather_undoable_of(*inner, found);
        }
    }

    /// As `undoable`, of a step itself or what is within it, in any order.
    pub(super) fn gather_undoable_of(&self, id: RunId, found: &mut Vec<RunId>) {
        let run = self.run(id);
        let caught = run.beside.as_ref().is_some_and(|b| b.caught.is_some());
        let completed = run.state == StepState::Completed && !caught;
        match self.node(id).role {
            Role::Compensation | Role::Finally => {}
            _ if run.state == StepState::Compensated => {}
            _ if completed && self.node(id).compensation().is_some() => {
                if !self.was_tried(id) {
                    found.push(id);
                }
            }
            _ => self.gather_undoable(id, found),
        }
    }

    /// True when the step could not be undone, and that is known.
    fn was_tried(&self, id: RunId) -> bool {
        let call = self.call_that_undoes(id);
        call.is_some_and(|call| self.run(call).state == StepState::Failed)
    }

    /// The call that undoes a step, once it is to run.
    pub fn call_that_undoes(&self, id: RunId) -> Option<RunId> {
        let mut beside = self.run(id).beside_runs().iter().copied();
        beside.find(|run| self.node(*run).role == Role::Compensation)
    }

    /// The step within which the call of a step is the one that undoes now.
    pub fn undone_within(&self, call: RunId) -> Option<RunId> {
        let mut at = self.run(call).parent;
        while let Some(id) = at {
            if self.undo(id).is_some_and(|undo| undo.left.contains(&call)) {
                return Some(id);
            }
            at = self.run(id).parent;
        }
        None
    }

    pub(super) fn step_compensating(&mut self, id: RunId, event: &StepCompensating) {
        let error = event.error.clone().unwrap_or_default();
        self.end_review(id);
        self.run_mut(id).error = Some(error.clone());
        let deadline = self.run_mut(id).deadline.take();
        self.timers.clear(deadline, id, TimerKind::Attempt);
        let total = self.run(id).total_deadline;
        self.timers.clear(total, id, TimerKind::Total);
        self.begin_undo(id, error, event.retried, ExecutionState::Unspecified);
    }

    pub(super) fn execution_compensating(&mut self, event: &ExecutionCompensating) {
        self.turn(ExecutionState::Compensating);
        self.timers
            .clear(self.next_attempt_time.take(), ROOT, TimerKind::Retry);
        self.end_review(ROOT);
        let error = event.error.clone().unwrap_or_default();
        self.error = Some(error.clone());
        self.timers.clear(self.deadline, ROOT, TimerKind::Total);
        self.begin_undo(ROOT, error, false, event.state());
    }

    fn begin_undo(&mut self, id: RunId, error: Error, retried: bool, state: ExecutionState) {
        self.run_mut(id).ready.clear();
        self.note_room(id);
        let mut left = Vec::new();
        for step in self.undoable(id) {
            if let Some(node) = self.node(step).compensation() {
                left.push(self.attach(step, node));
            }
        }
        let first = left.first().copied();
        self.beside_mut(id).undo = Some(Undo {
            left,
            error,
            retried,
            state,
            failures: Vec::new(),
        });
        if let Some(first) = first {
            self.note_ready(first);
        }
    }

    pub(super) fn step_compensated(&mut self, id: RunId, event: &StepCompensated, now: Time) {
        let Some(call) = self.call_that_undoes(id) else {
            return;
        };
        let run = self.run_mut(call);
        run.output = Some(event.output.clone().unwrap_or_else(value::null));
        run.error = None;
        add_usage(&mut run.usage, event.usage.as_ref());
        self.step_ended(call, StepState::Completed, now);
        self.run_mut(id).state = StepState::Compensated;
        self.undo_next(call, None);
    }

    pub(super) fn compensation_failed(&mut self, id: RunId, event: &CompensationFailed, now: Time) {
        let Some(call) = self.call_that_undoes(id) else {
            return;
        };
        let run = self.run_mut(call);
        run.error.clone_from(&event.error);
        add_usage(&mut run.usage, event.usage.as_ref());
        self.step_ended(call, StepState::Failed, now);
        self.undo_next(call, event.error.clone());
    }

    fn undo_next(&mut self, call: RunId, failure: Option<Error>) {
        let Some(within) = self.undone_within(call) else {
            return;
        };
        let Some(undo) = &mut self.beside_mut(within).undo else {
            return;
        };
        undo.left.retain(|left| *left != call);
        undo.failures.extend(failure);
        if let Some(next) = undo.left.first().copied() {
            self.note_ready(next);
        }
    }

    /// Nothing more is undone within a step.
    pub(super) fn stop_undoing(&mut self, id: RunId) {
        let undo = self.run_mut(id).beside.as_mut().and_then(|b| b.undo.take());
        for call in undo.map_or(Vec::new(), |undo| undo.left) {
            if self.run(call).state == StepState::Pending {
                self.note_begun(call);
            }
        }
    }

    pub(super) fn execution_finalizing(&mut self, event: &ExecutionFinalizing, now: Time) {
        self.turn(ExecutionState::Running);
        self.ending = Some(Ending {
            state: event.state(),
            output: event.output.clone(),
            error: event.error.clone(),
            reason: event.reason.clone(),
        });
        self.error.clone_from(&event.error);
        self.stop_undoing(ROOT);
        self.end_review(ROOT);
        self.next_attempt_time = None;
        self.timers.clear_all();
        self.run_mut(ROOT).ready.clear();
        self.note_room(ROOT);
        let Some(node) = self.plan.finally else {
            return;
        };
        let finally = self.attach(ROOT, node);
        let input = self.input.clone();
        self.start_beside(finally, input, now);
        self.set_total(finally, event.deadline.map(Time::from));
    }
}
