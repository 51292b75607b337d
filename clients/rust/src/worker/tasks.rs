//! Takes tasks on and follows them to their end: starts handlers, notes what they gave, puts
//! what follows into the outbox.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::mpsc::UnboundedSender;

use super::{
    TaskContext, TaskError,
    chunk::ChunkRoom,
    handler::{self, Handler, Note},
    ledger::Ledger,
    outbox::Outbox,
    report::Report,
};
use crate::{json, proto};

/// The tasks of a worker and those who do them.
pub(super) struct Tasks {
    pub(super) ledger: Ledger,
    handlers: HashMap<String, Handler>,
    notes: UnboundedSender<Note>,
    chunks: ChunkRoom,
}

impl Tasks {
    pub(super) fn new(
        capacity: usize,
        handlers: HashMap<String, Handler>,
        notes: UnboundedSender<Note>,
    ) -> Self {
        Self {
            ledger: Ledger::new(capacity),
            handlers,
            notes,
            chunks: ChunkRoom::default(),
        }
    }

    /// Accepts a task and begins it, unless the worker drains. A task that is not accepted
    /// goes to another worker. One that has ended at once is accepted by its report.
    pub(super) fn offered(&mut self, mut task: proto::Task, outbox: &mut Outbox) {
        let token = std::mem::take(&mut task.token);
        if !self.ledger.offered(&token) {
            return;
        }
        let key: Arc<str> = Arc::from(token.as_str());
        match self.begin(&key, task) {
            Some(report) => outbox.report(self.ledger.keep(key, report)),
            None => outbox.accept(token),
        }
    }

    /// Begins a task, and returns its report if it has ended already.
    fn begin(&mut self, token: &Arc<str>, mut task: proto::Task) -> Option<Report> {
        let input = json::to_json_or_null(task.input.take());
        match self.handlers.get(&task.agent) {
            Some(Handler::Inline(handler)) => Some(handler::run_inline(handler, token, input)),
            Some(Handler::Spawned(handler)) => {
                let notes = self.notes.clone();
                let context =
                    TaskContext::new(token.clone(), task, notes.clone(), self.chunks.clone());
                let handler = handler.clone();
                let abort = handler::spawn(handler, token.clone(), context.clone(), input, notes);
                self.ledger.begin(token.clone(), context, abort);
                None
            }
            None => {
                let message = format!("this worker does not serve the agent `{}`", task.agent);
                Some(Report::failed(token, TaskError::new("refused", message)))
            }
        }
    }

    /// Something came back from a handler.
    pub(super) fn noted(&mut self, note: Note, outbox: &mut Outbox) {
        match note {
            Note::Chunk(chunk) => outbox.chunk(chunk),
            Note::Ended(token, report) => {
                if let Some(parcel) = self.ledger.end(&token, report) {
                    outbox.report(parcel);
                }
            }
        }
    }

    /// Something came back while there is no stream: a result is kept, a chunk is lost.
    pub(super) fn noted_offline(&mut self, note: Note) {
        if let Note::Ended(token, report) = note {
            self.ledger.end(&token, report);
        }
    }

    /// The server says what became of results.
    pub(super) fn acked(&mut self, acks: proto::ResultAck) {
        use proto::result_ack::Outcome;
        for ack in acks.acks {
            match ack.outcome() {
                Outcome::Recorded => {}
                // As it should be for a task that was cancelled.
                Outcome::Stale => tracing::debug!(ack.message, "a result came too late"),
                Outcome::TooLarge | Outcome::Unspecified => {
                    tracing::warn!(ack.message, "a result does not count");
                }
            }
            self.ledger.acked(&ack.token);
        }
    }

    /// The server no longer wants tasks.
    pub(super) fn cancelled(&mut self, cancel: &proto::Cancel) {
        for token in &cancel.tokens {
            self.ledger.cancel(token);
        }
    }

    /// A stream begins: learns what is still the worker's, and repeats what is not
    /// acknowledged.
    pub(super) fn welcomed(&mut self, welcome: &proto::Welcome, outbox: &mut Outbox) {
        for token in &welcome.lost_tokens {
            self.ledger.lose(token);
        }
        self.ledger.connected(welcome.message_bytes_max);
        if self.ledger.is_draining() {
            outbox.draining();
        }
        for parcel in self.ledger.unacked() {
            outbox.report(parcel);
        }
    }

    /// It is time to renew leases, and to repeat results whose acks are overdue.
    pub(super) fn beat(&mut self, outbox: &mut Outbox) {
        for parcel in self.ledger.beat() {
            outbox.report(parcel);
        }
        outbox.heartbeat(self.ledger.tokens());
    }
}
