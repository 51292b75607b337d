//! What is held back until the group it follows from is durable.

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{
    Error,
    children::{self, ChildMessage},
    progress::Item,
    shard::{Admitted, Leaving, Parts},
};
use crate::{
    agents::{Offer, Order, Refusal, Settled, TaskKey, Ticket},
    core::{
        decide::{self, Effect},
        execution::{Execution, Listed, Queued},
    },
    proto,
};

/// One thing to be done once durable.
pub enum Release {
    /// The agents are asked to do something.
    Order(Order),
    /// Watchers of an execution are woken.
    Progress {
        /// The execution.
        id: Uuid,
        /// With what.
        item: Item,
    },
    /// Watchers of all executions are woken.
    Changed(Box<proto::Execution>),
    /// The execution has ended: nobody needs it in memory any more.
    Ended(Uuid),
    /// A child execution or a parent is told.
    Child(Box<ChildMessage>),
    /// The execution only waits, and that is kept: nobody needs it in memory.
    Left(Leaving),
    /// The agents have been told of an attempt that they asked for.
    Fetched(mpsc::Sender<()>),
    /// An answer is given.
    Started(Reply<Uuid>, Uuid, Admitted),
    /// An answer is given.
    Viewed(
        oneshot::Sender<Option<proto::Execution>>,
        Box<proto::Execution>,
    ),
    /// An answer is given.
    Listed(oneshot::Sender<Option<Listed>>, Box<Listed>),
    /// An answer is given.
    Done(Reply<()>),
}

/// Where an answer goes.
pub type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What a group's releases come to, besides what is done at once.
#[derive(Default)]
pub struct Released {
    /// What the agents are asked to do, in order.
    pub orders: Vec<Order>,
    /// Executions that have ended.
    pub ended: Vec<Uuid>,
    /// Dropped once the agents have been asked.
    pub fetched: Vec<mpsc::Sender<()>>,
}

impl Release {
    /// Does it, or adds it to what is done for the whole group.
    pub fn run(self, parts: &Parts, released: &mut Released) {
        let progress = &parts.progress;
        match self {
            Self::Order(order) => released.orders.push(order),
            Self::Progress { id, item } => progress.tell(id, item),
            Self::Changed(summary) => progress.tell_all(*summary),
            Self::Ended(id) => {
                progress.forget(id);
                released.ended.push(id);
            }
            Self::Child(message) => parts.peers.send(*message),
            // The shard's.
            Self::Left(_) => {}
            Self::Fetched(done) => released.fetched.push(done),
            Self::Started(reply, id, _admitted) => drop(reply.send(Ok(id))),
            Self::Viewed(reply, view) => drop(reply.send(Some(*view))),
            Self::Listed(reply, listed) => drop(reply.send(Some(*listed))),
            Self::Done(reply) => drop(reply.send(Ok(()))),
        }
    }

    /// What the agents are told instead when it never becomes durable.
    pub fn given_up(self) -> Option<Order> {
        match self {
            Self::Order(Order::Settle(settled)) => Some(Order::Settle(Settled {
                result: Err(Refusal::Unavailable),
                ..settled
            })),
            _ => None,
        }
    }
}

/// What an effect of a decision comes to once it is durable.
pub fn of_effect(execution: &Execution, effect: Effect) -> Option<Release> {
    let id = execution.id;
    let order = match effect {
        Effect::Dispatch(task) => Order::Enqueue(Box::new(offer(
            id,
            execution.namespace.clone(),
            execution.workflow.clone(),
            *task,
        ))),
        Effect::Withdraw {
            task,
            reason,
            timed_out,
        } => Order::Withdraw {
            key: key(id, task),
            reason,
            timed_out,
        },
        Effect::Release { task } => Order::Release(key(id, task)),
        effect => {
            let message = children::message(&execution.namespace, effect)?;
            return Some(Release::Child(Box::new(message)));
        }
    };
    Some(Release::Order(order))
}

/// The name of an attempt.
pub fn key(execution_id: Uuid, sequence: u64) -> TaskKey {
    TaskKey {
        execution_id,
        sequence,
    }
}

/// An attempt as the agents are told of it.
pub fn offer(id: Uuid, namespace: String, workflow: String, task: decide::Dispatch) -> Offer {
    Offer {
        key: key(id, task.task),
        namespace,
        workflow,
        step: task.step,
        again: task.again,
        target: task.target,
        is_computed: task.is_computed,
        has_next: task.has_next,
        priority: task.priority,
        fairness_key: task.fairness_key,
        attempt: task.attempt,
        input: task.input,
        context: task.context,
        timeout: task.timeout,
        schedule_time: task.schedule_time,
    }
}

/// An attempt whose execution is not in memory, as the agents keep its place.
pub fn ticket(id: Uuid, namespace: &str, queued: Queued) -> Ticket {
    Ticket {
        key: key(id, queued.task),
        namespace: namespace.to_owned(),
        target: queued.target,
        has_next: queued.has_next,
        priority: queued.priority,
        fairness_key: queued.fairness_key,
        schedule_time: queued.schedule_time,
    }
}
