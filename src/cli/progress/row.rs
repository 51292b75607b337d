//! One step as a watch shows it, and what events make of it.

use super::{
    items::Counter,
    words::{branch, first_given, said, saved},
};
use crate::{
    core::time::Time,
    proto::{
        StepExecution, StepScheduled, StepStarted, event::Kind, step_execution::State as StepState,
    },
};

/// One step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Its address.
    pub path: String,
    /// Who does it, or what it does.
    pub doer: String,
    /// Where it stands.
    pub state: StepState,
    /// Which attempt it is at, from 1.
    pub attempt: u32,
    /// How many attempts it may have; 0 when not known.
    pub max_attempts: u32,
    /// When its first attempt was scheduled.
    pub started: Option<Time>,
    /// When it came into its state.
    pub since: Option<Time>,
    /// When it ended.
    pub ended: Option<Time>,
    /// When its next attempt is due.
    pub due: Option<Time>,
    /// What is worth saying: an error, a reason, what it waits for.
    pub note: String,
    /// True when a failure lets the rest go on.
    pub tolerated: bool,
    /// How far its items are, for a collection: they have no rows of their own.
    pub items: Option<Counter>,
}

impl Row {
    /// The last part of the path.
    pub fn id(&self) -> &str {
        let last = self.path.rsplit('/').next().unwrap_or_default();
        let iteration = is_frame(last).then(|| last.rfind('['));
        &last[iteration.flatten().unwrap_or(0)..]
    }

    /// How many steps are around it.
    pub fn depth(&self) -> usize {
        let parts = self.path.split('/');
        let frames = parts.clone().filter(|part| is_frame(part)).count();
        parts.count() - 1 + frames
    }

    /// True once it can change no more in this attempt of the execution.
    pub fn has_ended(&self) -> bool {
        use StepState::{Cancelled, Compensated, Completed, Failed, Skipped};
        matches!(
            self.state,
            Completed | Failed | Skipped | Cancelled | Compensated
        )
    }

    pub(super) fn turn(&mut self, state: StepState, now: Time) {
        self.state = state;
        self.since = Some(now);
        self.due = None;
        self.started.get_or_insert(now);
        if self.has_ended() {
            self.ended = Some(now);
        }
    }
}

/// True for the part of a path that is an iteration of a step: `polish[3]`.
fn is_frame(part: &str) -> bool {
    part.ends_with(']') && !part.starts_with("catch[")
}

/// The row of a step that has not begun.
pub(super) fn row_of(step: &StepExecution) -> Row {
    let doer = first_given([&step.skill, &step.agent, &step.kind]);
    Row {
        path: step.path.clone(),
        doer: doer.cloned().unwrap_or_default(),
        state: StepState::Pending,
        max_attempts: step.max_attempts,
        items: step.items.map(|items| Counter::of(items.total)),
        ..Row::default()
    }
}

