//! A worker at work: one Tokio task that owns everything, connects, serves the stream, and
//! connects again until it is to end.

use std::time::Duration;

use futures::StreamExt as _;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver},
    time::{Instant, Interval, MissedTickBehavior, interval_at, sleep},
};
use tonic::Status;

use super::{
    Worker,
    handler::Note,
    link::{Broken, Link, wait_of},
    outbox::Outbox,
    stop::{Phase, Stop},
    tasks::Tasks,
};
use crate::{
    Error,
    backoff::Backoff,
    endpoint::Server,
    proto::{self, work_response::Message},
};

/// How often to send a heartbeat when the server does not say.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);
/// Notes that are handled together when they have come together.
const NOTES_MAX: usize = 512;

/// A worker at work.
pub(super) struct Run {
    server: Server,
    /// As it is sent, but for the tokens held.
    hello: proto::Hello,
    tasks: Tasks,
    notes: UnboundedReceiver<Note>,
    stop: Stop,
}

impl Run {
    pub(super) fn new(worker: Worker, shutdown: impl Future<Output = ()> + Send + 'static) -> Self {
        // Unbounded, but holds no more than a note for each running task and the chunks, which
        // are bounded in bytes.
        let (sender, notes) = mpsc::unbounded_channel();
        let capacity = worker.hello.max_concurrency as usize;
        Self {
            server: worker.server,
            hello: worker.hello,
            tasks: Tasks::new(capacity, worker.handlers, sender),
            notes,
            stop: Stop::new(shutdown, worker.grace),
        }
    }

    /// Serves until the shutdown is complete.
    ///
    /// # Errors
    /// When the server refuses the worker.
    pub(super) async fn serve(mut self) -> Result<(), Error> {
        let mut backoff = Backoff::default();
        let mut wait = Duration::ZERO;
        loop {
            let Some(opened) = self.connect(wait).await else {
                return Ok(());
            };
            let broken = match opened {
                Ok(link) => {
                    backoff.reset();
                    match self.converse(link).await {
                        Some(broken) => broken,
                        None => return Ok(()),
                    }
                }
                Err(broken) => broken,
            };
            wait = match broken {
                Broken::Refused(error) => return Err(error),
                Broken::GoAway(least) => least.max(backoff.next()),
                Broken::Lost(error) => {
                    let wait = backoff.next();
                    tracing::warn!(%error, ?wait, held = self.tasks.ledger.running(), "connecting again");
                    wait
                }
            };
        }
    }

    /// Connects after a wait, while tasks run on. `None` when the worker is to end instead.
    async fn connect(&mut self, wait: Duration) -> Option<Result<Link, Broken>> {
        let mut hello = self.hello.clone();
        let server = self.server.clone();
        let held = self.tasks.ledger.tokens();
        let opening = async move {
            sleep(wait).await;
            hello.held_tokens = held;
            Link::open(server, hello).await
        };
        tokio::pin!(opening);
        loop {
            if self.is_done() {
                return None;
            }
            tokio::select! {
                phase = self.stop.next() => self.enter(phase),
                Some(note) = self.notes.recv() => self.tasks.noted_offline(note),
                opened = &mut opening => return Some(opened),
            }
        }
    }

    /// Serves a stream. Returns why it broke, or `None` when the worker is to end.
    async fn converse(&mut self, mut link: Link) -> Option<Broken> {
        let mut outbox = Outbox::new(link.welcome.message_bytes_max);
        let mut heartbeat = heartbeat(&link.welcome);
        let mut notes = Vec::with_capacity(NOTES_MAX);
        self.tasks.welcomed(&link.welcome, &mut outbox);
        tracing::info!(worker_id = self.hello.worker_id, "connected");
        loop {
            outbox.credit(self.tasks.ledger.take_credit());
            while let Ok(place) = link.up.try_reserve() {
                match outbox.pop() {
                    Some(message) => place.send(message),
                    None => break,
                }
            }
            if self.is_done() && outbox.is_empty() || self.stop.is_over() {
                link.close().await;
                return None;
            }
            tokio::select! {
                phase = self.stop.next() => {
                    self.enter(phase);
                    if matches!(phase, Phase::Draining(_)) {
                        outbox.draining();
                    }
                }
                _ = heartbeat.tick() => self.tasks.beat(&mut outbox),
                _ = self.notes.recv_many(&mut notes, NOTES_MAX) => {
                    for note in notes.drain(..) {
                        self.tasks.noted(note, &mut outbox);
                    }
                }
                // Without room on the stream, what is to be sent gathers in the outbox.
                Ok(place) = link.up.reserve(), if !outbox.is_empty() => {
                    place.send(outbox.pop().expect("it is not empty"));
                }
                arrived = link.down.next() => {
                    for message in arrived.unwrap_or_else(ended) {
                        if let Err(broken) = self.hear(message, &mut outbox) {
                            return Some(broken);
                        }
                    }
                }
            }
        }
    }

    /// Does what a message from the server says.
    fn hear(
        &mut self,
        message: Result<proto::WorkResponse, Status>,
        outbox: &mut Outbox,
    ) -> Result<(), Broken> {
        match message?.message {
            Some(Message::Tasks(tasks)) => {
                for task in tasks.tasks {
                    self.tasks.offered(task, outbox);
                }
            }
            Some(Message::ResultAck(acks)) => self.tasks.acked(acks),
            Some(Message::Cancel(cancel)) => self.tasks.cancelled(&cancel),
            Some(Message::Drain(_)) => {
                tracing::info!("the server asks the worker to drain");
                self.tasks.ledger.drain();
                outbox.draining();
            }
            Some(Message::GoAway(go_away)) => {
                tracing::info!(reason = go_away.reason, "the server ends the stream");
                return Err(Broken::GoAway(wait_of(&go_away)));
            }
            // Pings are answers to pings that this worker does not send; what is not known is
            // of a later version.
            Some(Message::Welcome(_) | Message::Ping(_)) | None => {}
        }
        Ok(())
    }

    /// Does what a phase of the way to the end asks for.
    fn enter(&mut self, phase: Phase) {
        match phase {
            Phase::Serving => {}
            Phase::Draining(_) => self.tasks.ledger.drain(),
            Phase::Leaving(_) => self.tasks.ledger.abandon(),
            Phase::Over => {
                let held = self.tasks.ledger.tokens().len();
                tracing::warn!(held, "ended before its tasks; their leases will run out");
            }
        }
    }

    /// True when the worker drains and holds nothing, or has waited long enough.
    fn is_done(&self) -> bool {
        let ledger = &self.tasks.ledger;
        self.stop.is_over() || ledger.is_draining() && ledger.is_empty()
    }
}

/// What the end of the stream is taken as.
fn ended() -> Vec<Result<proto::WorkResponse, Status>> {
    vec![Err(Status::unavailable("the server ended the stream"))]
}

fn heartbeat(welcome: &proto::Welcome) -> Interval {
    let said = welcome.heartbeat_interval.and_then(|i| i.try_into().ok());
    let interval = said
        .filter(|interval: &Duration| !interval.is_zero())
        .unwrap_or(HEARTBEAT_INTERVAL);
    let mut heartbeat = interval_at(Instant::now() + interval, interval);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat
}
