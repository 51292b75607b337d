//! A shard: one task that owns its executions. Drains its mailbox, decides, hands one group to
//! the commit thread and goes on while that is made durable; releases what follows from a
//! group once it is.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::FutureExt as _;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use uuid::Uuid;

use super::{
    Error, clock,
    commit::{Commits, Group},
    plans::Plans,
    progress::{Item, Progress},
    recovery, refusal,
    release::{Release, Reply, key},
};
use crate::{
    agents::Dispatch,
    core::{
        decide::{self, Command, Outcome, decide},
        execution::{Execution, RunId, summary, view},
        limits::Limits,
        plan::Plan,
        time::Time,
    },
    proto,
    store::{RequestRecord, Store, Write},
};

/// The most commands decided into one group.
const COMMANDS_PER_GROUP_MAX: usize = 1024;
/// The most groups that wait to be durable before the shard waits too.
const GROUPS_IN_FLIGHT_MAX: usize = 64;

/// What every shard shares.
#[derive(Clone)]
pub struct Parts {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// Who does the work.
    pub dispatch: Arc<dyn Dispatch>,
    /// Where groups go.
    pub commits: Commits,
    /// Who watches.
    pub progress: Progress,
    /// What executions run.
    pub plans: Plans,
    /// The bounds.
    pub limits: Arc<Limits>,
    /// How many executions are open, over all shards.
    pub open: Arc<AtomicUsize>,
}

/// What a shard is asked.
pub enum Message {
    /// Start an execution.
    Start(Box<Starting>),
    /// Decide a command and answer once that is durable.
    Command {
        /// The execution.
        id: Uuid,
        /// The command.
        command: Command,
        /// The answer.
        reply: Reply<()>,
    },
    /// Show an execution that is open; `None` when it is not in memory.
    View {
        /// The execution.
        id: Uuid,
        /// The answer.
        reply: oneshot::Sender<Option<proto::Execution>>,
    },
    /// Say when an execution has ended; at once when it is not open.
    End {
        /// The execution.
        id: Uuid,
        /// The answer.
        reply: oneshot::Sender<()>,
    },
    /// Forget an ended execution.
    Delete {
        /// The execution.
        id: Uuid,
        /// The answer.
        reply: Reply<()>,
    },
    /// Commit what there is and end.
    Stop,
}

/// An execution to be started.
pub struct Starting {
    /// Its plan.
    pub plan: Arc<Plan>,
    /// What to start.
    pub start: decide::Start,
    /// A hash of the request's body.
    pub body_hash: u64,
    /// The answer.
    pub reply: Reply<Uuid>,
}

/// Where messages for a shard go. Its length is bounded by those who send: starts by the
/// handle's admission, reports by the leases that are out.
pub type Mailbox = mpsc::UnboundedSender<Message>;

/// Starts a shard with the executions it owns.
pub fn spawn(parts: Parts, executions: Vec<Execution>) -> (Mailbox, JoinHandle<()>) {
    let (mailbox, messages) = mpsc::unbounded_channel();
    let mut shard = Shard {
        parts,
        live: HashMap::new(),
        timers: BTreeSet::new(),
        requests: HashMap::new(),
        writes: Vec::new(),
        releases: Vec::new(),
        in_flight: VecDeque::new(),
        stopping: false,
    };
    for execution in executions {
        shard.adopt(execution);
    }
    let task = tokio::spawn(async move { shard.run(messages).await });
    (mailbox, task)
}

struct Live {
    execution: Execution,
    due: Option<Time>,
    ends: Vec<oneshot::Sender<()>>,
}

struct Flight {
    done: oneshot::Receiver<()>,
    releases: Vec<Release>,
    requests: Vec<(String, String)>,
}

struct Shard {
    parts: Parts,
    live: HashMap<Uuid, Live>,
    timers: BTreeSet<(Time, Uuid)>,
    /// Request ids whose record is not durable yet.
    requests: HashMap<(String, String), RequestRecord>,
    writes: Vec<Write>,
    releases: Vec<Release>,
    in_flight: VecDeque<Flight>,
    stopping: bool,
}

impl Shard {
    async fn run(&mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        self.tick();
        loop {
            self.hand_in().await;
            if self.stopping && self.in_flight.is_empty() {
                return;
            }
            let wake = self.timers.first().map(|(due, _)| clock::instant_of(*due));
            let full = self.stopping || self.in_flight.len() >= GROUPS_IN_FLIGHT_MAX;
            tokio::select! {
                biased;
                durable = next_durable(&mut self.in_flight) => {
                    if !self.landed(durable) {
                        return;
                    }
                }
                message = messages.recv(), if !full => self.drain(message, &mut messages),
                () = sleep_until(wake), if wake.is_some() && !full => self.tick(),
            }
        }
    }

