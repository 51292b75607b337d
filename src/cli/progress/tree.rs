//! The model of a watch: steps in the order of the definition, and what the events made of
//! them. Pure: what time it is comes in with the events and when it is drawn.

use std::collections::HashMap;

use prost_types::Value;

use super::{
    items::{around, holder, is_item, is_past},
    row::{Row, apply_step, row_of},
};
use crate::{
    core::time::Time,
    proto::{
        Error, Event, Execution, StepExecution, event::Kind, execution::State,
        step_execution::State as StepState,
    },
};

/// An execution as the events so far tell it.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The execution's id.
    pub execution_id: String,
    /// The workflow's name.
    pub workflow: String,
    /// Its version; 0 for a definition that came with the start.
    pub version: u32,
    /// Where the execution stands.
    pub state: State,
    /// Which attempt of the whole it is, from 1.
    pub attempt: u32,
    /// When it was accepted.
    pub started: Option<Time>,
    /// When it ended.
    pub ended: Option<Time>,
    /// Why it failed, or waits for its next attempt.
    pub error: Option<Error>,
    /// When the next attempt of the whole begins.
    pub due: Option<Time>,
    /// What it gave.
    pub output: Option<Value>,
    /// True while it is held because the whole failed.
    pub held_whole: bool,
    /// The sequence of the last event.
    pub sequence: u64,
    /// The steps, outer before inner, in definition order.
    pub rows: Vec<Row>,
    places: HashMap<String, usize>,
}

impl Tree {
    /// A tree of the steps that an execution has, none of them begun: their states come with
    /// the events.
    pub fn of(execution: &Execution) -> Self {
        let mut tree = Self {
            execution_id: execution.execution_id.clone(),
            workflow: execution.workflow.clone(),
            version: execution.version,
            state: State::Pending,
            attempt: 1,
            started: execution.create_time.map(Time::from),
            ..Self::default()
        };
        for step in &execution.steps {
            if tree.collection_around(&step.path).is_none() {
                tree.push(row_of(step));
            }
        }
        tree
    }

    /// True once the execution can change no more.
    pub fn has_ended(&self) -> bool {
        use State::{Cancelled, Completed, Failed, TimedOut};
        matches!(self.state, Completed | Failed | Cancelled | TimedOut)
    }

    /// How many steps have ended, and how many are known.
    pub fn progress(&self) -> (usize, usize) {
        let ended = self.rows.iter().filter(|r| r.has_ended()).count();
        (ended, self.rows.len())
    }

    /// Takes over what steps wait for, as the server tells it.
    pub fn note_waiting(&mut self, steps: &[StepExecution]) {
        for step in steps.iter().filter(|s| !s.waiting_for.is_empty()) {
            if let Some(place) = self.places.get(&step.path)
                && self.rows[*place].state == StepState::Waiting
            {
                self.rows[*place].note = format!("waits: {}", step.waiting_for);
            }
        }
    }

    /// Folds the next event in.
    pub fn apply(&mut self, event: &Event) {
        let now = event.time.map(Time::from).unwrap_or_default();
        self.sequence = event.sequence;
        let Some(kind) = &event.kind else { return };
        if event.step.is_empty() {
            self.apply_whole(kind, now);
        } else {
            if self.state == State::Pending {
                self.state = State::Running;
            }
            if let Some((place, rest)) = self.collection_around(&event.step) {
                if let Some(items) = self.rows[place].items.as_mut().filter(|_| is_item(rest)) {
                    items.end(kind);
                }
                return;
            }
            let place = self.place_of(&event.step);
            apply_step(&mut self.rows[place], kind, now);
            if let Kind::IterationBegun(e) = kind {
                let place = self.place_of(&format!("{}[{}]", event.step, e.index));
                self.rows[place].turn(StepState::Running, now);
            }
            self.apply_beside(&event.step, kind, now);
        }
    }

