//! Blocks of states: which state is entered first, and which one follows when one has ended.

use super::turn::Turn;
use crate::{
    core::{
        execution::{Error, Given, RunId},
        plan::Transition,
        value::{self, Value},
    },
    proto::{StateChanged, event},
};

impl Turn<'_> {
    /// Enters the first state of a block of states that has begun; nothing for any other block.
    pub fn enter_first_state(&mut self, run: RunId) {
        let Some(machine) = self.execution.machine(run) else {
            return;
        };
        let changed = StateChanged {
            from: String::new(),
            to: self.execution.plan.node(machine.initial).id.clone(),
            input: Some(self.execution.given_to(run).clone()),
        };
        self.emit(run, event::Kind::StateChanged(changed));
    }

    /// A state has ended: the next one is entered, or the block ends with it.
    pub fn state_ended(&mut self, around: RunId, state: RunId) {
        match self.next_state(around, state) {
            Ok(Some(changed)) => {
                self.emit(around, event::Kind::StateChanged(changed));
            }
            Ok(None) => {
                let output = self.execution.children_output(around);
                self.attempt_succeeded(around, output, None);
            }
            Err(error) => self.attempt_failed(around, error, None, None),
        }
    }

    /// The change of state that follows; `None` after a final state.
    ///
    /// # Errors
    /// Class `no_transition` when none fits, `limit` when there were as many as there may be,
    /// and `expression`.
    fn next_state(&self, around: RunId, state: RunId) -> Result<Option<StateChanged>, Error> {
        let ended = self.execution.run(state);
        let machine = self.execution.machine(around);
        let Some(ways) = machine.and_then(|machine| machine.next.get(&ended.node)) else {
            return Ok(None);
        };
        let output = ended.output.clone().unwrap_or_else(value::null);
        let id = &self.node(state).id;
        let (index, way) = self.fitting(state, ways, &output)?.ok_or_else(|| {
            let words = format!("none of the {} transitions from `{id}` fits", ways.len());
            self.error(state, "no_transition", words)
        })?;
        let changes = self.execution.run(around).states.as_ref();
        let changes = changes.map_or(0, |states| states.transitions);
        let most = machine.map_or(u32::MAX, |machine| machine.max_transitions);
        if changes >= most {
            let words = format!("the state has changed {changes} times, max_transitions is {most}");
            return Err(self.error(state, "limit", words));
        }
        let input = match &way.input {
            None => output,
            Some(template) => template
                .eval(&self.scope(state, handing(&output)))
                .map_err(|e| {
                    self.error(state, "expression", format!("next[{index}].input: {e}"))
                })?,
        };
        self.check_size(state, "input of the next state", &input)?;
        Ok(Some(StateChanged {
            from: id.clone(),
            to: self.execution.plan.node(way.to).id.clone(),
            input: Some(input),
        }))
    }

    fn fitting<'w>(
        &self,
        state: RunId,
        ways: &'w [Transition],
        output: &Value,
    ) -> Result<Option<(usize, &'w Transition)>, Error> {
        for (index, way) in ways.iter().enumerate() {
            let fits = match &way.when {
                None => true,
                Some(when) => when
                    .eval_bool(&self.scope(state, handing(output)))
                    .map_err(|e| {
                        self.error(state, "expression", format!("next[{index}].when: {e}"))
                    })?,
            };
            if fits {
                return Ok(Some((index, way)));
            }
        }
        Ok(None)
    }
}

/// What a transition sees of the state it leads on from.
fn handing(output: &Value) -> Given<'_> {
    Given {
        output: Some(output),
        ..Given::default()
    }
}
