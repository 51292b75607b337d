//! The child executions of an execution: which one an attempt runs, and by which id.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Execution, RunId, StepState};
use crate::{
    core::{plan::Kind, time::Time},
    proto::{self, ChildStarted, ExecutionStarted},
};

/// A child execution that a step's attempt has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildRun {
    /// Its id.
    pub id: Uuid,
    /// What it runs.
    pub workflow: String,
    /// The version; 0 for a definition of its own.
    pub version: u32,
}

/// Whose child an execution is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The execution.
    pub id: Uuid,
    /// The path of the step.
    pub step: String,
    /// How many executions are above the child, at least 1.
    pub depth: u32,
    /// The step does not wait for the child.
    pub detached: bool,
}

impl Parent {
    /// Whose child an execution is by its first event.
    pub(super) fn of(started: &ExecutionStarted) -> Result<Option<Self>, String> {
        let Some(parent) = &started.parent else {
            return Ok(None);
        };
        Ok(Some(Self {
            id: Uuid::parse_str(&parent.execution_id).map_err(|e| e.to_string())?,
            step: parent.step.clone(),
            depth: parent.depth,
            detached: parent.detached,
        }))
    }
}

impl From<Parent> for proto::Parent {
    fn from(parent: Parent) -> Self {
        Self {
            execution_id: parent.id.to_string(),
            step: parent.step,
            depth: parent.depth,
            detached: parent.detached,
        }
    }
}

impl Execution {
    /// The id of the child execution that the step's attempt runs; `None` when it has no
    /// attempt, or is another kind of step.
    ///
    /// Made from the parent's id and the event that began the attempt, so that a start that is
    /// asked for again finds the child it started before.
    pub fn child_id(&self, run: RunId) -> Option<Uuid> {
        let step = self.run(run);
        let is_child = matches!(self.node(run).kind, Kind::Child(_));
        (is_child && step.scheduled > 0).then(|| {
            derived(
                self.id,
                step.scheduled,
                step.schedule_time.unwrap_or_default(),
            )
        })
    }

    /// True while the step's attempt has a child execution in progress, or to be started.
    pub fn has_child(&self, run: RunId) -> bool {
        let step = self.run(run);
        let in_progress = step.state == StepState::Running && step.awaited().is_none();
        in_progress && matches!(self.node(run).kind, Kind::Child(_))
    }

    /// The steps whose attempt has a child execution in progress, or to be started, in order.
    pub fn runs_with_child(&self) -> Vec<RunId> {
        let attempts = self.tasks.values().copied();
        let mut runs: Vec<RunId> = attempts.filter(|id| self.has_child(*id)).collect();
        runs.sort_unstable();
        runs
    }

    /// The step at `path`, when its attempt waits for this child.
    pub fn awaiting(&self, path: &str, child: Uuid) -> Option<RunId> {
        let run = self.find(path).filter(|run| self.has_child(*run))?;
        (self.child_id(run) == Some(child)).then_some(run)
    }

    /// True when the step at `path` has completed with this child.
    pub fn completed_with(&self, path: &str, child: Uuid) -> bool {
        self.find(path).is_some_and(|run| {
            self.run(run).state == StepState::Completed && self.child_id(run) == Some(child)
        })
    }

    /// How many executions are above this one.
    pub fn depth(&self) -> u32 {
        self.parent.as_ref().map_or(0, |parent| parent.depth)
    }

    pub(super) fn child_attempt_begun(&mut self, id: RunId, sequence: u64, now: Time) {
        let run = self.run_mut(id);
        let before = std::mem::replace(&mut run.scheduled, sequence);
        run.schedule_time = Some(now);
        run.child = None;
        self.tasks.remove(&before);
        self.tasks.insert(sequence, id);
    }

    pub(super) fn child_started(&mut self, id: RunId, event: &ChildStarted) {
        self.run_mut(id).child = Uuid::parse_str(&event.execution_id).ok().map(|id| {
            Box::new(ChildRun {
                id,
                workflow: event.workflow.clone(),
                version: event.version,
            })
        });
    }
}

/// A UUID of version 7, which sorts by creation: the time of the event, and a hash of the rest.
fn derived(parent: Uuid, sequence: u64, time: Time) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(parent.as_bytes());
    hash.update(sequence.to_be_bytes());
    let digest = hash.finalize();
    let mut rest = [0; 10];
    rest.copy_from_slice(&digest[..10]);
    let millis = u64::try_from(time.as_nanos() / 1_000_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_childs_id_follows_from_its_parent_and_attempt_and_sorts_by_time() {
        let at = |millis: i64| Time::from_nanos(millis * 1_000_000);
        let parent = Uuid::from_u128(7);
        let id = derived(parent, 3, at(1_000));
        assert_eq!(id, derived(parent, 3, at(1_000)));
        assert_ne!(id, derived(parent, 4, at(1_000)));
        assert_ne!(id, derived(Uuid::from_u128(8), 3, at(1_000)));
        assert!(id < derived(parent, 3, at(1_001)));
        assert_eq!(id.get_version_num(), 7);
    }
}