/// Folds an event about the step in.
pub(super) fn apply_step(row: &mut Row, kind: &Kind, now: Time) {
    match kind {
        Kind::StepScheduled(e) => scheduled(row, e, now),
        Kind::StepStarted(e) => started(row, e, now),
        Kind::StepCompleted(e) => {
            row.turn(StepState::Completed, now);
            row.attempt = e.attempt;
            if let Some(note) = e.saved.as_ref().and_then(saved) {
                row.note = note;
            }
        }
        Kind::StepFailed(e) => {
            row.turn(StepState::Failed, now);
            row.note = said(e.error.as_ref());
            row.tolerated = e.tolerated;
        }
        Kind::StepRetryScheduled(e) => {
            row.turn(StepState::Retrying, now);
            row.attempt = e.attempt;
            row.note = said(e.error.as_ref());
            row.due = e.due_time.map(Time::from);
        }
        Kind::StepSkipped(e) => {
            row.turn(StepState::Skipped, now);
            row.note.clone_from(&e.reason);
        }
        Kind::StepCancelled(e) => {
            row.turn(StepState::Cancelled, now);
            row.note.clone_from(&e.reason);
        }
        Kind::GateViolated(e) => row.note = format!("gate: {}", e.message),
        Kind::BranchChosen(e) => row.note = branch(e.index),
        Kind::ItemsListed(e) => row.items = Some(Counter::of(e.count)),
        Kind::ItemsBegun(e) => {
            if let Some(items) = &mut row.items {
                items.begin(e.count);
            }
        }
        Kind::ChildStarted(e) => row.note = format!("child {}", e.execution_id),
        Kind::IterationBegun(e) => row.note = format!("iteration {}", e.index),
        Kind::StepCaught(e) => {
            row.turn(StepState::Running, now);
            row.note = format!("caught {}", said(e.error.as_ref()));
        }
        Kind::ReviewBegun(_) => {
            row.turn(StepState::Running, now);
            row.note = "agents are asked about it".into();
        }
        Kind::StepCompensating(e) => row.note = format!("undoing: {}", said(e.error.as_ref())),
        Kind::StepCompensated(_) => row.turn(StepState::Compensated, now),
        Kind::CompensationFailed(e) => row.note = format!("not undone: {}", said(e.error.as_ref())),
        _ => {}
    }
}

fn scheduled(row: &mut Row, event: &StepScheduled, now: Time) {
    row.turn(StepState::Waiting, now);
    row.attempt = event.attempt;
    row.note.clear();
    if let Some(doer) = first_given([&event.agent, &event.skill]) {
        row.doer.clone_from(doer);
    }
}

fn started(row: &mut Row, event: &StepStarted, now: Time) {
    row.turn(StepState::Running, now);
    row.attempt = event.attempt;
    row.note.clear();
    if let Some(items) = &mut row.items {
        items.again();
    }
    if !event.agent.is_empty() {
        row.doer.clone_from(&event.agent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::progress::tree::Tree,
        proto::{
            Event, ExecutionParked, ExecutionResumed, StepCancelled, StepRetryScheduled,
            execution::State,
        },
    };

    #[test]
    fn a_path_tells_depth_and_id_whatever_is_in_brackets() {
        for (path, depth, id) in [
            ("pay", 0, "pay"),
            ("pay/gates.after[0].judge", 1, "gates.after[0].judge"),
            ("pay/catch[0]", 1, "catch[0]"),
            ("polish[3]", 1, "[3]"),
            ("polish[3]/draft", 2, "draft"),
        ] {
            let row = Row {
                path: path.into(),
                ..Row::default()
            };
            assert_eq!((row.depth(), row.id()), (depth, id), "{path}");
        }
    }

    fn fed(events: Vec<(&str, Kind)>) -> Tree {
        let mut tree = Tree::default();
        for (sequence, (step, kind)) in (1..).zip(events) {
            tree.apply(&Event {
                sequence,
                step: step.into(),
                kind: Some(kind),
                ..Event::default()
            });
        }
        tree
    }

    fn held(whole: bool) -> Vec<(&'static str, Kind)> {
        let parked = ExecutionParked { error: None, whole };
        vec![
            ("a", Kind::StepRetryScheduled(StepRetryScheduled::default())),
            ("b", Kind::StepCancelled(StepCancelled::default())),
            ("", Kind::ExecutionParked(parked)),
        ]
    }

    #[test]
    fn a_held_execution_goes_on_with_what_did_not_complete_when_all_of_it_failed() {
        assert_eq!(fed(held(false)).state, State::Paused);
        for (whole, state) in [(false, StepState::Cancelled), (true, StepState::Pending)] {
            let resumed = Kind::ExecutionResumed(ExecutionResumed::default());
            let tree = fed([held(whole), vec![("", resumed)]].concat());
            assert_eq!(tree.state, State::Running);
            let b = tree.rows.iter().find(|row| row.path == "b");
            assert_eq!(b.map(|row| row.state), Some(state));
        }
    }
}
