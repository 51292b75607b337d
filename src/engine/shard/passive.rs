//! Executions that only wait leave memory, and come back when something happens to them. What
//! stays of one is its due time here, its places in the queues with the agents, and in the
//! store where it stands.
//!
//! One leaves when nothing has happened to it for a while, or sooner when too many are in
//! memory, the least recently touched first. Where it stands is written first; only when that
//! group is durable, and nothing has happened since, is it gone.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use uuid::Uuid;

use super::{Message, Shard, load::Loaded};
use crate::{
    agents::{Order, Ticket},
    core::{
        execution::{Execution, Standing, summary},
        time::Time,
    },
    engine::{
        clock,
        release::{Release, ticket},
    },
    proto,
    store::Write,
};

/// How long nothing has happened to an execution that leaves memory.
const IDLE: Duration = Duration::from_secs(1);
/// How much longer that is for each of its events: folding them again then takes a small share
/// of the time.
const IDLE_PER_EVENT: Duration = Duration::from_micros(500);
/// How often those that are in memory are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The most that are looked at in one go.
const LOOKED_AT_MAX: usize = 1024;

/// What a shard knows beside the executions in memory.
pub(super) struct Passive {
    /// The most executions in memory that only wait.
    resident_max: usize,
    /// Executions in memory with the time from which they are looked at, each once at most;
    /// those touched longest ago come first, about.
    idle: VecDeque<(Uuid, Time)>,
    /// How many are about to leave.
    leaving: usize,
    /// When to look again.
    look: Option<Instant>,
    /// Until when nobody is looked at, however many there are: none of them only waits.
    barren: Option<Instant>,
    /// Who waits for the end of executions that are not in memory.
    ends: HashMap<Uuid, Vec<oneshot::Sender<Option<proto::Execution>>>>,
    /// Executions on their way into memory.
    pub loading: HashMap<Uuid, Loading>,
    /// Those of them that nobody loads yet.
    pub wanted: VecDeque<Uuid>,
    /// One that was loaded and turned out to have ended, while what is asked of it is answered.
    pub ended: Option<Box<Execution>>,
    /// How many jobs load.
    pub jobs: usize,
    pub loaded: mpsc::UnboundedSender<Vec<Loaded>>,
    /// Until everything that was open at the start has been taken up.
    pub taking_up: Option<TakingUp>,
}

/// An execution on its way into memory.
#[derive(Default)]
pub(super) struct Loading {
    /// True when it was not taken up since the start.
    pub first: bool,
    /// What was asked of it meanwhile, in order.
    pub waiting: Vec<Message>,
}

/// How far what was open at the start is taken up.
#[derive(Default)]
pub(super) struct TakingUp {
    /// Up to this one.
    pub to: Option<Uuid>,
    /// Executions started or loaded since: they need no taking up.
    pub met: HashSet<Uuid>,
}

/// An execution that is about to leave.
pub struct Leaving {
    id: Uuid,
    /// When it was touched last.
    touched: Time,
    tickets: Vec<Ticket>,
}

impl Passive {
    pub fn new(resident_max: usize, loaded: mpsc::UnboundedSender<Vec<Loaded>>) -> Self {
        Self {
            resident_max: resident_max.max(1),
            idle: VecDeque::new(),
            leaving: 0,
            look: None,
            barren: None,
            ends: HashMap::new(),
            loading: HashMap::new(),
            wanted: VecDeque::new(),
            ended: None,
            jobs: 0,
            loaded,
            taking_up: Some(TakingUp::default()),
        }
    }

    /// When those in memory are to be looked at again.
    pub fn look(&self) -> Option<Instant> {
        self.look
    }

    /// Notes an execution that came into memory.
    pub fn came(&mut self, id: Uuid, now: Time) {
        self.idle.push_back((id, now));
        self.look.get_or_insert_with(|| Instant::now() + LOOK_EVERY);
    }

