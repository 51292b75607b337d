//! One decision in the making: events are applied as they are decided, effects gathered.

use super::{Dispatch, Effect, Outcome, Outputs};
use crate::{
    core::{
        execution::{Error, Execution, Given, ROOT, RunId, StepScope, StepState, apply},
        limits::Limits,
        plan::{Call, Kind, Node},
        time::Time,
        value,
    },
    proto::{Event, StepCancelled, event},
};

/// One decision in the making.
pub(super) struct Turn<'a> {
    pub execution: &'a mut Execution,
    pub now: Time,
    pub limits: &'a Limits,
    /// Outputs kept from before.
    pub outputs: &'a mut dyn Outputs,
    /// The bytes of the inputs handed out so far.
    pub bytes: usize,
    /// The execution is being ended at once, and its children with it.
    pub terminating: bool,
    outcome: Outcome,
}

/// After so many events a decision begins no more steps; the next one goes on.
const DECISION_EVENTS_MAX: usize = 1_000;

/// After so many bytes of inputs a decision begins no more steps; the next one goes on.
const DECISION_BYTES_MAX: usize = 4 << 20;

impl<'a> Turn<'a> {
    pub fn new(
        execution: &'a mut Execution,
        now: Time,
        limits: &'a Limits,
        outputs: &'a mut dyn Outputs,
    ) -> Self {
        Self {
            execution,
            now,
            limits,
            outputs,
            bytes: 0,
            terminating: false,
            outcome: Outcome::default(),
        }
    }

    pub fn finish(self) -> Outcome {
        self.outcome
    }

    /// Decides an event about a step; `ROOT` means the execution. Returns its sequence.
    pub fn emit(&mut self, run: RunId, kind: event::Kind) -> u64 {
        let sequence = self.execution.sequence + 1;
        let event = Event {
            execution_id: self.execution.id.to_string(),
            sequence,
            time: Some(self.now.into()),
            step: self.execution.run(run).path.to_string(),
            kind: Some(kind),
        };
        apply(self.execution, &event);
        self.outcome.events.push(event);
        sequence
    }

    /// True when enough was decided for one decision.
    pub fn is_long(&self) -> bool {
        self.outcome.events.len() >= DECISION_EVENTS_MAX || self.bytes >= DECISION_BYTES_MAX
    }

    pub fn effect(&mut self, effect: Effect) {
        self.outcome.effects.push(effect);
    }

    pub fn node(&self, run: RunId) -> &Node {
        self.execution.node(run)
    }

    pub fn call(&self, run: RunId) -> Option<&Call> {
        match &self.node(run).kind {
            Kind::Call(call) => Some(call),
            _ => None,
        }
    }

    pub fn scope<'b>(&'b self, run: RunId, given: Given<'b>) -> StepScope<'b> {
        StepScope {
            execution: self.execution,
            run,
            given,
        }
    }

    /// An error in this step.
    pub fn error(&self, run: RunId, class: &str, message: impl Into<String>) -> Error {
        Error {
            class: class.to_owned(),
            message: truncated(message.into()),
            step: self.execution.run(run).path.to_string(),
        }
    }

    /// Hands the step's attempt out, as the event just decided says.
    pub fn dispatch(&mut self, run: RunId) {
        if let Some(dispatch) = self.execution.dispatch_of(run) {
            self.effect(Effect::Dispatch(Box::new(dispatch)));
        }
    }

    /// Takes the step's attempt back, if it is handed out.
    pub fn withdraw(&mut self, run: RunId, reason: &str) {
        self.take_back(run, reason, false);
    }

    /// As `withdraw`; says whether it had no answer in time.
    pub fn take_back(&mut self, run: RunId, reason: &str, timed_out: bool) {
        if self.execution.run(run).awaited().is_some() {
            return;
        }
        if self.execution.has_child(run) {
            return self.withdraw_child(run, reason);
        }
        let step = self.execution.run(run);
        let handed_out = matches!(step.state, StepState::Waiting | StepState::Running);
        if handed_out && step.scheduled > 0 {
            let task = step.scheduled;
            self.effect(Effect::Withdraw {
                task,
                reason: reason.to_owned(),
                timed_out,
            });
        }
    }

    /// Cancels every step in progress within a step, the innermost first.
    pub fn cancel_within(&mut self, run: RunId, reason: &str) {
        let run = self.execution.run(run);
        let inner = [run.beside_runs(), &run.children].concat();
        for child in inner {
            self.cancel_within(child, reason);
            if self.execution.run(child).is_active() {
                self.withdraw(child, reason);
                let reason = reason.to_owned();
                self.emit(child, event::Kind::StepCancelled(StepCancelled { reason }));
            }
        }
    }

    /// True while the step has not been ended by what was decided since.
    pub fn is_open(&self, run: RunId) -> bool {
        let open = if run == ROOT {
            !self.execution.is_ending()
        } else {
            self.execution.run(run).is_active()
        };
        open && !self.execution.is_ended()
    }
}

impl Execution {
    /// The attempt of a step that is handed out, as workers are told of it.
    pub fn dispatch_of(&self, id: RunId) -> Option<Dispatch> {
        let run = self.run(id);
        let node = self.node(id);
        let target = self.target(id).filter(|_| run.awaited().is_none())?;
        Some(Dispatch {
            task: run.scheduled,
            step: run.path.to_string(),
            again: self.again(id),
            target: target.clone(),
            is_computed: self.is_computed(id),
            has_next: self.has_fallback(id),
            priority: self.priority(id),
            fairness_key: self.fairness_key(id).to_owned(),
            attempt: run.attempt,
            input: run.input.clone().unwrap_or_else(value::null),
            context: self.context(id).cloned(),
            timeout: node.timeout,
            schedule_time: run.schedule_time.unwrap_or(self.last_time),
        })
    }
}

/// The longest error message kept, in bytes.
const MESSAGE_BYTES_MAX: usize = 8 << 10;

/// An error message of at most the longest kept, cut between characters.
pub(super) fn truncated(mut text: String) -> String {
    if text.len() > MESSAGE_BYTES_MAX {
        let end = (0..=MESSAGE_BYTES_MAX).rev();
        let end = end.into_iter().find(|i| text.is_char_boundary(*i));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}
