//! What agents are asked about before it counts: a value that gates check, with how far the
//! asking is; and the calls for it, which run beside the step.

use std::collections::BTreeMap;

use super::{Execution, Exit, ROOT, RunId, StepState, apply::add_usage};
use crate::{
    core::{
        plan::{Asked, Gate, Kind, NodeId, Role},
        time::Time,
        value::{self, Struct, Value},
    },
    proto::{AuxiliaryBegun, ReviewBegun},
};

/// A value under review.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// The value, as the last repair gave it.
    pub value: Value,
    /// Whether it is what the step is to be given.
    pub before: bool,
    /// The attempt that gave it.
    pub attempt: u32,
    /// What a `set` writes.
    pub written: Option<Struct>,
    /// Why a loop went no further.
    pub exit: Exit,
    /// How far it is.
    pub progress: Progress,
    /// What the repair in progress is to set right.
    pub violations: Vec<String>,
}

/// How far a review is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// The gate whose judge answered last for the value as it is; `None`: no gate has checked it.
    pub judged: Option<u32>,
    /// How many repairs each gate has had.
    pub repairs: BTreeMap<u32, u32>,
}

impl Execution {
    /// What is under review for a step.
    pub fn review(&self, id: RunId) -> Option<&Review> {
        self.run(id).beside.as_ref()?.review.as_deref()
    }

    /// What of the earlier steps is handed on with a step's input.
    pub fn context(&self, id: RunId) -> Option<&Value> {
        self.run(id).beside.as_ref()?.context.as_ref()
    }

    /// The gates that check what a step is given, or what it gave; for the whole its goal.
    pub fn gates(&self, id: RunId, before: bool) -> &[Gate] {
        match (id, before) {
            (ROOT, _) => &self.plan.goal,
            (_, true) => &self.node(id).before,
            (_, false) => &self.node(id).after,
        }
    }

    /// The call that a step needs besides its own attempts, by its name.
    fn auxiliary(&self, id: RunId, name: &str) -> Option<NodeId> {
        let mut calls = self.node(id).auxiliary().iter().copied();
        calls.find(|call| self.plan.node(*call).id == name)
    }

    pub(super) fn review_begun(&mut self, id: RunId, event: &ReviewBegun, now: Time) {
        self.hold_open(id, now);
        let is_call = matches!(self.node(id).kind, Kind::Call(_));
        let run = self.run_mut(id);
        run.answered = is_call && !event.before;
        add_usage(&mut run.usage, event.usage.as_ref());
        let review = Review {
            value: event.value.clone().unwrap_or_else(value::null),
            before: event.before,
            attempt: event.attempt,
            written: event.written.clone(),
            exit: event.exit(),
            progress: Progress::default(),
            violations: Vec::new(),
        };
        let beside = self.beside_mut(id);
        beside.review = Some(Box::new(review));
        if event.before {
            beside.context.clone_from(&event.context);
        }
    }

    pub(super) fn auxiliary_begun(&mut self, id: RunId, event: &AuxiliaryBegun, now: Time) {
        let Some(node) = self.auxiliary(id, &event.call) else {
            return;
        };
        self.hold_open(id, now);
        if let Some(deadline) = event.total_deadline {
            self.set_total(id, Some(deadline.into()));
        }
        let call = self.attach(id, node);
        let beside = self.beside_mut(id);
        beside.awaited = Some(call);
        if let Some(review) = &mut beside.review {
            review.violations.clone_from(&event.violations);
        }
        self.note_room(id);
        self.note_ready(call);
    }

    /// The step is in progress, though none of its attempts is: its own call, if it holds one,
    /// makes room.
    fn hold_open(&mut self, id: RunId, now: Time) {
        if id == ROOT {
            return;
        }
        self.begin(id, now);
        self.close_attempt(id);
        self.run_mut(id).state = StepState::Running;
    }

    /// Notes what came of a call that was needed.
    pub(super) fn auxiliary_completed(&mut self, call: RunId) {
        let (Role::Auxiliary(asked), Some(owner)) = (self.node(call).role, self.run(call).parent)
        else {
            return;
        };
        let output = self.run(call).output.clone();
        let Some(review) = &mut self.beside_mut(owner).review else {
            return;
        };
        match asked {
            Asked::Judge(gate) => review.progress.judged = Some(gate),
            Asked::Summary => {}
            Asked::Repair(gate) => {
                review.value = output.unwrap_or_else(value::null);
                review.progress.judged = None;
                review.violations.clear();
                *review.progress.repairs.entry(gate).or_default() += 1;
            }
        }
    }

    /// Nothing is under review for the step any more, nor is anything beside it waited for.
    pub(super) fn end_review(&mut self, id: RunId) {
        let Some(beside) = &mut self.run_mut(id).beside else {
            return;
        };
        beside.review = None;
        if let Some(call) = beside.awaited.take()
            && self.run(call).state == StepState::Pending
        {
            self.note_begun(call);
        }
    }
}
