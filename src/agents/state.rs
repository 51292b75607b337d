//! The plain data behind the room's one lock: the tables, their ids, and what a change leaves
//! to be done once the lock is free. Its methods are in the files of what they are about.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{sync::oneshot, time::Instant};

use super::{
    Refusal, TaskKey, TaskSink, Token,
    effect::Effect,
    ending::Withdrawn,
    queue::{SkillKey, SkillQueue},
    registry::AgentSlot,
    report::Report,
    seat::{Outgoing, Seat},
    task::Task,
    ticket::Tickets,
    watch::Watcher,
    worker::Worker,
};
use crate::{
    core::{limits::Limits, time::Time},
    proto::result_ack::Ack,
};

/// A table by keys that are the server's own: they need no protection from whoever chooses keys
/// that collide, and are looked up some thirty times for each task.
pub(super) type Table<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// An agent known by name; not used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct AgentId(u64);

/// A queue of tasks for a skill; not used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SkillId(u64);

/// A worker known by name; not used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct WorkerId(u64);

/// A place where a worker takes tasks: a stream or one waiting poll; not used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SeatId(u64);

/// Everything this room knows.
pub(super) struct State {
    pub bounds: Bounds,
    counter: u64,
    pub spaces: HashMap<Arc<str>, Space>,
    pub agents: Table<AgentId, AgentSlot>,
    pub skills: Table<SkillId, SkillQueue>,
    pub workers: Table<WorkerId, Worker>,
    pub seats: Table<SeatId, Seat>,
    pub tasks: Table<TaskKey, Task>,
    /// Queued attempts that are not among `tasks`.
    pub tickets: Tickets,
    /// When offers and leases run out. A lease whose result is on its way has no entry.
    pub due: BTreeSet<(Instant, TaskKey)>,
    pub withdrawn: Withdrawn,
    /// When circuits that are open are tried again.
    pub reopen: BTreeSet<(Instant, AgentId)>,
    /// When agents without a worker are no longer waited for, by what is sticky to them.
    pub parting: BTreeSet<(Instant, AgentId)>,
    /// Agents to which keys may go from now on, or may no longer.
    pub unsettled: Vec<AgentId>,
    /// Results on their way to the engine.
    pub reports: Table<Token, Report>,
    /// Polls that wait until an acceptance is durable.
    pub awaited: HashMap<Token, oneshot::Sender<Result<(), Refusal>>>,
    /// Tasks to be sent when the change at hand is done.
    pub outgoing: BTreeMap<SeatId, Outgoing>,
    /// What the sink is still to be told, in order.
    pub effects: Vec<Effect>,
    /// True while someone tells the sink; whoever adds an effect then leaves it to them.
    pub flushing: bool,
    pub sink: Sink,
    /// Acks to be sent when the change at hand is done.
    pub acks: BTreeMap<SeatId, Vec<Ack>>,
    /// Seats found broken during the change at hand.
    pub lost: Vec<SeatId>,
    /// How many watches of agents there are, in all namespaces.
    pub watches: usize,
    /// Until when the timer task sleeps; `None`: until it is woken.
    pub armed: Option<Instant>,
    /// True once shut down: nothing is handed out any more.
    pub closed: bool,
}

/// One namespace: names and what they stand for.
#[derive(Default)]
pub(super) struct Space {
    pub agents: BTreeMap<Arc<str>, AgentId>,
    pub workers: BTreeMap<Arc<str>, WorkerId>,
    /// Registered agents by skill, whatever their state.
    pub with_skill: HashMap<String, BTreeSet<AgentId>>,
    /// Queues for skills that are not empty.
    pub queues: HashMap<SkillKey, SkillId>,
    pub watchers: BTreeMap<u64, Watcher>,
}

/// Where facts go.
pub(super) enum Sink {
    /// Not set yet: facts are kept until it is.
    Unset,
    /// To the engine.
    Set(Arc<dyn TaskSink>),
    /// The engine has gone: facts are refused as `Unavailable`.
    Gone,
}

