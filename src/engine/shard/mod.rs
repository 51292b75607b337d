//! A shard: one task that owns its executions. Drains its mailbox, decides, hands one group to
//! the commit thread and goes on while that is made durable; releases what follows from a
//! group once it is.

mod children;
mod filling;
mod flight;
mod load;
mod message;
mod outputs;
mod passive;
mod work;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::atomic::Ordering,
};

use filling::Filling;
use flight::{Flight, next_durable};
use futures::FutureExt as _;
use load::{LOADING_MAX, Loaded};
pub use load::{TakenUp, read};
pub use message::{Admitted, Mailbox, Message, Parts, Starting};
use outputs::Kept;
pub use passive::Leaving;
use passive::Passive;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};
use uuid::Uuid;

use super::{clock, commit::Failed, lane::Lane, recovery, release::Release};
use crate::{
    core::{decide::Command, execution::Execution, time::Time},
    proto,
    store::RequestRecord,
};

/// The most commands decided into one group.
const COMMANDS_PER_GROUP_MAX: usize = 1024;
/// The most groups that wait to be durable before the shard waits too.
const GROUPS_IN_FLIGHT_MAX: usize = 64;

/// Starts a shard that keeps at most so many executions in memory that only wait. Says so when
/// it breaks.
pub fn spawn(
    parts: Parts,
    mut messages: mpsc::UnboundedReceiver<Message>,
    resident_max: usize,
    failed: Failed,
) -> JoinHandle<()> {
    let (loaded, back) = mpsc::unbounded_channel();
    let mut shard = Shard {
        outputs: Kept::new(parts.store.clone()),
        lane: Lane::new(parts.commits.clone()),
        parts,
        live: HashMap::default(),
        timers: BTreeSet::new(),
        requests: HashMap::new(),
        filling: Filling::default(),
        releases: Vec::new(),
        in_flight: VecDeque::new(),
        free: None,
        pressing: false,
        patience: None,
        stopping: false,
        passive: Passive::new(resident_max, loaded),
    };
    tokio::spawn(async move {
        // A panic is a broken invariant: better to stop than to serve only some executions.
        let run = AssertUnwindSafe(shard.run(&mut messages, back)).catch_unwind();
        if run.await.is_err() {
            tracing::error!("a shard panicked: stopping");
            failed.send_replace(Some("a broken invariant, see the log".into()));
        }
        shard.give_up(messages);
    })
}

struct Live {
    execution: Execution,
    due: Option<Time>,
    /// When something happened to it last.
    touched: Time,
    /// The sequence of the event that its kept summary tells of; 0: unknown.
    summarised: u64,
    ends: Vec<oneshot::Sender<Option<proto::Execution>>>,
}

struct Shard {
    parts: Parts,
    /// Boxed, so that the room of those that have left again costs little.
    live: HashMap<Uuid, Box<Live>, foldhash::fast::RandomState>,
    timers: BTreeSet<(Time, Uuid)>,
    /// Request ids whose record is not durable yet.
    requests: HashMap<(String, String), RequestRecord>,
    /// Outputs of steps that are kept for others.
    outputs: Kept,
    /// The group being filled, and what is released once it is durable.
    filling: Filling,
    releases: Vec<Release>,
    lane: Lane,
    in_flight: VecDeque<Flight>,
    /// When the store's free space was looked at, and what it was, in bytes.
    free: Option<(Instant, u64)>,
    /// Someone waits for the group being filled.
    pressing: bool,
    /// Until when the group may wait for company while nobody waits for it.
    patience: Option<Instant>,
    stopping: bool,
    /// What it knows of executions that are not in memory.
    passive: Passive,
}

impl Shard {
    async fn run(
        &mut self,
        messages: &mut mpsc::UnboundedReceiver<Message>,
        mut back: mpsc::UnboundedReceiver<Vec<Loaded>>,
    ) {
        loop {
            if self.in_flight.len() < GROUPS_IN_FLIGHT_MAX && !self.stopping {
                self.let_leave();
            }
            self.start_loading();
            self.hand_in().await;
            if self.stopping && self.in_flight.is_empty() {
                return;
            }
            let wake = self.timers.first().map(|(due, _)| clock::instant_of(*due));
            let look = self.passive.look();
            let timed = wake.is_some() && self.passive.loading.len() < LOADING_MAX;
            let full = self.stopping || self.in_flight.len() >= GROUPS_IN_FLIGHT_MAX;
            tokio::select! {
                biased;
                durable = next_durable(&mut self.in_flight) => {
                    if !self.landed(durable) {
                        return;
                    }
                }
                Some(loaded) = back.recv(), if !full => self.loaded(loaded),
                message = messages.recv(), if !full => self.drain(message, messages),
                () = sleep_until(wake), if timed && !full => self.tick(),
                () = sleep_until(look), if look.is_some() && !full => {}
                () = sleep_until(self.patience), if self.patience.is_some() => {}
            }
        }
    }

