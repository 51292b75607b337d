//! A task as this room knows it, and how it comes in: new, or with a lease from before a
//! restart.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    Fact, Failure, HeldLease, Offer, TaskKey, Token, What,
    effect::Effect,
    matching::violations,
    queue::{Place, Source},
    state::{AgentId, SeatId, State, WorkerId},
};
use crate::core::{schema::Schema, value};

/// A task and where it stands.
pub(super) struct Task {
    pub offer: Box<Offer>,
    /// The namespace.
    pub space: Arc<str>,
    /// Its place in its queue, which it takes again when it comes back.
    pub place: Place,
    /// The size of its input.
    pub bytes: usize,
    /// A schema that its input is known to fulfil.
    pub checked: Option<Arc<Schema>>,
    pub phase: Phase,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// In a queue.
    Queued(Source),
    /// Handed to a seat, not yet accepted.
    Offered {
        seat: SeatId,
        agent: AgentId,
        lease: u64,
        until: Instant,
    },
    /// Accepted.
    Leased {
        worker: WorkerId,
        agent: AgentId,
        lease: u64,
        until: Instant,
        /// Taken by a poll: its worker's stream knows nothing of it.
        polled: bool,
    },
}

/// What is known of a task's input when it comes in.
pub(super) enum Input {
    /// Nothing.
    Unchecked,
    /// It fulfils this schema of its agent.
    Fulfils(Arc<Schema>),
    /// It breaks its agent's schema, in words.
    Breaks(String),
}

impl Phase {
    /// The lease it is handed out under.
    pub fn lease(&self) -> Option<u64> {
        match self {
            Self::Queued(_) => None,
            Self::Offered { lease, .. } | Self::Leased { lease, .. } => Some(*lease),
        }
    }

    /// The agent it is handed out to.
    pub fn agent(&self) -> Option<AgentId> {
        match self {
            Self::Queued(_) => None,
            Self::Offered { agent, .. } | Self::Leased { agent, .. } => Some(*agent),
        }
    }
}

impl State {
    /// Where a task stands; `None` when it is not known.
    pub fn phase(&self, key: TaskKey) -> Option<Phase> {
        self.tasks.get(&key).map(|t| t.phase)
    }

    /// Puts an attempt in the queue, unless it is known. One whose input is known to break its
    /// agent's schema fails at once.
    pub fn enqueue(&mut self, offer: Box<Offer>, bytes: usize, input: Input, now: Instant) {
        let key = offer.key;
        if self.tasks.contains_key(&key) {
            return;
        }
        let space = self.space(&offer.namespace);
        let (source, place) = match self.tickets.take(&key) {
            Some(ticket) => (ticket.source, ticket.place),
            None => (self.source(&space, &offer.target), place_of(&offer)),
        };
        let task = Task {
            offer,
            space,
            place,
            bytes,
            checked: match &input {
                Input::Fulfils(schema) => Some(schema.clone()),
                Input::Unchecked | Input::Breaks(_) => None,
            },
            phase: Phase::Queued(source),
        };
        self.tasks.insert(key, task);
        self.push(key, source);
        let turned_away = self
            .tasks
            .get(&key)
            .and_then(|t| self.turned_away(&t.offer));
        match (turned_away, input, source) {
            (Some(failure), ..) => self.reject(key, String::new(), failure),
            (_, Input::Breaks(wrong), Source::Agent(agent)) => {
                self.reject(key, self.agent_name(agent), invalid_input(&wrong));
            }
            _ => self.match_source(source, now),
        }
    }

    /// Keeps a lease given before a restart, unless its attempt is known. One without a worker
    /// was given for an input that breaks its agent's schema: the failure is told again.
    pub fn restore(&mut self, mut offer: Offer, held: &HeldLease, now: Instant) {
        let token = Token {
            key: offer.key,
            lease: held.lease,
        };
        if self.tasks.contains_key(&token.key) {
            return;
        }
        self.tear(token.key, now);
        let space = self.space(&offer.namespace);
        let agent = self.slot(&space, &held.agent);
        if held.worker_id.is_empty() {
            let failure = self.refusal(agent, &offer);
            let what = What::Failed(failure);
            self.effects.push(Effect::Fact(Fact { token, what }));
            self.prune_slot(agent);
            return;
        }
        let worker = self.worker(&space, &held.worker_id);
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.agents.insert(held.agent.as_str().into());
        }
        offer.input = value::null();
        offer.context = None;
        let task = Task {
            place: place_of(&offer),
            offer: Box::new(offer),
            space,
            bytes: 0,
            checked: None,
            phase: self.hold(token, worker, agent, false, now),
        };
        if let Phase::Leased { until, .. } = task.phase
            && self.reports.contains_key(&token)
        {
            self.due.remove(&(until, token.key));
        }
        self.tasks.insert(token.key, task);
    }

    /// Why an attempt that was accepted in nobody's name failed.
    fn refusal(&self, agent: AgentId, offer: &Offer) -> Failure {
        if let Some(failure) = self.turned_away(offer) {
            return failure;
        }
        let record = self.agents.get(&agent).and_then(|a| a.record.as_ref());
        let schema = record.and_then(|r| r.input.as_ref());
        match schema.and_then(|s| violations(s, &offer.input)) {
            Some(wrong) => invalid_input(&wrong),
            None => failure("unavailable", "the attempt was not begun".into()),
        }
    }
}

fn place_of(offer: &Offer) -> Place {
    Place::new(offer.priority, &offer.fairness_key, offer.schedule_time)
}

/// The failure of an attempt whose input breaks its agent's schema.
pub(super) fn invalid_input(wrong: &str) -> Failure {
    let message = format!("the input breaks the agent's schema: {wrong}");
    failure("validation", message)
}

/// A failure of this class that carries nothing else.
pub(super) fn failure(class: &str, message: String) -> Failure {
    Failure {
        class: class.to_owned(),
        message,
        retry_after: None,
        usage: None,
    }
}
