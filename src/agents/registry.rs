//! The agents: those registered, and those only named by a task or a worker. Which of them a
//! skill finds, and how each stands.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::Arc,
};

use tokio::time::Instant;

use super::{
    circuit::Circuit,
    queue::{Queue, SkillKey, Way},
    state::{AgentId, SeatId, SkillId, State, wall_clock},
    sticky::Reach,
};
use crate::{
    core::{
        plan::Target,
        schema::Schema,
        value::{self, Value},
    },
    proto::{Agent, agent},
};

/// An agent by name, with its tasks and the seats that would take them.
pub(super) struct AgentSlot {
    pub space: Arc<str>,
    pub id: Arc<str>,
    /// `None` while it is not registered.
    pub record: Option<Record>,
    /// Tasks that ask for it by name.
    pub queue: Queue,
    /// Queues for skills that it is a member of.
    pub skills: BTreeSet<SkillId>,
    /// Seats that serve it.
    pub seats: usize,
    /// Those of them with room, the one served longest ago first.
    pub ready: BTreeSet<(u64, SeatId)>,
    /// Tasks offered and not yet accepted.
    pub offered: u32,
    /// Tasks accepted.
    pub leased: u32,
    /// When it was given a task last, in ticks.
    pub turn: u64,
    pub circuit: Circuit,
    pub reach: Reach,
}

/// What is known of a registered agent.
pub(super) struct Record {
    pub agent: Agent,
    pub input: Option<Arc<Schema>>,
    pub output: Option<Arc<Schema>>,
}

impl Record {
    /// An agent with its schemas compiled. One that does not compile is left out: agents are
    /// validated before they are kept, so that is told in the log.
    pub fn new(agent: Agent) -> Self {
        let compiled = |schema: &Option<Value>, field| {
            let schema = schema.as_ref().filter(|s| !value::is_null(s))?;
            Schema::compile(schema)
                .map(Arc::new)
                .inspect_err(|e| tracing::error!(agent = agent.id, field, "no JSON Schema: {e}"))
                .ok()
        };
        Self {
            input: compiled(&agent.input_schema, "input_schema"),
            output: compiled(&agent.output_schema, "output_schema"),
            agent,
        }
    }
}

impl AgentSlot {
    fn new(space: Arc<str>, id: Arc<str>) -> Self {
        Self {
            space,
            id,
            record: None,
            queue: Queue::default(),
            skills: BTreeSet::new(),
            seats: 0,
            ready: BTreeSet::new(),
            offered: 0,
            leased: 0,
            turn: 0,
            circuit: Circuit::Closed(0),
            reach: Reach::default(),
        }
    }

    /// Its state; `None` when it is not registered.
    pub fn state(&self) -> Option<agent::State> {
        let state = self.record.as_ref()?.agent.state();
        Some(match state {
            agent::State::Unspecified => agent::State::Active,
            given => given,
        })
    }

    /// True when it is given tasks.
    pub fn is_active(&self) -> bool {
        self.state() == Some(agent::State::Active)
    }

    /// How many tasks it may have in progress; 0: any number.
    pub fn max(&self) -> u32 {
        self.record.as_ref().map_or(0, |r| r.agent.max_concurrency)
    }

    /// How many tasks count against its limit.
    pub fn load(&self) -> u32 {
        self.offered + self.leased
    }

    /// True while a worker waits for its tasks, or works on one.
    pub fn is_served(&self) -> bool {
        self.seats > 0 || self.load() > 0
    }

    /// True while its limit lets it take one more.
    pub fn below_max(&self) -> bool {
        self.max() == 0 || self.load() < self.max()
    }

    /// True when it has the skill and carries all the labels, whatever its state.
    pub fn fits(&self, skill: &str, labels: &BTreeMap<String, String>) -> bool {
        self.record.as_ref().is_some_and(|record| {
            let carries = |(name, value)| record.agent.labels.get(name) == Some(value);
            record.agent.skills.iter().any(|s| s == skill) && labels.iter().all(carries)
        })
    }

    /// True when a task for the target could go to it, whatever its state.
    pub fn suits(&self, target: &Target) -> bool {
        match target {
            Target::Agent(id) => **id == *self.id,
            Target::Skill { skill, labels, .. } => self.fits(skill, labels),
        }
    }

    /// How it stands; `None` when it is not registered.
    pub fn view(&self) -> Option<Agent> {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let mut agent = self.record.as_ref()?.agent.clone();
        agent.state = self.state()?.into();
        let (circuit, open_for) = self.circuit_shown();
        agent.circuit = circuit.into();
        agent.circuit_until = open_for.map(|left| wall_clock().after(left).into());
        agent.workers = count(self.seats);
        agent.running_tasks = self.leased;
        agent.waiting_tasks = count(self.queue.len()).saturating_add(self.offered);
        Some(agent)
    }

    fn is_unused(&self) -> bool {
        self.record.is_none() && self.queue.is_empty() && self.seats == 0 && self.load() == 0
    }
}

