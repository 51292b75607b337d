//! The fold: one event into the state. Cannot fail, reads no clock, evaluates nothing: what
//! an event says is all there is.

use super::{Execution, ExecutionState, RunId, StepState, TimerKind, event_time};
use crate::{
    core::{plan::Kind, time::Time, value},
    proto::{
        Event, StepCompleted, StepFailed, StepRetryScheduled, StepScheduled, StepStarted, Usage,
        WaitBegun, event,
    },
};

/// Folds an event into the execution.
///
/// # Panics
/// When the event is about a step that the plan does not have: the definition of a version
/// never changes, so that is a broken invariant of the store.
pub fn apply(execution: &mut Execution, event: &Event) {
    let now = event_time(event);
    execution.sequence = event.sequence;
    execution.last_time = now;
    let Some(kind) = &event.kind else { return };
    match kind {
        event::Kind::ExecutionStarted(_)
        | event::Kind::ExecutionCompleted(_)
        | event::Kind::ExecutionFailed(_)
        | event::Kind::ExecutionCancelRequested(_)
        | event::Kind::ExecutionCancelled(_)
        | event::Kind::ExecutionTimedOut(_)
        | event::Kind::ExecutionRetryScheduled(_)
        | event::Kind::ExecutionRetried(_)
        | event::Kind::ExecutionCompensating(_)
        | event::Kind::ExecutionPaused(_)
        | event::Kind::ExecutionParked(_)
        | event::Kind::ExecutionResumed(_)
        | event::Kind::ExecutionFinalizing(_) => execution.apply_whole(kind, now),
        event::Kind::GateViolated(_) => {}
        kind => {
            let run = execution
                .find(&event.step)
                .expect("an event names a step that the plan has and that was begun around");
            if execution.state == ExecutionState::Pending {
                execution.state = ExecutionState::Running;
            }
            execution.apply_step(run, kind, event.sequence, now);
        }
    }
}

impl Execution {
    fn apply_whole(&mut self, kind: &event::Kind, now: Time) {
        match kind {
            event::Kind::ExecutionCompleted(e) => {
                self.output = Some(e.output.clone().unwrap_or_else(value::null));
                self.error = None;
                self.end(ExecutionState::Completed, now);
            }
            event::Kind::ExecutionFailed(e) => {
                self.error.clone_from(&e.error);
                self.end(ExecutionState::Failed, now);
            }
            event::Kind::ExecutionTimedOut(e) => {
                self.error.clone_from(&e.error);
                self.end(ExecutionState::TimedOut, now);
            }
            event::Kind::ExecutionCancelled(e) => {
                self.error = Some(super::Error {
                    class: "cancelled".into(),
                    message: e.reason.clone(),
                    step: String::new(),
                });
                self.end(ExecutionState::Cancelled, now);
            }
            event::Kind::ExecutionRetryScheduled(e) => {
                self.turn(ExecutionState::Waiting);
                self.end_review(super::ROOT);
                self.error.clone_from(&e.error);
                self.next_attempt_time = e.due_time.map(Time::from);
                if let Some(due) = self.next_attempt_time {
                    self.timers.set(due, super::ROOT, TimerKind::Retry);
                }
            }
            event::Kind::ExecutionRetried(e) => {
                self.timers
                    .clear(self.next_attempt_time.take(), super::ROOT, TimerKind::Retry);
                self.attempt = e.attempt;
                self.turn(ExecutionState::Running);
                self.reset_unfinished(now);
            }
            event::Kind::ExecutionCancelRequested(_) => drop(self.release_pause()),
            event::Kind::ExecutionPaused(_) => self.execution_paused(now),
            event::Kind::ExecutionParked(e) => self.execution_parked(e, now),
            event::Kind::ExecutionResumed(e) => self.execution_resumed(e, now),
            event::Kind::ExecutionCompensating(e) => self.execution_compensating(e),
            event::Kind::ExecutionFinalizing(e) => self.execution_finalizing(e, now),
            _ => {}
        }
    }

    fn end(&mut self, state: ExecutionState, now: Time) {
        self.state = state;
        self.end_time = Some(now);
        self.next_attempt_time = None;
        self.timers.clear_all();
        self.parents_ready.clear();
        self.items_ready.clear();
        self.beside_ready.clear();
        self.ending = None;
        self.pause = None;
        self.end_review(super::ROOT);
        self.stop_undoing(super::ROOT);
    }

