//! `select: STICKY`: tasks of the same key go to the same agent as long as it can be reached.
//!
//! Rendezvous hashing: a key gives each agent a number, and of those that can be reached the one
//! with the greatest has the key. So one that comes or goes takes its own keys along and no
//! others, and since names and keys alone count, all is the same after a restart.
//!
//! Each agent has a queue of its own for what is sticky to it: who waits for a busy agent is in
//! nobody's way. When it becomes known that an agent can be reached, or no longer, what waits
//! changes queues; what was handed out stays where it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::time::Instant;
use twox_hash::XxHash3_64;

use super::{
    TaskKey,
    queue::{SkillKey, Source, Way},
    registry::AgentSlot,
    state::{AgentId, SkillId, State},
    task::Phase,
};

/// Whether keys go to an agent.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// The seats that serve it and were heard of.
    pub seats: usize,
    /// When the last of them left; `None` while there are any, or before it was looked at.
    pub left: Option<Instant>,
    /// Keys go to it.
    pub is_reached: bool,
}

/// What a key counts as.
pub(super) fn hash(key: &str) -> u64 {
    XxHash3_64::oneshot(key.as_bytes())
}

/// The one of these that a key goes to.
fn choose(agents: &[(AgentId, Arc<str>)], key: u64) -> Option<AgentId> {
    let weight = |name: &str| XxHash3_64::oneshot_with_seed(key, name.as_bytes());
    let best = agents.iter().max_by_key(|(_, name)| weight(name));
    best.map(|(id, _)| *id)
}

impl AgentSlot {
    fn can_be_reached(&self, parted: bool) -> bool {
        self.is_active() && !self.is_open() && !parted
    }
}

impl State {
    /// The agent that a key goes to; `None` when none can be reached.
    pub fn home(&self, space: &str, queue: &SkillKey, key: u64) -> Option<AgentId> {
        choose(&self.reached(space, queue), key)
    }

    /// The agents that keys go to, of those that fit a queue.
    fn reached(&self, space: &str, queue: &SkillKey) -> Vec<(AgentId, Arc<str>)> {
        let agents = self.spaces.get(space);
        let agents = agents.and_then(|space| space.with_skill.get(&queue.skill));
        let agents = agents.into_iter().flatten().filter_map(|id| {
            let slot = self.agents.get(id)?;
            let is = slot.reach.is_reached && slot.fits(&queue.skill, &queue.labels);
            is.then(|| (*id, slot.id.clone()))
        });
        agents.collect()
    }

    /// A seat before these agents has come, or is heard of again; or has gone, or fell silent.
    pub fn seat_heard(&mut self, agents: &[AgentId], comes: bool) {
        for agent in agents {
            let Some(slot) = self.agents.get_mut(agent) else {
                continue;
            };
            let seats = &mut slot.reach.seats;
            *seats = if comes { *seats + 1 } else { *seats - 1 };
            if *seats == usize::from(comes) {
                self.unsettled.push(*agent);
            }
        }
    }

    /// Looks at the agents of which it may have changed whether keys go to them.
    pub fn settle_reach(&mut self, now: Instant) {
        while let Some(agent) = self.unsettled.pop() {
            self.look_at(agent, false, now);
        }
    }

    /// Looks whether keys go to an agent, and has what waits change queues if that is new, or
    /// `anew`: when what it can do may have changed.
    pub fn look_at(&mut self, agent: AgentId, anew: bool, now: Instant) {
        let timeout = self.bounds.lease_timeout;
        let Some(slot) = self.agents.get_mut(&agent) else {
            return;
        };
        let reach = &mut slot.reach;
        match (reach.seats, reach.left) {
            (1.., Some(left)) => {
                reach.left = None;
                self.parting.remove(&(left + timeout, agent));
            }
            (0, None) => {
                reach.left = Some(now);
                self.parting.insert((now + timeout, agent));
            }
            _ => {}
        }
        let parted = slot.reach.left.is_some_and(|left| left + timeout <= now);
        let is_reached = slot.can_be_reached(parted);
        let before = std::mem::replace(&mut slot.reach.is_reached, is_reached);
        if anew || before != is_reached {
            self.rehome(agent, now);
        }
    }

