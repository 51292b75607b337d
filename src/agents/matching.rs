//! Brings tasks and seats together. After each change nothing is left in a queue that an
//! agent and a seat with room could take. Never looks through all tasks, agents or seats: it
//! goes from what changed to the queues and seats beside it.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    Offer, TaskKey, Token,
    queue::{Source, Way},
    seat::Port,
    state::{AgentId, Bounds, SeatId, State, wall_clock},
    task::{Phase, Task, invalid_input},
};
use crate::{
    core::{
        plan::Target,
        schema::{Schema, Violation},
        time,
        value::Value,
    },
    proto,
};

impl State {
    /// Hands out what an agent can take now.
    pub fn match_agent(&mut self, agent: AgentId, now: Instant) {
        while self.can_take(agent) {
            let Some(source) = self.oldest(agent) else {
                break;
            };
            if !self.hand_out(source, now) {
                break;
            }
        }
        if self.can_take(agent) {
            self.fetch_for(agent);
        }
    }

    /// Hands out what a seat can take now, to its agents in turn.
    pub fn match_seat(&mut self, seat: SeatId, now: Instant) {
        while let Some(source) = self.next_for_seat(seat) {
            if !self.hand_out(source, now) {
                break;
            }
        }
        let ready = self.seats.get(&seat).filter(|s| s.ready);
        for agent in ready.map(|s| s.agents.clone()).iter().flat_map(|a| &**a) {
            self.fetch_for(*agent);
        }
    }

    /// Hands out what a queue holds as long as someone can take it.
    pub fn match_source(&mut self, source: Source, now: Instant) {
        while self.hand_out(source, now) {}
    }

    /// True when the agent is active, below its limit and has a seat with room.
    fn can_take(&self, agent: AgentId) -> bool {
        !self.closed
            && self.agents.get(&agent).is_some_and(|a| {
                a.is_active() && a.circuit_lets() && a.below_max() && !a.ready.is_empty()
            })
    }

    /// Of the queues an agent serves, the one whose first task has waited longest, without those
    /// whose first task is being fetched.
    fn oldest(&self, agent: AgentId) -> Option<Source> {
        let slot = self.agents.get(&agent)?;
        let skills = slot.skills.iter().map(|s| Source::Skill(*s));
        skills
            .chain([Source::Agent(agent)])
            .filter(|source| !self.is_unfetched(*source))
            .filter_map(|source| Some((self.queue(source)?.head()?, source)))
            .min()
            .map(|(_, source)| source)
    }

    /// The queue a seat serves next: that of the next of its agents that has a task.
    fn next_for_seat(&mut self, id: SeatId) -> Option<Source> {
        let seat = self.seats.get(&id).filter(|s| s.ready)?;
        let (agents, from) = (seat.agents.clone(), seat.cursor);
        let turns = (0..agents.len()).map(|i| (from + i) % agents.len());
        let mut sources = turns.filter(|i| self.can_take(agents[*i])).filter_map(|i| {
            let source = self.oldest(agents[i])?;
            Some((i, source))
        });
        let (at, source) = sources.next()?;
        drop(sources);
        self.seats.get_mut(&id)?.cursor = (at + 1) % agents.len();
        Some(source)
    }

    /// Deals with the first task of a queue, if anyone can take it. False when not.
    fn hand_out(&mut self, source: Source, now: Instant) -> bool {
        let Some((_, key)) = self.queue(source).and_then(|q| q.head()) else {
            return false;
        };
        if self.tickets.contains(&key) {
            self.fetch(source);
            return false;
        }
        let Some(agent) = self.choose(source) else {
            return false;
        };
        if let Some(wrong) = self.breaks_schema(key, agent) {
            self.reject(key, self.agent_name(agent), invalid_input(&wrong));
            return true;
        }
        let ready = self.agents.get(&agent).and_then(|a| a.ready.first());
        let Some((_, seat)) = ready.copied() else {
            return false;
        };
        self.offer(key, source, agent, seat, now);
        true
    }

    /// The agent that takes the next task of a queue: of those that can take it now the one
    /// served longest ago, or the one with the fewest tasks.
    pub fn choose(&self, source: Source) -> Option<AgentId> {
        match source {
            Source::Agent(agent) => self.can_take(agent).then_some(agent),
            Source::Skill(id) => {
                let queue = self.skills.get(&id)?;
                let rank = |id: &AgentId| {
                    let slot = self.agents.get(id)?;
                    let load = match queue.key.way {
                        Way::LeastLoaded => slot.load(),
                        Way::InTurn | Way::Sticky(_) => 0,
                    };
                    Some((load, slot.turn, *id))
                };
                let able = queue.members.iter().filter(|id| self.can_take(**id));
                able.filter_map(rank).min().map(|(_, _, id)| id)
            }
        }
    }

