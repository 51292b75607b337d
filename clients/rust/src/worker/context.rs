//! What a handler knows of its task, and what it can do besides giving an output.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use serde_json::Value as Json;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::{
    chunk::{Chunk, ChunkRoom},
    handler::Note,
};
use crate::proto;

/// The task that a handler works on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TaskContext {
    task: Arc<TaskState>,
}

#[derive(Debug)]
struct TaskState {
    token: Arc<str>,
    /// As it was handed out, without token and input.
    task: proto::Task,
    cancel: CancellationToken,
    finishes_itself: AtomicBool,
    notes: UnboundedSender<Note>,
    chunks: ChunkRoom,
}

impl TaskContext {
    pub(super) fn new(
        token: Arc<str>,
        task: proto::Task,
        notes: UnboundedSender<Note>,
        chunks: ChunkRoom,
    ) -> Self {
        Self {
            task: Arc::new(TaskState {
                token,
                task,
                cancel: CancellationToken::new(),
                finishes_itself: AtomicBool::new(false),
                notes,
                chunks,
            }),
        }
    }

    /// The execution, UUID text.
    pub fn execution_id(&self) -> &str {
        &self.task.task.execution_id
    }

    /// The step's path.
    pub fn step(&self) -> &str {
        &self.task.task.step
    }

    /// The attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.task.task.attempt
    }

    /// The agent that is to do it.
    pub fn agent(&self) -> &str {
        &self.task.task.agent
    }

    /// The skill that was asked for; empty when the agent was.
    pub fn skill(&self) -> &str {
        &self.task.task.skill
    }

    /// The workflow's name.
    pub fn workflow(&self) -> &str {
        &self.task.task.workflow
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.task.task.namespace
    }

    /// The same for every attempt of the step: outside effects can be made once with it.
    pub fn idempotency_key(&self) -> &str {
        &self.task.task.idempotency_key
    }

    /// What of the earlier steps is handed on with the input, where the step says `context`: a
    /// list of `{from, value}`.
    pub fn handed_on(&self) -> Option<Json> {
        self.task.task.context.clone().map(crate::json::to_json)
    }

    /// When the attempt is given up, by the server's clock; `None`: never.
    pub fn deadline(&self) -> Option<SystemTime> {
        SystemTime::try_from(self.task.task.deadline?).ok()
    }

    /// Sends provisional output, for example the next words of a text, to those who watch.
    ///
    /// Never waits. False when it was dropped, because chunks come faster than they can be
    /// sent (1 MiB of them may wait); they may also be lost later.
    pub fn chunk(&self, data: Json) -> bool {
        match Chunk::new(&self.task.token, data, &self.task.chunks) {
            Some(chunk) => self.task.notes.send(Note::Chunk(chunk)).is_ok(),
            None => false,
        }
    }

    /// Ends once the task is no longer wanted. After that the handler's future is dropped at
    /// its next await, unless [`finish_on_cancel`](Self::finish_on_cancel) was called.
    pub async fn cancelled(&self) {
        self.task.cancel.cancelled().await;
    }

    /// True once the task is no longer wanted.
    pub fn is_cancelled(&self) -> bool {
        self.task.cancel.is_cancelled()
    }

    /// The signal behind [`cancelled`](Self::cancelled), to be handed to what the handler
    /// calls.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.task.cancel
    }

    /// From now on the handler ends by itself after a cancel, instead of being dropped: it
    /// watches [`cancelled`](Self::cancelled), tidies up and returns. Its output does not
    /// count then. It is dropped all the same when the worker's grace period is over.
    pub fn finish_on_cancel(&self) {
        self.task.finishes_itself.store(true, Ordering::Release);
    }

    pub(super) fn finishes_itself(&self) -> bool {
        self.task.finishes_itself.load(Ordering::Acquire)
    }
}
