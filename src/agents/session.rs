//! A worker's stream, without the stream: messages up come in by `Session::handle`, messages
//! down go out through a bounded channel. Called by the api.

use std::sync::Arc;

use prost::Message as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{
    Failure, Hub, Refusal, Token,
    effect::Effect,
    report::{Outcome, Reply, ack, countable, judge},
    state::{SeatId, State},
    task::Phase,
    validate::validate_hello,
    worker::{Arrival, Joined},
};
use crate::{
    core::time,
    proto::{Chunk, Error, Hello, TaskChunk, Usage, Welcome, work_request, work_response::Message},
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
        self.hub.changed(|state, now| state.hear(seat, now));
        match message {
            Up::Hello(_) => return Err(invalid("hello", "comes first and once")),
            Up::Credit(credit) => self
                .hub
                .told(|state, now| state.credit(seat, credit.tasks, now)),
            Up::Accept(accept) => self.accept(&accept.tokens),
            Up::Heartbeat(beat) => self.heartbeat(&beat.tokens),
            Up::Chunk(chunk) => self.chunk(chunk),
            Up::Complete(complete) => {
                for result in complete.results {
                    let bytes = encoded_len(result.output.as_ref());
                    let output = result.output.unwrap_or_default();
                    let outcome = Outcome::Output(output, result.usage);
                    self.report(&result.token, outcome, bytes).await;
                }
                self.hub.flush();
            }
            Up::Fail(fail) => {
                for failed in fail.failures {
                    let bytes = failed.encoded_len();
                    let failure = failure_of(failed.error, failed.retry_after, failed.usage);
                    let outcome = Outcome::Failure(failure);
                    self.report(&failed.token, outcome, bytes).await;
                }
                self.hub.flush();
            }
            Up::Draining(_) => self.hub.locked(|state, _| state.stop(seat)),
            Up::Ping(ping) => self
                .hub
                .locked(|state, _| state.send(seat, Message::Ping(ping))),
        }
        Ok(())
    }

    fn accept(&self, tokens: &[String]) {
        self.hub.told(|state, now| {
            for text in tokens {
                match text.parse() {
                    Ok(token) => state.accept(self.seat, token, now),
                    Err(_) => state.reject_token(self.seat, text),
                }
            }
        });
    }

    fn heartbeat(&self, tokens: &[String]) {
        self.hub.locked(|state, now| {
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
        if encoded_len(chunk.data.as_ref()) > bytes_max {
            return;
        }
        if let Ok(token) = chunk.token.parse() {
            self.hub.told(|state, _| state.chunk(token, chunk));
        }
    }

    async fn report(&self, token: &str, outcome: Outcome, bytes: usize) {
        let room = self.room_for(bytes).await;
        let reply = Reply::Stream(self.space.clone(), self.worker.clone());
        match token.parse() {
            Ok(token) => self.hub.report(token, outcome, bytes, reply, room),
            Err(_) => self.hub.locked(|state, _| {
                let refusal = Refusal::Stale("it is no token".into());
                let ack = ack(token.to_owned(), Err(refusal));
                state.acks.entry(self.seat).or_default().extend(ack);
            }),
        }
    }

    async fn room_for(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes.max(RESULT_BYTES_MIN)).unwrap_or(u32::MAX);
        let bytes = bytes.min(self.room_bytes);
        if let Ok(permit) = self.room.clone().try_acquire_many_owned(bytes) {
            return Some(permit);
        }
        // Room comes back only from results that the sink was told.
        self.hub.flush();
        self.room.clone().acquire_many_owned(bytes).await.ok()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let seat = self.seat;
        self.hub.changed(|state, now| state.leave(seat, now));
    }
}

impl Hub {
    /// Takes a result; the caller flushes.
    pub(super) fn report(
        &self,
        token: Token,
        outcome: Outcome,
        bytes: usize,
        reply: Reply,
        room: Option<OwnedSemaphorePermit>,
    ) {
        let schema = match &outcome {
            Outcome::Output(..) => self.locked(|state, _| state.output_schema(token)),
            Outcome::Failure(_) => None,
        };
        let verdict = judge(outcome, bytes, schema.as_deref(), self.bounds());
        self.locked(|state, now| state.report(token, verdict, reply, room, now));
    }
}

impl State {
    /// Tells a worker that what it takes for a token does not hold a task.
    fn reject_token(&mut self, seat: SeatId, token: &str) {
        self.cancel(seat, token, "it holds no task of this worker");
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
