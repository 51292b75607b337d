//! The state of one execution: the fold of its events over its plan. Changed by `apply` alone;
//! read by `decide`, by expressions (`scope`) and by the api (`view`).

mod apply;
mod beside;
mod called;
mod child;
mod children;
mod frames;
mod gathered;
mod items;
mod listing;
mod named;
mod past;
mod pause;
mod reset;
mod review;
mod run;
mod scope;
mod slots;
mod standing;
mod states;
mod timers;
mod undo;
mod view;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

pub use apply::apply;
pub use beside::Beside;
pub use called::PRIORITY;
pub use child::{ChildRun, Parent};
pub use frames::Frames;
pub use items::{Item, Items};
pub use listing::{Listed, Place, Query, list};
pub use pause::Pause;
pub use review::{Progress, Review};
pub use run::{ROOT, RunId, StepRun};
pub use scope::{Given, StepScope, WorkflowScope};
pub use slots::PastTask;
use slots::{PastTasks, Slots};
pub use standing::{Queued, Standing};
pub use states::States;
pub use timers::TimerKind;
use timers::Timers;
pub use undo::{Ending, Undo};

use uuid::Uuid;
pub use view::{WaitingFor, into_view, outline, summary, tell_time, view};

pub use crate::proto::{
    Error, execution::State as ExecutionState, step_execution::Exit,
    step_execution::State as StepState,
};
use crate::{
    core::{
        limits::Limits,
        plan::{Block, Kind, Mode, Node, NodeId, Plan},
        time::Time,
        value::{self, Value},
    },
    proto::{Event, KnownAgent, event},
};

/// One run of a workflow.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Its id.
    pub id: Uuid,
    /// What it runs.
    pub plan: Arc<Plan>,
    /// The namespace.
    pub namespace: String,
    /// The workflow's name.
    pub workflow: String,
    /// The version; 0 for a definition given with the start.
    pub version: u32,
    /// The labels.
    pub labels: HashMap<String, String>,
    /// The input.
    pub input: Value,
    /// The value of `vars`, an object.
    pub vars: Value,
    /// Where it stands.
    pub state: ExecutionState,
    /// What it gave.
    pub output: Option<Value>,
    /// Why it failed, or failed last.
    pub error: Option<Error>,
    /// Which attempt of the whole this is, from 1.
    pub attempt: u32,
    /// The sequence of its last event.
    pub sequence: u64,
    /// The time of its last event.
    pub last_time: Time,
    /// When it was accepted.
    pub create_time: Time,
    /// When it ended.
    pub end_time: Option<Time>,
    /// When its timeout ends it.
    pub deadline: Option<Time>,
    /// When its next attempt begins.
    pub next_attempt_time: Option<Time>,
    /// Whose child it is.
    pub parent: Option<Box<Parent>>,
    /// What it knows of the agents that its plan tells others of, by id.
    pub agents: HashMap<String, KnownAgent>,
    /// How it will end, while its `finally` runs.
    pub ending: Option<Ending>,
    /// How it is held.
    pub pause: Option<Pause>,
    /// `vars` as they were when a mark was set, by its name.
    marks: BTreeMap<String, Value>,
    slots: Slots,
    by_path: HashMap<Arc<str>, RunId>,
    /// Attempts handed out, by the sequence of the event that scheduled them.
    tasks: HashMap<u64, RunId>,
    past_tasks: PastTasks,
    timers: Timers,
    /// Steps with children that could begin now.
    parents_ready: BTreeSet<RunId>,
    /// Collections with items that have not begun.
    items_ready: BTreeSet<RunId>,
    /// What could begin now beside a step: what is no call first.
    beside_ready: BTreeSet<(bool, RunId)>,
    calls_in_progress: u32,
    calls_completed: u32,
    calls_completed_nanos: i64,
}

