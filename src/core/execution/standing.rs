//! Where an execution stands while it only waits: as little as must be known of it to wake it
//! at the right moment, so that the rest of it can leave memory.

use super::{Execution, RunId, StepState};
use crate::core::{limits::Limits, plan::Target, time::Time};

/// The most attempts in queues with which a standing is kept in the store: an execution with
/// more is loaded whole when the server starts.
const QUEUED_MAX: usize = 64;

/// Where an execution stands that only waits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Its namespace.
    pub namespace: String,
    /// When it needs to be woken, if nothing else happens before.
    pub due: Option<Time>,
    /// Its attempts that wait for a worker, in the order in which they were scheduled.
    pub queued: Vec<Queued>,
    /// It waits for a child execution, or another execution waits for it: each is asked at
    /// start what it missed of the other.
    pub related: bool,
}

/// An attempt that waits for a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    /// The sequence of the event that scheduled it.
    pub task: u64,
    /// Who is to do it.
    pub target: Target,
    /// True when someone else is called if these take no tasks.
    pub has_next: bool,
    /// Which goes first: 1 first to 9 last.
    pub priority: u8,
    /// Tasks of different keys take turns.
    pub fairness_key: String,
    /// When it was scheduled.
    pub schedule_time: Time,
}

impl Standing {
    /// True when it says all that must be known of the execution at start. One in many queues
    /// is not kept: what is kept under one key stays small. One that is related to another is
    /// not kept either: it is loaded whole when the server starts.
    pub fn is_kept(&self) -> bool {
        self.queued.len() <= QUEUED_MAX && !self.related
    }
}

impl Execution {
    /// Where it stands; `None` while a worker holds one of its attempts, while it goes on by
    /// itself (one decision begins a bounded number of steps), and once it has ended. Looks at
    /// the attempts handed out alone, not at all steps.
    pub fn standing(&self, limits: &Limits) -> Option<Standing> {
        if self.is_ended() || self.could_begin(limits) {
            return None;
        }
        let mut queued = Vec::new();
        let mut related = self.parent.as_ref().is_some_and(|p| !p.detached);
        for run in self.tasks.values() {
            match self.run(*run).state {
                StepState::Waiting => queued.push(self.queued(*run)?),
                StepState::Running if self.run(*run).awaited().is_some() => {}
                StepState::Running if self.has_child(*run) => related = true,
                StepState::Running => return None,
                _ => {}
            }
        }
        queued.sort_unstable_by_key(|queued| queued.task);
        Some(Standing {
            namespace: self.namespace.clone(),
            due: self.next_due(),
            queued,
            related,
        })
    }

    fn queued(&self, id: RunId) -> Option<Queued> {
        let target = self.target(id)?;
        let run = self.run(id);
        Some(Queued {
            task: run.scheduled,
            target: target.clone(),
            has_next: self.has_fallback(id),
            priority: self.priority(id),
            fairness_key: self.fairness_key(id).to_owned(),
            schedule_time: run.schedule_time.unwrap_or(self.last_time),
        })
    }
}
