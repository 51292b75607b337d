//! Who does the work: the agents known, the queue of tasks, the workers connected and the
//! leases they hold. Keeps nothing durable: what counts is decided by the engine, which is
//! told through `TaskSink` and tells this room through `Dispatch`.
//!
//! One lock guards one `State` of plain data; its methods are spread over the files below by
//! what they are about. The sink is never called with the lock held. May import `core`, the
//! proto types and tokio; never the store, the engine or the api.

mod blocks;
mod circuit;
mod dispatch;
mod effect;
mod ending;
mod hub;
mod lease;
mod matching;
mod poll;
mod queue;
mod registry;
mod report;
mod seat;
mod session;
mod state;
mod sticky;
mod task;
#[cfg(test)]
mod tests;
mod ticket;
mod timers;
mod token;
mod validate;
mod waiting;
mod watch;
mod worker;

pub use hub::Hub;
pub use session::Session;
pub use token::{Token, TokenError};
pub use validate::{validate_agent, validate_hello};
pub use watch::AgentWatch;

use std::time::Duration;

use futures::future::BoxFuture;
use uuid::Uuid;

use crate::{
    core::{plan::Target, time::Time, value::Value},
    proto,
};

/// Names one attempt of one step: the sequence of its `step_scheduled` event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskKey {
    /// The execution.
    pub execution_id: Uuid,
    /// The sequence of the event that scheduled the attempt.
    pub sequence: u64,
}

/// An attempt to be handed out.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Its name.
    pub key: TaskKey,
    /// The namespace.
    pub namespace: String,
    /// The workflow's name.
    pub workflow: String,
    /// The step's path.
    pub step: String,
    /// The event by which it is done once more though it had been done.
    pub again: Option<u64>,
    /// Who is to do it.
    pub target: Target,
    /// True when an expression named them and the definition does not: they must then be
    /// registered.
    pub is_computed: bool,
    /// True when someone else is called if these take no tasks.
    pub has_next: bool,
    /// Which goes first: 1 first to 9 last.
    pub priority: u8,
    /// Tasks of different keys take turns.
    pub fairness_key: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// What the agent is given.
    pub input: Value,
    /// What of the earlier steps it is handed on with it.
    pub context: Option<Value>,
    /// How long the attempt may take once accepted.
    pub timeout: Option<Duration>,
    /// When it was scheduled.
    pub schedule_time: Time,
}

/// The place in the queue of an attempt whose execution has left memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Its name.
    pub key: TaskKey,
    /// The namespace.
    pub namespace: String,
    /// Who is to do it.
    pub target: Target,
    /// True when someone else is called if these take no tasks.
    pub has_next: bool,
    /// Which goes first: 1 first to 9 last.
    pub priority: u8,
    /// Tasks of different keys take turns.
    pub fairness_key: String,
    /// When it was scheduled.
    pub schedule_time: Time,
}

/// A lease that was given before the server stopped: its worker may come back for it.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldLease {
    /// The worker.
    pub worker_id: String,
    /// The agent that does it.
    pub agent: String,
    /// The lease.
    pub lease: u64,
}

/// One thing that the engine asks of this room.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Puts an attempt in the queue.
    Enqueue(Box<Offer>),
    /// Keeps an attempt's place in the queue and nothing else of it, unless it is handed out:
    /// its execution leaves memory, or was not loaded yet. `TaskSink::fetch` asks for the rest.
    Wait(Ticket),
    /// Takes an attempt back: out of the queue, or from its worker, which is told to stop.
    Withdraw {
        /// The attempt.
        key: TaskKey,
        /// Why.
        reason: String,
        /// It had no answer in time: that counts as a failure of its agent.
        timed_out: bool,
    },
    /// Frees an attempt that has ended durably by its worker's result.
    Release(TaskKey),
    /// What became of a fact.
    Settle(Settled),
}

/// What became of a fact: it is durable, or does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The hand-out that the fact was about.
    pub token: Token,
    /// True when the fact was the acceptance, false when it was the result.
    pub acceptance: bool,
    /// Why it does not count.
    pub result: Result<(), Refusal>,
}