    fn apply_step(&mut self, run: RunId, kind: &event::Kind, sequence: u64, now: Time) {
        match kind {
            event::Kind::StepScheduled(e) => self.step_scheduled(run, e, sequence, now),
            event::Kind::StepStarted(e) => self.step_started(run, e, sequence, now),
            event::Kind::StepCompleted(e) => self.step_completed(run, e, now),
            event::Kind::StepFailed(e) => self.step_failed(run, e, now),
            event::Kind::StepRetryScheduled(e) => self.step_retry_scheduled(run, e, now),
            event::Kind::StepCompensating(e) => self.step_compensating(run, e),
            event::Kind::StepCompensated(e) => self.step_compensated(run, e, now),
            event::Kind::CompensationFailed(e) => self.compensation_failed(run, e, now),
            event::Kind::CallFellBack(e) => self.call_fell_back(run, e),
            event::Kind::MarkSet(e) => {
                self.marks.insert(e.name.clone(), self.vars.clone());
            }
            event::Kind::ReviewBegun(e) => self.review_begun(run, e, now),
            event::Kind::AuxiliaryBegun(e) => self.auxiliary_begun(run, e, now),
            event::Kind::StepCached(e) => self.step_cached(run, e, now),
            event::Kind::StepCaught(e) => self.step_caught(run, e, now),
            event::Kind::StepSkipped(_) => self.step_ended(run, StepState::Skipped, now),
            event::Kind::StepCancelled(_) => self.step_ended(run, StepState::Cancelled, now),
            event::Kind::ChildStarted(e) => self.child_started(run, e),
            event::Kind::BranchChosen(e) => {
                self.run_mut(run).branch = Some(e.index);
                self.add_children(run);
            }
            event::Kind::ItemsListed(e) => {
                let items = e.items.as_ref().map_or(&[][..], |items| &items.values);
                self.items_listed(run, items);
            }
            event::Kind::ItemsBegun(e) => self.items_begun(run, e, now),
            event::Kind::IterationBegun(e) => {
                self.begin_iteration(run, e.index, now);
            }
            event::Kind::StateChanged(e) => self.state_changed(run, e),
            event::Kind::WaitBegun(e) => self.wait_begun(run, e),
            _ => {}
        }
    }

    fn step_scheduled(&mut self, id: RunId, event: &StepScheduled, sequence: u64, now: Time) {
        let input = match event.given_item {
            true => self.item_around(id).cloned(),
            false => event.input.clone(),
        };
        let mut input = input.unwrap_or_else(value::null);
        if let Some(gathered) = &event.gathered {
            self.put_gathered_back(&mut input, gathered);
        }
        self.count_call(id);
        self.begin(id, now);
        self.take_up(id);
        let target = self.chosen(id, event);
        let run = self.run_mut(id);
        run.target = target;
        run.answered = false;
        run.state = StepState::Waiting;
        run.attempt = event.attempt;
        let before = std::mem::replace(&mut run.scheduled, sequence);
        run.schedule_time = Some(now);
        run.lease = 0;
        run.worker_id.clear();
        run.agent.clone_from(&event.agent);
        run.cache_key.clone_from(&event.cache_key);
        run.fairness_key.clone_from(&event.fairness_key);
        run.input = Some(input);
        run.queue_deadline = event.queue_deadline.map(Time::from);
        self.tasks.remove(&before);
        self.tasks.insert(sequence, id);
        self.set_total(id, event.total_deadline.map(Time::from));
        if event.context.is_some() {
            self.beside_mut(id).context.clone_from(&event.context);
        }
        if let Some(due) = self.run(id).queue_deadline {
            self.timers.set(due, id, TimerKind::Queue);
        }
    }

    fn step_started(&mut self, id: RunId, event: &StepStarted, sequence: u64, now: Time) {
        self.begin(id, now);
        self.take_up(id);
        let is_call = matches!(self.node(id).kind, Kind::Call(_));
        let run = self.run_mut(id);
        run.state = StepState::Running;
        run.attempt = event.attempt;
        run.deadline = event.deadline.map(Time::from);
        if let Some(due) = run.deadline {
            self.timers.set(due, id, TimerKind::Attempt);
        }
        if is_call {
            let run = self.run_mut(id);
            run.lease = event.lease;
            run.worker_id.clone_from(&event.worker_id);
            run.agent.clone_from(&event.agent);
        } else {
            self.run_mut(id).cache_key.clone_from(&event.cache_key);
            self.run_mut(id).input = Some(event.input.clone().unwrap_or_else(value::null));
            self.set_total(id, event.total_deadline.map(Time::from));
            self.set_children_aside(id);
            self.drop_children(id);
            self.take_up_items(id);
            match self.node(id).kind {
                Kind::Block(_) => self.add_children(id),
                Kind::Child(_) => self.child_attempt_begun(id, sequence, now),
                _ => {}
            }
        }
    }

    fn step_completed(&mut self, id: RunId, event: &StepCompleted, now: Time) {
        let called = event.attempt > 0
            && self.run(id).holds_call
            && matches!(self.node(id).kind, Kind::Call(_));
        if called {
            let start = self.run(id).start_time.unwrap_or(now);
            self.calls_completed += 1;
            self.calls_completed_nanos += now.as_nanos() - start.as_nanos();
        }
        let output = match &event.output {
            Some(output) => output.clone(),
            None if self.run(id).index.is_some() => self.children_output(id),
            None => value::null(),
        };
        let run = self.run_mut(id);
        run.attempt = event.attempt;
        run.output = Some(output);
        run.error = None;
        run.exit = event.exit();
        add_usage(&mut run.usage, event.usage.as_ref());
        if let Kind::Restore(to) = &self.plan.node(self.run(id).node).kind
            && let Some(marked) = self.marks.get(to)
        {
            self.vars = marked.clone();
        }
        if let Some(saved) = &event.saved
            && let Some(value::Kind::StructValue(vars)) = &mut self.vars.kind
        {
            let saved = saved.fields.iter().map(|(k, v)| (k.clone(), v.clone()));
            vars.fields.extend(saved);
        }
        self.step_ended(id, StepState::Completed, now);
        self.auxiliary_completed(id);
    }

