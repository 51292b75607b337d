//! How a task leaves this room: withdrawn, released, rejected, or given up when its lease
//! runs out.

use std::collections::{HashSet, VecDeque};

use tokio::time::Instant;

use super::{
    Fact, Failure, TaskKey, Token, What,
    effect::Effect,
    report::Report,
    state::{AgentId, State},
    task::{Phase, failure},
};

/// Leases of tasks withdrawn from workers that could not be told; they learn it by heartbeat.
#[derive(Default)]
pub(super) struct Withdrawn {
    tokens: HashSet<Token>,
    due: VecDeque<(Instant, Token)>,
}

impl Withdrawn {
    /// Keeps a token until an instant, which is never before the one given last.
    fn insert(&mut self, token: Token, until: Instant) {
        if self.tokens.insert(token) {
            self.due.push_back((until, token));
        }
    }

    pub fn contains(&self, token: &Token) -> bool {
        self.tokens.contains(token)
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.due.front().map(|(at, _)| *at)
    }

    fn expire(&mut self, now: Instant) {
        while let Some((_, token)) = self.due.front().filter(|(at, _)| *at <= now) {
            self.tokens.remove(token);
            self.due.pop_front();
        }
    }
}

impl State {
    /// Takes a task back, wherever it is; its worker is told to stop.
    pub fn withdraw(&mut self, key: TaskKey, reason: &str, now: Instant) {
        if self.tear(key, now) {
            return;
        }
        match self.phase(key) {
            None | Some(Phase::Queued(_)) => {}
            Some(Phase::Offered { seat, lease, .. }) => {
                self.cancel(seat, Token { key, lease }, reason);
            }
            Some(Phase::Leased {
                worker,
                lease,
                polled,
                ..
            }) => {
                let token = Token { key, lease };
                match self.stream_of(worker).filter(|_| !polled) {
                    Some(seat) => self.cancel(seat, token, reason),
                    None => {
                        let until = now + self.bounds.lease_timeout;
                        self.withdrawn.insert(token, until);
                    }
                }
            }
        }
        self.free(key, now);
    }

    /// Frees a task that has ended. A worker that did not end it itself is told to stop.
    pub fn release(&mut self, key: TaskKey, now: Instant) {
        let lease = self.phase(key).and_then(|p| p.lease());
        if lease.is_some_and(|lease| self.reports.contains_key(&Token { key, lease })) {
            self.free(key, now);
        } else {
            self.withdraw(key, "the task has ended", now);
        }
    }

    /// Does what is due: offers go back, leases run out.
    pub fn expire(&mut self, now: Instant) {
        self.try_again(now);
        self.part(now);
        self.withdrawn.expire(now);
        while let Some(&(at, key)) = self.due.first().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, key));
            match self.phase(key) {
                Some(Phase::Offered { seat, lease, .. }) => {
                    self.silence(seat);
                    let token = Token { key, lease };
                    self.cancel(seat, token, "it was not accepted in time");
                    self.take_back(key, seat, now);
                }
                Some(Phase::Leased {
                    worker,
                    agent,
                    lease,
                    polled,
                    ..
                }) => {
                    self.give_up(key, "did not renew its lease");
                    self.agent_failed(agent, "unavailable", now);
                    if let Some(seat) = self.stream_of(worker).filter(|_| !polled) {
                        self.cancel(seat, Token { key, lease }, "its lease ran out");
                    }
                }
                Some(Phase::Queued(_)) | None => {}
            }
        }
    }

    /// Tells the engine that a leased task failed as `unavailable`: its worker is not there.
    pub fn give_up(&mut self, key: TaskKey, what: &str) {
        let Some(Phase::Leased {
            worker,
            lease,
            until,
            ..
        }) = self.phase(key)
        else {
            return;
        };
        self.due.remove(&(until, key));
        let token = Token { key, lease };
        let message = format!("worker '{}' {what} {lease:016x}", self.worker_name(worker));
        let failure = failure("unavailable", message);
        self.reports.insert(token, Report::by_server());
        let what = What::Failed(failure);
        self.effects.push(Effect::Fact(Fact { token, what }));
    }

    /// Fails a queued task that is not handed out. The engine takes a failure only for an
    /// attempt that was accepted, so it is accepted in nobody's name first.
    pub fn reject(&mut self, key: TaskKey, agent: String, failure: Failure) {
        let Some(task) = self.tasks.remove(&key) else {
            return;
        };
        let token = Token::fresh(key);
        let accepted = What::Accepted {
            worker_id: String::new(),
            agent,
            awaited: false,
        };
        for what in [accepted, What::Failed(failure)] {
            self.effects.push(Effect::Fact(Fact { token, what }));
        }
        if let Phase::Queued(source) = task.phase {
            self.pull(source, task.place, key);
        }
    }

    /// Forgets a task and brings what that frees to use.
    pub fn free(&mut self, key: TaskKey, now: Instant) {
        match self.phase(key) {
            None => {}
            Some(Phase::Queued(source)) => {
                if let Some(task) = self.tasks.remove(&key) {
                    self.pull(source, task.place, key);
                    // Behind it there may be one that needs no fetching.
                    self.match_source(source, now);
                }
            }
            Some(Phase::Offered { seat, agent, .. }) => {
                self.end_offer(key);
                self.tasks.remove(&key);
                self.refreshed(seat, now);
                self.freed(agent, now);
            }
            Some(Phase::Leased {
                worker,
                agent,
                until,
                ..
            }) => {
                self.due.remove(&(until, key));
                self.tasks.remove(&key);
                if let Some(slot) = self.agents.get_mut(&agent) {
                    slot.leased -= 1;
                }
                if let Some(worker) = self.workers.get_mut(&worker) {
                    worker.leases.remove(&key);
                }
                if let Some(seat) = self.stream_of(worker) {
                    self.refreshed(seat, now);
                }
                self.prune_worker(worker);
                self.freed(agent, now);
            }
        }
    }

    fn freed(&mut self, agent: AgentId, now: Instant) {
        self.touch(agent);
        self.match_agent(agent, now);
        self.prune_slot(agent);
    }
}
