//! The plan: a workflow compiled into what the kernel runs. Immutable, shared, cheap to look
//! up. `compile` makes it and reports every finding; nothing else does.
//!
//! What expressions may name: everywhere `input`, `vars`, `previous`, `execution`
//! (`{id, workflow, version, state, attempt, labels, start_time}`), `all_previous_outputs`,
//! `all_step_outputs` and `steps`; in a step's `output`, `save` and gates after also `output`,
//! what the agent gave; in every gate `value`, what is checked. A workflow's `output` sees
//! `input`, `vars`, `execution`, `all_step_outputs` and `steps`, its `goal` also `output` and
//! `value`; its `variables` see `input`. Within a loop there are `iteration` and `last`; its
//! `until` also sees the steps of the iteration that ended. In PARALLEL every step is a first one: its `previous`
//! is what the step around it was given.

mod auxiliary;
mod beside;
mod bounds;
mod cache;
mod call;
mod calls;
mod check;
mod child;
mod compile;
mod context;
mod each;
mod expressions;
mod gate;
mod gates;
mod graph;
mod kinds;
mod loops;
mod marks;
mod mermaid;
mod once;
mod order;
mod policies;
mod role;
mod roles;
mod schemas;
mod seen;
mod states;
mod steps;
#[cfg(test)]
mod tests;
mod typing;
mod wait;

pub use cache::{Cache, Scope};
pub(in crate::core) use call::of_pattern;
pub use call::{Call, Choice, Select, Target};
pub use check::{Checked, check};
pub use child::Reference;
pub use compile::{Compiled, compile};
pub(in crate::core) use compile::{Compiler, blank};
pub use context::{Context, Overflow};
pub use each::Each;
pub(in crate::core) use each::ITEM_VARIABLES;
pub use gate::{Check, Gate, Judge, OnViolation, Repair};
pub use loops::Loop;
pub use mermaid::mermaid;
pub use policies::Retry;
pub use role::{Asked, Beside, Catch, Role};
pub use schemas::Schemas;
pub use seen::{Members, Name, Seen, Told};
pub use states::{States, Transition};
pub use wait::Wait;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::core::{
    expr::{Expr, Template},
    schema::Schema,
};

/// The index of a node in its plan. Node 0 is the workflow itself, as a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// A workflow, compiled.
#[derive(Debug)]
pub struct Plan {
    /// The workflow's name.
    pub name: String,
    /// The workflow's labels, its tags among them with empty values.
    pub labels: BTreeMap<String, String>,
    /// Every step, outer before inner, in definition order; the first is the workflow itself:
    /// its `kind` is the block of steps, its `timeout` and `retry` are those of the whole.
    pub nodes: Vec<Node>,
    /// What an input must fulfil.
    pub input_schema: Option<Schema>,
    /// What the output must fulfil.
    pub output_schema: Option<Schema>,
    /// The first value of `vars`: name and template, in order of name.
    pub variables: Vec<(String, Template)>,
    /// The most calls in progress at once; `None`: the server's limit.
    pub max_parallel_steps: Option<u32>,
    /// Gates on the output.
    pub goal: Vec<Gate>,
    /// The block of steps run at the end, whatever the outcome.
    pub finally: Option<NodeId>,
    /// Who plays each role.
    pub roles: BTreeMap<String, Target>,
    /// The agents that it tells others of.
    pub tells_of: BTreeSet<String>,
    /// True when it must not start while agents that it needs are missing (`readiness: REFUSE`).
    pub needs_agents: bool,
}

impl Plan {
    /// The node with this index. Panics on an index of another plan.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}

/// One step, compiled.
#[derive(Debug)]
pub struct Node {
    /// The step's id; empty for the workflow itself.
    pub id: String,
    /// The step's name for people.
    pub name: String,
    /// The step's address: ids joined by `/`; empty for the workflow itself.
    pub path: String,
    /// The step around it.
    pub parent: Option<NodeId>,
    /// Siblings that must have ended before it begins, in SEQUENCE the one before it.
    pub depends_on: Vec<NodeId>,
    /// The sibling before it, whose output is `previous`; `None`: what the step around it got.
    pub previous: Option<NodeId>,
    /// When false the step is skipped.
    pub when: Option<Expr>,
    /// What the step is given.
    pub input: Input,
    /// What of the earlier steps it is handed on.
    pub context: Option<Box<Context>>,
    /// What its output becomes.
    pub output: Option<Template>,
    /// What is written into `vars`, in order of name.
    pub save: Vec<(String, Template)>,
    /// The longest one attempt may take.
    pub timeout: Option<Duration>,
    /// The longest an attempt may wait for a worker.
    pub queue_timeout: Option<Duration>,
    /// The longest all attempts may take.
    pub total_timeout: Option<Duration>,
    /// When to try again.
    pub retry: Option<Retry>,
    /// True when a failure lets the rest go on (`on_error: CONTINUE`).
    pub tolerates_failure: bool,
    /// What its input and output must fulfil.
    pub schemas: Option<Box<Schemas>>,
    /// Checks before the first attempt.
    pub before: Vec<Gate>,
    /// Checks after each attempt.
    pub after: Vec<Gate>,
    /// What it is to the step around it.
    pub role: Role,
    /// What runs beside it, when anything may.
    pub beside: Option<Box<Beside>>,
    /// What it does.
    pub kind: Kind,
    /// The name of its kind as it was written, when that is not the primitive's.
    pub written: Option<&'static str>,
    /// True when the steps within it are a pattern's own: expressions do not know them.
    pub hides_steps: bool,
    /// What expressions within it may name besides.
    pub names: Vec<Name>,
    /// What it gives, made of what the steps within gave; `None`: as they gave it.
    pub gives: Option<Template>,
    /// The most calls within one attempt of it, theirs counted; `None`: no limit of its own.
    pub max_calls: Option<u32>,
    /// True when what it gives must be a valid workflow.
    pub gives_workflow: bool,
    /// Which of the tasks that wait for the same agent goes first: 1 first to 9 last; `None`: as
    /// the step around it.
    pub priority: Option<u8>,
    /// Tasks of different keys take turns; `None`: as the step around it.
    pub fairness_key: Option<Template>,
    /// How its output is kept, when it is.
    pub cache: Option<Box<Cache>>,
}

impl Node {
    /// True for the steps of an iteration or for an item: it has no id of its own.
    pub fn is_body(&self) -> bool {
        self.id.is_empty() && self.parent.is_some()
    }

