//! What a queued task waits for, in words.

use super::{
    TaskKey,
    queue::{Queue, SkillQueue, Source},
    registry::AgentSlot,
    state::State,
    task::Phase,
};
use crate::proto::agent;

/// How far the tasks before one are counted.
const BEFORE_MAX: usize = 1_000;

impl State {
    /// What a task waits for; `None` when it is neither queued nor offered.
    pub fn waiting_for(&self, key: TaskKey) -> Option<String> {
        if let Some(place) = self.tickets.get(&key) {
            return self.queued_words(key, place.source, place.at);
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

    fn queued_words(&self, key: TaskKey, source: Source, place: u64) -> Option<String> {
        let obstacle = match source {
            Source::Agent(id) => of_agent(self.agents.get(&id)?),
            Source::Skill(id) => self.of_skill(self.skills.get(&id)?),
        };
        let before = before(self.queue(source)?, place, key);
        Some(format!("{obstacle}{before}"))
    }

    fn of_skill(&self, queue: &SkillQueue) -> String {
        let skill = queue.key.skill.as_str();
        let space = self.spaces.get(&queue.space);
        if !space.is_some_and(|s| s.with_skill.contains_key(skill)) {
            return format!("no registered agent has skill '{skill}'");
        }
        if queue.members.is_empty() && queue.key.labels.is_empty() {
            return format!("no active agent has skill '{skill}'");
        }
        if queue.members.is_empty() {
            let label = |(name, value): (&String, &String)| format!("{name}={value}");
            let labels: Vec<_> = queue.key.labels.iter().map(label).collect();
            let labels = labels.join(", ");
            return format!("no active agent with skill '{skill}' has the labels {labels}");
        }
        let members = || queue.members.iter().filter_map(|m| self.agents.get(m));
        if members().all(|m| m.seats == 0) {
            return format!("no worker serves an agent with skill '{skill}'");
        }
        format!("all workers of agents with skill '{skill}' are busy")
    }
}

fn of_agent(slot: &AgentSlot) -> String {
    let id = &slot.id;
    match slot.state() {
        None => format!("agent '{id}' is not registered"),
        Some(agent::State::Disabled) => format!("agent '{id}' is disabled"),
        Some(agent::State::Draining) => format!("agent '{id}' is draining"),
        Some(_) if slot.seats == 0 => format!("no worker serves agent '{id}'"),
        Some(_) if !slot.below_max() => {
            let max = slot.max();
            format!("agent '{id}' has as many tasks as its limit of {max} allows")
        }
        Some(_) => format!("all workers of agent '{id}' are busy"),
    }
}

fn before(queue: &Queue, place: u64, key: TaskKey) -> String {
    match queue.before(place, key, BEFORE_MAX + 1) {
        0 => String::new(),
        1 => " (1 task before it)".into(),
        n if n > BEFORE_MAX => format!(" (more than {BEFORE_MAX} tasks before it)"),
        n => format!(" ({n} tasks before it)"),
    }
}
