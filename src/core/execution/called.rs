//! Who a call goes to: as the plan says, as an expression chose, the next of its fallbacks; or
//! nobody, when the output was kept from before.

use std::collections::BTreeMap;

use super::{Execution, RunId, StepRun, StepState, apply::add_usage};
use crate::{
    core::{
        plan::{Call, Kind, Node, Select, Target},
        time::Time,
    },
    proto::{CallFellBack, StepCached, StepScheduled},
};

/// The priority of a task when nothing says one.
pub const PRIORITY: u8 = 5;

impl StepRun {
    /// Which attempt this is of the whole call, its fallbacks included, from 1.
    pub fn round(&self) -> u32 {
        self.attempt - self.fallbacks
    }

    /// Who its attempt goes to; `None` when it is no call.
    pub(super) fn target_in<'a>(&'a self, node: &'a Node) -> Option<&'a Target> {
        let Kind::Call(call) = &node.kind else {
            return None;
        };
        let written = &call.alternative(self.alternative).target;
        Some(self.target.as_ref().unwrap_or(written))
    }
}

impl Execution {
    /// Counts a call that is handed out at the steps around that may make only so many.
    pub(super) fn count_call(&mut self, id: RunId) {
        let mut within = Some(id);
        while let Some(at) = within {
            if self.node(at).max_calls.is_some() {
                self.run_mut(at).calls += 1;
            }
            within = self.run(at).parent;
        }
    }

    /// The step around that has made as many calls as it may, and how many.
    pub fn out_of_calls(&self, id: RunId) -> Option<(RunId, u32)> {
        let mut within = Some(id);
        while let Some(at) = within {
            let run = self.run(at);
            if let Some(most) = self.node(at).max_calls.filter(|most| run.calls >= *most) {
                return Some((at, most));
            }
            within = run.parent;
        }
        None
    }

    /// The call that a step's attempt makes; `None` when it is no call.
    pub fn alternative(&self, id: RunId) -> Option<&Call> {
        match &self.node(id).kind {
            Kind::Call(call) => Some(call.alternative(self.run(id).alternative)),
            _ => None,
        }
    }

    /// True when someone else is called if the step's attempt fails.
    pub fn has_fallback(&self, id: RunId) -> bool {
        let Kind::Call(call) = &self.node(id).kind else {
            return false;
        };
        (self.run(id).alternative as usize) < call.fallback.len()
    }

    /// True when an expression named who a step's attempt goes to, and the definition does not:
    /// neither among those allowed nor as a role.
    pub fn is_computed(&self, id: RunId) -> bool {
        let choice = self.alternative(id).and_then(|call| call.choice.as_ref());
        let free = choice.is_some_and(|choice| choice.allow.is_empty());
        free && !self
            .plan
            .roles
            .values()
            .any(|played| Some(played) == self.target(id))
    }

    /// Who a step's attempt goes to; `None` when it is no call.
    pub fn target(&self, id: RunId) -> Option<&Target> {
        self.run(id).target_in(self.node(id))
    }

    /// Which of the tasks that wait for the same agent goes first: that of the step, or of the
    /// nearest step around it that says so; 1 first to 9 last.
    pub fn priority(&self, id: RunId) -> u8 {
        let mut at = Some(id);
        while let Some(run) = at {
            if let Some(priority) = self.node(run).priority {
                return priority;
            }
            at = self.run(run).parent;
        }
        PRIORITY
    }

    /// The step, or the nearest around it, that says what its tasks take turns by.
    pub fn says_fairness(&self, id: RunId) -> Option<RunId> {
        let mut at = Some(id);
        while let Some(run) = at {
            if self.node(run).fairness_key.is_some() {
                return at;
            }
            at = self.run(run).parent;
        }
        None
    }

    /// What the step's task takes turns by.
    pub fn fairness_key(&self, id: RunId) -> &str {
        match self.run(id).fairness_key.as_str() {
            "" => &self.workflow,
            key => key,
        }
    }

    /// Who an expression chose, for a call that leaves it to one, or what STICKY goes by.
    pub(super) fn chosen(&self, id: RunId, event: &StepScheduled) -> Option<Target> {
        let call = self.alternative(id)?;
        if call.key.is_some() {
            return Some(call.target.with_key(&event.sticky_key));
        }
        call.choice.as_ref()?;
        let played = self.plan.roles.get(&event.role).cloned();
        Some(played.unwrap_or_else(|| match event.skill.as_str() {
            "" => Target::Agent(event.agent.clone()),
            skill => Target::Skill {
                skill: skill.to_owned(),
                labels: BTreeMap::new(),
                select: Select::default(),
            },
        }))
    }

    pub(super) fn step_cached(&mut self, id: RunId, event: &StepCached, now: Time) {
        self.begin(id, now);
        let run = self.run_mut(id);
        run.state = StepState::Running;
        run.cached_from.clone_from(&event.execution_id);
        run.input.clone_from(&event.input);
    }

    pub(super) fn call_fell_back(&mut self, id: RunId, event: &CallFellBack) {
        self.clear_attempt(id);
        let run = self.run_mut(id);
        run.alternative = event.index + 1;
        run.fallbacks += 1;
        run.target = None;
        run.error.clone_from(&event.error);
        add_usage(&mut run.usage, event.usage.as_ref());
    }
}
