//! Child executions: how a step begins one, what it makes of what it hears of it, and what a
//! child tells its parent.
//!
//! A parent asks for a child once its `step_started` is durable, and asks again whenever it is
//! loaded; the start is idempotent, the child's id follows from the attempt. The child tells
//! its parent that it has begun and how it ended, each once durable, and again whenever it is
//! loaded; what the parent knows already changes nothing. A child whose parent does not wait
//! for it any more is taken back.

use uuid::Uuid;

use super::{Effect, Outcome, Rejection, turn::Turn};
use crate::{
    core::{
        execution::{ChildRun, Error, Execution, ExecutionState, Parent, RunId},
        patterns::generate,
        plan::{Kind, NodeId, Source},
        value::{self, Value},
    },
    proto::{ChildEnded, ChildStarted, Workflow, event},
};

/// A child execution to start, or one that was started before.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildStart {
    /// Its id.
    pub id: Uuid,
    /// Whose child it is.
    pub parent: Parent,
    /// What it runs.
    pub runs: ChildWorkflow,
    /// Its input.
    pub input: Value,
    /// It was asked for before, and may have been started.
    pub again: bool,
    /// It was started.
    pub started: bool,
}

/// What an execution tells the one whose child it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ParentReport {
    /// The parent.
    pub parent: Uuid,
    /// The path of its step.
    pub step: String,
    /// Who tells it.
    pub child: Uuid,
    /// What.
    pub report: ChildReport,
}

/// What a child execution runs.
#[derive(Clone, Debug, PartialEq)]
pub enum ChildWorkflow {
    /// A registered workflow; `None`: its newest version.
    Registered {
        /// Its name.
        name: String,
        /// Its version.
        version: Option<u32>,
    },
    /// A definition of its own.
    Own(Box<Workflow>),
}

/// What a parent hears of a child.
#[derive(Clone, Debug, PartialEq)]
pub enum ChildReport {
    /// It has begun.
    Started(ChildRun),
    /// It has ended.
    Ended(Box<ChildEnding>),
    /// It cannot be started.
    Refused {
        /// The class of the error.
        class: String,
        /// Why, in words.
        message: String,
    },
}

/// How a child execution ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildEnding {
    /// What it ran.
    pub run: ChildRun,
    /// How it ended.
    pub state: ExecutionState,
    /// What it gave.
    pub output: Option<Value>,
    /// Why it failed; `None` when it completed.
    pub error: Option<Error>,
}

impl Turn<'_> {
    /// Begins the step's attempt on the outside, as the event just decided says.
    pub fn start_child(&mut self, run: RunId) {
        if let Some(start) = self.execution.child_start(run) {
            return self.effect(Effect::StartChild(Box::new(start)));
        }
        let error = self.error(run, "invalid_output", "there is no workflow to run");
        self.attempt_failed(run, error, None, None);
    }

    /// Why what the step gave cannot be run, when it is to be a workflow.
    pub fn generated_fault(&self, run: RunId, given: &Value) -> Option<Error> {
        let wanted = self.node(run).gives_workflow;
        let checked = wanted.then(|| generate::check(given, self.limits));
        let words = checked?.err()?;
        Some(self.error(run, "invalid_output", words))
    }

    /// # Errors
    /// Class `limit` when one more execution below this one would be too deep.
    pub fn check_child_depth(&self, run: RunId) -> Result<(), Error> {
        let (depth, max) = (self.execution.depth(), self.limits.child_depth_max);
        let is_child = matches!(self.node(run).kind, Kind::Child(_));
        if is_child && depth >= max {
            let words = format!(
                "{depth} executions are above this one, child_depth_max is {max}: \
                 no child can be started"
            );
            return Err(self.error(run, "limit", words));
        }
        Ok(())
    }

    /// Takes the step's child back.
    pub fn withdraw_child(&mut self, run: RunId, reason: &str) {
        if let Some(child) = self.execution.child_id(run) {
            self.effect(Effect::StopChild {
                child,
                reason: reason.to_owned(),
                terminated: self.terminating,
            });
        }
    }

    /// A child tells how far it is.
    pub fn child_reported(
        &mut self,
        step: &str,
        child: Uuid,
        report: ChildReport,
    ) -> Result<(), Rejection> {
        let Some(run) = self.execution.awaiting(step, child) else {
            let outcome = unawaited(self.execution, step, child, &report)?;
            outcome.effects.into_iter().for_each(|e| self.effect(e));
            return Ok(());
        };
        match report {
            ChildReport::Started(child) => self.child_started(run, &child),
            ChildReport::Ended(ending) => self.child_execution_ended(run, *ending),
            ChildReport::Refused { class, message } => {
                let error = self.error(run, &class, message);
                self.attempt_failed(run, error, None, None);
            }
        }
        Ok(())
    }

    fn child_started(&mut self, run: RunId, child: &ChildRun) {
        self.note_child(run, child);
        if matches!(&self.node(run).kind, Kind::Child(c) if c.detached) {
            let id = value::string(child.id.to_string());
            let output = value::object([("execution_id", id)]);
            self.attempt_succeeded(run, output, None);
        }
    }

    fn child_execution_ended(&mut self, run: RunId, ending: ChildEnding) {
        self.note_child(run, &ending.run);
        let error = ending.error.map(|error| self.error_of_child(run, error));
        let ended = ChildEnded {
            execution_id: ending.run.id.to_string(),
            state: ending.state.into(),
            error: error.clone(),
        };
        self.emit(run, event::Kind::ChildEnded(ended));
        match error {
            Some(error) => self.attempt_failed(run, error, None, None),
            None => {
                let output = ending.output.unwrap_or_else(value::null);
                self.attempt_succeeded(run, output, None);
            }
        }
    }

    /// Keeps which child the attempt runs, unless that is kept already.
    fn note_child(&mut self, run: RunId, child: &ChildRun) {
        if self.execution.run(run).child.is_none() {
            let started = ChildStarted {
                execution_id: child.id.to_string(),
                workflow: child.workflow.clone(),
                version: child.version,
            };
            self.emit(run, event::Kind::ChildStarted(started));
        }
    }

    /// A child's error as its parent has it: the step's path goes on into the child.
    fn error_of_child(&self, run: RunId, error: Error) -> Error {
        let around = &self.execution.run(run).path;
        let step = match error.step.as_str() {
            "" => around.to_string(),
            inner => format!("{around}/{inner}"),
        };
        Error { step, ..error }
    }
}

