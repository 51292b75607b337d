//! Executions come back into memory: folded from their events where that holds nobody up,
//! while what is asked of each waits in order.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Message, Shard,
    passive::{Loading, TakingUp},
};
use crate::{
    agents::{Order, TaskKey},
    core::{
        decide::Effect,
        execution::{Execution, Standing, StepState},
    },
    engine::{
        Error, clock, recovery,
        release::{Release, ticket},
    },
};

/// The most executions that one job loads.
const LOADED_AT_ONCE: usize = 64;
/// The most jobs that load for one shard.
const JOBS_MAX: usize = 2;
/// The most executions on their way into memory with which timers go on.
pub(super) const LOADING_MAX: usize = 1024;

/// An execution as it was found.
pub(super) type Loaded = (Uuid, Result<Execution, Error>);

/// An execution that was open when the server started.
pub enum TakenUp {
    /// It only waits.
    Waits(Uuid, Standing),
    /// Loaded whole: it had work out, or was in memory to the last.
    Whole(Box<Execution>),
}

impl Shard {
    /// Gives the message back when it can be handled now. One for an execution that is on its
    /// way into memory waits for it; one that needs an execution in memory makes it come.
    pub(super) fn awaits(&mut self, message: Message) -> Option<Message> {
        let Some(id) = message.execution() else {
            return Some(message);
        };
        if self.live.contains_key(&id) {
            return Some(message);
        }
        if let Some(loading) = self.passive.loading.get_mut(&id) {
            loading.waiting.push(message);
            return None;
        }
        if !message.needs_memory() {
            return Some(message);
        }
        self.load(id, Some(message));
        None
    }

    /// Makes an execution come into memory, unless it is on its way.
    pub(super) fn load(&mut self, id: Uuid, message: Option<Message>) {
        let first = self
            .passive
            .taking_up
            .as_mut()
            .is_some_and(|up| up.meet(id));
        let wanted = &mut self.passive.wanted;
        let loading = self.passive.loading.entry(id).or_insert_with(|| {
            wanted.push_back(id);
            Loading {
                first,
                waiting: Vec::new(),
            }
        });
        loading.waiting.extend(message);
    }

    /// Hands what is wanted to jobs.
    pub(super) fn start_loading(&mut self) {
        while self.passive.jobs < JOBS_MAX && !self.passive.wanted.is_empty() {
            let wanted = &mut self.passive.wanted;
            let ids: Vec<_> = wanted.drain(..wanted.len().min(LOADED_AT_ONCE)).collect();
            let (parts, loaded) = (self.parts.clone(), self.passive.loaded.clone());
            self.passive.jobs += 1;
            tokio::task::spawn_blocking(move || {
                let found = ids.into_iter().map(|id| (id, read(&parts, id)));
                // Nobody takes it when the shard has ended.
                let _ = loaded.send(found.collect());
            });
        }
    }

    /// Takes in what a job has loaded, and does what waited for it.
    pub(super) fn loaded(&mut self, loaded: Vec<Loaded>) {
        self.passive.jobs -= 1;
        for (id, found) in loaded {
            let Some(Loading { first, waiting }) = self.passive.loading.remove(&id) else {
                continue;
            };
            match found {
                Ok(execution) if !execution.is_ended() => self.take_in(execution, first),
                Ok(ended) => self.passive.ended = Some(Box::new(ended)),
                Err(Error::NotFound { .. }) => {}
                Err(error) => {
                    tracing::error!(%error, execution_id = %id, "an execution was not loaded");
                }
            }
            for message in waiting {
                // What is asked of one that has ended, or is not there, does not wait again.
                match self.live.contains_key(&id) {
                    true => self.handle(message),
                    false => self.act(message),
                }
            }
            self.passive.ended = None;
        }
    }

