//! What holds of the room's data after every change.

use std::collections::{BTreeMap, BTreeSet};

use crate::agents::{
    Hub, TaskKey, Token,
    queue::{Source, Way},
    state::{AgentId, SeatId, State, WorkerId},
    sticky,
    task::Phase,
};

/// Panics when the tables of a room contradict each other, a limit is exceeded, or a task is
/// left in a queue that someone could take.
pub fn check(hub: &Hub) {
    hub.locked(|state, _| {
        let counted = Counted::new(state);
        counted.agents_agree(state);
        counted.seats_agree(state);
        counted.workers_agree(state);
        assert_eq!(counted.due, state.due, "what is due");
        nothing_is_left_over(state);
        what_is_sticky_is_at_home(state);
    });
}

fn what_is_sticky_is_at_home(state: &State) {
    let tasks = state.tasks.values().filter_map(|task| match task.phase {
        Phase::Queued(Source::Skill(queue)) => Some((queue, task.offer.target.sticky_key()?)),
        _ => None,
    });
    let tasks = tasks.map(|(queue, key)| (queue, sticky::hash(key)));
    let tickets = state
        .tickets
        .iter()
        .filter_map(|(key, stand)| match stand.source {
            Source::Skill(queue) => Some((queue, state.tickets.sticky(&key)?)),
            Source::Agent(_) => None,
        });
    for (queue, key) in tasks.chain(tickets) {
        let queue = &state.skills[&queue];
        let home = state.home(&queue.space, &queue.key, key);
        assert_eq!(queue.key.way, Way::Sticky(home), "a key is not at home");
    }
}

/// The tables as they follow from the tasks.
#[derive(Default)]
struct Counted {
    queued: BTreeMap<Source, BTreeSet<TaskKey>>,
    offered: BTreeMap<AgentId, u32>,
    leased: BTreeMap<AgentId, u32>,
    at_seat: BTreeMap<SeatId, BTreeSet<TaskKey>>,
    at_worker: BTreeMap<WorkerId, BTreeSet<TaskKey>>,
    due: BTreeSet<(tokio::time::Instant, TaskKey)>,
}

impl Counted {
    fn new(state: &State) -> Self {
        let mut counted = Self::default();
        for (key, place) in state.tickets.iter() {
            counted.queued.entry(place.source).or_default().insert(key);
        }
        for (&key, task) in &state.tasks {
            match task.phase {
                Phase::Queued(source) => {
                    counted.queued.entry(source).or_default().insert(key);
                }
                Phase::Offered {
                    seat, agent, until, ..
                } => {
                    *counted.offered.entry(agent).or_default() += 1;
                    counted.at_seat.entry(seat).or_default().insert(key);
                    counted.due.insert((until, key));
                }
                Phase::Leased {
                    worker,
                    agent,
                    lease,
                    until,
                    ..
                } => {
                    *counted.leased.entry(agent).or_default() += 1;
                    counted.at_worker.entry(worker).or_default().insert(key);
                    if !state.reports.contains_key(&Token { key, lease }) {
                        counted.due.insert((until, key));
                    }
                }
            }
        }
        counted
    }

    fn agents_agree(&self, state: &State) {
        for (id, slot) in &state.agents {
            let count = |counts: &BTreeMap<_, u32>| counts.get(id).copied().unwrap_or_default();
            assert_eq!(slot.offered, count(&self.offered), "offered to {}", slot.id);
            assert_eq!(slot.leased, count(&self.leased), "leased by {}", slot.id);
            let max = slot.max();
            assert!(max == 0 || slot.load() <= max, "{} over its limit", slot.id);
            let serving = state.seats.iter().filter(|(_, s)| s.agents.contains(id));
            let ready = serving.clone().filter(|(_, s)| s.ready);
            let ready: BTreeSet<_> = ready.map(|(seat, s)| (s.turn, *seat)).collect();
            assert_eq!(slot.seats, serving.count(), "seats of {}", slot.id);
            assert_eq!(slot.ready, ready, "ready seats of {}", slot.id);
            let heard = state.seats.values().filter(|s| s.agents.contains(id));
            let heard = heard.filter(|s| !s.silent).count();
            assert_eq!(slot.reach.seats, heard, "seats heard of {}", slot.id);
            let takes = slot.is_active() && !slot.is_open();
            let is_reached = slot.reach.is_reached;
            assert!(takes || !is_reached, "{} has keys", slot.id);
            assert!(
                is_reached || !takes || heard == 0,
                "{} has no keys",
                slot.id
            );
        }
        for agent in self.offered.keys().chain(self.leased.keys()) {
            assert!(state.agents.contains_key(agent), "an agent was forgotten");
        }
    }

    fn seats_agree(&self, state: &State) {
        for (id, seat) in &state.seats {
            let offered = self.at_seat.get(id).cloned().unwrap_or_default();
            assert_eq!(seat.offered, offered, "offered to a seat");
            let bytes = offered.iter().map(|key| state.tasks[key].bytes);
            assert_eq!(seat.offered_bytes, bytes.sum::<usize>(), "bytes at a seat");
            let leases = state.workers[&seat.worker].leases.len();
            let (tasks, max) = (offered.len() + leases, seat.max_tasks as usize);
            let within = max == 0 || tasks <= max || offered.is_empty();
            assert!(within, "a worker was given more than its limit");
        }
        for seat in self.at_seat.keys() {
            assert!(state.seats.contains_key(seat), "a seat was forgotten");
        }
    }

    fn workers_agree(&self, state: &State) {
        for (id, worker) in &state.workers {
            let leases = self.at_worker.get(id).cloned().unwrap_or_default();
            assert_eq!(worker.leases, leases, "leases of {}", worker.id);
        }
        for worker in self.at_worker.keys() {
            assert!(state.workers.contains_key(worker), "a worker was forgotten");
        }
        for (source, tasks) in &self.queued {
            let queue = state.queue(*source).expect("a queued task has its queue");
            assert_eq!(queue.len(), tasks.len(), "the length of a queue");
        }
    }
}

fn nothing_is_left_over(state: &State) {
    let agents = state.agents.keys().map(|id| Source::Agent(*id));
    let skills = state.skills.keys().map(|id| Source::Skill(*id));
    for source in agents.chain(skills) {
        let head = state.queue(source).and_then(|q| q.head());
        assert!(
            head.is_none_or(|(_, key)| state.tickets.is_fetching(&key))
                || state.choose(source).is_none(),
            "a task waits that could be taken"
        );
    }
    let queues = state.spaces.values().map(|s| s.queues.len()).sum::<usize>();
    assert_eq!(queues, state.skills.len(), "queues for skills");
    state.tickets.check();
}
