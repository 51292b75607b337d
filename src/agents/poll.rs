//! The same tasks by single calls: poll, complete, fail, heartbeat. Called by the api.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, timeout_at},
};

use super::{
    Failure, Hub, Refusal, Token,
    report::{Given, Outcome, Reply, judge},
    session::{encoded_len, failure_of, invalid, namespace_of},
    state::SeatId,
    validate::{agent_count, agent_id, name},
};
use crate::{
    core::{time, value::Value},
    proto::{Agent, Error, HeartbeatTaskResponse, Task, Usage},
};

/// The most tasks that one poll takes.
const POLL_TASKS_MAX: u32 = 100;

impl Hub {
    /// Takes up to `max_tasks` tasks (at most 100, 0 is 1) for these agents, waiting up to
    /// `wait` for the first. They are accepted, durably, when it returns; empty when there was
    /// none in time. Agents that are not known are registered. Dropping the future loses no
    /// task.
    ///
    /// # Errors
    /// `Invalid` names the first bad field; `Unavailable` when shutting down.
    pub async fn poll(
        &self,
        namespace: &str,
        worker_id: &str,
        agents: &[String],
        max_tasks: u32,
        wait: Duration,
    ) -> Result<Vec<Task>, Refusal> {
        let until = Instant::now() + wait;
        check(worker_id, agents)?;
        let namespace = namespace_of(namespace);
        let named = |id: &String| Agent {
            id: id.clone(),
            ..Agent::default()
        };
        self.register(namespace, agents.iter().map(named)).await?;
        let most = max_tasks.clamp(1, POLL_TASKS_MAX);
        loop {
            let place = Place::sit(self, namespace, worker_id, agents, most)?;
            // Whether it was woken or not: what is there is taken.
            let _ = timeout_at(until, place.notify.notified()).await;
            let tasks = place.take().accepted().await?;
            if !tasks.is_empty() || until <= Instant::now() {
                return Ok(tasks);
            }
        }
    }

    /// Gives a task's output; durable when it returns. Repeating it is safe.
    ///
    /// # Errors
    /// `Stale` for a token that does not hold the task, `TooLarge` (the attempt has then
    /// failed with class `limit`), `Invalid` without a token, `Unavailable`.
    pub async fn complete(
        &self,
        token: &str,
        output: Value,
        usage: Option<Usage>,
    ) -> Result<(), Refusal> {
        let bytes = encoded_len(Some(&output));
        self.call(token, Outcome::Output(output, usage), bytes)
            .await
    }

    /// Says that an attempt failed; durable when it returns. Repeating it is safe. Without a
    /// class it is `agent_error`.
    ///
    /// # Errors
    /// `Stale` for a token that does not hold the task, `Invalid` without a token,
    /// `Unavailable`.
    pub async fn fail(
        &self,
        token: &str,
        error: Option<Error>,
        retry_after: Option<prost_types::Duration>,
        usage: Option<Usage>,
    ) -> Result<(), Refusal> {
        let failure: Failure = failure_of(error, retry_after, usage);
        self.call(token, Outcome::Failure(failure), 0).await
    }

    /// Renews a lease and tells whether the task is still wanted.
    ///
    /// # Errors
    /// `Stale` for a token that does not hold the task, `Invalid` without a token.
    pub async fn heartbeat(&self, token: &str) -> Result<HeartbeatTaskResponse, Refusal> {
        self.recall(&[token.to_owned()]).await;
        let token = parse(token)?;
        let cancelled = self.locked(|state, now| {
            if state.renew(token, now) {
                return Ok(false);
            }
            if state.withdrawn.contains(&token) {
                return Ok(true);
            }
            Err(Refusal::Stale("it was given back or has ended".into()))
        })?;
        Ok(HeartbeatTaskResponse {
            cancelled,
            lease_timeout: Some(time::message(self.bounds().lease_timeout)),
        })
    }