    /// Who waits for the end of an execution that came back.
    pub fn ends_of(&mut self, id: Uuid) -> Vec<oneshot::Sender<Option<proto::Execution>>> {
        self.ends.remove(&id).unwrap_or_default()
    }
}

impl Shard {
    /// Lets executions leave that only wait: when it is time to look, or when there are too
    /// many of them.
    pub(super) fn let_leave(&mut self) {
        let time = self.passive.look.is_some_and(|look| look <= Instant::now());
        if !time && !self.is_crowded() {
            return;
        }
        let (now, before) = (clock::now(), self.passive.leaving);
        for _ in 0..LOOKED_AT_MAX.min(self.passive.idle.len()) {
            let crowded = self.is_crowded();
            let Some((id, since)) = self.passive.idle.pop_front() else {
                break;
            };
            let Some(live) = self.live.get(&id) else {
                continue;
            };
            if live.touched > since {
                self.passive.idle.push_back((id, live.touched));
            } else if !crowded && now.since(since) < IDLE {
                self.passive.idle.push_front((id, since));
                break;
            } else if !crowded && now.since(since) < idle_of(&live.execution) {
                self.passive.idle.push_back((id, since));
            } else if live.due.is_some_and(|due| due <= now) {
                self.passive.idle.push_back((id, now));
            } else if let Some(standing) = live.execution.standing(&self.parts.limits) {
                self.leave(id, standing);
            } else {
                self.passive.idle.push_back((id, now));
            }
        }
        let (more, again) = (!self.passive.idle.is_empty(), Instant::now() + LOOK_EVERY);
        self.passive.look = more.then_some(again);
        self.passive.barren = (self.passive.leaving == before).then_some(again);
    }

    fn is_crowded(&self) -> bool {
        let passive = &self.passive;
        self.live.len().saturating_sub(passive.leaving) > passive.resident_max
            && !passive.idle.is_empty()
            && passive.barren.is_none_or(|until| until <= Instant::now())
    }

    /// Writes where an execution stands, so that it can leave once that is durable.
    fn leave(&mut self, id: Uuid, standing: Standing) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let execution = &live.execution;
        let tickets = standing.queued.iter().cloned();
        let tickets = tickets.map(|queued| ticket(id, &standing.namespace, queued));
        let leaving = Leaving {
            id,
            touched: live.touched,
            tickets: tickets.collect(),
        };
        if standing.is_kept() {
            let outdated = live.summarised != execution.sequence;
            self.filling.push(Write::Stand {
                id,
                sequence: execution.sequence,
                standing,
                summary: outdated.then(|| Box::new(summary(execution))),
            });
        }
        self.passive.leaving += 1;
        self.releases.push(Release::Left(leaving));
    }

    /// Where it stands is durable: it leaves, unless something has happened since. Gives what
    /// the agents are told; nothing asks them of it before they are.
    pub(super) fn left(&mut self, leaving: Leaving) -> impl Iterator<Item = Order> + use<> {
        let id = leaving.id;
        self.passive.leaving -= 1;
        let tickets = match self.live.get(&id).map(|live| live.touched) {
            Some(touched) if touched == leaving.touched => leaving.tickets,
            Some(touched) => {
                self.passive.came(id, touched);
                return Vec::new().into_iter().map(Order::Wait);
            }
            None => Vec::new(),
        };
        // Its due time stays among the timers.
        if let Some(live) = self.live.remove(&id) {
            let mut ends = live.ends;
            ends.retain(|end| !end.is_closed());
            if !ends.is_empty() {
                self.passive.ends.insert(id, ends);
            }
        }
        tickets.into_iter().map(Order::Wait)
    }
}

/// How long nothing must have happened to an execution for it to leave by itself.
fn idle_of(execution: &Execution) -> Duration {
    let events = u32::try_from(execution.sequence).unwrap_or(u32::MAX);
    IDLE.saturating_add(IDLE_PER_EVENT.saturating_mul(events))
}