/// What follows from a report that nobody waits for: a child that has begun is ended, unless
/// it is what the step has completed with.
pub(super) fn unawaited(
    execution: &Execution,
    step: &str,
    child: Uuid,
    report: &ChildReport,
) -> Result<Outcome, Rejection> {
    let ChildReport::Started(_) = report else {
        return Err(Rejection::Stale);
    };
    let mut outcome = Outcome::default();
    if !execution.completed_with(step, child) {
        outcome.effects.push(Effect::StopChild {
            child,
            reason: format!("step {step} of its parent does not wait for it"),
            terminated: false,
        });
    }
    Ok(outcome)
}

impl Turn<'_> {
    /// Has the parent told that its child has begun.
    pub fn tell_parent_of_start(&mut self) {
        if let Some(report) = self.execution.report_to_parent() {
            self.effect(Effect::TellParent(Box::new(report)));
        }
    }

    /// Has the parent told that the child it waits for has ended, if it has.
    pub fn tell_parent_of_end(&mut self) {
        let awaited = self.execution.parent.as_ref().is_some_and(|p| !p.detached);
        if awaited && self.execution.is_ended() {
            self.tell_parent_of_start();
        }
    }
}

impl Execution {
    /// The child execution that a step's attempt runs; `None` when it runs none now.
    pub fn child_start(&self, run: RunId) -> Option<ChildStart> {
        let Kind::Child(child) = &self.node(run).kind else {
            return None;
        };
        let id = self.child_id(run).filter(|_| self.has_child(run))?;
        let step = self.run(run);
        let runs = match &child.source {
            Source::Registered { name, version } => ChildWorkflow::Registered {
                name: name.clone(),
                version: *version,
            },
            Source::Given(by) => ChildWorkflow::Own(Box::new(self.generated(run, *by)?)),
        };
        Some(ChildStart {
            id,
            parent: Parent {
                id: self.id,
                step: step.path.to_string(),
                depth: self.depth() + 1,
                detached: child.detached,
            },
            runs,
            input: step.input.clone().unwrap_or_else(value::null),
            again: false,
            started: step.child.is_some(),
        })
    }

    /// The workflow that a sibling of the step gave.
    fn generated(&self, run: RunId, by: NodeId) -> Option<Workflow> {
        let siblings = &self.run(self.run(run).parent?).children;
        let mut siblings = siblings.iter().map(|sibling| self.run(*sibling));
        generate::workflow(siblings.find(|s| s.node == by)?.output.as_ref()?)
    }

    /// What this execution has to tell its parent as it stands; `None` when it has none.
    pub fn report_to_parent(&self) -> Option<ParentReport> {
        let parent = self.parent.as_ref()?;
        let run = ChildRun {
            id: self.id,
            workflow: self.workflow.clone(),
            version: self.version,
        };
        let report = if self.is_ended() && !parent.detached {
            ChildReport::Ended(Box::new(ChildEnding {
                run,
                state: self.state,
                output: self.output.clone(),
                error: self.error.clone(),
            }))
        } else {
            ChildReport::Started(run)
        };
        Some(ParentReport {
            parent: parent.id,
            step: parent.step.clone(),
            child: self.id,
            report,
        })
    }
}
