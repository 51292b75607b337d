//! An event as one line, for logs, pipes and lists.

use super::words::{branch, said};
use crate::{
    cli::time,
    core::time::Time,
    proto::{Event, ItemsBegun, StepScheduled, StepStarted, event::Kind},
};

/// What an event says: a word for what happened and the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The field's name in the API: `step_completed`.
    pub kind: &'static str,
    /// What is worth knowing of it.
    pub detail: String,
}

/// `+0.120 s  pay  step_completed  attempt 2`; the time is since `started`.
pub fn line(event: &Event, started: Option<Time>) -> String {
    let now = event.time.map(Time::from).unwrap_or_default();
    let span = now.since(started.unwrap_or(now));
    let entry = entry(event);
    let subject = match event.step.as_str() {
        "" => "execution",
        step => step,
    };
    let text = format!(
        "+{}.{:03} s  {subject}  {}  {}",
        span.as_secs(),
        span.subsec_millis(),
        entry.kind,
        entry.detail
    );
    text.trim_end().to_owned()
}

/// The event in words.
pub fn entry(event: &Event) -> Entry {
    let Some(kind) = &event.kind else {
        return Entry {
            kind: "unknown",
            detail: String::new(),
        };
    };
    let (kind, detail) = words(event, kind);
    Entry {
        kind,
        detail: detail.replace('\n', " "),
    }
}

fn words(event: &Event, kind: &Kind) -> (&'static str, String) {
    match kind {
        Kind::ExecutionStarted(e) => {
            let what = format!(
                "{} {}",
                workflow(&e.workflow, e.version),
                event.execution_id
            );
            ("execution_started", what)
        }
        Kind::ExecutionCompleted(_) => ("execution_completed", String::new()),
        Kind::ExecutionFailed(e) => ("execution_failed", said(e.error.as_ref())),
        Kind::ExecutionCancelRequested(e) => ("execution_cancel_requested", e.reason.clone()),
        Kind::ExecutionCancelled(e) => {
            let how = if e.terminated { "terminated " } else { "" };
            let what = format!("{how}{}", e.reason);
            ("execution_cancelled", what.trim_end().to_owned())
        }
        Kind::ExecutionTimedOut(e) => ("execution_timed_out", said(e.error.as_ref())),
        Kind::ExecutionRetryScheduled(e) => {
            let wait = wait(event, e.due_time);
            let what = format!(
                "attempt {} in {wait}: {}",
                e.attempt,
                said(e.error.as_ref())
            );
            ("execution_retry_scheduled", what)
        }
        Kind::ExecutionRetried(e) => ("execution_retried", format!("attempt {}", e.attempt)),
        Kind::ExecutionCompensating(e) => ("execution_compensating", said(e.error.as_ref())),
        Kind::ExecutionFinalizing(e) => {
            let state = e.state().as_str_name().to_lowercase();
            ("execution_finalizing", format!("to be {state}"))
        }
        Kind::ExecutionPaused(e) => ("execution_paused", e.reason.clone()),
        Kind::ExecutionResumed(e) => ("execution_resumed", e.reason.clone()),
        Kind::ExecutionParked(e) => ("execution_parked", said(e.error.as_ref())),
        kind => step_words(event, kind),
    }
}

fn step_words(event: &Event, kind: &Kind) -> (&'static str, String) {
    match kind {
        Kind::StepScheduled(e) => ("step_scheduled", scheduled(e)),
        Kind::StepStarted(e) => ("step_started", started(e)),
        Kind::StepCompleted(e) => ("step_completed", repeated(e.attempt)),
        Kind::StepFailed(e) => {
            let after = if e.tolerated { " (goes on)" } else { "" };
            ("step_failed", format!("{}{after}", said(e.error.as_ref())))
        }
        Kind::StepRetryScheduled(e) => {
            let wait = match e.due_time {
                None => "once resumed".to_owned(),
                due => format!("in {}", wait(event, due)),
            };
            let what = format!("attempt {} {wait}: {}", e.attempt, said(e.error.as_ref()));
            ("step_retry_scheduled", what)
        }
        Kind::StepSkipped(e) => ("step_skipped", e.reason.clone()),
        Kind::StepCancelled(e) => ("step_cancelled", e.reason.clone()),
        Kind::GateViolated(e) => ("gate_violated", e.message.clone()),
        Kind::BranchChosen(e) => ("branch_chosen", branch(e.index)),
        kind => inner_words(event, kind),
    }
}

/// The workflow with its version; one that came with the start has none.
fn workflow(name: &str, version: u32) -> String {
    match version {
        0 => name.to_owned(),
        version => format!("{name} v{version}"),
    }
}

/// What became of a step beside its attempts, and of what it holds.
fn inner_words(event: &Event, kind: &Kind) -> (&'static str, String) {
    match kind {
        Kind::StepCompensated(_) => ("step_compensated", String::new()),
        Kind::CompensationFailed(e) => ("compensation_failed", said(e.error.as_ref())),
        Kind::StepCaught(e) => ("step_caught", said(e.error.as_ref())),
        Kind::StepCompensating(e) => ("step_compensating", said(e.error.as_ref())),
        Kind::ReviewBegun(_) => ("review_begun", String::new()),
        Kind::AuxiliaryBegun(e) => ("auxiliary_begun", e.call.clone()),
        Kind::StepCached(e) => ("step_cached", format!("from {}", e.execution_id)),
        Kind::CallFellBack(e) => ("call_fell_back", said(e.error.as_ref())),
        Kind::MarkSet(e) => ("mark_set", e.name.clone()),
        Kind::ItemsListed(e) => ("items_listed", format!("{} items", e.count)),
        Kind::ItemsBegun(e) => ("items_begun", items(e)),
        Kind::IterationBegun(e) => ("iteration_begun", format!("iteration {}", e.index)),
        Kind::StateChanged(e) if e.from.is_empty() => ("state_changed", e.to.clone()),
        Kind::StateChanged(e) => ("state_changed", format!("{} to {}", e.from, e.to)),
        Kind::WaitBegun(e) => ("wait_begun", format!("for {}", wait(event, e.due_time))),
        Kind::ChildStarted(e) => {
            let what = format!("{} {}", workflow(&e.workflow, e.version), e.execution_id);
            ("child_started", what)
        }
        Kind::ChildEnded(e) => {
            let state = e.state().as_str_name();
            ("child_ended", format!("{state} {}", said(e.error.as_ref())))
        }
        _ => ("unknown", String::new()),
    }
}

fn items(event: &ItemsBegun) -> String {
    match event.count {
        0 | 1 => format!("item {}", event.first),
        count => format!("items {} to {}", event.first, event.first + (count - 1)),
    }
}

fn scheduled(event: &StepScheduled) -> String {
    let doer = match (event.agent.as_str(), event.skill.as_str()) {
        ("", skill) => format!("skill {skill}"),
        (agent, _) => format!("agent {agent}"),
    };
    match event.attempt {
        0 | 1 => doer,
        attempt => format!("{doer}, attempt {attempt}"),
    }
}

fn started(event: &StepStarted) -> String {
    match event.worker_id.as_str() {
        "" => repeated(event.attempt),
        worker => format!("{} on {worker}", event.agent),
    }
}

/// `attempt N`, where it is not the first.
fn repeated(attempt: u32) -> String {
    match attempt {
        0 | 1 => String::new(),
        attempt => format!("attempt {attempt}"),
    }
}

fn wait(event: &Event, due: Option<prost_types::Timestamp>) -> String {
    let now = event.time.map(Time::from).unwrap_or_default();
    time::span(due.map_or(now, Time::from).since(now))
}
