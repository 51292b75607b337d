//! From a command to the events that follow from it, or a rejection. Pure: what time it is
//! comes in; what must be done outside comes out as effects, to be released only once the
//! events are durable.

mod begin;
mod cache;
mod catch;
mod child;
mod choice;
mod compensate;
mod context;
mod each;
mod end;
mod finally;
mod loops;
mod park;
mod review;
mod schema;
mod start;
mod states;
mod task;
#[cfg(test)]
mod tests;
mod timer;
mod turn;
mod wait;
mod whole;

use std::time::Duration;

pub use cache::{CacheKey, Cached, Keep, Outputs, Remembered};
pub use child::{ChildEnding, ChildReport, ChildStart, ChildWorkflow, ParentReport};
pub use start::{Start, start};
use task::Said;
use turn::Turn;
use uuid::Uuid;

use crate::{
    core::{
        execution::{Execution, ExecutionState},
        limits::Limits,
        plan::Target,
        schema::Violation,
        time::Time,
        value::{Struct, Value},
    },
    proto::{Event, Usage},
};

/// What an execution is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A worker accepted an attempt.
    Accept {
        /// The sequence of the event that scheduled it.
        task: u64,
        /// The worker.
        worker_id: String,
        /// The agent that does it.
        agent: String,
        /// The lease under which its result counts; never 0.
        lease: u64,
    },
    /// An attempt gave its output.
    Complete {
        /// The sequence of the event that scheduled it.
        task: u64,
        /// The lease.
        lease: u64,
        /// What the agent gave.
        output: Value,
        /// What it used.
        usage: Option<Usage>,
    },
    /// An attempt failed.
    Fail {
        /// The sequence of the event that scheduled it.
        task: u64,
        /// The lease.
        lease: u64,
        /// The class.
        class: String,
        /// In words.
        message: String,
        /// The least wait before the next attempt.
        retry_after: Option<Duration>,
        /// What it used.
        usage: Option<Usage>,
    },
    /// A child execution tells how far it is.
    Child {
        /// The path of the step that runs it.
        step: String,
        /// Its id.
        child: Uuid,
        /// What it tells.
        report: ChildReport,
    },
    /// Someone asks for its end.
    Cancel {
        /// Why.
        reason: String,
    },
    /// Someone ends it now.
    Terminate {
        /// Why.
        reason: String,
    },
    /// Someone holds it.
    Pause {
        /// Why.
        reason: String,
    },
    /// Someone lets it go on.
    Resume {
        /// Why.
        reason: String,
        /// What is written into `vars` first.
        variables: Struct,
    },
    /// Time has passed: everything that is due happens.
    Tick,
}

/// What must be done outside, once the events are durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Hand out an attempt.
    Dispatch(Box<Dispatch>),
    /// Take an attempt back.
    Withdraw {
        /// The sequence of the event that scheduled it.
        task: u64,
        /// Why.
        reason: String,
        /// It had no answer in time.
        timed_out: bool,
    },
    /// Start a child execution, or find it again, and have it report.
    StartChild(Box<ChildStart>),
    /// End a child execution, if it is open.
    StopChild {
        /// Its id.
        child: Uuid,
        /// Why.
        reason: String,
        /// End it now.
        terminated: bool,
    },
    /// Tell the parent how far this execution is.
    TellParent(Box<ParentReport>),
    /// Free an attempt that has ended by its worker's result.
    Release {
        /// The sequence of the event that scheduled it.
        task: u64,
    },
}

/// An attempt to hand out.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispatch {
    /// The sequence of the event that scheduled it.
    pub task: u64,
    /// The step's path.
    pub step: String,
    /// The event by which it is done once more though it had been done.
    pub again: Option<u64>,
    /// Who is to do it.
    pub target: Target,
    /// True when an expression named them and the definition does not.
    pub is_computed: bool,
    /// True when the call has a fallback behind them.
    pub has_next: bool,
    /// Which goes first: 1 first to 9 last.
    pub priority: u8,
    /// Tasks of different keys take turns.
    pub fairness_key: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// What the agent is given.
    pub input: Value,
    /// What of the earlier steps it is handed on with it.
    pub context: Option<Value>,
    /// How long the attempt may take once accepted.
    pub timeout: Option<Duration>,
    /// When it was scheduled.
    pub schedule_time: Time,
}

/// What follows from a command.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The events, already applied; may be empty when nothing follows.
    pub events: Vec<Event>,
    /// What must be done outside.
    pub effects: Vec<Effect>,
}

/// Why a command is refused. Nothing changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// It has ended.
    #[error("the execution has ended ({})", .0.as_str_name())]
    Ended(ExecutionState),
    /// It is not held.
    #[error("the execution is not PAUSED ({})", .0.as_str_name())]
    NotPaused(ExecutionState),
    /// The lease does not hold the task.
    #[error("the task is held by another, has ended, or never was")]
    Stale,
    /// The input breaks the workflow's schema.
    #[error("the input breaks the workflow's input_schema")]
    Input(Vec<Violation>),
    /// The first values of `vars` cannot be made.
    #[error("variables.{name}: {message}")]
    Variable {
        /// Which.
        name: String,
        /// Why.
        message: String,
    },
}

/// Decides a command: the events that follow are applied to the execution as they are decided.
///
/// A `now` before the execution's last event counts as the time of that event.
///
/// # Errors
/// A `Rejection`; the execution is then as it was.
pub fn decide(
    execution: &mut Execution,
    command: Command,
    now: Time,
    limits: &Limits,
    outputs: &mut dyn Outputs,
) -> Result<Outcome, Rejection> {
    let state = execution.state;
    if execution.is_ended() {
        return match command {
            Command::Complete { task, lease, .. } => {
                task::repeated(execution, task, lease, Said::Output)
            }
            Command::Fail {
                task, lease, class, ..
            } => task::repeated(execution, task, lease, Said::Failure(&class)),
            Command::Accept { .. } => Err(Rejection::Stale),
            Command::Child {
                step,
                child,
                report,
            } => child::unawaited(execution, &step, child, &report),
            Command::Tick => Ok(Outcome::default()),
            Command::Cancel { .. }
            | Command::Terminate { .. }
            | Command::Pause { .. }
            | Command::Resume { .. } => Err(Rejection::Ended(state)),
        };
    }
    if let (Command::Cancel { .. }, Some(ending)) = (&command, &execution.ending) {
        return Err(Rejection::Ended(ending.state));
    }
    let now = now.max(execution.last_time);
    let mut turn = Turn::new(execution, now, limits, outputs);
    match command {
        Command::Accept {
            task,
            worker_id,
            agent,
            lease,
        } => turn.accept(task, worker_id, agent, lease)?,
        Command::Complete {
            task,
            lease,
            output,
            usage,
        } => turn.complete(task, lease, &output, usage)?,
        Command::Fail {
            task,
            lease,
            class,
            message,
            retry_after,
            usage,
        } => turn.fail(task, lease, class, message, retry_after, usage)?,
        Command::Child {
            step,
            child,
            report,
        } => turn.child_reported(&step, child, report)?,
        Command::Cancel { reason } => turn.cancel(&reason),
        Command::Terminate { reason } => turn.terminate(&reason),
        Command::Pause { reason } => turn.pause(reason)?,
        Command::Resume { reason, variables } => turn.resume(reason, variables)?,
        Command::Tick => turn.tick(),
    }
    turn.pump();
    turn.tell_parent_of_end();
    Ok(turn.finish())
}
