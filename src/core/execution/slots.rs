//! Where the runs of an execution live: slots that are used again, so that what an execution
//! holds is bounded by what is in progress, and not by all that ever was. What an ended attempt
//! that was given up must still be known for, the answer to its result said again, is kept.

use std::collections::{BTreeMap, BTreeSet};

use super::{Execution, RunId, StepRun, StepState};

/// The most ended attempts of steps given up whose results are still answered alike; of more,
/// the oldest are forgotten, and what is said of them again is refused as stale.
const PAST_TASKS_MAX: usize = 1 << 16;

/// The runs, those given up among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slots {
    runs: Vec<StepRun>,
    free: BTreeSet<RunId>,
}

impl Slots {
    /// Takes a run in. Those taken in one after the other have ascending ids as long as none is
    /// given up in between.
    pub fn add(&mut self, run: StepRun) -> RunId {
        if let Some(id) = self.free.pop_first() {
            *self.get_mut(id) = run;
            return id;
        }
        let id = u32::try_from(self.runs.len()).expect("steps are bounded far below 2^32");
        self.runs.push(run);
        RunId(id)
    }

    /// Gives a run up. Its place in the tree and its state stay readable until the slot is
    /// used again: a decision that ended it still asks what was around it.
    pub fn free(&mut self, id: RunId) {
        let run = self.get_mut(id);
        let mut left = StepRun::new(run.node, run.parent, run.path.clone());
        left.state = run.state;
        *run = left;
        self.free.insert(id);
    }

    /// The run in this slot. Panics on a slot of another execution.
    pub fn get(&self, id: RunId) -> &StepRun {
        &self.runs[id.0 as usize]
    }

    /// As `get`.
    pub fn get_mut(&mut self, id: RunId) -> &mut StepRun {
        &mut self.runs[id.0 as usize]
    }

    /// All that were not given up, by id.
    pub fn iter(&self) -> impl Iterator<Item = (RunId, &StepRun)> {
        let all = (0u32..).map(RunId).zip(self.runs.iter());
        all.filter(|(id, _)| !self.free.contains(id))
    }
}

/// How an attempt of a step that was given up ended.
#[derive(Clone, Debug, PartialEq)]
pub struct PastTask {
    /// The lease it ended under.
    pub lease: u64,
    /// The class of the error it failed with; `None` when it completed.
    pub class: Option<Box<str>>,
}

/// Ended attempts of steps given up, by the sequence of the event that scheduled them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PastTasks(BTreeMap<u64, PastTask>);

impl PastTasks {
    pub fn get(&self, task: u64) -> Option<&PastTask> {
        self.0.get(&task)
    }

    fn add(&mut self, task: u64, past: PastTask) {
        self.0.insert(task, past);
        if self.0.len() > PAST_TASKS_MAX {
            self.0.pop_first();
        }
    }
}

impl Execution {
    /// Gives a run up that nothing leads to any more.
    pub(super) fn give_up(&mut self, id: RunId) {
        let run = self.run(id);
        let (task, lease, path) = (run.scheduled, run.lease, run.path.clone());
        let caught = run.beside.as_ref().and_then(|b| b.caught.as_ref());
        let class = match run.state {
            _ if caught.is_some() => caught.map(|e| Some(e.class.as_str().into())),
            StepState::Completed => Some(None),
            StepState::Failed if run.answered => Some(None),
            StepState::Failed => run.error.as_ref().map(|e| Some(e.class.as_str().into())),
            _ => None,
        };
        if let Some(class) = class.filter(|_| task > 0 && lease > 0) {
            self.past_tasks.add(task, PastTask { lease, class });
        }
        self.tasks.remove(&task);
        self.by_path.remove(&path);
        self.parents_ready.remove(&id);
        self.items_ready.remove(&id);
        self.slots.free(id);
    }
}