    /// The row of the outermost collection that a step is within, and the rest of its path.
    fn collection_around<'p>(&self, path: &'p str) -> Option<(usize, &'p str)> {
        around(path).find_map(|(around, rest)| {
            let place = *self.places.get(around)?;
            self.rows[place].items.is_some().then_some((place, rest))
        })
    }

    /// The call that undoes a step ends by what is told of the step.
    fn apply_beside(&mut self, step: &str, kind: &Kind, now: Time) {
        let state = match kind {
            Kind::StepCompensated(_) => StepState::Completed,
            Kind::CompensationFailed(_) => StepState::Failed,
            _ => return,
        };
        let place = self.place_of(&format!("{step}/compensation"));
        self.rows[place].turn(state, now);
    }

    fn apply_whole(&mut self, kind: &Kind, now: Time) {
        match kind {
            Kind::ExecutionStarted(e) => {
                self.workflow.clone_from(&e.workflow);
                self.version = e.version;
                self.started = Some(now);
            }
            Kind::ExecutionCompleted(e) => {
                self.output.clone_from(&e.output);
                self.error = None;
                self.end(State::Completed, now);
            }
            Kind::ExecutionFailed(e) => {
                self.error.clone_from(&e.error);
                self.end(State::Failed, now);
            }
            Kind::ExecutionTimedOut(e) => {
                self.error.clone_from(&e.error);
                self.end(State::TimedOut, now);
            }
            Kind::ExecutionCancelled(e) => {
                self.error = Some(Error {
                    class: "cancelled".into(),
                    message: e.reason.clone(),
                    step: String::new(),
                });
                self.end(State::Cancelled, now);
            }
            Kind::ExecutionRetryScheduled(e) => {
                self.state = State::Waiting;
                self.error.clone_from(&e.error);
                self.due = e.due_time.map(Time::from);
            }
            Kind::ExecutionRetried(e) => self.begin_again(e.attempt),
            Kind::ExecutionPaused(_) => self.state = State::Paused,
            Kind::ExecutionParked(e) => {
                self.state = State::Paused;
                self.held_whole = e.whole;
                self.error.clone_from(&e.error);
            }
            Kind::ExecutionResumed(_) if std::mem::take(&mut self.held_whole) => {
                self.begin_again(self.attempt);
            }
            Kind::ExecutionResumed(_) => {
                self.state = State::Running;
                self.error = None;
            }
            Kind::ExecutionCompensating(e) => {
                self.state = State::Compensating;
                self.error.clone_from(&e.error);
            }
            Kind::ExecutionFinalizing(_) => self.state = State::Running,
            _ => {}
        }
    }

    fn end(&mut self, state: State, now: Time) {
        self.state = state;
        self.ended = Some(now);
        self.due = None;
    }

    /// Steps that did not complete are run again.
    fn begin_again(&mut self, attempt: u32) {
        self.attempt = attempt;
        self.state = State::Running;
        self.error = None;
        self.due = None;
        for row in &mut self.rows {
            let again = matches!(row.state, StepState::Cancelled | StepState::Compensated)
                || (row.state == StepState::Failed && !row.tolerated);
            if again {
                if let Some(items) = &mut row.items {
                    items.again();
                }
                *row = Row {
                    items: row.items,
                    path: std::mem::take(&mut row.path),
                    doer: std::mem::take(&mut row.doer),
                    max_attempts: row.max_attempts,
                    state: StepState::Pending,
                    ..Row::default()
                };
            }
        }
    }

    /// Where the step is; one not known yet comes after what is around it and its siblings.
    fn place_of(&mut self, path: &str) -> usize {
        if let Some(place) = self.places.get(path) {
            return *place;
        }
        let is_past = is_past(path);
        if let Some(around) = holder(path).filter(|_| is_past) {
            self.place_of(around);
        }
        let place = self.place_for(path);
        let row = Row {
            path: path.to_owned(),
            doer: self.doer_before(path),
            // Of an earlier run all had ended.
            state: match is_past {
                true => StepState::Completed,
                false => StepState::Pending,
            },
            ..Row::default()
        };
        self.rows.insert(place, row);
        self.places = (0..)
            .zip(&self.rows)
            .map(|(i, r)| (r.path.clone(), i))
            .collect();
        place
    }

    /// What did the step in the iteration before; empty when there was none.
    fn doer_before(&self, path: &str) -> String {
        if !path.contains('[') {
            return String::new();
        }
        let step = without_indexes(path);
        let mut before = self.rows.iter().rev();
        let before = before.find(|row| without_indexes(&row.path) == step);
        before.map_or_else(String::new, |row| row.doer.clone())
    }

    fn place_for(&self, path: &str) -> usize {
        let Some(around) = holder(path) else {
            return self.rows.len();
        };
        let Some(place) = self.places.get(around) else {
            return self.rows.len();
        };
        let within = |row: &&Row| {
            let rest = row.path.strip_prefix(around);
            rest.is_some_and(|rest| rest.starts_with(['/', '[']))
        };
        place + 1 + self.rows[place + 1..].iter().take_while(within).count()
    }

    fn push(&mut self, row: Row) {
        self.places.insert(row.path.clone(), self.rows.len());
        self.rows.push(row);
    }
}

/// `l[2]/a` as `l/a`.
fn without_indexes(path: &str) -> String {
    path.split(['[', ']']).step_by(2).collect()
}
