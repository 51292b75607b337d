//! The workers: those connected, those that wait for tasks, and those that are gone and still
//! hold leases.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::Bound,
    sync::Arc,
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};

use super::{
    TaskKey, Token,
    seat::{Port, Seat},
    state::{AgentId, SeatId, State, WorkerId, wall_clock},
    task::Phase,
};
use crate::{
    core::time::{self, Time},
    proto::{self, Drain, GoAway, work_response::Message},
};

/// A worker by name.
pub(super) struct Worker {
    pub space: Arc<str>,
    pub id: Arc<str>,
    /// Where it takes tasks from its stream.
    pub stream: Option<SeatId>,
    /// Where its polls wait.
    pub polls: BTreeSet<SeatId>,
    /// Tasks it has accepted.
    pub leases: BTreeSet<TaskKey>,
    /// Ids of the agents it served last.
    pub agents: BTreeSet<Arc<str>>,
    /// When it connected last.
    pub connect_time: Option<Time>,
}

/// What a worker says of itself when it connects; valid.
pub(super) struct Arrival {
    pub namespace: String,
    pub worker: String,
    pub agents: Vec<String>,
    /// 0: no limit of its own.
    pub max_tasks: u32,
    /// Texts of the tokens it says it holds.
    pub held: Vec<String>,
}

/// A worker's new stream.
pub(super) struct Joined {
    pub seat: SeatId,
    pub space: Arc<str>,
    pub worker: Arc<str>,
    pub messages: mpsc::Receiver<Message>,
    pub adopted: Vec<String>,
    pub lost: Vec<String>,
}

/// Room for messages besides those that a worker's credits bound.
const MESSAGES_SLACK: usize = 1_024;
/// How long a worker waits before it connects to a server that shuts down.
const RETURN_AFTER: Duration = Duration::from_secs(1);