impl Execution {
    /// The execution that its first event, `ExecutionStarted`, makes.
    ///
    /// # Errors
    /// The event given back when it is another, or its id is not a UUID.
    pub fn create(plan: Arc<Plan>, event: &Event) -> Result<Self, String> {
        let Some(event::Kind::ExecutionStarted(started)) = &event.kind else {
            return Err("the first event is not execution_started".into());
        };
        let id = Uuid::parse_str(&event.execution_id).map_err(|e| e.to_string())?;
        let now = event_time(event);
        let mut execution = Self {
            id,
            plan,
            namespace: started.namespace.clone(),
            workflow: started.workflow.clone(),
            version: started.version,
            labels: started.labels.clone(),
            input: started.input.clone().unwrap_or_else(value::null),
            vars: value::object(started.variables.clone().unwrap_or_default().fields),
            state: ExecutionState::Pending,
            output: None,
            error: None,
            attempt: 1,
            sequence: event.sequence,
            last_time: now,
            create_time: now,
            end_time: None,
            deadline: started.deadline.map(Time::from),
            next_attempt_time: None,
            parent: Parent::of(started)?.map(Box::new),
            agents: started.agents.clone(),
            ending: None,
            pause: None,
            marks: BTreeMap::new(),
            slots: Slots::default(),
            by_path: HashMap::new(),
            tasks: HashMap::new(),
            past_tasks: PastTasks::default(),
            timers: Timers::default(),
            parents_ready: BTreeSet::new(),
            items_ready: BTreeSet::new(),
            beside_ready: BTreeSet::new(),
            calls_in_progress: 0,
            calls_completed: 0,
            calls_completed_nanos: 0,
        };
        let mut root = StepRun::new(NodeId(0), None, "".into());
        root.state = StepState::Running;
        root.start_time = Some(now);
        execution.slots.add(root);
        if let Some(deadline) = execution.deadline {
            execution.timers.set(deadline, ROOT, TimerKind::Total);
        }
        execution.add_children(ROOT);
        Ok(execution)
    }