    /// The word for what the step does, as it was written.
    pub fn kind_name(&self) -> &'static str {
        match (self.role, &self.kind) {
            (Role::Catch, _) => "catch",
            (Role::Compensation, _) => "compensation",
            (Role::Finally, _) => "finally",
            (Role::Auxiliary(Asked::Judge(_)), _) => "judge",
            (Role::Auxiliary(Asked::Repair(_)), _) => "repair",
            (Role::Auxiliary(Asked::Summary), _) => "summarizer",
            (Role::Step, Kind::Block(_)) if self.undoes() => "saga",
            (Role::Step, kind) => self.written.unwrap_or_else(|| kind.name()),
        }
    }
}

impl Kind {
    /// The word for a primitive.
    fn name(&self) -> &'static str {
        match self {
            Self::Call(call) if call.short => "agent",
            Self::Call(_) => "call",
            Self::Block(_) => "block",
            Self::Switch(_) => "switch",
            Self::Set(_) => "set",
            Self::Restore(_) => "restore",
            Self::Each(_) => "each",
            Self::Loop(_) => "loop",
            Self::Child(_) => "workflow",
            Self::Wait(_) => "wait",
        }
    }
}

/// What a step is given.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one for each step, most are templates"
)]
pub enum Input {
    /// A template.
    Template(Template),
    /// What `previous` is.
    Previous,
    /// What the execution was given.
    Execution,
}

/// What a step does.
#[derive(Debug)]
pub enum Kind {
    /// Calls an agent.
    Call(Call),
    /// Runs its children.
    Block(Block),
    /// Runs the children of the branch that fits, in sequence.
    Switch(Switch),
    /// Writes into `vars`: name and template, in order of name.
    Set(Vec<(String, Template)>),
    /// Takes `vars` back to the mark of this name.
    Restore(String),
    /// Runs its body for each item of a list.
    Each(Each),
    /// Runs its body again and again.
    Loop(Box<Loop>),
    /// Runs another execution.
    Child(Child),
    /// Waits until an instant.
    Wait(Wait),
}

impl Kind {
    /// True when the work is done outside the execution, so that only so much of it may be in
    /// progress at once.
    pub fn is_outside(&self) -> bool {
        matches!(self, Self::Call(_) | Self::Child(_))
    }
}

/// Another execution to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// What it runs.
    pub source: Source,
    /// The step completes once it has started.
    pub detached: bool,
}

/// What a child execution runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A registered workflow; `None`: its newest version.
    Registered {
        /// Its name.
        name: String,
        /// Its version.
        version: Option<u32>,
    },
    /// The workflow that this sibling gave.
    Given(NodeId),
}

/// Steps within a step.
#[derive(Debug)]
pub struct Block {
    /// How they relate; never automatic any more.
    pub mode: Mode,
    /// The steps, in definition order; in SEQUENCE in the order they run.
    pub children: Vec<NodeId>,
    /// How many may be in progress at once.
    pub max_parallel: Option<u32>,
    /// How many must succeed.
    pub join: Option<Join>,
    /// In STATES: the ways between the steps.
    pub states: Option<Box<States>>,
}

/// How the steps of a block relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One after the other; the output is that of the last that ran.
    Sequence,
    /// All at once; the output is an object by step id.
    Parallel,
    /// By their dependencies; the output is an object by step id.
    Graph,
    /// One at a time, by the transitions of each; the output is that of the last that ran.
    States,
}

/// How many children must succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Join {
    /// Whole children, at least 1 and at most all; a share is already rounded up.
    pub successes: u32,
    /// Cancels the rest once enough have.
    pub cancel_rest: bool,
}

/// Branches, the first that fits.
#[derive(Debug)]
pub struct Switch {
    /// Tried in order: condition and steps.
    pub cases: Vec<(Expr, Vec<NodeId>)>,
    /// Taken when no case fits.
    pub otherwise: Vec<NodeId>,
    /// How the step fails when no case fits; `None`: it does not.
    pub misfit: Option<Misfit>,
}

/// An error that is known before anything runs.
#[derive(Clone, Debug)]
pub struct Misfit {
    /// Its class.
    pub class: &'static str,
    /// What it says.
    pub message: String,
}