    fn step_failed(&mut self, id: RunId, event: &StepFailed, now: Time) {
        let run = self.run_mut(id);
        run.attempt = event.attempt;
        run.error.clone_from(&event.error);
        add_usage(&mut run.usage, event.usage.as_ref());
        self.step_ended(id, StepState::Failed, now);
    }

    fn step_retry_scheduled(&mut self, id: RunId, event: &StepRetryScheduled, now: Time) {
        self.begin(id, now);
        self.take_up(id);
        self.stop_undoing(id);
        self.set_total(id, self.run(id).total_deadline);
        let run = self.run_mut(id);
        run.state = StepState::Retrying;
        if std::mem::take(&mut run.alternative) > 0 {
            // The first of the chain is called again, and goes by its own key.
            run.target.take_if(|target| target.sticky_key().is_some());
        }
        run.attempt = event.attempt.saturating_sub(1);
        run.error.clone_from(&event.error);
        add_usage(&mut run.usage, event.usage.as_ref());
        run.next_attempt_time = event.due_time.map(Time::from);
        match run.next_attempt_time {
            Some(due) => self.timers.set(due, id, TimerKind::Retry),
            None => self.release_call(id),
        }
        self.note_room(id);
    }

    fn wait_begun(&mut self, id: RunId, event: &WaitBegun) {
        self.run_mut(id).wait_time = event.due_time.map(Time::from);
        if let Some(due) = self.run(id).wait_time {
            self.timers.set(due, id, TimerKind::Wait);
        }
    }

    /// Takes up the step's own attempt, or its next one: nothing else is waited for.
    fn take_up(&mut self, id: RunId) {
        self.clear_attempt(id);
        self.end_review(id);
        self.hold_call(id);
    }

    /// Takes a step from PENDING into progress; nothing when it is already.
    pub(super) fn begin(&mut self, id: RunId, now: Time) {
        if self.run(id).state != StepState::Pending {
            return;
        }
        self.run_mut(id).start_time = Some(now);
        self.hold_call(id);
        if let Some(parent) = self.around(id) {
            self.run_mut(parent).active += 1;
        }
        self.note_begun(id);
    }

    /// Ends a step: what it held is freed, what waited for it may begin.
    pub(super) fn step_ended(&mut self, id: RunId, state: StepState, now: Time) {
        let was_active = self.run(id).is_active();
        self.clear_attempt(id);
        self.set_total(id, None);
        self.release_call(id);
        self.stop_undoing(id);
        self.end_review(id);
        if !was_active {
            self.note_begun(id);
        }
        let sequence = self.sequence;
        let run = self.run_mut(id);
        run.state = state;
        run.end_time = Some(now);
        run.ended_by = sequence;
        run.start_time.get_or_insert(now);
        self.note_room(id);
        self.count_ended(id, was_active);
        self.iteration_ended(id);
        for dependant in self.run(id).dependants.clone() {
            self.run_mut(dependant).waits -= 1;
            self.note_ready(dependant);
        }
        self.item_ended(id);
    }

    fn count_ended(&mut self, id: RunId, was_active: bool) {
        let completed = self.run(id).state == StepState::Completed;
        let Some(parent) = self.around(id) else {
            return;
        };
        let run = self.run_mut(parent);
        run.active -= u32::from(was_active);
        run.ended += 1;
        run.completed += u32::from(completed);
        self.note_room(parent);
    }

    /// Forgets the timers of the attempt.
    pub(super) fn clear_attempt(&mut self, id: RunId) {
        let run = self.run_mut(id);
        let queue = run.queue_deadline.take();
        let attempt = run.deadline.take();
        let retry = run.next_attempt_time.take();
        let wait = run.wait_time.take();
        self.timers.clear(wait, id, TimerKind::Wait);
        self.timers.clear(queue, id, TimerKind::Queue);
        self.timers.clear(attempt, id, TimerKind::Attempt);
        self.timers.clear(retry, id, TimerKind::Retry);
    }

    pub(super) fn set_total(&mut self, id: RunId, deadline: Option<Time>) {
        let before = std::mem::replace(&mut self.run_mut(id).total_deadline, deadline);
        self.timers.clear(before, id, TimerKind::Total);
        if let Some(due) = deadline {
            self.timers.set(due, id, TimerKind::Total);
        }
    }
}

pub(super) fn add_usage(sum: &mut Option<Usage>, more: Option<&Usage>) {
    let Some(more) = more else { return };
    let sum = sum.get_or_insert_default();
    sum.input_tokens = sum.input_tokens.saturating_add(more.input_tokens);
    sum.output_tokens = sum.output_tokens.saturating_add(more.output_tokens);
    sum.cost += more.cost;
}
