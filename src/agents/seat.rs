//! Seats: where a worker takes tasks, by a stream or by one waiting poll. What room each has,
//! and what is sent to it.

use std::{collections::BTreeSet, sync::Arc};

use prost::Message as _;
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

use super::{
    TaskKey,
    queue::Source,
    state::{AgentId, Bounds, SeatId, State, WorkerId},
};
use crate::proto::{self, Cancel, ResultAck, work_response::Message};

/// The most tasks of one message down.
const TASKS_PER_MESSAGE_MAX: usize = 128;
/// The size of a message down of several tasks, in bytes, where messages may be that large.
const TASKS_BYTES_MAX: usize = 64 << 10;
/// What surrounds a task in a message, in bytes.
const ENVELOPE_BYTES: usize = 16;

/// A place where a worker takes tasks.
pub(super) struct Seat {
    pub worker: WorkerId,
    /// The agents it serves, in turn.
    pub agents: Arc<[AgentId]>,
    /// Whose turn it is, an index into `agents`.
    pub cursor: usize,
    /// How many more tasks it takes.
    pub credits: u32,
    /// How many tasks its worker does at once; 0: any number.
    pub max_tasks: u32,
    /// Tasks it was handed and has not accepted.
    pub offered: BTreeSet<TaskKey>,
    /// The size of their inputs.
    pub offered_bytes: usize,
    /// When it was served last, in ticks.
    pub turn: u64,
    /// True once its worker takes no more.
    pub draining: bool,
    /// True from when it let an offer pass until it is heard of again.
    pub silent: bool,
    /// True once it cannot be reached.
    pub lost: bool,
    /// True while it stands among its agents' ready seats.
    pub ready: bool,
    pub port: Port,
}

/// How a seat is reached.
pub(super) enum Port {
    Stream(mpsc::Sender<Message>),
    Poll(Arc<Notify>),
}

/// Tasks that are to go down a stream in one message.
#[derive(Default)]
pub(super) struct Outgoing {
    tasks: Vec<proto::Task>,
    bytes: usize,
}

/// A queue and an agent to look at again.
pub(super) type Freed = (Source, AgentId);

impl Outgoing {
    fn has_room(&self, bytes: usize, bytes_max: usize) -> bool {
        self.tasks.len() < TASKS_PER_MESSAGE_MAX && self.bytes + bytes <= bytes_max
    }

    fn message(self) -> Message {
        Message::Tasks(proto::Tasks { tasks: self.tasks })
    }
}

impl Seat {
    /// A seat without agents and credits.
    pub fn new(worker: WorkerId, port: Port) -> Self {
        Self {
            worker,
            agents: Arc::default(),
            cursor: 0,
            credits: 0,
            max_tasks: 0,
            offered: BTreeSet::new(),
            offered_bytes: 0,
            turn: 0,
            draining: false,
            silent: false,
            lost: false,
            ready: false,
            port,
        }
    }

    fn bytes_max(&self, bounds: &Bounds) -> usize {
        match self.port {
            Port::Stream(_) => bounds.bytes_under_way_max(),
            Port::Poll(_) => bounds.polled_bytes_max(),
        }
    }

    fn has_room(&self, leases: usize, bounds: &Bounds) -> bool {
        let tasks = u32::try_from(self.offered.len() + leases).unwrap_or(u32::MAX);
        self.credits > 0
            && (self.max_tasks == 0 || tasks < self.max_tasks)
            && (self.offered.is_empty() || self.offered_bytes < self.bytes_max(bounds))
            && !(self.draining || self.silent || self.lost)
    }
}

impl State {
    /// Puts a seat before its agents.
    pub fn sit(&mut self, mut seat: Seat, space: &Arc<str>, agents: &[String]) -> SeatId {
        let id = self.seat_id();
        let ids: Vec<_> = agents.iter().map(|a| self.slot(space, a)).collect();
        let mut seen = BTreeSet::new();
        seat.agents = ids.into_iter().filter(|id| seen.insert(*id)).collect();
        for agent in &*seat.agents {
            if let Some(slot) = self.agents.get_mut(agent) {
                slot.seats += 1;
            }
            self.touch(*agent);
        }
        self.seat_heard(&seat.agents, true);
        if let Some(worker) = self.workers.get_mut(&seat.worker) {
            worker.agents = agents.iter().map(|a| a.as_str().into()).collect();
        }
        self.seats.insert(id, seat);
        id
    }

    /// Takes a seat away; what it had not accepted goes to others.
    pub fn leave(&mut self, id: SeatId, now: Instant) {
        let freed = self.detach(id);
        self.rematch(freed, now);
    }

    /// Takes a seat away and puts what it had not accepted back, for `rematch`.
    pub fn detach(&mut self, id: SeatId) -> Vec<Freed> {
        let Some(seat) = self.seats.get_mut(&id) else {
            return Vec::new();
        };
        seat.lost = true;
        let offered = std::mem::take(&mut seat.offered);
        self.refresh(id);
        let freed = offered.into_iter().filter_map(|key| self.put_back(key));
        let freed = freed.collect();
        let Some(seat) = self.seats.remove(&id) else {
            return freed;
        };
        if !seat.silent {
            self.seat_heard(&seat.agents, false);
        }
        for agent in &*seat.agents {
            if let Some(slot) = self.agents.get_mut(agent) {
                slot.seats -= 1;
            }
            self.touch(*agent);
            self.prune_slot(*agent);
        }
        if let Some(worker) = self.workers.get_mut(&seat.worker) {
            worker.polls.remove(&id);
            worker.stream = worker.stream.filter(|stream| *stream != id);
        }
        self.prune_worker(seat.worker);
        freed
    }

