//! A worker's stream, without the stream: messages up come in by `Session::handle`, messages
//! down go out through a bounded channel. Called by the api.

use std::sync::Arc;

use prost::Message as _;
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};

use super::{
    Failure, Hub, Refusal, Token,
    effect::Effect,
    report::{Given, Outcome, Reply, ack, countable, judge},
    state::{SeatId, State},
    task::Phase,
    validate::validate_hello,
    worker::{Arrival, Joined},
};
use crate::{
    core::time,
    proto::{
        Chunk, Error, Hello, TaskChunk, TaskFailure, TaskResult, Usage, Welcome, work_request,
        work_response::Message,
    },
};

/// A connected worker. Dropping it is the loss of its stream: what it was offered and has not
/// accepted goes to others at once, what it has accepted stays its own until the lease ends.
pub struct Session {
    hub: Hub,
    seat: SeatId,
    space: Arc<str>,
    worker: Arc<str>,
    /// Room for results that are not durable yet, in bytes.
    room: Arc<Semaphore>,
    room_bytes: u32,
}

/// The least that a result counts for, in bytes.
const RESULT_BYTES_MIN: usize = 256;
/// A lease is renewed this many times before it would run out.
const HEARTBEATS_PER_LEASE: u32 = 3;
/// The largest piece of provisional output passed on, in bytes.
const CHUNK_BYTES_MAX: usize = 256 << 10;
/// The longest message of a failure, in bytes.
const MESSAGE_BYTES_MAX: usize = 8 << 10;
/// The longest class of a failure, in bytes.
const CLASS_BYTES_MAX: usize = 64;

impl Hub {
    /// Connects a worker: what it may do up, what it is answered, and what is sent down. Its
    /// agents that are not known are registered first. A worker of the same name that is
    /// still connected is sent away: this is it, come back.
    ///
    /// # Errors
    /// `Invalid` names the first bad field of the Hello (`validate_hello` gives all of them);
    /// `Unavailable` when shutting down.
    pub async fn connect(
        &self,
        hello: Hello,
    ) -> Result<(Session, Welcome, mpsc::Receiver<Message>), Refusal> {
        if let Some((field, message)) = validate_hello(&hello).into_iter().next() {
            let field = format!("hello.{field}");
            return Err(Refusal::Invalid { field, message });
        }
        let namespace = namespace_of(&hello.namespace).to_owned();
        let agents = hello.agents.iter().map(|a| a.id.clone()).collect();
        self.register(&namespace, hello.agents).await?;
        self.recall(&hello.held_tokens).await;
        let arrival = Arrival {
            namespace,
            worker: hello.worker_id,
            agents,
            max_tasks: hello.max_concurrency,
            held: hello.held_tokens,
        };
        let joined = self.told(|state, now| {
            if state.closed {
                return Err(Refusal::Unavailable);
            }
            Ok(state.join(arrival, now))
        })?;
        Ok(self.welcome(joined))
    }

    fn welcome(&self, joined: Joined) -> (Session, Welcome, mpsc::Receiver<Message>) {
        let bounds = self.bounds();
        let interval = bounds.lease_timeout / HEARTBEATS_PER_LEASE;
        let welcome = Welcome {
            heartbeat_interval: Some(time::message(interval)),
            lease_timeout: Some(time::message(bounds.lease_timeout)),
            message_bytes_max: bounds.message_bytes_max as u64,
            adopted_tokens: joined.adopted,
            lost_tokens: joined.lost,
        };
        let bytes = u32::try_from(bounds.bytes_under_way_max()).unwrap_or(u32::MAX >> 4);
        let session = Session {
            hub: self.clone(),
            seat: joined.seat,
            space: joined.space,
            worker: joined.worker,
            room: Arc::new(Semaphore::new(bytes as usize)),
            room_bytes: bytes,
        };
        (session, welcome, joined.messages)
    }
}

impl Session {
    /// Takes a message up. Waits only while too many bytes of the worker's results are not
    /// durable yet. A session that a newer one has replaced still takes results.
    ///
    /// # Errors
    /// `Invalid` for a second Hello or a message that holds nothing; end the stream with it.
    pub async fn handle(&self, message: work_request::Message) -> Result<(), Refusal> {
        use work_request::Message as Up;
        let seat = self.seat;
        match message {
            Up::Hello(_) => return Err(invalid("hello", "comes first and once")),
            Up::Credit(credit) => {
                self.heard(|state, now| state.credit(seat, credit.tasks, now));
            }
            Up::Accept(accept) => self.accept(&accept.tokens),
            Up::Heartbeat(beat) => self.heartbeat(&beat.tokens),
            Up::Chunk(chunk) => self.chunk(chunk),
            Up::Complete(complete) => {
                let results = complete.results.into_iter();
                self.report(results.map(of_result)).await;
            }
            Up::Fail(fail) => {
                let failures = fail.failures.into_iter();
                self.report(failures.map(of_failure)).await;
            }
            Up::Draining(_) => self.heard(|state, _| state.stop(seat)),
            Up::Ping(ping) => self.heard(|state, _| state.send(seat, Message::Ping(ping))),
        }
        Ok(())
    }

    /// Makes one change because of what the worker said, and tells the facts it gives.
    fn heard<R>(&self, change: impl FnOnce(&mut State, Instant) -> R) -> R {
        self.hub.told(|state, now| {
            state.hear(self.seat, now);
            change(state, now)
        })
    }

