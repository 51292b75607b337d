//! The code that does an agent's tasks: how it is kept, and how it is run so that whatever
//! happens in it, one note of its end comes back.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use futures::{FutureExt as _, future::BoxFuture};
use serde_json::Value as Json;
use tokio::{sync::mpsc::UnboundedSender, task::AbortHandle};

use super::{TaskContext, TaskError, chunk::Chunk, report::Report};
use crate::proto;

/// What a handler gives: an output, and what it used if that is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskOutput {
    /// The output.
    pub output: Json,
    /// Tokens and money used.
    pub usage: Option<proto::Usage>,
}

impl TaskOutput {
    /// Says what the attempt used.
    pub fn usage(mut self, usage: proto::Usage) -> Self {
        self.usage = Some(usage);
        self
    }
}

impl From<Json> for TaskOutput {
    fn from(output: Json) -> Self {
        Self {
            output,
            usage: None,
        }
    }
}

/// What a handler comes to.
pub(super) type Outcome = Result<TaskOutput, TaskError>;
/// A handler that runs in a Tokio task of its own.
pub(super) type SpawnedFn =
    Arc<dyn Fn(TaskContext, Json) -> BoxFuture<'static, Outcome> + Send + Sync>;
/// A handler that runs at once, in the worker's own task.
pub(super) type InlineFn = Arc<dyn Fn(Json) -> Outcome + Send + Sync>;

/// How an agent's tasks are done.
#[derive(Clone)]
pub(super) enum Handler {
    /// In a Tokio task of its own.
    Spawned(SpawnedFn),
    /// At once, in the worker's own task.
    Inline(InlineFn),
}

/// What comes back from handlers.
#[derive(Debug)]
pub(super) enum Note {
    /// A handler ended; without a report when it was dropped before its end.
    Ended(Arc<str>, Option<Report>),
    /// Provisional output.
    Chunk(Chunk),
}

/// Sends the note of a task's end, also when its future is dropped.
struct EndNote {
    token: Arc<str>,
    report: Option<Report>,
    notes: UnboundedSender<Note>,
}

impl EndNote {
    fn with(mut self, outcome: Outcome) {
        self.report = Some(Report::new(&self.token, outcome));
    }
}

impl Drop for EndNote {
    fn drop(&mut self) {
        let note = Note::Ended(self.token.clone(), self.report.take());
        // Without a receiver the worker is gone, and nobody waits for the note.
        self.notes.send(note).ok();
    }
}

/// Starts a handler in a task of its own.
pub(super) fn spawn(
    handler: SpawnedFn,
    token: Arc<str>,
    context: TaskContext,
    input: Json,
    notes: UnboundedSender<Note>,
) -> AbortHandle {
    // Made here, so that it is dropped, and sent, even if the task is never polled.
    let end = EndNote {
        token,
        report: None,
        notes,
    };
    let work = async move {
        let future = AssertUnwindSafe(async { handler(context, input).await });
        let outcome = future.catch_unwind().await;
        end.with(outcome.unwrap_or_else(panicked));
    };
    tokio::spawn(work).abort_handle()
}

/// Runs a handler here and now.
pub(super) fn run_inline(handler: &InlineFn, token: &str, input: Json) -> Report {
    let outcome = catch_unwind(AssertUnwindSafe(|| handler(input)));
    Report::new(token, outcome.unwrap_or_else(panicked))
}

fn panicked(payload: Box<dyn Any + Send>) -> Outcome {
    let words = payload
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    Err(TaskError::agent_error(format!(
        "the agent panicked: {words}"
    )))
}
