//! What the worker holds: tasks that run, reports not yet acknowledged, and the credits that
//! the server has. Pure bookkeeping: sends nothing and waits for nothing.

use std::{collections::HashMap, sync::Arc};

use tokio::task::AbortHandle;

use super::{
    TaskContext, TaskError,
    report::{Kept, Parcel, Report},
};

/// Bytes of reports that may wait for their acks; with more, no tasks are asked for.
const KEPT_BYTES_MAX: usize = 64 << 20;
/// Reports that may wait for their acks; with more, no tasks are asked for.
const KEPT_MAX: usize = 16_384;
/// Bytes of a message that surround a report.
const ENVELOPE_BYTES: usize = 64;

/// What the worker holds.
pub(super) struct Ledger {
    entries: HashMap<Arc<str>, Entry>,
    running: usize,
    kept_bytes: usize,
    /// How many tasks may run at once.
    capacity: usize,
    /// How many more tasks the server may send.
    credits: usize,
    accepting: bool,
    /// The largest message that the server takes, in bytes.
    message_bytes_max: usize,
    /// Counts heartbeats, so that reports without ack are sent again some beats later.
    beat: u64,
}

enum Entry {
    Running {
        context: TaskContext,
        abort: AbortHandle,
        stopped: Option<Stop>,
    },
    Ended {
        kept: Kept,
        sent_beat: u64,
    },
}

/// Why a handler was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The task is no longer wanted.
    Cancelled,
    /// The worker ends before the task.
    Leaving,
}

