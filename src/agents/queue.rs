//! Queues: one per agent that is asked for by name, one per skill, labels and way of choosing.
//! First scheduled, first out; a task that comes back takes its old place. All steps are
//! O(log n).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    TaskKey,
    state::{AgentId, SkillId, State},
    task::Phase,
};
use crate::core::plan::{Select, Target};

/// Tasks by their place, the time at which they were scheduled; those of the same moment by
/// their names.
#[derive(Debug, Default)]
pub(super) struct Queue(BTreeSet<(u64, TaskKey)>);

impl Queue {
    pub fn insert(&mut self, place: u64, key: TaskKey) {
        self.0.insert((place, key));
    }

    pub fn remove(&mut self, place: u64, key: TaskKey) {
        self.0.remove(&(place, key));
    }

    /// The first task and its place.
    pub fn head(&self) -> Option<(u64, TaskKey)> {
        self.0.first().copied()
    }

    /// All tasks, in order.
    pub fn iter(&self) -> impl Iterator<Item = TaskKey> {
        self.0.iter().map(|(_, key)| *key)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many are before a task, counted up to `most`.
    pub fn before(&self, place: u64, key: TaskKey, most: usize) -> usize {
        self.0.range(..(place, key)).take(most).count()
    }
}

/// Which queue a task is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// That of an agent.
    Agent(AgentId),
    /// That of a skill.
    Skill(SkillId),
}

/// What tells the queues for skills apart, within a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SkillKey {
    pub skill: String,
    pub labels: BTreeMap<String, String>,
    pub least_loaded: bool,
}

impl SkillKey {
    pub fn of(skill: &str, labels: &BTreeMap<String, String>, select: Select) -> Self {
        Self {
            skill: skill.to_owned(),
            labels: labels.clone(),
            least_loaded: select == Select::LeastLoaded,
        }
    }
}

/// A queue for a skill; there only while it holds tasks.
pub(super) struct SkillQueue {
    pub space: Arc<str>,
    pub key: SkillKey,
    pub queue: Queue,
    /// Agents that are active, have the skill and carry all the labels.
    pub members: BTreeSet<AgentId>,
}

impl State {
    /// The queue for a target, there from now on; put a task in it at once.
    pub fn source(&mut self, space: &Arc<str>, target: &Target) -> Source {
        match target {
            Target::Agent(id) => Source::Agent(self.slot(space, id)),
            Target::Skill {
                skill,
                labels,
                select,
            } => {
                let key = SkillKey::of(skill, labels, *select);
                Source::Skill(self.skill_queue(space, key))
            }
        }
    }

    /// Puts a task in the queue for its target, at its place.
    pub fn push(&mut self, key: TaskKey, source: Source) {
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        task.phase = Phase::Queued(source);
        let place = task.place;
        self.stand(key, source, place);
    }

    /// Gives a task or a ticket its place in a queue.
    pub fn stand(&mut self, key: TaskKey, source: Source, place: u64) {
        if let Some(queue) = self.queue_mut(source) {
            queue.insert(place, key);
        }
        self.touch_source(source);
    }

    /// Takes a task out of the queue it is in.
    pub fn pull(&mut self, source: Source, place: u64, key: TaskKey) {
        if let Some(queue) = self.queue_mut(source) {
            queue.remove(place, key);
        }
        self.touch_source(source);
        match source {
            Source::Agent(agent) => self.prune_slot(agent),
            Source::Skill(id) => self.prune_skill(id),
        }
    }

    pub fn queue(&self, source: Source) -> Option<&Queue> {
        match source {
            Source::Agent(agent) => self.agents.get(&agent).map(|a| &a.queue),
            Source::Skill(id) => self.skills.get(&id).map(|s| &s.queue),
        }
    }

    fn queue_mut(&mut self, source: Source) -> Option<&mut Queue> {
        match source {
            Source::Agent(agent) => self.agents.get_mut(&agent).map(|a| &mut a.queue),
            Source::Skill(id) => self.skills.get_mut(&id).map(|s| &mut s.queue),
        }
    }

    fn touch_source(&mut self, source: Source) {
        if let Source::Agent(agent) = source {
            self.touch(agent);
        }
    }

    fn skill_queue(&mut self, space: &Arc<str>, key: SkillKey) -> SkillId {
        let known = self.spaces.get(space).and_then(|s| s.queues.get(&key));
        if let Some(id) = known {
            return *id;
        }
        let id = self.skill_id();
        let members = self.fitting(space, &key);
        for agent in &members {
            if let Some(slot) = self.agents.get_mut(agent) {
                slot.skills.insert(id);
            }
        }
        if let Some(space) = self.spaces.get_mut(space) {
            space.queues.insert(key.clone(), id);
        }
        let queue = SkillQueue {
            space: space.clone(),
            key,
            queue: Queue::default(),
            members,
        };
        self.skills.insert(id, queue);
        id
    }

    fn prune_skill(&mut self, id: SkillId) {
        if !self.skills.get(&id).is_some_and(|s| s.queue.is_empty()) {
            return;
        }
        let Some(gone) = self.skills.remove(&id) else {
            return;
        };
        for agent in &gone.members {
            if let Some(slot) = self.agents.get_mut(agent) {
                slot.skills.remove(&id);
            }
        }
        if let Some(space) = self.spaces.get_mut(&gone.space) {
            space.queues.remove(&gone.key);
        }
        self.prune_space(&gone.space);
    }
}