    fn drain(&mut self, first: Option<Message>, more: &mut mpsc::UnboundedReceiver<Message>) {
        let mut next = first;
        for _ in 0..COMMANDS_PER_GROUP_MAX {
            match next {
                Some(Message::Stop) | None => {
                    self.stopping = true;
                    return;
                }
                Some(message) => self.handle(message),
            }
            next = match more.try_recv() {
                Ok(message) => Some(message),
                Err(_) => return,
            };
        }
        if let Some(message) = next {
            self.handle(message);
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Start(starting) => self.start(*starting),
            Message::Command { id, command, reply } => match self.command(id, command) {
                Ok(()) => self.releases.push(Release::Done(reply)),
                Err(error) => drop(reply.send(Err(error))),
            },
            Message::View { id, reply } => self.view(id, reply),
            Message::End { id, reply } => match self.live.get_mut(&id) {
                Some(live) if !live.execution.is_ended() => {
                    live.ends.retain(|end| !end.is_closed());
                    live.ends.push(reply);
                }
                Some(_) => self.releases.push(Release::Signal(reply)),
                None => drop(reply.send(())),
            },
            Message::Delete { id, reply } => match self.delete(id) {
                Ok(()) => self.releases.push(Release::Done(reply)),
                Err(error) => drop(reply.send(Err(error))),
            },
            Message::Stop => self.stopping = true,
        }
    }

    fn start(&mut self, starting: Starting) {
        let Starting {
            plan,
            start,
            body_hash,
            reply,
        } = starting;
        match self.started_before(&start, body_hash) {
            Ok(None) => {}
            Ok(Some(id)) => return self.releases.push(Release::Started(reply, id)),
            Err(error) => return drop(reply.send(Err(error))),
        }
        let max = self.parts.limits.open_executions_max;
        if self.parts.open.load(Ordering::Relaxed) >= max {
            return drop(reply.send(Err(refusal::too_many_open(max))));
        }
        let (id, namespace) = (start.id, start.namespace.clone());
        let request_id = start.request_id.clone();
        let now = clock::now();
        match decide::start(plan, start, now, &self.parts.limits) {
            Ok((execution, outcome)) => {
                if !request_id.is_empty() {
                    let record = RequestRecord {
                        execution_id: id,
                        body_hash,
                        create_time: now.into(),
                    };
                    self.keep_request(namespace, request_id, record);
                }
                self.adopt_new(execution);
                self.record(id, outcome, true);
                self.releases.push(Release::Started(reply, id));
            }
            Err(rejection) => drop(reply.send(Err(refusal::of_command(id, rejection)))),
        }
    }

    /// The execution that this request started before.
    fn started_before(&self, start: &decide::Start, body_hash: u64) -> Result<Option<Uuid>, Error> {
        if start.request_id.is_empty() {
            return Ok(None);
        }
        let name = (start.namespace.clone(), start.request_id.clone());
        let record = match self.requests.get(&name) {
            Some(record) => Some(record.clone()),
            None => self.parts.store.request(&name.0, &name.1)?,
        };
        match record {
            Some(record) if record.body_hash != body_hash => Err(Error::RequestReused(name.1)),
            record => Ok(record.map(|r| r.execution_id)),
        }
    }

    fn keep_request(&mut self, namespace: String, request_id: String, record: RequestRecord) {
        let name = (namespace.clone(), request_id.clone());
        self.requests.insert(name, record.clone());
        self.writes.push(Write::PutRequest {
            namespace,
            request_id,
            record,
        });
    }

    fn command(&mut self, id: Uuid, command: Command) -> Result<(), Error> {
        let now = clock::now();
        let limits = Arc::clone(&self.parts.limits);
        let Some(live) = self.live.get_mut(&id) else {
            return self.command_ended(id, command, now);
        };
        let state = live.execution.state;
        let outcome = decide(&mut live.execution, command, now, &limits)
            .map_err(|rejection| refusal::of_command(id, rejection))?;
        let changed = live.execution.state != state;
        self.record(id, outcome, changed);
        Ok(())
    }

    /// A command for an execution that is not in memory: it has ended, or never was.
    fn command_ended(&self, id: Uuid, command: Command, now: Time) -> Result<(), Error> {
        let mut execution = recovery::read(&self.parts, id)?;
        decide(&mut execution, command, now, &self.parts.limits)
            .map(|_| ())
            .map_err(|rejection| refusal::of_command(id, rejection))
    }

