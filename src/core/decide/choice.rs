//! Who a call goes to when an expression says so.

use std::collections::BTreeMap;

use super::turn::Turn;
use crate::{
    core::{
        execution::{Error, Given, RunId},
        plan::{Choice, Select, Target},
        value::{self, Kind, Value},
    },
    proto::StepScheduled,
};

impl Turn<'_> {
    /// Who the step's call goes to.
    ///
    /// # Errors
    /// Class `expression` when nobody is named, `refused` when one who may not be is.
    pub fn target(&self, run: RunId) -> Result<Target, Error> {
        let Some(call) = self.call(run) else {
            return Ok(Target::Agent(String::new()));
        };
        match &call.choice {
            None => Ok(call.target.clone()),
            Some(choice) => self.choose(run, choice),
        }
    }

    fn choose(&self, run: RunId, choice: &Choice) -> Result<Target, Error> {
        let chosen = choice
            .by
            .eval(&self.scope(run, Given::default()))
            .map_err(|e| self.error(run, "expression", format!("agent: {e}")))?;
        let (name, target) = named(&chosen).ok_or_else(|| {
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
        Ok(target)
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

/// Names of the target, as the event of an attempt has them.
pub(super) fn name(target: Target, scheduled: &mut StepScheduled) {
    match target {
        Target::Agent(agent) => scheduled.agent = agent,
        Target::Skill { skill, .. } => scheduled.skill = skill,
    }
}