    /// Looks at the agents whose last seat left a while ago. Who has a task still is there.
    pub fn part(&mut self, now: Instant) {
        while let Some(&(at, agent)) = self.parting.first().filter(|(at, _)| *at <= now) {
            self.parting.remove(&(at, agent));
            if let Some(slot) = self.agents.get_mut(&agent)
                && slot.load() > 0
            {
                slot.reach.left = None;
            }
            self.look_at(agent, false, now);
        }
    }

    /// Forgets when an agent's last seat left: it is no more.
    pub fn end_parting(&mut self, agent: AgentId, reach: &Reach) {
        if let Some(left) = reach.left {
            let at = left + self.bounds.lease_timeout;
            self.parting.remove(&(at, agent));
        }
    }

    /// What an agent may have, or had, and is sticky goes to whom it belongs.
    fn rehome(&mut self, agent: AgentId, now: Instant) {
        let Some(slot) = self.agents.get(&agent) else {
            return;
        };
        let queues = self
            .spaces
            .get(&slot.space)
            .map(|space| space.queues.iter());
        let concerned = queues
            .into_iter()
            .flatten()
            .filter(|(key, _)| match key.way {
                Way::Sticky(home) => home == Some(agent) || slot.fits(&key.skill, &key.labels),
                Way::InTurn | Way::LeastLoaded => false,
            });
        let mut concerned: Vec<SkillId> = concerned.map(|(_, id)| *id).collect();
        concerned.sort_unstable();
        let moved = concerned.into_iter().map(|id| self.rehome_queue(id));
        let moved: BTreeSet<Source> = moved.flatten().collect();
        for source in moved {
            self.match_source(source, now);
        }
    }

    /// Gives the queues that tasks of this one have gone to.
    fn rehome_queue(&mut self, id: SkillId) -> BTreeSet<Source> {
        let mut moved = BTreeMap::new();
        let Some(queue) = self.skills.get(&id) else {
            return BTreeSet::new();
        };
        let (space, from) = (queue.space.clone(), queue.key.clone());
        let agents = self.reached(&space, &from);
        for task in queue.queue.first(usize::MAX) {
            let home = self.sticky_hash(task).and_then(|key| choose(&agents, key));
            if Way::Sticky(home) == from.way {
                continue;
            }
            let to = *moved.entry(home).or_insert_with(|| {
                let way = Way::Sticky(home);
                Source::Skill(self.skill_queue(
                    &space,
                    SkillKey {
                        way,
                        ..from.clone()
                    },
                ))
            });
            self.change_queue(task, Source::Skill(id), to);
        }
        moved.into_values().collect()
    }

    /// What the key of a queued task or ticket counts as.
    fn sticky_hash(&self, key: TaskKey) -> Option<u64> {
        match self.tasks.get(&key) {
            Some(task) => task.offer.target.sticky_key().map(hash),
            None => self.tickets.sticky(&key),
        }
    }

    fn change_queue(&mut self, key: TaskKey, from: Source, to: Source) {
        let place = match self.tasks.get_mut(&key) {
            Some(task) => {
                task.phase = Phase::Queued(to);
                Some(task.place)
            }
            None => self.tickets.change_queue(&key, to),
        };
        if let Some(place) = place {
            self.stand(key, to, place);
            self.pull(from, place, key);
        }
    }

    /// What a task waits for that is sticky to an agent, in words.
    pub fn sticky_words(&self, home: AgentId) -> Option<String> {
        let slot = self.agents.get(&home)?;
        let obstacle = super::waiting::of_agent(slot);
        Some(format!("its key goes to agent '{}': {obstacle}", slot.id))
    }
}