    /// Hands out what was put back, and what the agents it was offered to can now take.
    pub fn rematch(&mut self, freed: Vec<Freed>, now: Instant) {
        for (source, agent) in freed {
            self.match_source(source, now);
            self.match_agent(agent, now);
            self.prune_slot(agent);
        }
    }

    /// Notes that a seat was handed a task.
    pub fn served(&mut self, id: SeatId, turn: u64, key: TaskKey, bytes: usize) {
        self.unready(id);
        let Some(seat) = self.seats.get_mut(&id) else {
            return;
        };
        seat.credits -= 1;
        seat.offered.insert(key);
        seat.offered_bytes += bytes;
        seat.turn = turn;
        self.refresh(id);
    }

    /// What a seat was handed and has not accepted, in the order of the queue.
    pub fn offered_to(&self, id: SeatId) -> Vec<TaskKey> {
        let offered = self.seats.get(&id).map(|s| &s.offered);
        let mut keys: Vec<_> = offered.into_iter().flatten().copied().collect();
        keys.sort_by_key(|key| self.tasks.get(key).map(|t| t.place));
        keys
    }

    /// Looks whether a seat has room, and hands it what it can take.
    pub fn refreshed(&mut self, id: SeatId, now: Instant) {
        self.refresh(id);
        self.match_seat(id, now);
    }

    /// A worker takes this many more tasks.
    pub fn credit(&mut self, id: SeatId, tasks: u32, now: Instant) {
        let most = self.bounds.credits_max;
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.credits = seat.credits.saturating_add(tasks).min(most);
        }
        self.refreshed(id, now);
    }

    /// A worker has said something: it is there.
    pub fn hear(&mut self, id: SeatId, now: Instant) {
        if let Some(seat) = self.seats.get_mut(&id).filter(|s| s.silent) {
            seat.silent = false;
            let agents = seat.agents.clone();
            self.seat_heard(&agents, true);
            self.refreshed(id, now);
        }
    }

    /// A worker let an offer pass: it gets no more until it is heard of again.
    pub fn silence(&mut self, id: SeatId) {
        if let Some(seat) = self.seats.get_mut(&id).filter(|s| !s.silent) {
            seat.silent = true;
            let agents = seat.agents.clone();
            self.seat_heard(&agents, false);
        }
    }

    /// A seat takes no more tasks.
    pub fn stop(&mut self, id: SeatId) {
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.draining = true;
        }
        self.refresh(id);
    }

    /// Tells a worker that a task is no longer wanted.
    pub fn cancel(&mut self, seat: SeatId, token: impl ToString, reason: &str) {
        let cancel = Cancel {
            tokens: vec![token.to_string()],
            reason: reason.to_owned(),
        };
        self.send(seat, Message::Cancel(cancel));
    }

    /// Sends a message down a stream, after the tasks that are to be sent there. A worker that
    /// does not read loses its stream.
    pub fn send(&mut self, id: SeatId, message: Message) {
        self.send_tasks_of(id);
        self.send_now(id, message);
    }

    fn send_now(&mut self, id: SeatId, message: Message) {
        let Some(Port::Stream(sender)) = self.seats.get(&id).map(|s| &s.port) else {
            return;
        };
        if sender.try_send(message).is_err() {
            self.lose(id);
        }
    }

    /// Takes a task up among those that are sent to a seat at the end of the change.
    pub fn send_task(&mut self, id: SeatId, task: proto::Task) {
        let bytes = task.encoded_len() + ENVELOPE_BYTES;
        let bytes_max = self.bounds.message_bytes_max.min(TASKS_BYTES_MAX);
        let outgoing = self.outgoing.get(&id);
        if outgoing.is_some_and(|o| !o.has_room(bytes, bytes_max)) {
            self.send_tasks_of(id);
        }
        let outgoing = self.outgoing.entry(id).or_default();
        outgoing.tasks.push(task);
        outgoing.bytes += bytes;
    }

    fn send_tasks_of(&mut self, id: SeatId) {
        if let Some(outgoing) = self.outgoing.remove(&id) {
            self.send_now(id, outgoing.message());
        }
    }

    /// Sends the tasks that have come together.
    pub fn send_tasks(&mut self) {
        while let Some((seat, outgoing)) = self.outgoing.pop_first() {
            self.send_now(seat, outgoing.message());
        }
    }

    /// Sends the acks that have come together.
    pub fn send_acks(&mut self) {
        while let Some((seat, acks)) = self.acks.pop_first() {
            self.send(seat, Message::ResultAck(ResultAck { acks }));
        }
    }

    /// Marks a seat that cannot be reached; it is taken away at the end of the change.
    pub fn lose(&mut self, id: SeatId) {
        if let Some(seat) = self.seats.get_mut(&id).filter(|s| !s.lost) {
            seat.lost = true;
            self.lost.push(id);
            self.refresh(id);
        }
    }

    fn refresh(&mut self, id: SeatId) {
        let Some(seat) = self.seats.get(&id) else {
            return;
        };
        let worker = self.workers.get(&seat.worker);
        let leases = worker.map_or(0, |w| w.leases.len());
        if !seat.has_room(leases, &self.bounds) {
            self.unready(id);
            return;
        }
        let Some(seat) = self.seats.get_mut(&id).filter(|s| !s.ready) else {
            return;
        };
        seat.ready = true;
        for agent in &*seat.agents {
            if let Some(slot) = self.agents.get_mut(agent) {
                slot.ready.insert((seat.turn, id));
            }
        }
    }

    fn unready(&mut self, id: SeatId) {
        let Some(seat) = self.seats.get_mut(&id).filter(|s| s.ready) else {
            return;
        };
        seat.ready = false;
        for agent in &*seat.agents {
            if let Some(slot) = self.agents.get_mut(agent) {
                slot.ready.remove(&(seat.turn, id));
            }
        }
    }
}