impl State {
    /// Connects a worker, in place of its earlier stream if there still is one. It keeps the
    /// tasks that it names and that are its own; those it does not name have failed.
    pub fn join(&mut self, arrival: Arrival, now: Instant) -> Joined {
        let space = self.space(&arrival.namespace);
        let freed = match self.stream_named(&space, &arrival.worker) {
            None => Vec::new(),
            Some(old) => {
                self.send(old, go_away("the worker has connected anew", None));
                self.detach(old)
            }
        };
        let worker = self.worker(&space, &arrival.worker);
        // A credit is good for a task, its Cancel and the ack of its result.
        let room = usize::try_from(self.bounds.credits_max).unwrap_or(usize::MAX);
        let room = room.saturating_mul(3).saturating_add(MESSAGES_SLACK);
        let (sender, messages) = mpsc::channel(room.min(tokio::sync::Semaphore::MAX_PERMITS));
        let mut seat = Seat::new(worker, Port::Stream(sender));
        seat.max_tasks = arrival.max_tasks;
        let seat = self.sit(seat, &space, &arrival.agents);
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.stream = Some(seat);
            worker.connect_time = Some(wall_clock());
        }
        let (adopted, lost) = self.readopt(worker, seat, arrival.held, now);
        self.rematch(freed, now);
        Joined {
            seat,
            space,
            worker: arrival.worker.into(),
            messages,
            adopted,
            lost,
        }
    }

    /// Seats a poll that takes up to `most` tasks.
    pub fn join_poll(
        &mut self,
        namespace: &str,
        worker: &str,
        agents: &[String],
        most: u32,
        now: Instant,
    ) -> (SeatId, Arc<tokio::sync::Notify>) {
        let space = self.space(namespace);
        let id = self.worker(&space, worker);
        let notify = Arc::new(tokio::sync::Notify::new());
        let mut seat = Seat::new(id, Port::Poll(notify.clone()));
        seat.credits = most;
        let seat = self.sit(seat, &space, agents);
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.polls.insert(seat);
        }
        self.refreshed(seat, now);
        (seat, notify)
    }

    /// Ends all streams, polls and watches; nothing is handed out any more.
    pub fn close(&mut self, reason: &str, now: Instant) {
        self.closed = true;
        let mut seats: Vec<_> = self.seats.keys().copied().collect();
        seats.sort_unstable();
        for seat in seats {
            self.send(seat, go_away(reason, Some(RETURN_AFTER)));
            if let Some(Port::Poll(notify)) = self.seats.get(&seat).map(|s| &s.port) {
                notify.notify_one();
            }
            self.leave(seat, now);
        }
        self.wake_watches();
    }

    /// Tells a worker to finish what it has. False when it is not connected.
    pub fn drain(&mut self, namespace: &str, worker: &str) -> bool {
        let Some(seat) = self.stream_named(namespace, worker) else {
            return false;
        };
        self.stop(seat);
        self.send(seat, Message::Drain(Drain {}));
        true
    }

    /// Workers by id, after one, that serve the agent (empty: any).
    pub fn list_workers(
        &self,
        namespace: &str,
        agent: &str,
        after: &str,
        limit: usize,
    ) -> Vec<proto::Worker> {
        let empty = BTreeMap::new();
        let workers = self.spaces.get(namespace).map_or(&empty, |s| &s.workers);
        workers
            .range::<str, _>((Bound::Excluded(after), Bound::Unbounded))
            .filter_map(|(_, id)| self.workers.get(id))
            .filter(|w| agent.is_empty() || w.agents.contains(agent))
            .take(limit)
            .map(|w| self.view(w))
            .collect()
    }

    /// The record of a worker, there from now on; prune it when it turns out to be empty.
    pub fn worker(&mut self, space: &Arc<str>, name: &str) -> WorkerId {
        let known = self.spaces.get(space).and_then(|s| s.workers.get(name));
        if let Some(id) = known {
            return *id;
        }
        let (id, name): (_, Arc<str>) = (self.worker_id(), name.into());
        let workers = &mut self.spaces.entry(space.clone()).or_default().workers;
        workers.insert(name.clone(), id);
        let worker = Worker {
            space: space.clone(),
            id: name,
            stream: None,
            polls: BTreeSet::new(),
            leases: BTreeSet::new(),
            agents: BTreeSet::new(),
            connect_time: None,
        };
        self.workers.insert(id, worker);
        id
    }

    /// The seat of a worker's stream.
    pub fn stream_of(&self, worker: WorkerId) -> Option<SeatId> {
        self.workers.get(&worker)?.stream
    }

    /// The seat of the stream of a worker with this name.
    pub fn stream_named(&self, namespace: &str, worker: &str) -> Option<SeatId> {
        let worker = self.spaces.get(namespace)?.workers.get(worker)?;
        self.stream_of(*worker)
    }

    /// The name of a worker; empty when it is not known.
    pub fn worker_name(&self, worker: WorkerId) -> String {
        self.workers.get(&worker).map_or("", |w| &w.id).to_owned()
    }

    /// Forgets a worker that is gone and holds nothing.
    pub fn prune_worker(&mut self, id: WorkerId) {
        let unused = |w: &Worker| w.stream.is_none() && w.polls.is_empty() && w.leases.is_empty();
        if !self.workers.get(&id).is_some_and(unused) {
            return;
        }
        if let Some(worker) = self.workers.remove(&id) {
            if let Some(space) = self.spaces.get_mut(&worker.space) {
                space.workers.remove(&worker.id);
            }
            self.prune_space(&worker.space);
        }
    }

    /// Gives a worker that has come back what is its own: the tokens that are, and those that
    /// are not. What it holds and does not name, it does not work on.
    fn readopt(
        &mut self,
        worker: WorkerId,
        seat: SeatId,
        held: Vec<String>,
        now: Instant,
    ) -> (Vec<String>, Vec<String>) {
        let agents = self.seats.get(&seat).map(|s| s.agents.clone());
        let agents = agents.unwrap_or_default();
        let mut named = HashSet::new();
        let (adopted, lost) = held.into_iter().partition(|text| {
            let own = text
                .parse()
                .ok()
                .filter(|t| self.keeps(*t, worker, &agents, now));
            named.extend(own);
            own.is_some()
        });
        let leases = self.workers.get(&worker).map(|w| w.leases.clone());
        for key in leases.into_iter().flatten() {
            if let Some(Phase::Leased {
                lease,
                polled: false,
                ..
            }) = self.phase(key)
            {
                let token = Token { key, lease };
                if !named.contains(&token) && !self.reports.contains_key(&token) {
                    self.give_up(key, "came back without the task of lease");
                }
            }
        }
        (adopted, lost)
    }

    /// True when a worker that says it holds a token goes on with its task.
    fn keeps(&mut self, token: Token, worker: WorkerId, agents: &[AgentId], now: Instant) -> bool {
        if let Some(report) = self.reports.get(&token) {
            return report.by_worker;
        }
        match self.phase(token.key) {
            Some(Phase::Leased {
                worker: holder,
                lease,
                ..
            }) => holder == worker && lease == token.lease && self.renew(token, now),
            Some(Phase::Queued(_)) => self.adopt(token, worker, agents, now),
            Some(Phase::Offered { .. }) | None => false,
        }
    }

    fn view(&self, worker: &Worker) -> proto::Worker {
        let seat = worker.stream.and_then(|s| self.seats.get(&s));
        proto::Worker {
            worker_id: worker.id.to_string(),
            agents: worker.agents.iter().map(ToString::to_string).collect(),
            connected: seat.is_some(),
            draining: seat.is_some_and(|s| s.draining),
            credits: seat.map_or(0, |s| s.credits),
            running_tasks: u32::try_from(worker.leases.len()).unwrap_or(u32::MAX),
            connect_time: worker.connect_time.map(Into::into),
        }
    }
}

fn go_away(reason: &str, retry_after: Option<Duration>) -> Message {
    Message::GoAway(GoAway {
        reason: reason.to_owned(),
        retry_after: retry_after.map(time::message),
    })
}