/// The bounds that matter here.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    pub payload_bytes_max: usize,
    pub message_bytes_max: usize,
    pub credits_max: u32,
    pub lease_timeout: Duration,
    pub accept_timeout: Duration,
}

/// What surrounds the inputs in the answer to a poll, in bytes: for its most tasks, with names
/// of the usual length.
const POLL_FRAME_BYTES: usize = 100 << 10;

impl Bounds {
    /// The most bytes of inputs a worker may have before it accepts some, and of results
    /// before they are durable: a message full. The last one may go beyond it.
    pub fn bytes_under_way_max(&self) -> usize {
        self.message_bytes_max
    }

    /// The most bytes of inputs in the answer to a poll before its last task: with that one,
    /// it must still fit into a message.
    pub fn polled_bytes_max(&self) -> usize {
        let last = self.payload_bytes_max + POLL_FRAME_BYTES;
        self.message_bytes_max.saturating_sub(last)
    }
}

impl From<&Limits> for Bounds {
    fn from(limits: &Limits) -> Self {
        Self {
            payload_bytes_max: limits.payload_bytes_max,
            message_bytes_max: limits.message_bytes_max,
            credits_max: limits.worker_credits_max,
            lease_timeout: limits.lease_timeout,
            accept_timeout: limits.accept_timeout,
        }
    }
}

impl State {
    pub fn new(limits: &Limits) -> Self {
        Self {
            bounds: limits.into(),
            counter: 0,
            spaces: HashMap::new(),
            agents: Table::default(),
            skills: Table::default(),
            workers: Table::default(),
            seats: Table::default(),
            tasks: Table::default(),
            tickets: Tickets::default(),
            due: BTreeSet::new(),
            withdrawn: Withdrawn::default(),
            reopen: BTreeSet::new(),
            parting: BTreeSet::new(),
            unsettled: Vec::new(),
            reports: Table::default(),
            awaited: HashMap::new(),
            outgoing: BTreeMap::new(),
            effects: Vec::new(),
            flushing: false,
            sink: Sink::Unset,
            acks: BTreeMap::new(),
            lost: Vec::new(),
            watches: 0,
            armed: None,
            closed: false,
        }
    }

    /// The next of an endless row of numbers: ids, places in queues, turns.
    pub fn tick(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub fn agent_id(&mut self) -> AgentId {
        AgentId(self.tick())
    }

    pub fn skill_id(&mut self) -> SkillId {
        SkillId(self.tick())
    }

    pub fn worker_id(&mut self) -> WorkerId {
        WorkerId(self.tick())
    }

    pub fn seat_id(&mut self) -> SeatId {
        SeatId(self.tick())
    }

    /// The namespace's own copy of its name, with the namespace there from now on.
    pub fn space(&mut self, name: &str) -> Arc<str> {
        if let Some((name, _)) = self.spaces.get_key_value(name) {
            return name.clone();
        }
        let name: Arc<str> = name.into();
        self.spaces.insert(name.clone(), Space::default());
        name
    }

    /// Forgets a namespace in which nothing is left.
    pub fn prune_space(&mut self, name: &str) {
        let empty = |s: &Space| {
            s.agents.is_empty()
                && s.workers.is_empty()
                && s.queues.is_empty()
                && s.watchers.is_empty()
        };
        if self.spaces.get(name).is_some_and(empty) {
            self.spaces.remove(name);
        }
    }

    /// When the timer task is needed next.
    pub fn next_due(&self) -> Option<Instant> {
        let lease = self.due.first().map(|(at, _)| *at);
        let circuit = self.reopen.first().map(|(at, _)| *at);
        let parting = self.parting.first().map(|(at, _)| *at);
        [lease, circuit, parting, self.withdrawn.next_due()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Ends a change: sends the tasks and acks it gave and takes the seats away that it found
    /// broken.
    pub fn settle(&mut self, now: Instant) {
        loop {
            self.settle_reach(now);
            self.send_tasks();
            self.send_acks();
            let Some(seat) = self.lost.pop() else {
                return;
            };
            self.leave(seat, now);
        }
    }
}

/// The time of day.
pub(super) fn wall_clock() -> Time {
    let span = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Time::default().after(span)
}