    /// Takes what was decided into the group being filled.
    fn record(&mut self, id: Uuid, outcome: Outcome, summary_changed: bool) {
        let Some(live) = self.live.get_mut(&id) else {
            return;
        };
        let Outcome { events, effects } = outcome;
        let execution = &live.execution;
        if let Some(last) = events.last() {
            let summary = summary_changed.then(|| Box::new(summary(execution)));
            if let Some(summary) = &summary
                && self.parts.progress.all_followed()
            {
                self.releases.push(Release::Changed(summary.clone()));
            }
            let last = last.sequence;
            let followed = self.parts.progress.is_followed(id);
            let told = followed.then(|| Arc::new(events.clone()));
            self.writes.push(Write::Append {
                id,
                events,
                summary,
            });
            let item = Item::Events { last, events: told };
            self.releases.push(Release::Progress { id, item });
        }
        self.releases
            .extend(effects.into_iter().map(|effect| Release::Effect {
                id,
                namespace: execution.namespace.clone(),
                workflow: execution.workflow.clone(),
                effect,
            }));
        if execution.is_ended() {
            let ends = live.ends.drain(..).map(Release::Signal);
            self.releases.extend(ends);
            self.releases.push(Release::Ended(id));
        }
        self.set_timer(id);
    }

    fn set_timer(&mut self, id: Uuid) {
        let Some(live) = self.live.get_mut(&id) else {
            return;
        };
        let due = live.execution.next_due();
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
            if due > now {
                return;
            }
            if let Err(error) = self.command(id, Command::Tick) {
                tracing::error!(%error, execution_id = %id, "a timer was refused");
                self.timers.remove(&(due, id));
            }
        }
    }

    fn view(&mut self, id: Uuid, reply: oneshot::Sender<Option<proto::Execution>>) {
        let Some(live) = self.live.get(&id) else {
            return drop(reply.send(None));
        };
        let execution = &live.execution;
        let waiting_for = |run: RunId| {
            let task = execution.run(run).scheduled;
            self.parts.dispatch.waiting_for(key(id, task))
        };
        let view = Box::new(view(execution, clock::now(), &waiting_for));
        self.releases.push(Release::Viewed(reply, view));
    }

    fn delete(&mut self, id: Uuid) -> Result<(), Error> {
        if let Some(live) = self.live.get(&id)
            && !live.execution.is_ended()
        {
            return Err(refusal::still_open(id));
        }
        self.writes.push(Write::DeleteExecution { id });
        let item = Item::Deleted;
        self.releases.push(Release::Progress { id, item });
        self.releases.push(Release::Ended(id));
        Ok(())
    }

    fn adopt_new(&mut self, execution: Execution) {
        self.parts.open.fetch_add(1, Ordering::Relaxed);
        let live = Live {
            execution,
            due: None,
            ends: Vec::new(),
        };
        self.live.insert(live.execution.id, live);
    }

    /// Takes over an execution that was open when the server stopped.
    fn adopt(&mut self, execution: Execution) {
        let id = execution.id;
        recovery::hand_out(&execution, self.parts.dispatch.as_ref());
        self.adopt_new(execution);
        self.set_timer(id);
    }

    /// Hands the filled group to the commit thread, or what waits for no write to the group
    /// before it.
    async fn hand_in(&mut self) {
        let releases = std::mem::take(&mut self.releases);
        if self.writes.is_empty() {
            match self.in_flight.back_mut() {
                Some(flight) => flight.releases.extend(releases),
                None => self.release(releases),
            }
            return;
        }
        let (done, receiver) = oneshot::channel();
        let writes = std::mem::take(&mut self.writes);
        let requests = writes.iter().filter_map(|write| match write {
            Write::PutRequest {
                namespace,
                request_id,
                ..
            } => Some((namespace.clone(), request_id.clone())),
            _ => None,
        });
        self.in_flight.push_back(Flight {
            done: receiver,
            releases,
            requests: requests.collect(),
        });
        if !self.parts.commits.send(Group { writes, done }).await {
            tracing::error!("the commit thread has ended");
        }
    }

    /// A group is durable, or never will be: then the shard ends.
    fn landed(&mut self, durable: bool) -> bool {
        let Some(flight) = self.in_flight.pop_front() else {
            return true;
        };
        if !durable {
            return false;
        }
        for name in flight.requests {
            self.requests.remove(&name);
        }
        self.release(flight.releases);
        true
    }

    fn release(&mut self, releases: Vec<Release>) {
        for release in releases {
            let (dispatch, progress) = (self.parts.dispatch.as_ref(), &self.parts.progress);
            if let Some(ended) = release.run(dispatch, progress)
                && let Some(live) = self.live.remove(&ended)
            {
                self.parts.open.fetch_sub(1, Ordering::Relaxed);
                if let Some(due) = live.due {
                    self.timers.remove(&(due, ended));
                }
            }
        }
    }
}

/// Waits for the oldest group in flight; for ever when there is none.
async fn next_durable(in_flight: &mut VecDeque<Flight>) -> bool {
    match in_flight.front_mut() {
        Some(flight) => (&mut flight.done).map(|done| done.is_ok()).await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(wake: Option<tokio::time::Instant>) {
    if let Some(wake) = wake {
        tokio::time::sleep_until(wake).await;
    }
}
