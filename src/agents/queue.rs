//! Queues: one per agent that is asked for by name, one per skill, labels and way of choosing.
//! By priority, then each fairness key in turn, then first scheduled, first out; a task that
//! comes back takes its old place. All steps are O(log n).

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use super::{
    TaskKey,
    blocks::Blocks,
    state::{AgentId, SkillId, State},
    sticky,
    task::Phase,
};
use crate::core::{
    plan::{Select, Target},
    time::Time,
};

/// Where a task stands in its queue: by priority, then by turns between lanes, then by the time
/// at which it was scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// 1 first to 9 last.
    pub priority: u8,
    /// In nanoseconds since 1970.
    pub at: u64,
    /// Tasks of one fairness key, by its hash; those whose hashes meet share their turns.
    pub lane: u64,
}

impl Place {
    pub fn new(priority: u8, fairness_key: &str, schedule_time: Time) -> Self {
        let mut hasher = DefaultHasher::new();
        fairness_key.hash(&mut hasher);
        Self {
            priority,
            at: u64::try_from(schedule_time.as_nanos()).unwrap_or(0),
            lane: hasher.finish(),
        }
    }

    fn lane(self) -> (u8, u64) {
        (self.priority, self.lane)
    }
}

/// Tasks that wait for the same. Lanes of one priority take turns: the one that a task left
/// longest ago is next. Within a lane those scheduled first go first, those of the same moment
/// by their names.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lanes: BTreeMap<(u8, u64), Lane>,
    /// Priority, when a task left it last, and lane.
    turns: BTreeSet<(u8, u64, u64)>,
    tick: u64,
    len: usize,
}

#[derive(Debug)]
struct Lane {
    turn: u64,
    tasks: Blocks<(u64, TaskKey)>,
}

impl Queue {
    pub fn insert(&mut self, place: Place, key: TaskKey) {
        let lane = self.lanes.entry(place.lane()).or_insert_with(|| {
            self.tick += 1;
            self.turns.insert((place.priority, self.tick, place.lane));
            Lane {
                turn: self.tick,
                tasks: Blocks::default(),
            }
        });
        self.len += usize::from(lane.tasks.insert((place.at, key), ()));
    }

    pub fn remove(&mut self, place: Place, key: TaskKey) {
        let Some(lane) = self.lanes.get_mut(&place.lane()) else {
            return;
        };
        if lane.tasks.remove(&(place.at, key)).is_none() {
            return;
        }
        self.len -= 1;
        self.tick += 1;
        self.turns.remove(&(place.priority, lane.turn, place.lane));
        if lane.tasks.is_empty() {
            self.lanes.remove(&place.lane());
        } else {
            lane.turn = self.tick;
            self.turns.insert((place.priority, lane.turn, place.lane));
        }
    }

    /// The first task and its place.
    pub fn head(&self) -> Option<(Place, TaskKey)> {
        let (priority, _, lane) = *self.turns.first()?;
        let (at, key) = *self.lanes.get(&(priority, lane))?.tasks.first()?;
        let place = Place { priority, at, lane };
        Some((place, key))
    }

    /// The first tasks, as they would leave if no more came; at most so many.
    pub fn first(&self, most: usize) -> Vec<TaskKey> {
        let mut first = Vec::new();
        let mut turns = self.turns.iter().peekable();
        while let Some((priority, ..)) = turns.peek().copied().filter(|_| first.len() < most) {
            let mut lanes = Vec::new();
            while let Some((_, _, lane)) = turns.next_if(|turn| turn.0 == *priority) {
                let lane = self.lanes.get(&(*priority, *lane));
                lanes.extend(lane.map(|lane| lane.tasks.iter()));
            }
            while first.len() < most && !lanes.is_empty() {
                lanes.retain_mut(|lane| match lane.next() {
                    Some(((_, key), ())) => {
                        first.push(*key);
                        true
                    }
                    None => false,
                });
            }
        }
        first.truncate(most);
        first
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many would leave before a task if no more came, counted up to `most`.
    pub fn before(&self, place: Place, key: TaskKey, most: usize) -> usize {
        let Some(own) = self.lanes.get(&place.lane()) else {
            return 0;
        };
        let ahead = own.tasks.before(&(place.at, key), most);
        let mut before = ahead;
        for (priority, turn, lane) in &self.turns {
            if before >= most || *priority > place.priority {
                break;
            }
            if (*priority, *lane) == place.lane() {
                continue;
            }
            let tasks = self.lanes.get(&(*priority, *lane));
            let tasks = tasks.map_or(0, |lane| lane.tasks.len());
            before += match *priority < place.priority {
                true => tasks,
                false => tasks.min(ahead + usize::from(*turn < own.turn)),
            };
        }
        before.min(most)
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
    pub way: Way,
}

/// How the agent for a task is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Way {
    /// Each in turn.
    InTurn,
    /// The one with the fewest tasks.
    LeastLoaded,
    /// This one alone, which the keys of the tasks gave; `None`: no agent can be reached.
    Sticky(Option<AgentId>),
}

impl SkillKey {
    /// The queue of a target; that of a sticky one while no agent can be reached.
    pub fn of(skill: &str, labels: &BTreeMap<String, String>, select: &Select) -> Self {
        Self {
            skill: skill.to_owned(),
            labels: labels.clone(),
            way: match select {
                Select::RoundRobin => Way::InTurn,
                Select::LeastLoaded => Way::LeastLoaded,
                Select::Sticky(_) => Way::Sticky(None),
            },
        }
    }
}

/// A queue for a skill; there only while it holds tasks.
pub(super) struct SkillQueue {
    pub space: Arc<str>,
    pub key: SkillKey,
    pub queue: Queue,
    /// Agents that are active, have the skill and carry all the labels; of a sticky queue the
    /// one that it is for.
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
                let mut key = SkillKey::of(skill, labels, select);
                if let Select::Sticky(by) = select {
                    key.way = Way::Sticky(self.home(space, &key, sticky::hash(by)));
                }
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
    pub fn stand(&mut self, key: TaskKey, source: Source, place: Place) {
        if let Some(queue) = self.queue_mut(source) {
            queue.insert(place, key);
        }
        self.touch_source(source);
    }

    /// Takes a task out of the queue it is in.
    pub fn pull(&mut self, source: Source, place: Place, key: TaskKey) {
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

    pub fn skill_queue(&mut self, space: &Arc<str>, key: SkillKey) -> SkillId {
        let known = self.spaces.get(space).and_then(|s| s.queues.get(&key));
        if let Some(id) = known {
            return *id;
        }
        let id = self.skill_id();
        let members = match key.way {
            Way::Sticky(home) => home.into_iter().collect(),
            Way::InTurn | Way::LeastLoaded => self.fitting(space, &key),
        };
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
