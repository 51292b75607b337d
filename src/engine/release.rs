//! What is held back until the group it follows from is durable.

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{
    Error,
    children::ChildMessage,
    progress::Item,
    shard::{Leaving, Parts},
};
use crate::{
    agents::{Offer, TaskKey},
    core::{
        decide::{self, Effect},
        execution::Listed,
    },
    proto,
};

/// One thing to be done once durable.
pub enum Release {
    /// Work handed out or taken back.
    Effect {
        /// The execution.
        id: Uuid,
        /// Its namespace.
        namespace: String,
        /// Its workflow.
        workflow: String,
        /// What to do.
        effect: Effect,
    },
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
    Started(Reply<Uuid>, Uuid),
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

impl Release {
    /// Does it; gives the execution that has ended, if it is that.
    pub fn run(self, parts: &Parts) -> Option<Uuid> {
        let progress = &parts.progress;
        match self {
            Self::Effect {
                id,
                namespace,
                workflow,
                effect,
            } => release_effect(parts, id, namespace, workflow, effect),
            Self::Progress { id, item } => progress.tell(id, item),
            Self::Changed(summary) => progress.tell_all(*summary),
            Self::Ended(id) => {
                progress.forget(id);
                return Some(id);
            }
            Self::Child(message) => parts.peers.send(*message),
            // The shard's.
            Self::Left(_) => {}
            Self::Fetched(done) => drop(done),
            Self::Started(reply, id) => drop(reply.send(Ok(id))),
            Self::Viewed(reply, view) => drop(reply.send(Some(*view))),
            Self::Listed(reply, listed) => drop(reply.send(Some(*listed))),
            Self::Done(reply) => drop(reply.send(Ok(()))),
        }
        None
    }
}

fn release_effect(parts: &Parts, id: Uuid, namespace: String, workflow: String, effect: Effect) {
    let dispatch = parts.dispatch.as_ref();
    match effect {
        Effect::Dispatch(task) => dispatch.enqueue(offer(id, namespace, workflow, *task)),
        Effect::Withdraw { task, reason } => dispatch.withdraw(key(id, task), &reason),
        Effect::Release { task } => dispatch.release(key(id, task)),
        effect => parts.peers.release(&namespace, effect),
    }
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
        target: task.target,
        attempt: task.attempt,
        input: task.input,
        timeout: task.timeout,
        schedule_time: task.schedule_time,
    }
}
