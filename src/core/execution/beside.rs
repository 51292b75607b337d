//! What runs beside a step: the steps that take its failure, the call that undoes it. None of it
//! is a step within, so that nothing of it counts for the step around.

use super::{Error, Execution, Review, RunId, StepRun, StepState, Undo, apply::add_usage};
use crate::{
    core::{
        plan::{NodeId, Role},
        time::Time,
        value::{self, Value},
    },
    proto::StepCaught,
};

/// What runs beside one step, or did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beside {
    /// All of it, in the order in which it began.
    pub runs: Vec<RunId>,
    /// Earlier runs of the steps within that can be undone, in the order in which they ran.
    pub past: Vec<RunId>,
    /// What the step waits for.
    pub awaited: Option<RunId>,
    /// The error that was caught.
    pub caught: Option<Error>,
    /// What is being undone of the steps within.
    pub undo: Option<Undo>,
    /// What of the earlier steps is handed on with its input.
    pub context: Option<Value>,
    /// What agents are asked about before it counts.
    pub review: Option<Box<Review>>,
}

impl Execution {
    pub(super) fn beside_mut(&mut self, id: RunId) -> &mut Beside {
        self.run_mut(id).beside.get_or_insert_default()
    }

    /// The step that a step is one of; `None` for what runs beside.
    pub(super) fn around(&self, id: RunId) -> Option<RunId> {
        let parent = self.run(id).parent?;
        (self.node(id).role == Role::Step).then_some(parent)
    }

    /// Makes the run of a node beside a step, instead of the one there was.
    pub(super) fn attach(&mut self, owner: RunId, node: NodeId) -> RunId {
        let path = self.child_path(owner, &self.plan.node(node).id);
        if let Some(before) = self.find(&path) {
            self.forget(before);
            self.beside_mut(owner).runs.retain(|run| *run != before);
        }
        let run = StepRun::new(node, Some(owner), path.as_str().into());
        let id = self.slots.add(run);
        self.by_path.insert(path.into(), id);
        self.beside_mut(owner).runs.push(id);
        id
    }

    /// Begins a block beside a step with all that is in it.
    pub(super) fn start_beside(&mut self, id: RunId, input: value::Value, now: Time) {
        let run = self.run_mut(id);
        run.state = StepState::Running;
        run.attempt = 1;
        run.start_time = Some(now);
        run.input = Some(input);
        self.add_children(id);
    }

    pub(super) fn step_caught(&mut self, id: RunId, event: &StepCaught, now: Time) {
        self.begin(id, now);
        self.close_attempt(id);
        self.end_review(id);
        self.set_total(id, None);
        let run = self.run_mut(id);
        run.state = StepState::Running;
        run.error.clone_from(&event.error);
        add_usage(&mut run.usage, event.usage.as_ref());
        let input = run.input.clone().unwrap_or_else(value::null);
        let index = usize::try_from(event.index).unwrap_or(usize::MAX);
        let Some(steps) = self.node(id).catches().get(index).map(|c| c.steps) else {
            return;
        };
        let body = self.attach(id, steps);
        let beside = self.beside_mut(id);
        beside.caught.clone_from(&event.error);
        beside.awaited = Some(body);
        self.note_room(id);
        self.start_beside(body, input, now);
    }

    /// The attempt is over, though the step is not: nothing of it is in progress or begins.
    pub(super) fn close_attempt(&mut self, id: RunId) {
        self.clear_attempt(id);
        self.release_call(id);
        self.run_mut(id).ready.clear();
        self.items_ready.remove(&id);
        self.note_room(id);
    }

    /// The step's call is in progress, or is to be.
    pub(super) fn hold_call(&mut self, id: RunId) {
        if self.node(id).kind.is_outside() && !self.run(id).holds_call {
            self.run_mut(id).holds_call = true;
            self.calls_in_progress += 1;
        }
    }

    /// The step's call is no longer in progress.
    pub(super) fn release_call(&mut self, id: RunId) {
        if std::mem::take(&mut self.run_mut(id).holds_call) {
            self.calls_in_progress -= 1;
        }
    }

    /// The error that the steps around a step, or beside one of those, have caught, and in
    /// which attempt.
    pub(super) fn caught_around(&self, id: RunId) -> Option<(&Error, u32)> {
        let owner = self.owner(id, Role::Catch)?;
        let error = self.run(owner).beside.as_ref()?.caught.as_ref()?;
        Some((error, self.run(owner).attempt))
    }

    /// The output of the step that a call undoes.
    pub(super) fn undone_output(&self, id: RunId) -> Option<&value::Value> {
        let owner = self.owner(id, Role::Compensation)?;
        self.run(owner).output.as_ref()
    }

    /// The step beside which a step runs in this role, or one around it does.
    fn owner(&self, id: RunId, role: Role) -> Option<RunId> {
        let mut at = id;
        loop {
            let parent = self.run(at).parent?;
            if self.node(at).role == role {
                return Some(parent);
            }
            at = parent;
        }
    }
}