    fn accept(&self, tokens: &[String]) {
        self.heard(|state, now| {
            for text in tokens {
                match text.parse() {
                    Ok(token) => state.accept(self.seat, token, now),
                    Err(_) => state.reject_token(self.seat, text),
                }
            }
        });
    }

    fn heartbeat(&self, tokens: &[String]) {
        self.heard(|state, now| {
            for text in tokens {
                match text.parse::<Token>() {
                    Ok(token) if state.renew(token, now) => {}
                    Ok(token) if state.reports.contains_key(&token) => {}
                    _ => state.reject_token(self.seat, text),
                }
            }
        });
    }

    fn chunk(&self, chunk: TaskChunk) {
        let bytes_max = self.hub.bounds().payload_bytes_max.min(CHUNK_BYTES_MAX);
        let fits = encoded_len(chunk.data.as_ref()) <= bytes_max;
        let token = chunk.token.parse().ok().filter(|_| fits);
        self.heard(|state, _| {
            if let Some(token) = token {
                state.chunk(token, chunk);
            }
        });
    }

    /// Takes the results of a message, those together for which there is room at once.
    async fn report(&self, said: impl Iterator<Item = (String, Outcome, usize)>) {
        let mut results = Vec::with_capacity(said.size_hint().0);
        for (text, outcome, bytes) in said {
            let Ok(token) = text.parse() else {
                self.heard(|state, _| state.no_token(self.seat, text));
                continue;
            };
            let share = u32::try_from(bytes.max(RESULT_BYTES_MIN)).unwrap_or(u32::MAX);
            let share = share.min(self.room_bytes);
            let mut room = self.room.clone().try_acquire_many_owned(share).ok();
            if room.is_none() {
                // Room comes back only from results that the sink was told.
                self.take_results(std::mem::take(&mut results));
                room = self.room.clone().acquire_many_owned(share).await.ok();
            }
            results.push(Given {
                token,
                verdict: judge(outcome, bytes, None, self.hub.bounds()),
                bytes,
                reply: Reply::Stream(self.space.clone(), self.worker.clone()),
                room,
            });
        }
        self.take_results(results);
    }

    fn take_results(&self, results: Vec<Given>) {
        let seat = self.seat;
        self.hub
            .take_results(results, |state, now| state.hear(seat, now));
    }
}

fn of_result(result: TaskResult) -> (String, Outcome, usize) {
    let bytes = encoded_len(result.output.as_ref());
    let output = result.output.unwrap_or_default();
    (result.token, Outcome::Output(output, result.usage), bytes)
}

fn of_failure(failed: TaskFailure) -> (String, Outcome, usize) {
    let bytes = failed.encoded_len();
    let failure = failure_of(failed.error, failed.retry_after, failed.usage);
    (failed.token, Outcome::Failure(failure), bytes)
}

impl Drop for Session {
    fn drop(&mut self) {
        let seat = self.seat;
        self.hub.changed(|state, now| state.leave(seat, now));
    }
}

impl State {
    /// Tells a worker that what it takes for a token does not hold a task.
    fn reject_token(&mut self, seat: SeatId, token: &str) {
        self.cancel(seat, token, "it holds no task of this worker");
    }

    /// Answers a result that came under something that is no token.
    fn no_token(&mut self, seat: SeatId, text: String) {
        let refusal = Refusal::Stale("it is no token".into());
        let ack = ack(text, Err(refusal));
        self.acks.entry(seat).or_default().extend(ack);
    }

    /// Passes on provisional output of a task in progress.
    fn chunk(&mut self, token: Token, chunk: TaskChunk) {
        let Some(task) = self.tasks.get(&token.key) else {
            return;
        };
        if matches!(task.phase, Phase::Leased { lease, .. } if lease == token.lease) {
            self.effects.push(Effect::Chunk(Chunk {
                execution_id: token.key.execution_id.to_string(),
                step: task.offer.step.clone(),
                attempt: task.offer.attempt,
                data: chunk.data,
            }));
        }
    }
}

/// The namespace a request means.
pub(super) fn namespace_of(given: &str) -> &str {
    if given.is_empty() { "default" } else { given }
}

pub(super) fn invalid(field: &str, message: &str) -> Refusal {
    Refusal::Invalid {
        field: field.to_owned(),
        message: message.to_owned(),
    }
}

pub(super) fn encoded_len(value: Option<&prost_types::Value>) -> usize {
    value.map_or(0, prost::Message::encoded_len)
}

/// A worker's failure as the engine takes it: with a class, and of bounded size.
pub(super) fn failure_of(
    error: Option<Error>,
    retry_after: Option<prost_types::Duration>,
    usage: Option<Usage>,
) -> Failure {
    let error = error.unwrap_or_default();
    let class = match error.class.as_str() {
        "" => "agent_error",
        class => cut(class, CLASS_BYTES_MAX),
    };
    Failure {
        class: class.to_owned(),
        message: cut(&error.message, MESSAGE_BYTES_MAX).to_owned(),
        retry_after: retry_after.as_ref().and_then(time::span),
        usage: usage.map(countable),
    }
}

/// The text, without what goes beyond `bytes_max`.
fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
