//! What a queued task waits for, or one would, in words.

use std::collections::BTreeSet;

use super::{
    TaskKey,
    queue::{Place, Queue, SkillKey, SkillQueue, Source, Way},
    registry::AgentSlot,
    state::{AgentId, State},
    task::Phase,
};
use crate::{core::plan::Target, proto::agent};

/// How far the tasks before one are counted.
const BEFORE_MAX: usize = 1_000;

impl State {
    /// What a task waits for; `None` when it is neither queued nor offered.
    pub fn waiting_for(&self, key: TaskKey) -> Option<String> {
        if let Some(stand) = self.tickets.get(&key) {
            return self.queued_words(key, stand.source, stand.place);
        }
        let task = self.tasks.get(&key)?;
        match task.phase {
            Phase::Leased { .. } => None,
            Phase::Offered { seat, .. } => {
                let worker = self.seats.get(&seat)?.worker;
                Some(format!("offered to worker {}", self.worker_name(worker)))
            }
            Phase::Queued(source) => self.queued_words(key, source, task.place),
        }
    }

    fn queued_words(&self, key: TaskKey, source: Source, place: Place) -> Option<String> {
        let obstacle = match source {
            Source::Agent(id) => of_agent(self.agents.get(&id)?),
            Source::Skill(id) => self.of_skill(self.skills.get(&id)?)?,
        };
        let before = before(self.queue(source)?, place, key);
        Some(format!("{obstacle}{before}"))
    }

    /// What keeps a call from being taken, however long it waits for those at work; `None`
    /// when someone could take it.
    pub fn obstacle(&self, namespace: &str, target: &Target) -> Option<String> {
        match target {
            Target::Agent(id) => {
                let slot = self.find_slot(namespace, id);
                match slot.and_then(|slot| self.agents.get(&slot)) {
                    None => Some(unregistered(id)),
                    Some(slot) => agent_lacks(slot),
                }
            }
            Target::Skill {
                skill,
                labels,
                select,
            } => {
                let key = SkillKey::of(skill, labels, select);
                self.skill_lacks(namespace, &key, &self.fitting(namespace, &key))
            }
        }
    }

    fn of_skill(&self, queue: &SkillQueue) -> Option<String> {
        let SkillQueue { space, key, .. } = queue;
        let skill = key.skill.as_str();
        Some(match key.way {
            Way::Sticky(Some(home)) => self.sticky_words(home)?,
            Way::Sticky(None) => {
                let lacks = self.skill_lacks(space, key, &self.fitting(space, key));
                lacks.unwrap_or_else(|| format!("no agent with skill '{skill}' can be reached"))
            }
            Way::InTurn | Way::LeastLoaded => {
                let lacks = self.skill_lacks(space, key, &queue.members);
                let busy = || format!("all workers of agents with skill '{skill}' are busy");
                lacks.unwrap_or_else(busy)
            }
        })
    }

    pub fn skill_lacks(
        &self,
        space: &str,
        key: &SkillKey,
        members: &BTreeSet<AgentId>,
    ) -> Option<String> {
        let skill = key.skill.as_str();
        let space = self.spaces.get(space);
        if !space.is_some_and(|s| s.with_skill.contains_key(skill)) {
            return Some(format!("no registered agent has skill '{skill}'"));
        }
        if members.is_empty() && key.labels.is_empty() {
            return Some(format!("no active agent has skill '{skill}'"));
        }
        if members.is_empty() {
            let label = |(name, value): (&String, &String)| format!("{name}={value}");
            let labels: Vec<_> = key.labels.iter().map(label).collect();
            let labels = labels.join(", ");
            return Some(format!(
                "no active agent with skill '{skill}' has the labels {labels}"
            ));
        }
        let mut served = members.iter().filter_map(|m| self.agents.get(m));
        let served = served.any(AgentSlot::is_served);
        (!served).then(|| format!("no worker serves an agent with skill '{skill}'"))
    }
}

pub(super) fn of_agent(slot: &AgentSlot) -> String {
    let id = &slot.id;
    agent_lacks(slot).unwrap_or_else(|| {
        if !slot.circuit_lets() {
            return format!("the circuit of agent '{id}' is open: it failed again and again");
        }
        if slot.below_max() {
            return format!("all workers of agent '{id}' are busy");
        }
        let max = slot.max();
        format!("agent '{id}' has as many tasks as its limit of {max} allows")
    })
}

fn agent_lacks(slot: &AgentSlot) -> Option<String> {
    let id = &slot.id;
    match slot.state() {
        None => Some(unregistered(id)),
        Some(agent::State::Disabled) => Some(format!("agent '{id}' is disabled")),
        Some(agent::State::Draining) => Some(format!("agent '{id}' is draining")),
        Some(_) => (!slot.is_served()).then(|| format!("no worker serves agent '{id}'")),
    }
}

fn unregistered(id: &str) -> String {
    format!("agent '{id}' is not registered")
}

fn before(queue: &Queue, place: Place, key: TaskKey) -> String {
    match queue.before(place, key, BEFORE_MAX + 1) {
        0 => String::new(),
        1 => " (1 task before it)".into(),
        n if n > BEFORE_MAX => format!(" (more than {BEFORE_MAX} tasks before it)"),
        n => format!(" ({n} tasks before it)"),
    }
}
