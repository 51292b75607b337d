//! Blocks of states: which state a block is in, and a state made anew when it is entered again.

use super::{Execution, RunId, StepRun, StepState};
use crate::{
    core::{
        plan,
        value::{self, Value},
    },
    proto::StateChanged,
};

/// How far a block of states has come.
#[derive(Clone, Debug, PartialEq)]
pub struct States {
    /// The state it is in.
    pub current: RunId,
    /// What was handed on to it.
    pub given: Value,
    /// How often the state has changed, the entry into the first not counted.
    pub transitions: u32,
}

impl Execution {
    /// The ways between the steps of a step, when it is a block of states.
    pub fn machine(&self, id: RunId) -> Option<&plan::States> {
        self.block(id)?.states.as_deref()
    }

    /// The state that a block of states is in.
    pub fn current_state(&self, id: RunId) -> Option<RunId> {
        self.run(id).states.as_ref().map(|states| states.current)
    }

    /// Enters a state. One that was entered before is made anew: its history is in the events, and
    /// what of it can be undone is set aside.
    pub(super) fn state_changed(&mut self, id: RunId, event: &StateChanged) {
        let place = self.run(id).children.iter();
        let place = place.enumerate();
        let mut named = place.filter(|(_, child)| self.node(**child).id == event.to);
        let Some((place, entered)) = named.next().map(|(place, child)| (place, *child)) else {
            return;
        };
        let current = match self.run(entered).state {
            StepState::Pending => entered,
            _ => self.enter_again(id, place, entered),
        };
        let before = self.run(id).states.as_ref();
        let transitions = before.map_or(0, |states| states.transitions + 1);
        self.run_mut(id).states = Some(Box::new(States {
            current,
            given: event.input.clone().unwrap_or_else(value::null),
            transitions,
        }));
        self.run_mut(current).waits = 0;
        self.note_ready(current);
    }

    fn enter_again(&mut self, id: RunId, place: usize, before: RunId) -> RunId {
        let left = self.run(before);
        let (node, path) = (left.node, left.path.clone());
        let (ended, completed) = (left.is_ended(), left.state == StepState::Completed);
        if !self.set_aside(before) {
            self.forget(before);
        }
        let mut run = StepRun::new(node, Some(id), path.clone());
        run.again = self.sequence;
        let anew = self.slots.add(run);
        self.by_path.insert(path, anew);
        let around = self.run_mut(id);
        around.children[place] = anew;
        around.ended -= u32::from(ended);
        around.completed -= u32::from(completed);
        anew
    }

    /// True for a step of a block of states.
    pub(super) fn is_state(&self, id: RunId) -> bool {
        let around = self.run(id).parent;
        around.is_some_and(|around| self.machine(around).is_some())
    }

    /// True for a state that its block is not in: it may not begin.
    pub(super) fn is_left_out(&self, id: RunId) -> bool {
        let current = self
            .run(id)
            .parent
            .and_then(|around| self.current_state(around));
        self.is_state(id) && current != Some(id)
    }

    /// What the state that ran last gave.
    pub(super) fn last_state_output(&self, id: RunId) -> Value {
        let children = self.run(id).children.iter().map(|c| self.run(*c));
        let ran = children.filter(|c| matches!(c.state, StepState::Completed | StepState::Failed));
        let last = ran.max_by_key(|c| c.ended_by);
        let output = last.and_then(|c| c.output.clone());
        output.unwrap_or_else(value::null)
    }
}