    fn drain(&mut self, first: Option<Message>, more: &mut mpsc::UnboundedReceiver<Message>) {
        let mut next = first.unwrap_or(Message::Stop);
        let mut commands = 0;
        loop {
            commands += next.commands();
            self.handle(next);
            if self.stopping || commands >= COMMANDS_PER_GROUP_MAX {
                return;
            }
            next = match more.try_recv() {
                Ok(message) => message,
                Err(_) => return,
            };
        }
    }

    fn handle(&mut self, message: Message) {
        self.pressing |= message.is_pressing();
        match message {
            Message::Facts(facts) => facts.into_iter().for_each(|fact| self.fact(fact)),
            message => {
                if let Some(message) = self.awaits(message) {
                    self.act(message);
                }
            }
        }
    }

    /// Does what a message asks for, with its execution in memory or without.
    fn act(&mut self, message: Message) {
        match message {
            Message::Start(starting) => self.start(*starting),
            Message::Command { id, command, reply } => match self.command(id, command) {
                Ok(()) => self.releases.push(Release::Done(reply)),
                Err(error) => drop(reply.send(Err(error))),
            },
            Message::Child(message) => self.child(*message),
            Message::Facts(facts) => facts.into_iter().for_each(|fact| self.take_fact(fact)),
            Message::View { id, reply } => self.view(id, reply),
            Message::Steps { id, query, reply } => self.steps(id, &query, reply),
            Message::Outline { id, reply } => self.outline(id, reply),
            Message::End { id, reply } => self.end(id, reply),
            Message::Delete { id, reply } => match self.delete(id) {
                Ok(()) => self.releases.push(Release::Done(reply)),
                Err(error) => drop(reply.send(Err(error))),
            },
            Message::Fetch { task, done } => self.fetch(task, done),
            Message::TakeUp { page, to, done } => {
                self.take_up(page, to);
                drop(done);
            }
            Message::Stop => self.stopping = true,
        }
    }

    fn set_timer(&mut self, id: Uuid) {
        let Some(live) = self.live.get_mut(&id) else {
            return;
        };
        let execution = &live.execution;
        let due = match execution.could_begin(&self.parts.limits) {
            true => Some(execution.last_time),
            false => execution.next_due(),
        };
        if due == live.due {
            return;
        }
        if let Some(before) = std::mem::replace(&mut live.due, due) {
            self.timers.remove(&(before, id));
        }
        if let Some(due) = due {
            self.timers.insert((due, id));
        }
    }

    /// Fires what is due, a bounded number at a time.
    fn tick(&mut self) {
        let now = clock::now();
        for _ in 0..COMMANDS_PER_GROUP_MAX {
            let Some((due, id)) = self.timers.first().copied() else {
                return;
            };
            if due > now || self.passive.loading.len() >= LOADING_MAX {
                return;
            }
            if !self.live.contains_key(&id) {
                self.timers.remove(&(due, id));
                self.load(id, None);
                continue;
            }
            self.pressing = true;
            if let Err(error) = self.command(id, Command::Tick) {
                tracing::error!(%error, execution_id = %id, "a timer was refused");
                self.timers.remove(&(due, id));
            }
            // One that begins very much does so in several groups.
            if self.goes_on(id) {
                return;
            }
        }
    }

    /// True when the execution's next decision is due at once.
    fn goes_on(&self, id: Uuid) -> bool {
        let live = self.live.get(&id);
        live.is_some_and(|live| live.execution.could_begin(&self.parts.limits))
    }

    fn adopt_new(&mut self, execution: Execution) {
        if let Some(up) = &mut self.passive.taking_up {
            up.meet(execution.id);
        }
        self.parts.open.fetch_add(1, Ordering::Relaxed);
        self.keep(execution);
    }

    /// Keeps an execution in memory.
    fn keep(&mut self, execution: Execution) {
        let (id, now) = (execution.id, clock::now());
        let live = Live {
            execution,
            due: None,
            touched: now,
            summarised: 0,
            ends: self.passive.ends_of(id),
        };
        self.live.insert(id, Box::new(live));
        self.passive.came(id, now);
    }

    /// Takes over an execution that was open when the server stopped.
    fn adopt(&mut self, execution: Execution) {
        let id = execution.id;
        recovery::hand_out(&execution, self.parts.dispatch.as_ref());
        self.resume_children(&execution);
        self.adopt_new(execution);
        self.set_timer(id);
    }
}

async fn sleep_until(wake: Option<Instant>) {
    if let Some(wake) = wake {
        tokio::time::sleep_until(wake).await;
    }
}
