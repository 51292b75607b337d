//! One step of an execution, as far as it has come.

use std::{collections::BTreeSet, sync::Arc};

use super::{Beside, ChildRun, Error, Items, States, StepState, frames::Frames};
use crate::{
    core::{
        plan::{NodeId, Target},
        time::Time,
        value::Value,
    },
    proto::{Usage, step_execution::Exit},
};

/// The index of a step's run in its execution. Run 0 is the workflow itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u32);

/// The run of the workflow itself.
pub const ROOT: RunId = RunId(0);

/// One step of an execution, as far as it has come.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRun {
    /// What it is.
    pub node: NodeId,
    /// The step around it; `None` for the workflow itself.
    pub parent: Option<RunId>,
    /// Its address.
    pub path: Arc<str>,
    /// Where it stands.
    pub state: StepState,
    /// The event by which it is done once more though it had been done; 0: it is not.
    pub again: u64,
    /// Which attempt this is, from 1; 0 before the first.
    pub attempt: u32,
    /// The sequence of the event that scheduled the attempt; 0 for none.
    pub scheduled: u64,
    /// The lease of the worker that holds, or held, the attempt; 0 for none.
    pub lease: u64,
    /// That worker.
    pub worker_id: String,
    /// The agent that does it.
    pub agent: String,
    /// Who was chosen by an expression, or what STICKY goes by with who it is.
    pub target: Option<Target>,
    /// Which of those that its call names in turn is called, from 0.
    pub alternative: u32,
    /// How many of its attempts were fallbacks.
    pub fallbacks: u32,
    /// What it was given.
    pub input: Option<Value>,
    /// True once the attempt's output was taken, though it does not count yet.
    pub answered: bool,
    /// What it gave.
    pub output: Option<Value>,
    /// Why its last attempt failed.
    pub error: Option<Error>,
    /// When its first attempt began.
    pub start_time: Option<Time>,
    /// When its attempt was scheduled.
    pub schedule_time: Option<Time>,
    /// When it ended.
    pub end_time: Option<Time>,
    /// When its next attempt begins.
    pub next_attempt_time: Option<Time>,
    /// When all its attempts must have ended.
    pub total_deadline: Option<Time>,
    /// When the attempt must have been accepted.
    pub queue_deadline: Option<Time>,
    /// When the attempt must have ended.
    pub deadline: Option<Time>,
    /// When the wait that it is is over.
    pub wait_time: Option<Time>,
    /// What its agent used, all attempts.
    pub usage: Option<Usage>,
    /// What the iterations of a loop gave so far; `None` for any other step.
    pub frames: Option<Box<Frames>>,
    /// Tasks of different keys take turns; empty: the workflow's name.
    pub fairness_key: String,
    /// What identifies its work, when its output is kept; else empty.
    pub cache_key: String,
    /// The execution that gave its output, when that was kept from before; else empty.
    pub cached_from: String,
    /// Why a loop went no further.
    pub exit: Exit,
    /// The branch a switch chose, as in the event; `None` before.
    pub branch: Option<i32>,
    /// The child execution of the last attempt that has started one.
    pub child: Option<Box<ChildRun>>,
    /// Which item or iteration it is the frame of.
    pub index: Option<u32>,
    /// How far a block of states has come; `None` for any other step.
    pub states: Option<Box<States>>,
    /// The items of a collection, once they are known.
    pub items: Option<Box<Items>>,
    /// Steps within it, in the order of their plan; of a collection or a loop, its frames.
    pub children: Vec<RunId>,
    /// Siblings that wait for this one.
    pub(super) dependants: Vec<RunId>,
    /// Siblings it still waits for.
    pub(super) waits: u32,
    /// Children that could begin: those that are no calls first, then in order.
    pub(super) ready: BTreeSet<(bool, RunId)>,
    /// Children in progress.
    pub(super) active: u32,
    /// Children that have ended, however.
    pub ended: u32,
    /// Children that completed.
    pub completed: u32,
    /// Calls handed out within its attempt, of a step that may make only so many.
    pub calls: u32,
    /// The sequence of the event that ended it.
    pub(super) ended_by: u64,
    /// True while it counts among the calls in progress.
    pub(super) holds_call: bool,
    /// What runs beside it, or did.
    pub beside: Option<Box<Beside>>,
}

impl StepRun {
    pub(super) fn new(node: NodeId, parent: Option<RunId>, path: Arc<str>) -> Self {
        Self {
            node,
            parent,
            path,
            state: StepState::Pending,
            again: 0,
            attempt: 0,
            scheduled: 0,
            lease: 0,
            worker_id: String::new(),
            agent: String::new(),
            target: None,
            alternative: 0,
            fallbacks: 0,
            input: None,
            answered: false,
            output: None,
            error: None,
            start_time: None,
            schedule_time: None,
            end_time: None,
            next_attempt_time: None,
            total_deadline: None,
            queue_deadline: None,
            deadline: None,
            wait_time: None,
            usage: None,
            frames: None,
            fairness_key: String::new(),
            cache_key: String::new(),
            cached_from: String::new(),
            exit: Exit::Unspecified,
            branch: None,
            index: None,
            states: None,
            items: None,
            child: None,
            children: Vec::new(),
            dependants: Vec::new(),
            waits: 0,
            ready: BTreeSet::new(),
            active: 0,
            ended: 0,
            completed: 0,
            calls: 0,
            ended_by: 0,
            holds_call: false,
            beside: None,
        }
    }

    /// True once it has ended, however.
    pub fn is_ended(&self) -> bool {
        use StepState::{Cancelled, Compensated, Completed, Failed, Skipped};
        matches!(
            self.state,
            Completed | Failed | Skipped | Cancelled | Compensated
        )
    }

    /// What runs beside it and is waited for: the attempt itself is over.
    pub fn awaited(&self) -> Option<RunId> {
        self.beside.as_ref()?.awaited
    }

    /// What ran or runs beside it, in the order in which it began.
    pub fn beside_runs(&self) -> &[RunId] {
        self.beside.as_ref().map_or(&[], |b| &b.runs)
    }

    /// True between its first attempt and its end.
    pub fn is_active(&self) -> bool {
        use StepState::{Retrying, Running, Waiting};
        matches!(self.state, Waiting | Running | Retrying)
    }
}