/// What the engine asks of this room. Called by shards; never blocks.
pub trait Dispatch: Send + Sync + 'static {
    /// Does what is asked, in this order, as one change.
    fn carry_out(&self, orders: Vec<Order>);
    /// Keeps a lease given before a restart until its worker comes back or it runs out.
    fn restore(&self, offer: Offer, lease: HeldLease);
    /// What a queued attempt waits for, in words; `None` when it is not in the queue.
    fn waiting_for(&self, key: TaskKey) -> Option<String>;
    /// Why nobody could take a task for this target now, in words; `None` when someone could,
    /// be it after those at work.
    fn obstacle(&self, namespace: &str, target: &Target) -> Option<String>;
    /// Makes an agent known, or replaces what is known of it.
    fn put_agent(&self, namespace: &str, agent: proto::Agent);
    /// Forgets an agent.
    fn remove_agent(&self, namespace: &str, id: &str);
    /// What is known of an agent.
    fn agent(&self, namespace: &str, id: &str) -> Option<proto::Agent>;
    /// Puts one attempt in the queue.
    fn enqueue(&self, offer: Offer) {
        self.carry_out(vec![Order::Enqueue(Box::new(offer))]);
    }
}

/// What became of an attempt that was handed out.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The hand-out.
    pub token: Token,
    /// What became of it.
    pub what: What,
}

/// What became of an attempt that was handed out.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A worker accepted it.
    Accepted {
        /// The worker.
        worker_id: String,
        /// The agent that does it.
        agent: String,
        /// Someone waits for that to be durable; else it may take a moment longer.
        awaited: bool,
    },
    /// Its worker gave its output.
    Completed {
        /// The output.
        output: Value,
        /// What it used.
        usage: Option<proto::Usage>,
    },
    /// It failed: by its worker's word, or because its lease ran out (`unavailable`).
    Failed(Failure),
}

impl Fact {
    /// What is told of it when it does not count.
    pub fn refused(&self, refusal: Refusal) -> Settled {
        Settled {
            token: self.token,
            acceptance: matches!(self.what, What::Accepted { .. }),
            result: Err(refusal),
        }
    }
}

/// What this room tells the engine. But for `fetch`, calls come one at a time; none comes from
/// within a call of `Dispatch`.
pub trait TaskSink: Send + Sync + 'static {
    /// Hands facts over; they count in the order in which they are handed over. Each is settled
    /// later, by `Order::Settle`; those that cannot be handed over are settled by the answer.
    fn tell(&self, facts: Vec<Fact>) -> Vec<Settled>;
    /// Asks for attempts whose executions are not in memory: tickets that someone could take,
    /// and what tokens name that are not known here. When the future ends the engine has ordered
    /// each to be enqueued, restored, or withdrawn when it is no more. May be called at any
    /// time, from any task.
    fn fetch(&self, keys: Vec<TaskKey>) -> BoxFuture<'static, ()>;
    /// Provisional output. May be lost.
    fn chunk(&self, chunk: proto::Chunk);
    /// Makes an agent known that a worker brought along, unless it is known; durable when the
    /// future ends. The engine then calls `Hub::put_agent`.
    fn register(
        &self,
        namespace: String,
        agent: proto::Agent,
    ) -> BoxFuture<'static, Result<(), Refusal>>;
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The class; never empty.
    pub class: String,
    /// In words.
    pub message: String,
    /// The least wait before the next attempt.
    pub retry_after: Option<Duration>,
    /// What was used.
    pub usage: Option<proto::Usage>,
}

/// Why a report does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The token does not hold the task: it ended, was handed to another, or never was.
    #[error("the token does not hold the task: {0}")]
    Stale(String),
    /// A bad field, by name.
    #[error("{field}: {message}")]
    Invalid {
        /// The field's path.
        field: String,
        /// What is wrong.
        message: String,
    },
    /// An output over the limit; the attempt has failed with class `limit`.
    #[error("the output has {bytes} bytes, over the limit of {bytes_max}")]
    TooLarge {
        /// Its size, in bytes as encoded Protobuf.
        bytes: usize,
        /// The most it may have.
        bytes_max: usize,
    },
    /// The server is shutting down; repeat it later.
    #[error("the server is shutting down")]
    Unavailable,
}
