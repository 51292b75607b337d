//! Offers and leases: accepted, adopted, renewed, taken back.

use tokio::{sync::oneshot, time::Instant};

use super::{
    Fact, Refusal, TaskKey, Token, What,
    effect::Effect,
    seat::Freed,
    state::{AgentId, SeatId, State, WorkerId},
    task::Phase,
};
use crate::core::value;

/// Who waits to hear that an acceptance is durable.
pub(super) type Done = Option<oneshot::Sender<Result<(), Refusal>>>;

impl State {
    /// A worker takes a task on that it was offered. Repeating it changes nothing; a token
    /// that does not hold is answered with a Cancel.
    pub fn accept(&mut self, seat: SeatId, token: Token, now: Instant) {
        match self.phase(token.key) {
            Some(Phase::Offered {
                seat: to, lease, ..
            }) if to == seat && lease == token.lease => {
                self.take(token.key, false, None, now);
                self.refreshed(seat, now);
            }
            Some(Phase::Leased { lease, .. }) if lease == token.lease => {}
            _ if self.reports.contains_key(&token) => {}
            _ => self.cancel(seat, token, "it is no longer offered to this worker"),
        }
    }

    /// Turns an offer into a lease and tells the engine. Gives its token and agent; `None` when
    /// the task is not offered.
    pub fn take(
        &mut self,
        key: TaskKey,
        polled: bool,
        done: Done,
        now: Instant,
    ) -> Option<(Token, AgentId)> {
        let (seat, agent, lease) = self.end_offer(key)?;
        let worker = self.seats.get(&seat)?.worker;
        let token = Token { key, lease };
        self.begin(token, worker, agent, polled, done, now);
        Some((token, agent))
    }

    /// Gives a queued task to a worker that holds it already: its acceptance was lost. False
    /// when it is not in the queue, or could not have gone to any of the agents.
    pub fn adopt(
        &mut self,
        token: Token,
        worker: WorkerId,
        agents: &[AgentId],
        now: Instant,
    ) -> bool {
        let Some(task) = self.tasks.get(&token.key) else {
            return false;
        };
        let (Phase::Queued(source), place) = (task.phase, task.place) else {
            return false;
        };
        let suits = |id: &&AgentId| {
            let slot = self.agents.get(id);
            slot.is_some_and(|slot| slot.suits(&task.offer.target) && slot.below_max())
        };
        let Some(agent) = agents.iter().find(suits).copied() else {
            return false;
        };
        self.begin(token, worker, agent, false, None, now);
        self.pull(source, place, token.key);
        true
    }

    /// Renews a lease. True when its token holds the task.
    pub fn renew(&mut self, token: Token, now: Instant) -> bool {
        self.set_until(token, now + self.bounds.lease_timeout)
    }

    /// Lets a lease run out now: nobody works under it.
    pub fn abandon(&mut self, token: Token, now: Instant) {
        self.set_until(token, now);
    }

    /// Puts an offered task back in its place and brings what that frees to use.
    pub fn take_back(&mut self, key: TaskKey, seat: SeatId, now: Instant) {
        let freed = self.put_back(key);
        self.refreshed(seat, now);
        self.rematch(freed.into_iter().collect(), now);
    }

    /// Puts an offered task back in its place, for `rematch`.
    pub fn put_back(&mut self, key: TaskKey) -> Option<Freed> {
        let (_, agent, _) = self.end_offer(key)?;
        let task = self.tasks.get(&key)?;
        let (space, target) = (task.space.clone(), task.offer.target.clone());
        let source = self.source(&space, &target);
        self.push(key, source);
        Some((source, agent))
    }

    /// Undoes what an offer counts. Gives the seat, agent and lease it had.
    pub fn end_offer(&mut self, key: TaskKey) -> Option<(SeatId, AgentId, u64)> {
        let task = self.tasks.get(&key)?;
        let Phase::Offered {
            seat,
            agent,
            lease,
            until,
        } = task.phase
        else {
            return None;
        };
        self.due.remove(&(until, key));
        if let Some(seat) = self.seats.get_mut(&seat) {
            seat.offered.remove(&key);
            seat.offered_bytes -= task.bytes;
        }
        if let Some(slot) = self.agents.get_mut(&agent) {
            slot.offered -= 1;
        }
        self.touch(agent);
        Some((seat, agent, lease))
    }

    /// Counts a new lease, from now. Gives what its task's phase becomes.
    pub fn hold(
        &mut self,
        token: Token,
        worker: WorkerId,
        agent: AgentId,
        polled: bool,
        now: Instant,
    ) -> Phase {
        let until = now + self.bounds.lease_timeout;
        self.due.insert((until, token.key));
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.leases.insert(token.key);
        }
        if let Some(slot) = self.agents.get_mut(&agent) {
            slot.leased += 1;
        }
        self.touch(agent);
        Phase::Leased {
            worker,
            agent,
            lease: token.lease,
            until,
            polled,
        }
    }

    /// Begins a lease and tells the engine. The input is not needed any more: an attempt is
    /// never offered again once it was accepted.
    fn begin(
        &mut self,
        token: Token,
        worker: WorkerId,
        agent: AgentId,
        polled: bool,
        done: Done,
        now: Instant,
    ) {
        let phase = self.hold(token, worker, agent, polled, now);
        if let Some(task) = self.tasks.get_mut(&token.key) {
            task.phase = phase;
            task.offer.input = value::null();
        }
        let what = What::Accepted {
            worker_id: self.worker_name(worker),
            agent: self.agent_name(agent),
            awaited: done.is_some(),
        };
        self.effects.push(Effect::Fact(Fact { token, what }));
        if let Some(done) = done {
            self.awaited.insert(token, done);
        }
    }

    fn set_until(&mut self, token: Token, instant: Instant) -> bool {
        let report = self.reports.get(&token);
        if report.is_some_and(|r| !r.by_worker) {
            return false;
        }
        let reported = report.is_some();
        let phase = self.tasks.get_mut(&token.key).map(|t| &mut t.phase);
        let Some(Phase::Leased { lease, until, .. }) = phase else {
            return false;
        };
        if *lease != token.lease {
            return false;
        }
        self.due.remove(&(*until, token.key));
        if !reported {
            self.due.insert((instant, token.key));
        }
        *until = instant;
        true
    }
}