    /// An execution that is not in memory and is not on its way there: it has ended, or cannot
    /// be read.
    pub(super) fn not_in_memory(&mut self, id: Uuid) -> Result<Execution, Error> {
        match self.passive.ended.take() {
            Some(ended) if ended.id == id => Ok(*ended),
            _ => read(&self.parts, id),
        }
    }

    fn take_in(&mut self, execution: Execution, first: bool) {
        if first {
            return self.adopt(execution);
        }
        let (id, due) = (execution.id, execution.next_due());
        self.keep(execution);
        let timed = due.filter(|due| self.timers.contains(&(*due, id)));
        if let Some(live) = self.live.get_mut(&id) {
            live.due = timed;
        }
        self.set_timer(id);
    }

    /// The agents ask for an attempt whose execution is in memory now.
    pub(super) fn fetch(&mut self, task: TaskKey, done: mpsc::Sender<()>) {
        let id = task.execution_id;
        let Some(live) = self.live.get_mut(&id) else {
            self.releases.push(Release::Order(gone(task)));
            return self.releases.push(Release::Fetched(done));
        };
        live.touched = clock::now();
        let run = live.execution.task(task.sequence);
        let state = run.map(|run| live.execution.run(run).state);
        let effect = match (run, state) {
            (Some(run), Some(StepState::Waiting)) => {
                let dispatch = live.execution.dispatch_of(run);
                dispatch.map(|dispatch| Effect::Dispatch(Box::new(dispatch)))
            }
            (_, Some(StepState::Running)) => None,
            _ => {
                self.releases.push(Release::Order(gone(task)));
                None
            }
        };
        self.release_effects(id, effect);
        self.releases.push(Release::Fetched(done));
    }

    /// Takes up executions that were open when the server started, up to one, in order.
    pub(super) fn take_up(&mut self, page: Vec<TakenUp>, to: Option<Uuid>) {
        let mut orders = Vec::new();
        for open in page {
            let id = open.id();
            let Some(up) = &self.passive.taking_up else {
                break;
            };
            if up.met.contains(&id) {
                continue;
            }
            match open {
                TakenUp::Waits(id, standing) => orders.extend(self.wait(id, standing)),
                TakenUp::Whole(execution) => self.adopt(*execution),
            }
        }
        if !orders.is_empty() {
            self.parts.dispatch.carry_out(orders);
        }
        match (to, &mut self.passive.taking_up) {
            (Some(to), Some(up)) => up.to = Some(to),
            (None, up) => *up = None,
            _ => {}
        }
    }

    /// Takes an execution up that stays out of memory. Gives what the agents are told.
    fn wait(&mut self, id: Uuid, standing: Standing) -> impl Iterator<Item = Order> + use<> {
        self.parts.open.fetch_add(1, Ordering::Relaxed);
        if let Some(due) = standing.due {
            self.timers.insert((due, id));
        }
        let namespace = standing.namespace;
        standing
            .queued
            .into_iter()
            .map(move |queued| Order::Wait(ticket(id, &namespace, queued)))
    }
}

impl TakenUp {
    /// The execution.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Waits(id, _) => *id,
            Self::Whole(execution) => execution.id,
        }
    }
}

impl TakingUp {
    /// Notes an execution that was started or is loaded. True when it is still to be taken up:
    /// who meets it does that.
    pub fn meet(&mut self, id: Uuid) -> bool {
        Some(id) > self.to && self.met.insert(id)
    }
}

fn gone(key: TaskKey) -> Order {
    Order::Withdraw {
        timed_out: false,
        key,
        reason: "it is no more".into(),
    }
}

/// Reads an execution; one that its events do not make is named rather than fatal.
pub fn read(parts: &super::Parts, id: Uuid) -> Result<Execution, Error> {
    catch_unwind(AssertUnwindSafe(|| recovery::read(parts, id))).unwrap_or_else(|_| {
        Err(Error::DataLoss(format!(
            "the events of execution {id} do not fold"
        )))
    })
}
