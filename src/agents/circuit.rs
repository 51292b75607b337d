//! Circuit breakers: an agent that fails again and again is left alone for a while, then tried
//! with one task. And tasks that are turned away at once, because nobody could take them and
//! someone else may.
//!
//! How circuits stand is kept nowhere: after a restart all are closed.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Failure, Offer, TaskKey,
    queue::{SkillKey, Source},
    registry::AgentSlot,
    state::{AgentId, State},
    task::failure,
};
use crate::{
    core::{plan::Target, time::span},
    proto::{Breaker, agent::Circuit as Shown},
};

/// Failures in a row that open a circuit, when its breaker does not say.
const FAILURES: u32 = 5;
/// How long a circuit stays open, when its breaker does not say.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// How an agent's circuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Circuit {
    /// It is given tasks; so many failed in a row.
    Closed(u32),
    /// It is given none until then.
    Open(Instant),
    /// It is given one task at a time until one has ended.
    HalfOpen,
}

impl AgentSlot {
    /// True when its circuit lets it take one more task.
    pub fn circuit_lets(&self) -> bool {
        match self.circuit {
            Circuit::Closed(_) => true,
            Circuit::Open(_) => false,
            Circuit::HalfOpen => self.load() == 0,
        }
    }

    /// True while its circuit is open.
    pub fn is_open(&self) -> bool {
        matches!(self.circuit, Circuit::Open(_))
    }

    fn breaker(&self) -> Option<&Breaker> {
        self.record.as_ref()?.agent.breaker.as_ref()
    }

    /// How its circuit is shown, and for how much longer it is open.
    pub fn circuit_shown(&self) -> (Shown, Option<Duration>) {
        match (self.breaker(), self.circuit) {
            (None, _) => (Shown::Unspecified, None),
            (_, Circuit::Closed(_)) => (Shown::Closed, None),
            (_, Circuit::Open(until)) => {
                let left = until.saturating_duration_since(Instant::now());
                (Shown::Open, Some(left))
            }
            (_, Circuit::HalfOpen) => (Shown::HalfOpen, None),
        }
    }
}

impl State {
    /// An agent gave an output.
    pub fn agent_succeeded(&mut self, agent: AgentId) {
        let Some(slot) = self.agents.get_mut(&agent) else {
            return;
        };
        let before = slot.circuit;
        if !matches!(before, Circuit::Open(_)) {
            slot.circuit = Circuit::Closed(0);
        }
        if before == Circuit::HalfOpen {
            self.touch(agent);
        }
    }

    /// A task of an agent failed with this class.
    pub fn agent_failed(&mut self, agent: AgentId, class: &str, now: Instant) {
        // The task's own fault, or nobody's.
        if matches!(class, "validation" | "cancelled") {
            return;
        }
        let Some(slot) = self.agents.get_mut(&agent) else {
            return;
        };
        let Some(breaker) = slot.breaker() else {
            return;
        };
        let most = match breaker.failures {
            0 => FAILURES,
            failures => failures,
        };
        let open = breaker.open_timeout.as_ref().and_then(span);
        let until = now + open.unwrap_or(OPEN_TIMEOUT);
        slot.circuit = match slot.circuit {
            Circuit::Closed(before) if before + 1 < most => Circuit::Closed(before + 1),
            Circuit::Closed(_) | Circuit::HalfOpen => Circuit::Open(until),
            open @ Circuit::Open(_) => open,
        };
        if slot.circuit == Circuit::Open(until) {
            let (id, failures) = (slot.id.clone(), most);
            tracing::warn!(agent = %id, failures, "the circuit of an agent opens");
            self.reopen.insert((until, agent));
            self.touch(agent);
            self.turn_queued_away(agent);
            self.unsettled.push(agent);
        }
    }

    /// Tries agents again whose circuits were open for long enough.
    pub fn try_again(&mut self, now: Instant) {
        while let Some(&(at, agent)) = self.reopen.first().filter(|(at, _)| *at <= now) {
            self.reopen.remove(&(at, agent));
            let slot = self.agents.get_mut(&agent);
            if let Some(slot) = slot.filter(|slot| slot.circuit == Circuit::Open(at)) {
                slot.circuit = Circuit::HalfOpen;
                self.touch(agent);
                self.unsettled.push(agent);
                self.match_agent(agent, now);
            }
        }
    }