impl State {
    /// Registers an agent or replaces what is known of it. True when it was not known before.
    pub fn put_agent(&mut self, namespace: &str, record: Record, now: Instant) -> bool {
        let space = self.space(namespace);
        let id = self.slot(&space, &record.agent.id);
        let created = self.unindex(id).is_none();
        self.index(id, record);
        self.touch(id);
        self.look_at(id, true, now);
        self.match_agent(id, now);
        created
    }

    /// Forgets an agent. False when it was not known.
    pub fn remove_agent(&mut self, namespace: &str, agent: &str, now: Instant) -> bool {
        let Some(id) = self.find_slot(namespace, agent) else {
            return false;
        };
        self.touch(id);
        let known = self.unindex(id).is_some();
        self.look_at(id, true, now);
        self.prune_slot(id);
        known
    }

    /// How an agent stands.
    pub fn agent(&self, namespace: &str, id: &str) -> Option<Agent> {
        let id = self.find_slot(namespace, id)?;
        self.agents.get(&id)?.view()
    }

    /// Registered agents by id, after one, that have the skill (empty: any) and the labels.
    pub fn list_agents(
        &self,
        namespace: &str,
        skill: &str,
        labels: &HashMap<String, String>,
        after: &str,
        limit: usize,
    ) -> Vec<Agent> {
        let Some(space) = self.spaces.get(namespace) else {
            return Vec::new();
        };
        let fits = |agent: &Agent| {
            (skill.is_empty() || agent.skills.iter().any(|s| s == skill))
                && labels.iter().all(|(k, v)| agent.labels.get(k) == Some(v))
        };
        let known = |id: &AgentId| {
            let slot = self.agents.get(id)?;
            fits(&slot.record.as_ref()?.agent).then(|| slot.view())?
        };
        space
            .agents
            .range::<str, _>((Bound::Excluded(after), Bound::Unbounded))
            .filter_map(|(_, id)| known(id))
            .take(limit)
            .collect()
    }

    /// The slot of an agent, there from now on.
    pub fn slot(&mut self, space: &Arc<str>, agent: &str) -> AgentId {
        if let Some(id) = self.find_slot(space, agent) {
            return id;
        }
        let (id, name): (_, Arc<str>) = (self.agent_id(), agent.into());
        let agents = &mut self.spaces.entry(space.clone()).or_default().agents;
        agents.insert(name.clone(), id);
        self.agents.insert(id, AgentSlot::new(space.clone(), name));
        id
    }

    /// Forgets a slot that nothing needs.
    pub fn prune_slot(&mut self, id: AgentId) {
        if !self.agents.get(&id).is_some_and(AgentSlot::is_unused) {
            return;
        }
        if let Some(slot) = self.agents.remove(&id) {
            self.end_parting(id, &slot.reach);
            if let Some(space) = self.spaces.get_mut(&slot.space) {
                space.agents.remove(&slot.id);
            }
            self.prune_space(&slot.space);
        }
    }

    /// The name of an agent; empty when it is not known.
    pub fn agent_name(&self, id: AgentId) -> String {
        self.agents.get(&id).map_or("", |a| &a.id).to_owned()
    }

    pub fn find_slot(&self, namespace: &str, agent: &str) -> Option<AgentId> {
        self.spaces.get(namespace)?.agents.get(agent).copied()
    }

    /// Active agents that fit a queue for a skill.
    pub fn fitting(&self, space: &str, key: &SkillKey) -> BTreeSet<AgentId> {
        let with_skill = self.spaces.get(space).map(|s| &s.with_skill);
        let agents = with_skill.and_then(|w| w.get(&key.skill));
        let fits = |id: &&AgentId| {
            let slot = self.agents.get(id);
            slot.is_some_and(|s| s.is_active() && s.fits(&key.skill, &key.labels))
        };
        agents.into_iter().flatten().filter(fits).copied().collect()
    }

    fn index(&mut self, id: AgentId, record: Record) {
        let Some(slot) = self.agents.get_mut(&id) else {
            return;
        };
        let skills = record.agent.skills.clone();
        slot.record = Some(record);
        let Some(space) = self.spaces.get_mut(&slot.space) else {
            return;
        };
        for skill in skills {
            space.with_skill.entry(skill).or_default().insert(id);
        }
        if !slot.is_active() {
            return;
        }
        for queue in space.queues.values() {
            let queue = self.skills.get_mut(queue);
            let queue = queue.filter(|q| {
                let may = !matches!(q.key.way, Way::Sticky(home) if home != Some(id));
                may && slot.fits(&q.key.skill, &q.key.labels)
            });
            if let Some(queue) = queue {
                queue.members.insert(id);
                slot.skills.insert(space.queues[&queue.key]);
            }
        }
    }

    fn unindex(&mut self, id: AgentId) -> Option<Record> {
        let slot = self.agents.get_mut(&id)?;
        let record = slot.record.take()?;
        for queue in std::mem::take(&mut slot.skills) {
            if let Some(queue) = self.skills.get_mut(&queue) {
                queue.members.remove(&id);
            }
        }
        let space = self.spaces.get_mut(&slot.space)?;
        for skill in &record.agent.skills {
            if let Some(agents) = space.with_skill.get_mut(skill) {
                agents.remove(&id);
                if agents.is_empty() {
                    space.with_skill.remove(skill);
                }
            }
        }
        Some(record)
    }
}