    /// The execution that a list of events makes, the first one first.
    ///
    /// # Errors
    /// What is wrong with the events, in words.
    pub fn replay<'a>(
        plan: Arc<Plan>,
        events: impl IntoIterator<Item = &'a Event>,
    ) -> Result<Self, String> {
        let mut events = events.into_iter();
        let first = events.next().ok_or("an execution without events")?;
        let mut execution = Self::create(plan, first)?;
        for event in events {
            if event.sequence != execution.sequence + 1 {
                return Err(format!(
                    "event {} does not follow event {}",
                    event.sequence, execution.sequence
                ));
            }
            apply(&mut execution, event);
        }
        Ok(execution)
    }

    /// True once it has ended.
    pub fn is_ended(&self) -> bool {
        self.end_time.is_some()
    }

    /// The step with this index. Panics on an index of another execution.
    pub fn run(&self, id: RunId) -> &StepRun {
        self.slots.get(id)
    }

    fn run_mut(&mut self, id: RunId) -> &mut StepRun {
        self.slots.get_mut(id)
    }

    /// What the step is.
    pub fn node(&self, id: RunId) -> &Node {
        self.plan.node(self.run(id).node)
    }

    /// The step at an address.
    pub fn find(&self, path: &str) -> Option<RunId> {
        if path.is_empty() {
            return Some(ROOT);
        }
        self.by_path.get(path).copied()
    }

    /// The step whose attempt was scheduled by the event with this sequence.
    pub fn task(&self, sequence: u64) -> Option<RunId> {
        self.tasks.get(&sequence).copied()
    }

    /// How an attempt ended whose step was given up since, by the sequence of the event that
    /// scheduled it.
    pub fn past_task(&self, sequence: u64) -> Option<&PastTask> {
        self.past_tasks.get(sequence)
    }

    /// All steps begun or waiting to, the workflow itself first.
    pub fn runs(&self) -> impl Iterator<Item = (RunId, &StepRun)> {
        self.slots.iter()
    }

    /// `vars` as they were when the mark was set.
    pub fn mark(&self, name: &str) -> Option<&Value> {
        self.marks.get(name)
    }

    /// Calls in progress, those waiting for their next attempt included.
    pub fn calls_in_progress(&self) -> u32 {
        self.calls_in_progress
    }

    /// When it needs to be woken, if nothing else happens before.
    pub fn next_due(&self) -> Option<Time> {
        let mut timers = self.timers.iter();
        let next = timers.find(|(_, run, kind)| self.counts(*run, *kind));
        next.map(|(due, ..)| due)
    }

    /// The first timer that is due at `now`.
    pub fn due_timer(&self, now: Time) -> Option<(RunId, TimerKind)> {
        let mut due = self.timers.iter().take_while(|(due, ..)| *due <= now);
        let next = due.find(|(_, run, kind)| self.counts(*run, *kind));
        next.map(|(_, run, kind)| (run, kind))
    }

    /// The next step that could begin, given whether there is room for a call.
    pub fn next_ready(&self, room_for_calls: bool) -> Option<RunId> {
        if self.next_attempt_time.is_some() || self.pause.is_some() {
            return None;
        }
        let may_begin = |(is_call, _): &&(bool, RunId)| room_for_calls || !is_call;
        let beside = self.beside_ready.first().filter(may_begin);
        let within = || {
            let mut parents = self.parents_ready.iter();
            parents.find_map(|parent| self.run(*parent).ready.first().filter(may_begin))
        };
        beside.or_else(within).map(|(_, run)| *run)
    }

    /// Whether there is room for one more call.
    pub fn has_room(&self, limits: &Limits) -> bool {
        self.room_for_calls(limits) > 0
    }

    /// How many more calls there is room for.
    pub fn room_for_calls(&self, limits: &Limits) -> u32 {
        let own = self.plan.max_parallel_steps.unwrap_or(u32::MAX);
        let most = own.min(limits.parallel_steps_max);
        most.saturating_sub(self.calls_in_progress)
    }

    /// True when more could begin at once: a decision begins a bounded number of steps, and the
    /// next one goes on where it stopped.
    pub fn could_begin(&self, limits: &Limits) -> bool {
        let room = self.has_room(limits);
        let open = !self.is_ended();
        open && (self.next_ready(room).is_some() || (room && self.next_items(limits).is_some()))
    }

    /// How the children of a step relate, when it has any.
    pub fn mode(&self, id: RunId) -> Mode {
        match &self.node(id).kind {
            Kind::Block(block) => block.mode,
            _ => Mode::Sequence,
        }
    }

    /// The block that a step is.
    pub fn block(&self, id: RunId) -> Option<&Block> {
        match &self.node(id).kind {
            Kind::Block(block) => Some(block),
            _ => None,
        }
    }

    /// What the children of a step gave together, by its mode.
    pub fn children_output(&self, id: RunId) -> Value {
        if self.each(id).is_some() {
            let items = self.run(id).items.as_ref();
            return items.map_or_else(|| value::list(Vec::new()), |items| items.outputs());
        }
        let children = &self.run(id).children;
        match self.mode(id) {
            Mode::Sequence => children
                .iter()
                .rev()
                .map(|c| self.run(*c))
                .find(|c| matches!(c.state, StepState::Completed | StepState::Failed))
                .and_then(|c| c.output.clone())
                .unwrap_or_else(value::null),
            Mode::States => self.last_state_output(id),
            Mode::Parallel | Mode::Graph => value::object(children.iter().map(|c| {
                let output = self.run(*c).output.clone().unwrap_or_else(value::null);
                (self.node(*c).id.clone(), output)
            })),
        }
    }
}

impl PartialEq for Execution {
    /// Equal when everything that the events decide is; the plan is not compared.
    fn eq(&self, other: &Self) -> bool {
        let key = |e: &Self| {
            (
                (e.id, e.version, e.state, e.attempt, e.sequence),
                (e.last_time, e.create_time, e.end_time, e.deadline),
                (e.next_attempt_time, e.calls_in_progress, e.calls_completed),
                e.calls_completed_nanos,
            )
        };
        key(self) == key(other)
            && self.namespace == other.namespace
            && self.workflow == other.workflow
            && self.labels == other.labels
            && self.parent == other.parent
            && self.agents == other.agents
            && self.input == other.input
            && self.vars == other.vars
            && self.output == other.output
            && self.error == other.error
            && self.ending == other.ending
            && self.pause == other.pause
            && self.marks == other.marks
            && self.slots == other.slots
            && self.by_path == other.by_path
            && self.tasks == other.tasks
            && self.past_tasks == other.past_tasks
            && self.timers == other.timers
            && self.parents_ready == other.parents_ready
            && self.items_ready == other.items_ready
            && self.beside_ready == other.beside_ready
    }
}

/// The time of an event.
pub fn event_time(event: &Event) -> Time {
    event.time.map(Time::from).unwrap_or_default()
}