    /// Closes an agent's circuit. False when it is not registered.
    pub fn reset_circuit(&mut self, namespace: &str, id: &str, now: Instant) -> bool {
        let Some(agent) = self.find_slot(namespace, id) else {
            return false;
        };
        let slot = self.agents.get_mut(&agent);
        let Some(slot) = slot.filter(|slot| slot.record.is_some()) else {
            return false;
        };
        if let Circuit::Open(until) = slot.circuit {
            self.reopen.remove(&(until, agent));
        }
        slot.circuit = Circuit::Closed(0);
        self.touch(agent);
        self.unsettled.push(agent);
        self.match_agent(agent, now);
        true
    }

    /// Turns away what waits for an agent whose circuit has opened and someone else may do. What
    /// is not in memory is asked for, and turned away when it comes.
    fn turn_queued_away(&mut self, agent: AgentId) {
        let Some(slot) = self.agents.get(&agent) else {
            return;
        };
        let sources = slot.skills.iter().map(|skill| Source::Skill(*skill));
        let sources: Vec<_> = sources.chain([Source::Agent(agent)]).collect();
        let mut away: Vec<(TaskKey, Failure)> = Vec::new();
        for source in sources {
            let queued = self.queue(source).map(|queue| queue.first(usize::MAX));
            let is_closed = self.is_closed(source);
            for key in queued.into_iter().flatten() {
                match self.tasks.get(&key).map(|task| &*task.offer) {
                    None if is_closed => self.tickets.turn_away(key),
                    None => {}
                    Some(offer) => {
                        let failure = self.turned_away(offer);
                        away.extend(failure.map(|failure| (key, failure)));
                    }
                }
            }
        }
        for (key, failure) in away {
            self.reject(key, String::new(), failure);
        }
        self.fetch_away();
    }

    /// True when those who serve a queue take no tasks: their circuits are open.
    fn is_closed(&self, source: Source) -> bool {
        match source {
            Source::Agent(agent) => self.agents.get(&agent).is_some_and(AgentSlot::is_open),
            Source::Skill(id) => {
                let queue = self.skills.get(&id);
                queue.is_some_and(|queue| self.closed_skill(&queue.space, &queue.key).is_some())
            }
        }
    }

    /// Why an attempt is turned away at once instead of waiting: an expression named an agent
    /// that is not registered, or another may be called and this one takes no tasks.
    pub fn turned_away(&self, offer: &Offer) -> Option<Failure> {
        if offer.has_next {
            let obstacle = self.closed_door(&offer.namespace, &offer.target)?;
            return Some(failure("unavailable", obstacle));
        }
        let Target::Agent(id) = &offer.target else {
            return None;
        };
        let slot = self.find_slot(&offer.namespace, id);
        let known = slot.and_then(|slot| self.agents.get(&slot));
        let known = known.is_some_and(|slot| slot.record.is_some());
        (offer.is_computed && !known).then(|| {
            let message = format!("agent '{id}', which an expression named, is not registered");
            failure("refused", message)
        })
    }

    /// Why a target takes no tasks, whoever may connect in a moment.
    pub fn closed_door(&self, namespace: &str, target: &Target) -> Option<String> {
        match target {
            Target::Agent(id) => {
                let slot = self.find_slot(namespace, id);
                let slot = slot.and_then(|slot| self.agents.get(&slot));
                match slot {
                    Some(slot) if slot.is_active() => slot
                        .is_open()
                        .then(|| format!("the circuit of agent '{id}' is open")),
                    _ => self.obstacle(namespace, target),
                }
            }
            Target::Skill {
                skill,
                labels,
                select,
            } => self.closed_skill(namespace, &SkillKey::of(skill, labels, select)),
        }
    }

    /// Why no agent that fits a queue takes tasks.
    fn closed_skill(&self, space: &str, key: &SkillKey) -> Option<String> {
        let members = self.fitting(space, key);
        if members.is_empty() {
            return self.skill_lacks(space, key, &members);
        }
        let skill = &key.skill;
        let mut slots = members.iter().filter_map(|m| self.agents.get(m));
        slots
            .all(AgentSlot::is_open)
            .then(|| format!("the circuits of all agents with skill '{skill}' are open"))
    }
}