impl Ledger {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            running: 0,
            kept_bytes: 0,
            capacity,
            credits: 0,
            accepting: true,
            message_bytes_max: usize::MAX,
            beat: 0,
        }
    }

    /// The server has sent a task. False when it is not to be taken: the worker drains, or
    /// holds it already.
    pub(super) fn offered(&mut self, token: &str) -> bool {
        self.credits = self.credits.saturating_sub(1);
        self.accepting && !self.entries.contains_key(token)
    }

    /// A task's handler was started.
    pub(super) fn begin(&mut self, token: Arc<str>, context: TaskContext, abort: AbortHandle) {
        let running = Entry::Running {
            context,
            abort,
            stopped: None,
        };
        let before = self.entries.insert(token, running);
        debug_assert!(before.is_none(), "a task that is held is not begun again");
        self.running += 1;
    }

    /// A running task's handler ended, without a report when it was dropped. Returns what to
    /// send; nothing when the task was lost meanwhile.
    pub(super) fn end(&mut self, token: &Arc<str>, report: Option<Report>) -> Option<Parcel> {
        let Some(Entry::Running { stopped, .. }) = self.entries.get(token) else {
            return None;
        };
        let stopped = *stopped;
        self.running -= 1;
        let report = report.unwrap_or_else(|| Report::failed(token, why_stopped(stopped)));
        Some(self.keep(token.clone(), report))
    }

    /// Keeps the report of a task until its ack comes, and returns what to send.
    pub(super) fn keep(&mut self, token: Arc<str>, report: Report) -> Parcel {
        let report = self.fitting(&token, report);
        let kept = Kept::new(&report);
        let bytes = kept.bytes();
        self.kept_bytes += bytes;
        let sent_beat = self.beat;
        self.entries.insert(token, Entry::Ended { kept, sent_beat });
        Parcel { report, bytes }
    }

    /// The report, or a failure when the server would refuse it for its size.
    fn fitting(&self, token: &str, report: Report) -> Report {
        let bytes = report.bytes();
        if bytes.saturating_add(ENVELOPE_BYTES) <= self.message_bytes_max {
            return report;
        }
        let most = self.message_bytes_max;
        let message = format!("the result has {bytes} bytes, the server takes {most} in a message");
        Report::failed(token, TaskError::new("limit", message))
    }

    /// A report needs no repeating any more.
    pub(super) fn acked(&mut self, token: &str) {
        if let Some(Entry::Ended { kept, .. }) = self.entries.get(token) {
            self.kept_bytes -= kept.bytes();
            self.entries.remove(token);
        }
    }

    /// A task is no longer wanted: its handler is stopped and then reports that it was.
    pub(super) fn cancel(&mut self, token: &str) {
        if let Some(entry) = self.entries.get_mut(token) {
            entry.stop(Stop::Cancelled);
        }
    }

    /// A task is another worker's now: its handler is stopped, nothing is reported.
    pub(super) fn lose(&mut self, token: &str) {
        match self.entries.remove(token) {
            Some(mut entry @ Entry::Running { .. }) => {
                self.running -= 1;
                entry.stop(Stop::Cancelled);
            }
            Some(Entry::Ended { kept, .. }) => self.kept_bytes -= kept.bytes(),
            None => {}
        }
    }

    /// The worker ends: every handler is dropped, and reports `unavailable`, so that the
    /// tasks are tried elsewhere at once.
    pub(super) fn abandon(&mut self) {
        for entry in self.entries.values_mut() {
            entry.stop(Stop::Leaving);
        }
    }

    /// No more tasks are taken.
    pub(super) fn drain(&mut self) {
        self.accepting = false;
    }

    /// True once no more tasks are taken.
    pub(super) fn is_draining(&self) -> bool {
        !self.accepting
    }

    /// True when nothing runs and everything is acknowledged.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Tasks that run.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// Tokens of all tasks held: those that run and those whose report is not acknowledged.
    pub(super) fn tokens(&self) -> Vec<String> {
        self.entries
            .keys()
            .map(|token| (**token).to_owned())
            .collect()
    }

    /// A new stream begins: the server has no credits, and takes messages of this size.
    pub(super) fn connected(&mut self, message_bytes_max: u64) {
        self.credits = 0;
        self.message_bytes_max = match message_bytes_max {
            0 => usize::MAX,
            bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
        };
    }

    /// How many more tasks to ask for now; counted as asked for.
    ///
    /// Small amounts are held back while the server has more credits than that: one message
    /// then serves many tasks.
    pub(super) fn take_credit(&mut self) -> usize {
        if !self.accepting || self.kept_bytes >= KEPT_BYTES_MAX {
            return 0;
        }
        let free = self.capacity.saturating_sub(self.running + self.credits);
        let kept = self.entries.len() - self.running;
        let room = free.min(KEPT_MAX.saturating_sub(kept + self.credits));
        if room * 4 < self.capacity && room < self.credits {
            return 0;
        }
        self.credits += room;
        room
    }

    /// A heartbeat: returns the reports to send again, those without ack for one to two beats.
    pub(super) fn beat(&mut self) -> Vec<Parcel> {
        self.beat += 1;
        let beat = self.beat;
        self.resend(|sent_beat| sent_beat + 2 <= beat)
    }

    /// All reports without ack, to be sent on a new stream.
    pub(super) fn unacked(&mut self) -> Vec<Parcel> {
        self.resend(|_| true)
    }

    fn resend(&mut self, due: impl Fn(u64) -> bool) -> Vec<Parcel> {
        let beat = self.beat;
        let mut reports = Vec::new();
        for entry in self.entries.values_mut() {
            if let Entry::Ended { kept, sent_beat } = entry
                && due(*sent_beat)
            {
                *sent_beat = beat;
                reports.push(kept.parcel());
            }
        }
        reports
    }
}

impl Entry {
    fn stop(&mut self, why: Stop) {
        let Self::Running {
            context,
            abort,
            stopped,
        } = self
        else {
            return;
        };
        stopped.get_or_insert(why);
        context.cancellation().cancel();
        if why == Stop::Leaving || !context.finishes_itself() {
            abort.abort();
        }
    }
}

fn why_stopped(stopped: Option<Stop>) -> TaskError {
    match stopped {
        Some(Stop::Cancelled) => TaskError::new("cancelled", "stopped, as asked"),
        Some(Stop::Leaving) => TaskError::unavailable("the worker ended before the task"),
        None => TaskError::unavailable("the worker's runtime is shutting down"),
    }
}

#[cfg(test)]
mod tests;
