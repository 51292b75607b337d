//! Who a call goes to: the one written, or whom an expression names; and once that one has
//! failed, the next of its fallbacks.

use std::collections::BTreeMap;

use super::turn::Turn;
use crate::{
    core::{
        execution::{Error, Given, RunId},
        plan::{Call, Choice, Role, Select, Target},
        value::{self, Kind, Value},
    },
    proto::{CallFellBack, StepScheduled, Usage, event},
};

/// The most characters of a key that count: of what tasks take turns by, and of what STICKY goes by.
const KEY_MAX: usize = 128;

/// Who a call goes to.
pub(super) struct Chosen {
    target: Target,
    /// The role that it plays; empty when it was not named by one.
    role: String,
}

impl Turn<'_> {
    /// Who the step's next attempt goes to.
    ///
    /// # Errors
    /// Class `expression` when nobody is named, `refused` when one who may not be is.
    pub fn chosen(&self, run: RunId) -> Result<Chosen, Error> {
        let Some(call) = self.execution.alternative(run) else {
            return Ok(Chosen::agent(String::new()));
        };
        match &call.choice {
            Some(choice) => self.choose(run, choice),
            None => Ok(Chosen {
                target: self.with_key(run, call)?,
                role: call.role.clone(),
            }),
        }
    }

    fn choose(&self, run: RunId, choice: &Choice) -> Result<Chosen, Error> {
        let at = self.speaks_for(run);
        let chosen = choice
            .by
            .eval(&self.scope(at, Given::default()))
            .map_err(|e| self.error(run, "expression", format!("agent: {e}")))?;
        let (name, given) = named(&chosen).ok_or_else(|| {
            let text: String = value::to_text(&chosen).chars().take(60).collect();
            let words = format!("agent: `{text}` names neither an agent nor a skill");
            self.error(run, "expression", words)
        })?;
        if !choice.allow.is_empty() && !choice.allow.iter().any(|allowed| allowed == name) {
            let words = format!(
                "`{name}` is not among those allowed: {}",
                choice.allow.join(", ")
            );
            return Err(self.error(run, "refused", words));
        }
        let role = self.execution.plan.roles.get(name);
        Ok(match (role, given) {
            (Some(target), Target::Agent(_)) => Chosen {
                target: target.clone(),
                role: name.to_owned(),
            },
            (_, target) => Chosen {
                target,
                role: String::new(),
            },
        })
    }

    /// What the step's task takes turns by; empty when nothing says so.
    ///
    /// # Errors
    /// Class `expression`.
    pub fn fairness_key(&self, run: RunId) -> Result<String, Error> {
        let Some(around) = self.execution.says_fairness(run) else {
            return Ok(String::new());
        };
        let Some(key) = &self.node(around).fairness_key else {
            return Ok(String::new());
        };
        let key = key
            .eval(&self.scope(around, Given::default()))
            .map_err(|e| self.error(run, "expression", format!("fairness_key: {e}")))?;
        Ok(value::to_text(&key).chars().take(KEY_MAX).collect())
    }

    /// Who a call goes to whose definition says it, with what STICKY goes by. The attempts of one
    /// call keep the key of the first.
    ///
    /// # Errors
    /// Class `expression`.
    fn with_key(&self, run: RunId, call: &Call) -> Result<Target, Error> {
        let Some(key) = &call.key else {
            return Ok(call.target.clone());
        };
        let known = self.execution.run(run).target.as_ref();
        if let Some(key) = known.and_then(Target::sticky_key) {
            return Ok(call.target.with_key(key));
        }
        let fault = |words: String| self.error(run, "expression", format!("key: {words}"));
        let at = self.speaks_for(run);
        let key = key
            .eval(&self.scope(at, Given::default()))
            .map_err(|e| fault(e.to_string()))?;
        let words = value::to_text(&key);
        if value::is_null(&key) || words.is_empty() {
            return Err(fault("it gives nothing to go by".into()));
        }
        let key: String = words.chars().take(KEY_MAX).collect();
        Ok(call.target.with_key(&key))
    }

    /// The step whose names the expressions of a call may use.
    fn speaks_for(&self, run: RunId) -> RunId {
        match self.node(run).role {
            Role::Auxiliary(_) => self.execution.run(run).parent.unwrap_or(run),
            _ => run,
        }
    }

    /// An attempt failed: calls the next of the call's fallbacks at once, with the same input.
    /// False when there is none.
    pub fn fall_back(&mut self, run: RunId, error: &Error, usage: Option<Usage>) -> bool {
        let index = self.execution.run(run).alternative;
        if !self.execution.has_fallback(run) || self.execution.run(run).attempt == 0 {
            return false;
        }
        let fell_back = CallFellBack {
            index,
            error: Some(error.clone()),
            usage,
        };
        self.emit(run, event::Kind::CallFellBack(fell_back));
        self.attempt_again(run);
        true
    }
}

impl Chosen {
    fn agent(id: String) -> Self {
        Self {
            target: Target::Agent(id),
            role: String::new(),
        }
    }

    /// The agent or skill.
    pub fn target_name(&self) -> &str {
        match &self.target {
            Target::Agent(agent) => agent,
            Target::Skill { skill, .. } => skill,
        }
    }

    /// The event of an attempt, as far as it says who is called.
    pub fn named(self) -> StepScheduled {
        let scheduled = StepScheduled {
            sticky_key: self.target.sticky_key().unwrap_or_default().to_owned(),
            role: self.role,
            ..StepScheduled::default()
        };
        match self.target {
            Target::Agent(agent) => StepScheduled { agent, ..scheduled },
            Target::Skill { skill, .. } => StepScheduled { skill, ..scheduled },
        }
    }
}

/// Who a value names: a text is an agent's id; an object has `agent` or `skill`.
fn named(chosen: &Value) -> Option<(&str, Target)> {
    if let Some(agent) = text(chosen) {
        return Some((agent, Target::Agent(agent.to_owned())));
    }
    if let Some(agent) = value::member(chosen, "agent").and_then(text) {
        return Some((agent, Target::Agent(agent.to_owned())));
    }
    let skill = value::member(chosen, "skill").and_then(text)?;
    let target = Target::Skill {
        skill: skill.to_owned(),
        labels: BTreeMap::new(),
        select: Select::default(),
    };
    Some((skill, target))
}

fn text(value: &Value) -> Option<&str> {
    match &value.kind {
        Some(Kind::StringValue(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}