    async fn call(&self, token: &str, outcome: Outcome, bytes: usize) -> Result<(), Refusal> {
        let token = parse(token)?;
        let (sender, answer) = oneshot::channel();
        let given = Given {
            token,
            verdict: judge(outcome, bytes, None, self.bounds()),
            bytes,
            reply: Reply::Call(sender),
            room: None,
        };
        self.take_results(vec![given], |_, _| {});
        answer.await.unwrap_or(Err(Refusal::Unavailable))
    }
}

/// The seat of a poll; left when dropped, and what was not taken from it goes back.
struct Place<'a> {
    hub: &'a Hub,
    seat: SeatId,
    notify: Arc<Notify>,
}

impl<'a> Place<'a> {
    fn sit(
        hub: &'a Hub,
        namespace: &str,
        worker: &str,
        agents: &[String],
        most: u32,
    ) -> Result<Self, Refusal> {
        let (seat, notify) = hub.told(|state, now| {
            if state.closed {
                return Err(Refusal::Unavailable);
            }
            Ok(state.join_poll(namespace, worker, agents, most, now))
        })?;
        Ok(Self { hub, seat, notify })
    }

    /// Takes what is there on, and leaves.
    fn take(self) -> Taken<'a> {
        let tasks = self.hub.told(|state, now| {
            let mut tasks = Vec::new();
            for key in state.offered_to(self.seat) {
                let (done, durable) = oneshot::channel();
                let message = state.offer_message(key);
                let taken = state.take(key, true, Some(done), now);
                if let (Some((token, _)), Some(message)) = (taken, message) {
                    tasks.push((token, message, durable));
                }
            }
            state.leave(self.seat, now);
            tasks
        });
        Taken {
            hub: self.hub,
            tasks,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.hub.changed(|state, now| state.leave(self.seat, now));
    }
}

/// Ends when an acceptance is durable.
type Durable = oneshot::Receiver<Result<(), Refusal>>;

/// Tasks taken and not yet given to their worker. Dropped before that, their leases end.
struct Taken<'a> {
    hub: &'a Hub,
    tasks: Vec<(Token, Task, Durable)>,
}

impl Taken<'_> {
    /// The tasks once they are durably accepted, without those that do not count any more.
    async fn accepted(mut self) -> Result<Vec<Task>, Refusal> {
        let mut refusal = None;
        let mut accepted = Vec::new();
        for (token, _, durable) in &mut self.tasks {
            match durable.await.unwrap_or(Err(Refusal::Unavailable)) {
                Ok(()) => accepted.push(*token),
                Err(Refusal::Unavailable) => refusal = Some(Refusal::Unavailable),
                Err(_) => {}
            }
        }
        let tasks = std::mem::take(&mut self.tasks).into_iter();
        let given: Vec<_> = tasks
            .filter(|(token, ..)| accepted.contains(token))
            .map(|(_, task, _)| task)
            .collect();
        match refusal {
            Some(refusal) if given.is_empty() => Err(refusal),
            _ => Ok(given),
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.tasks.is_empty() {
            let tokens = self.tasks.iter().map(|(token, ..)| *token);
            self.hub
                .changed(|state, now| tokens.for_each(|token| state.abandon(token, now)));
        }
    }
}

fn check(worker: &str, agents: &[String]) -> Result<(), Refusal> {
    let bad = |field: String| move |message| Refusal::Invalid { field, message };
    if let Some(message) = name(worker) {
        return Err(bad("worker_id".into())(message));
    }
    if let Some(message) = agent_count(agents.len()) {
        return Err(bad("agents".into())(message));
    }
    for (i, agent) in agents.iter().enumerate() {
        if let Some(message) = agent_id(agent) {
            return Err(bad(format!("agents[{i}]"))(message));
        }
    }
    Ok(())
}

fn parse(token: &str) -> Result<Token, Refusal> {
    if token.is_empty() {
        return Err(invalid("token", "is required"));
    }
    token
        .parse()
        .map_err(|e: super::TokenError| Refusal::Stale(e.to_string()))
}
