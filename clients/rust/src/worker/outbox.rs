//! What is to be sent to the server: gathered while the stream is busy, taken in as few
//! messages as it fits.

use std::collections::VecDeque;

use super::{
    chunk::Chunk,
    report::{Parcel, Report},
};
use crate::proto::{self, work_request::Message};

/// More bytes than this are never gathered in a message.
const BATCH_BYTES_MAX: usize = 256 << 10;
/// The most tokens of one message.
const TOKENS_MAX: usize = 2_000;

/// What is to be sent, in this order: the order in which a task's messages have to come.
pub(super) struct Outbox {
    /// Results are gathered up to this many bytes; one larger than that goes alone.
    batch_bytes_max: usize,
    draining: bool,
    accepts: Vec<String>,
    chunks: VecDeque<Chunk>,
    results: VecDeque<(usize, proto::TaskResult)>,
    failures: VecDeque<(usize, proto::TaskFailure)>,
    heartbeats: Vec<String>,
    credit: usize,
}

impl Outbox {
    /// For a server that takes messages of this size, in bytes; 0: of any size.
    pub(super) fn new(message_bytes_max: u64) -> Self {
        let half = usize::try_from(message_bytes_max / 2).unwrap_or(usize::MAX);
        let half = if half == 0 { usize::MAX } else { half };
        Self {
            batch_bytes_max: half.min(BATCH_BYTES_MAX),
            draining: false,
            accepts: Vec::new(),
            chunks: VecDeque::new(),
            results: VecDeque::new(),
            failures: VecDeque::new(),
            heartbeats: Vec::new(),
            credit: 0,
        }
    }

    pub(super) fn accept(&mut self, token: String) {
        self.accepts.push(token);
    }

    pub(super) fn chunk(&mut self, chunk: Chunk) {
        self.chunks.push_back(chunk);
    }

    pub(super) fn report(&mut self, Parcel { report, bytes }: Parcel) {
        match report {
            Report::Done(result) => self.results.push_back((bytes, result)),
            Report::Failed(failure) => self.failures.push_back((bytes, failure)),
        }
    }

    /// Renews the leases of these tasks, instead of those of a heartbeat not yet sent.
    pub(super) fn heartbeat(&mut self, tokens: Vec<String>) {
        self.heartbeats = tokens;
    }

    pub(super) fn draining(&mut self) {
        self.draining = true;
    }

    pub(super) fn credit(&mut self, tasks: usize) {
        self.credit += tasks;
    }

    /// True when there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        !self.draining
            && self.accepts.is_empty()
            && self.chunks.is_empty()
            && self.results.is_empty()
            && self.failures.is_empty()
            && self.heartbeats.is_empty()
            && self.credit == 0
    }

    /// The next message.
    pub(super) fn pop(&mut self) -> Option<proto::WorkRequest> {
        let message = self.next()?;
        Some(proto::WorkRequest {
            message: Some(message),
        })
    }

    fn next(&mut self) -> Option<Message> {
        if std::mem::take(&mut self.draining) {
            return Some(Message::Draining(proto::Draining {}));
        }
        if let Some(tokens) = some_of(&mut self.accepts) {
            return Some(Message::Accept(proto::Accept { tokens }));
        }
        if let Some(chunk) = self.chunks.pop_front() {
            return Some(Message::Chunk(chunk.take()));
        }
        if let Some(results) = batch(&mut self.results, self.batch_bytes_max) {
            return Some(Message::Complete(proto::Complete { results }));
        }
        if let Some(failures) = batch(&mut self.failures, self.batch_bytes_max) {
            return Some(Message::Fail(proto::Fail { failures }));
        }
        if let Some(tokens) = some_of(&mut self.heartbeats) {
            return Some(Message::Heartbeat(proto::Heartbeat { tokens }));
        }
        let tasks = u32::try_from(std::mem::take(&mut self.credit)).unwrap_or(u32::MAX);
        (tasks > 0).then_some(Message::Credit(proto::Credit { tasks }))
    }
}

fn some_of(tokens: &mut Vec<String>) -> Option<Vec<String>> {
    if tokens.is_empty() {
        return None;
    }
    let rest = tokens.split_off(tokens.len().min(TOKENS_MAX));
    Some(std::mem::replace(tokens, rest))
}

/// The first reports, as many as fit together; at least one, if there is one.
fn batch<R>(reports: &mut VecDeque<(usize, R)>, bytes_max: usize) -> Option<Vec<R>> {
    let mut total = 0;
    let fit = reports
        .iter()
        .take_while(|(bytes, _)| {
            total += bytes;
            total <= bytes_max
        })
        .count()
        .max(1)
        .min(reports.len());
    (fit > 0).then(|| reports.drain(..fit).map(|(_, report)| report).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::worker::TaskError;

    fn parcel(report: Report) -> Parcel {
        let bytes = report.bytes();
        Parcel { report, bytes }
    }

    fn done(token: &str, bytes: usize) -> Parcel {
        parcel(Report::new(token, Ok(json!("x".repeat(bytes)).into())))
    }

    fn messages(outbox: &mut Outbox) -> Vec<Message> {
        let taken = std::iter::from_fn(|| outbox.pop()?.message).collect();
        assert!(outbox.is_empty());
        taken
    }

    #[test]
    fn a_task_is_accepted_before_its_result_and_results_share_a_message() {
        let mut outbox = Outbox::new(0);
        outbox.credit(2);
        outbox.report(done("a", 1));
        outbox.report(done("b", 1));
        outbox.report(parcel(Report::failed("c", TaskError::agent_error("no"))));
        for token in ["a", "b", "c"] {
            outbox.accept(token.into());
        }
        let sent = messages(&mut outbox);
        assert!(matches!(&sent[0], Message::Accept(a) if a.tokens == ["a", "b", "c"]));
        assert!(matches!(&sent[1], Message::Complete(c) if c.results.len() == 2));
        assert!(matches!(&sent[2], Message::Fail(f) if f.failures.len() == 1));
        assert!(matches!(&sent[3], Message::Credit(c) if c.tasks == 2));
        assert_eq!(sent.len(), 4);
    }

    #[test]
    fn batches_are_bounded_and_a_large_result_goes_alone() {
        let mut outbox = Outbox::new(0);
        for bytes in [BATCH_BYTES_MAX * 2, 10, BATCH_BYTES_MAX - 100, 200] {
            outbox.report(done("t", bytes));
        }
        let sizes: Vec<usize> = messages(&mut outbox)
            .into_iter()
            .map(|message| match message {
                Message::Complete(complete) => complete.results.len(),
                other => panic!("unexpected {other:?}"),
            })
            .collect();
        assert_eq!(sizes, [1, 2, 1]);
    }

    #[test]
    fn many_tokens_are_spread_over_messages() {
        let mut outbox = Outbox::new(0);
        outbox.heartbeat((0..TOKENS_MAX + 1).map(|n| n.to_string()).collect());
        assert_eq!(messages(&mut outbox).len(), 2);
    }
}
