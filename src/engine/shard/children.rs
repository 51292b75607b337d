//! What a shard does for child executions and their parents.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::Shard;
use crate::{
    core::{
        decide::{self, ChildReport, ChildStart, ChildWorkflow, Command, ParentReport},
        execution::Execution,
        plan,
    },
    engine::{
        Error,
        children::{ChildMessage, refused},
        clock, refusal,
        release::Release,
    },
};

/// How long to wait before a child is asked for again for which there was no room.
const ROOM_RETRY_AFTER: Duration = Duration::from_secs(1);

impl Shard {
    pub(super) fn child(&mut self, message: ChildMessage) {
        match message {
            ChildMessage::Start { namespace, start } => self.start_child(namespace, start),
            ChildMessage::Stop { child, command } => {
                // One that has ended, or never began, is what was asked for.
                let _ = self.command(child, command);
            }
            ChildMessage::Report(report) => self.child_reported(report),
            ChildMessage::AskAgain {
                parent,
                step,
                child,
            } => self.ask_again(parent, &step, child),
        }
    }

    /// Starts a child unless it was started before, and has it report to its parent.
    fn start_child(&mut self, namespace: String, start: ChildStart) {
        match self.known_child(&start) {
            Ok(Some(report)) => self.send(ChildMessage::Report(report)),
            Ok(None) => match self.start_new_child(&namespace, &start) {
                Ok(()) => {}
                Err(Error::Exhausted { retry_after, .. }) => {
                    let after = retry_after.unwrap_or(ROOM_RETRY_AFTER);
                    self.parts.peers.ask_again(&start, after);
                }
                Err(error) => self.refuse_child(&start, error),
            },
            Err(error) => self.refuse_child(&start, error),
        }
    }

    /// What a child that was started before has to tell; `None` when there is no such one.
    fn known_child(&mut self, start: &ChildStart) -> Result<Option<ParentReport>, Error> {
        if let Some(live) = self.live.get(&start.id) {
            return Ok(live.execution.report_to_parent());
        }
        if !start.again {
            return Ok(None);
        }
        match self.not_in_memory(start.id) {
            Ok(execution) => Ok(execution.report_to_parent()),
            Err(Error::NotFound { .. }) if !start.started => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn start_new_child(&mut self, namespace: &str, start: &ChildStart) -> Result<(), Error> {
        let (version, plan, definition) = match &start.runs {
            ChildWorkflow::Registered { name, version } => {
                let plans = &self.parts.plans;
                let (version, plan) = plans.registered(namespace, name, *version)?;
                (version, plan, None)
            }
            ChildWorkflow::Own(workflow) => {
                let compiled = plan::compile(workflow, &self.parts.limits)
                    .map_err(|findings| Error::Definition { findings })?;
                (0, Arc::new(compiled.plan), Some((**workflow).clone()))
            }
        };
        self.admit(namespace, &plan)?;
        let begin = decide::Start {
            id: start.id,
            namespace: namespace.to_owned(),
            version,
            definition,
            input: start.input.clone(),
            labels: Default::default(),
            request_id: String::new(),
            parent: Some(start.parent.clone()),
            agents: self.known_agents(namespace, &plan),
        };
        let (execution, outcome) = decide::start(
            plan,
            begin,
            clock::now(),
            &self.parts.limits,
            &mut self.outputs,
        )
        .map_err(|rejection| refusal::of_command(start.id, rejection))?;
        self.adopt_new(execution);
        self.record(start.id, outcome, true);
        Ok(())
    }

    fn refuse_child(&mut self, start: &ChildStart, error: Error) {
        let (class, message) = refused(error);
        let report = ParentReport {
            parent: start.parent.id,
            step: start.parent.step.clone(),
            child: start.id,
            report: ChildReport::Refused {
                class: class.to_owned(),
                message,
            },
        };
        self.send(ChildMessage::Report(report));
    }

    fn child_reported(&mut self, report: ParentReport) {
        let ParentReport {
            parent,
            step,
            child,
            report,
        } = report;
        let begun = matches!(report, ChildReport::Started(_));
        let command = Command::Child {
            step,
            child,
            report,
        };
        match self.command(parent, command) {
            Ok(()) | Err(Error::StaleToken(_)) => {}
            Err(Error::NotFound { .. }) if begun => {
                let reason = format!("its parent {parent} was deleted");
                let command = Command::Cancel { reason };
                self.parts.peers.send(ChildMessage::Stop { child, command });
            }
            Err(error) => {
                tracing::warn!(%error, %parent, %child, "a parent could not be told of its child");
            }
        }
    }

    fn ask_again(&mut self, parent: Uuid, step: &str, child: Uuid) {
        let Some(live) = self.live.get(&parent) else {
            return;
        };
        let execution = &live.execution;
        let Some(run) = execution.awaiting(step, child) else {
            return;
        };
        if let Some(start) = execution.child_start(run) {
            let namespace = execution.namespace.clone();
            self.send(again(namespace, start));
        }
    }

    /// Has what an open execution was in the middle of with its parent and children taken up
    /// again. Said at once: what it follows from is durable.
    pub(super) fn resume_children(&self, execution: &Execution) {
        let runs = execution.runs_with_child().into_iter();
        for start in runs.filter_map(|run| execution.child_start(run)) {
            let message = again(execution.namespace.clone(), start);
            self.parts.peers.send(message);
        }
        let awaited = execution.parent.as_ref().is_some_and(|p| !p.detached);
        if let Some(report) = execution.report_to_parent().filter(|_| awaited) {
            self.parts.peers.send(ChildMessage::Report(report));
        }
    }

    /// Sends something once all that was decided before is durable.
    fn send(&mut self, message: ChildMessage) {
        self.releases.push(Release::Child(Box::new(message)));
    }
}

/// Asks for a child that was asked for before.
fn again(namespace: String, start: ChildStart) -> ChildMessage {
    ChildMessage::Start {
        namespace,
        start: ChildStart {
            again: true,
            ..start
        },
    }
}
