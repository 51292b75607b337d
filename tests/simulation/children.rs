//! Child executions as the world has them: durable, telling their parent how far they are,
//! losing in a crash what they were about to say.

use std::collections::BTreeMap;

use tutti::{
    core::{
        decide::{ChildEnding, ChildReport, ChildStart, Command, Effect},
        execution::{ChildRun, Error, ExecutionState},
        value,
    },
    proto::Workflow,
};
use uuid::Uuid;

use crate::rng::Rng;

/// The children that were ever asked for.
#[derive(Debug, Default)]
pub struct Children {
    all: BTreeMap<Uuid, Child>,
}

#[derive(Debug)]
struct Child {
    start: ChildStart,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Standing {
    /// The wish is on its way.
    Asked,
    Open,
    Ended(ExecutionState),
}

impl Children {
    /// Takes up what the execution wants of its children; what they answer.
    pub fn take(&mut self, effect: Effect) -> Option<Command> {
        match effect {
            Effect::StartChild(start) => {
                let child = self.all.entry(start.id).or_insert(Child {
                    start: *start,
                    standing: Standing::Asked,
                });
                (child.standing != Standing::Asked).then(|| child.report())
            }
            Effect::StopChild { child, .. } => {
                let child = self.all.get_mut(&child)?;
                let was_open = child.standing == Standing::Open;
                if !matches!(child.standing, Standing::Ended(_)) {
                    child.standing = Standing::Ended(ExecutionState::Cancelled);
                }
                was_open.then(|| child.report())
            }
            other => panic!("no effect for children: {other:?}"),
        }
    }

    /// One of those that are not done goes a step on; what it says. In calm all goes well.
    pub fn go_on(&mut self, rng: &mut Rng, calm: bool) -> Option<Command> {
        let open = self.all.values_mut().filter(|child| child.is_open());
        let mut open: Vec<&mut Child> = open.collect();
        if open.is_empty() {
            return None;
        }
        let place = rng.below(open.len());
        let child = &mut open[place];
        match child.standing {
            Standing::Asked if !calm && rng.chance(15) => {
                child.standing = Standing::Ended(ExecutionState::Failed);
                Some(child.says(ChildReport::Refused {
                    class: "not_found".into(),
                    message: "simulated".into(),
                }))
            }
            Standing::Asked => {
                child.standing = Standing::Open;
                Some(child.report())
            }
            _ => {
                use ExecutionState::{Cancelled, Completed, Failed, TimedOut};
                let ends = [Completed, Completed, Failed, Cancelled, TimedOut];
                let end = if calm { Completed } else { *rng.pick(&ends) };
                child.standing = Standing::Ended(end);
                Some(child.report())
            }
        }
    }

    /// The process died: a wish on its way is lost; who lives says again how far it is.
    pub fn crash(&mut self) -> Vec<Command> {
        self.all
            .retain(|_, child| child.standing != Standing::Asked);
        let open = self.all.values().filter(|child| child.is_open());
        open.map(Child::report).collect()
    }

    /// The children that nobody would end.
    pub fn left_open(&self) -> Vec<Uuid> {
        let open = self.all.iter().filter(|(_, child)| child.is_open());
        let awaited = open.filter(|(_, child)| !child.start.parent.detached);
        awaited.map(|(id, _)| *id).collect()
    }
}

impl Child {
    fn is_open(&self) -> bool {
        !matches!(self.standing, Standing::Ended(_))
    }

    fn report(&self) -> Command {
        let run = ChildRun {
            id: self.start.id,
            workflow: Workflow::default().name,
            version: 1,
        };
        self.says(match self.standing {
            Standing::Ended(state) if !self.start.parent.detached => {
                let failed = state != ExecutionState::Completed;
                ChildReport::Ended(Box::new(ChildEnding {
                    run,
                    state,
                    output: (!failed).then(|| value::number(1.0)),
                    error: failed.then(|| Error {
                        class: "own".into(),
                        message: "simulated".into(),
                        step: "inner".into(),
                    }),
                }))
            }
            _ => ChildReport::Started(run),
        })
    }

    fn says(&self, report: ChildReport) -> Command {
        Command::Child {
            step: self.start.parent.step.clone(),
            child: self.start.id,
            report,
        }
    }
}