    /// How a task's input breaks the schema of the agent that would get it.
    fn breaks_schema(&self, key: TaskKey, agent: AgentId) -> Option<String> {
        let schema = self.agents.get(&agent)?.record.as_ref()?.input.as_ref()?;
        let task = self.tasks.get(&key)?;
        if task
            .checked
            .as_ref()
            .is_some_and(|c| Arc::ptr_eq(c, schema))
        {
            return None;
        }
        violations(schema, &task.offer.input)
    }

    fn offer(&mut self, key: TaskKey, source: Source, agent: AgentId, seat: SeatId, now: Instant) {
        let token = Token::fresh(key);
        let Some((place, bytes)) = self.tasks.get(&key).map(|t| (t.place, t.bytes)) else {
            return;
        };
        if !self.deliver(token, agent, seat) {
            self.lose(seat);
            return;
        }
        let (turn, until) = (self.tick(), now + self.bounds.accept_timeout);
        self.due.insert((until, key));
        if let Some(slot) = self.agents.get_mut(&agent) {
            slot.offered += 1;
            slot.turn = turn;
        }
        self.pull(source, place, key);
        if let Some(task) = self.tasks.get_mut(&key) {
            task.phase = Phase::Offered {
                seat,
                agent,
                lease: token.lease,
                until,
            };
        }
        self.served(seat, turn, key, bytes);
        self.touch(agent);
    }

    /// Sends a task down a stream, or wakes the poll that takes it. False when it cannot be.
    fn deliver(&mut self, token: Token, agent: AgentId, id: SeatId) -> bool {
        let Some(seat) = self.seats.get(&id) else {
            return false;
        };
        match &seat.port {
            Port::Poll(notify) => notify.notify_one(),
            Port::Stream(sender) if sender.is_closed() => return false,
            Port::Stream(_) => match self.message(token, agent) {
                Some(task) => self.send_task(id, task),
                None => return false,
            },
        }
        true
    }

    /// An offered task as its worker sees it.
    pub fn offer_message(&self, key: TaskKey) -> Option<proto::Task> {
        let phase = self.phase(key)?;
        let lease = phase.lease()?;
        self.message(Token { key, lease }, phase.agent()?)
    }

    fn message(&self, token: Token, agent: AgentId) -> Option<proto::Task> {
        let task = self.tasks.get(&token.key)?;
        let agent = self.agents.get(&agent)?;
        Some(message(task, token, &agent.id, &self.bounds))
    }
}

/// How a value breaks a schema, in words.
pub(super) fn violations(schema: &Schema, value: &Value) -> Option<String> {
    let found = schema.violations(value);
    let say = |v: &Violation| match v.pointer.as_str() {
        "" => v.message.clone(),
        pointer => format!("{pointer}: {}", v.message),
    };
    let found: Vec<_> = found.iter().map(say).collect();
    (!found.is_empty()).then(|| found.join("; "))
}

fn message(task: &Task, token: Token, agent: &str, bounds: &Bounds) -> proto::Task {
    let offer = &task.offer;
    let skill = match &offer.target {
        Target::Agent(_) => String::new(),
        Target::Skill { skill, .. } => skill.clone(),
    };
    proto::Task {
        token: token.to_string(),
        execution_id: offer.key.execution_id.to_string(),
        step: offer.step.clone(),
        agent: agent.to_owned(),
        skill,
        attempt: offer.attempt,
        input: Some(offer.input.clone()),
        deadline: offer.timeout.map(|t| wall_clock().after(t).into()),
        idempotency_key: idempotency_key(offer),
        workflow: offer.workflow.clone(),
        lease_timeout: Some(time::message(bounds.lease_timeout)),
        namespace: offer.namespace.clone(),
        context: offer.context.clone(),
    }
}

/// The same for every attempt of a step; another one once what it did stands and it is done again.
fn idempotency_key(offer: &Offer) -> String {
    let (execution, step) = (offer.key.execution_id, &offer.step);
    match offer.again {
        None => format!("{execution}/{step}"),
        Some(again) => format!("{execution}/{step}@{again}"),
    }
}
