//! Child executions and their parents, which may live in different shards: what they send each
//! other, and how it gets there. Nothing sent is kept: whoever is loaded again asks again, and
//! every message may come twice.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::sync::mpsc::WeakUnboundedSender;
use uuid::Uuid;

use super::{
    Error,
    shard::{Mailbox, Message},
    start::shard_of,
};
use crate::core::decide::{ChildStart, Command, Effect, ParentReport};

/// What one execution's shard asks of another's.
#[derive(Debug)]
pub enum ChildMessage {
    /// Start this child, or find it, and have it report to its parent.
    Start {
        /// The parent's namespace, and so the child's.
        namespace: String,
        /// What to start.
        start: ChildStart,
    },
    /// End this child, if it is open.
    Stop {
        /// The child.
        child: Uuid,
        /// `Cancel` or `Terminate`.
        command: Command,
    },
    /// A child tells its parent how far it is.
    Report(ParentReport),
    /// There was no room for this child: ask for it again, if it is still wanted.
    AskAgain {
        /// The parent.
        parent: Uuid,
        /// The path of its step.
        step: String,
        /// The child.
        child: Uuid,
    },
}

impl ChildMessage {
    /// The execution that it is for.
    pub fn to(&self) -> Uuid {
        match self {
            Self::Start { start, .. } => start.id,
            Self::Stop { child, .. } => *child,
            Self::Report(report) => report.parent,
            Self::AskAgain { parent, .. } => *parent,
        }
    }
}

/// All shards, to each other. Cheap to clone.
///
/// Sending never waits, so that no two shards wait for each other. What is under way is bounded
/// by the steps that run a child, of which each has at most one message each way.
#[derive(Clone, Default)]
pub struct Peers {
    shards: Arc<OnceLock<Vec<WeakUnboundedSender<Message>>>>,
}

impl Peers {
    /// Makes the shards known, once, in the order of their numbers.
    pub fn connect(&self, mailboxes: &[Mailbox]) {
        let shards = mailboxes.iter().map(Mailbox::downgrade).collect();
        let known = self.shards.set(shards);
        debug_assert!(known.is_ok(), "shards are made known once");
    }

    /// Sends a message to the shard that it is for; lost when that has ended.
    pub fn send(&self, message: ChildMessage) {
        let shards = self.shards.get().map_or(&[][..], Vec::as_slice);
        let shard = shards.get(shard_of(message.to(), shards.len().max(1)));
        if let Some(mailbox) = shard.and_then(WeakUnboundedSender::upgrade) {
            let _ = mailbox.send(Message::Child(Box::new(message)));
        }
    }

    /// Asks for a child again once there may be room for it.
    pub fn ask_again(&self, start: &ChildStart, after: Duration) {
        let peers = self.clone();
        let message = ChildMessage::AskAgain {
            parent: start.parent.id,
            step: start.parent.step.clone(),
            child: start.id,
        };
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            peers.send(message);
        });
    }
}

/// What an execution wants of its child or its parent; `None` for other effects.
pub fn message(namespace: &str, effect: Effect) -> Option<ChildMessage> {
    Some(match effect {
        Effect::StartChild(start) => ChildMessage::Start {
            namespace: namespace.to_owned(),
            start: *start,
        },
        Effect::StopChild {
            child,
            reason,
            terminated: false,
        } => ChildMessage::Stop {
            child,
            command: Command::Cancel { reason },
        },
        Effect::StopChild { child, reason, .. } => ChildMessage::Stop {
            child,
            command: Command::Terminate { reason },
        },
        Effect::TellParent(report) => ChildMessage::Report(*report),
        Effect::Dispatch(_) | Effect::Withdraw { .. } | Effect::Release { .. } => return None,
    })
}

/// The class of error of a step whose child cannot be started, and why in words.
pub fn refused(error: Error) -> (&'static str, String) {
    let class = match &error {
        Error::NotFound { .. } => "not_found",
        Error::Definition { .. } => "invalid_output",
        Error::Invalid { .. } => "validation",
        Error::Exhausted { .. } | Error::AgentsMissing { .. } | Error::Unavailable => "unavailable",
        _ => "agent_error",
    };
    (class, error.to_string())
}
