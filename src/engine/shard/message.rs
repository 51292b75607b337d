//! What a shard is asked, and what all shards share.

use std::sync::{Arc, atomic::AtomicUsize};

use tokio::sync::{OwnedRwLockReadGuard, OwnedSemaphorePermit, mpsc, oneshot};
use uuid::Uuid;

use super::TakenUp;
use crate::{
    agents::{Dispatch, Fact, Refusal, Settled, TaskKey, What},
    core::{
        decide::{self, Command},
        execution::{Listed, Query},
        limits::Limits,
        plan::Plan,
    },
    engine::{
        children::{ChildMessage, Peers},
        lane::Commits,
        plans::Plans,
        progress::Progress,
        release::{Reply, key},
    },
    proto,
    store::Store,
};

/// What every shard shares.
#[derive(Clone)]
pub struct Parts {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// Who does the work.
    pub dispatch: Arc<dyn Dispatch>,
    /// Where groups go.
    pub commits: Commits,
    /// Who watches.
    pub progress: Progress,
    /// What executions run.
    pub plans: Plans,
    /// The other shards.
    pub peers: Peers,
    /// The bounds.
    pub limits: Arc<Limits>,
    /// How many executions are open, over all shards.
    pub open: Arc<AtomicUsize>,
}

impl Parts {
    /// Tells what tasks of an execution wait for.
    pub fn waiting_for(&self, id: Uuid) -> impl Fn(u64) -> Option<String> {
        move |task| self.dispatch.waiting_for(key(id, task))
    }
}

/// What a shard is asked.
pub enum Message {
    /// Start an execution.
    Start(Box<Starting>),
    /// Decide a command and answer once that is durable.
    Command {
        /// The execution.
        id: Uuid,
        /// The command.
        command: Command,
        /// The answer.
        reply: Reply<()>,
    },
    /// What child executions and their parents want of each other.
    Child(Box<ChildMessage>),
    /// Take what workers did; the agents are told what became of each.
    Facts(Vec<Fact>),
    /// Show an execution that is open; `None` when it is not in memory.
    View {
        /// The execution.
        id: Uuid,
        /// The answer.
        reply: oneshot::Sender<Option<proto::Execution>>,
    },
    /// List steps of an execution that is open; `None` when it is not in memory.
    Steps {
        /// The execution.
        id: Uuid,
        /// Which.
        query: Box<Query>,
        /// The answer.
        reply: oneshot::Sender<Option<Listed>>,
    },
    /// Show an execution that is open as lists do; `None` when it is not in memory.
    Outline {
        /// The execution.
        id: Uuid,
        /// The answer.
        reply: oneshot::Sender<Option<proto::Execution>>,
    },
    /// Show an execution once it has ended; `None`, at once, when it has ended before.
    End {
        /// The execution.
        id: Uuid,
        /// The answer.
        reply: oneshot::Sender<Option<proto::Execution>>,
    },
    /// Tell the agents of an attempt that they know nothing of but its name.
    Fetch {
        /// The attempt.
        task: TaskKey,
        /// Dropped once they are told.
        done: mpsc::Sender<()>,
    },
    /// Take up executions that were open when the server started.
    TakeUp {
        /// The executions, in order.
        page: Vec<TakenUp>,
        /// The last one that there is a page for; `None` once there are no more.
        to: Option<Uuid>,
        /// Dropped once they are taken up.
        done: mpsc::Sender<()>,
    },
    /// Forget an ended execution.
    Delete {
        /// The execution.
        id: Uuid,
        /// The answer.
        reply: Reply<()>,
    },
    /// Commit what there is and end.
    Stop,
}

impl Message {
    /// True when someone waits for what follows to be durable. Nobody does for a task that was
    /// accepted from a stream: its result comes soon and takes the acceptance along, and one
    /// that a crash loses is taken up again as the worker comes back with its token.
    pub fn is_pressing(&self) -> bool {
        match self {
            Self::Facts(facts) => facts.iter().any(is_pressing),
            _ => true,
        }
    }

    /// The execution it is about, when that is one that may be open.
    pub fn execution(&self) -> Option<Uuid> {
        match self {
            Self::Command { id, .. }
            | Self::View { id, .. }
            | Self::Steps { id, .. }
            | Self::Outline { id, .. }
            | Self::End { id, .. }
            | Self::Delete { id, .. } => Some(*id),
            Self::Fetch { task, .. } => Some(task.execution_id),
            Self::Child(message) => Some(message.to()),
            Self::Start(_) | Self::Facts(_) | Self::TakeUp { .. } | Self::Stop => None,
        }
    }

    /// True when it needs its execution in memory; else the store tells as much.
    pub fn needs_memory(&self) -> bool {
        match self {
            Self::Command { .. } | Self::End { .. } | Self::Fetch { .. } => true,
            // One that is asked for first is known to be new.
            Self::Child(message) => !matches!(
                &**message,
                ChildMessage::Start { start, .. } if !start.again
            ),
            _ => false,
        }
    }

    /// How much it asks for: the commands to be decided.
    pub fn commands(&self) -> usize {
        match self {
            Self::Facts(facts) => facts.len(),
            _ => 1,
        }
    }

    /// What is told of the facts in it when they cannot be decided any more.
    pub fn refused(self) -> Vec<Settled> {
        let facts = match self {
            Self::Facts(facts) => facts,
            _ => Vec::new(),
        };
        let refused = facts.iter().map(|fact| fact.refused(Refusal::Unavailable));
        refused.collect()
    }
}

fn is_pressing(fact: &Fact) -> bool {
    !matches!(fact.what, What::Accepted { awaited: false, .. })
}

/// An execution to be started.
pub struct Starting {
    /// Its plan.
    pub plan: Arc<Plan>,
    /// What to start.
    pub start: decide::Start,
    /// A hash of the request's body.
    pub body_hash: u64,
    /// The answer, once it is started.
    pub reply: Reply<Uuid>,
    /// The execution once it has ended, for those who wait; `None` when it is not in memory.
    pub end: Option<oneshot::Sender<Option<proto::Execution>>>,
    /// What lets it in, kept until it is started.
    pub admitted: Admitted,
}

/// What a start holds until it is durable or refused: its share of the starts in flight and of
/// the room for their inputs, and that no version is deleted meanwhile.
pub struct Admitted {
    /// The share.
    pub _share: OwnedSemaphorePermit,
    /// The room.
    pub _room: OwnedSemaphorePermit,
    /// That versions stay.
    pub _versions: OwnedRwLockReadGuard<()>,
}

/// Where messages for a shard go. Its length is bounded by those who send: starts by the
/// handle's admission, reports by the leases that are out.
pub type Mailbox = mpsc::UnboundedSender<Message>;
