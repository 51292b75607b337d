//! The room as others hold it: a cheap handle on the one lock, and the engine's side of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures::future::join_all;
use tokio::{sync::Notify, time::Instant};

use super::{
    AgentWatch, Refusal, TaskSink,
    registry::Record,
    state::{Bounds, Sink, State},
};
use crate::{
    core::limits::Limits,
    proto::{Agent, Worker},
};

/// Agents, the queue, workers and leases: a cheap handle on all of it.
///
/// Set its sink, run it, give it to the engine as `Dispatch` and to the api.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    bounds: Bounds,
    /// Wakes the task that runs the timers.
    wake: Notify,
}

impl Hub {
    /// A room without agents and tasks.
    pub fn new(limits: &Limits) -> Self {
        Self {
            inner: Arc::new(Inner {
                state: Mutex::new(State::new(limits)),
                bounds: limits.into(),
                wake: Notify::new(),
            }),
        }
    }

    /// Sets where facts go. Until then they are kept, in order.
    pub fn set_sink(&self, sink: Arc<dyn TaskSink>) {
        self.locked(|state, _| state.sink = Sink::Set(sink));
        self.inner.wake.notify_one();
    }

    /// Registers an agent, or replaces what is known of it; what waits for it is handed out.
    /// Its `state` counts as given, unset is ACTIVE. True when it was not known before.
    pub fn put_agent(&self, namespace: &str, agent: Agent) -> bool {
        let record = Record::new(agent);
        self.changed(|state, now| state.put_agent(namespace, record, now))
    }

    /// Closes an agent's circuit. False when it is not registered.
    pub fn reset_circuit(&self, namespace: &str, id: &str) -> bool {
        self.changed(|state, now| state.reset_circuit(namespace, id, now))
    }

    /// Forgets an agent: it gets no more tasks, those in progress go on. False when it was not
    /// known.
    pub fn remove_agent(&self, namespace: &str, id: &str) -> bool {
        self.changed(|state, now| state.remove_agent(namespace, id, now))
    }

    /// An agent with its workers and load; `None` when it is not registered.
    pub fn agent(&self, namespace: &str, id: &str) -> Option<Agent> {
        self.locked(|state, _| state.agent(namespace, id))
    }

    /// Registered agents whose id is greater than `after`, by id, at most `limit`: those that
    /// have the skill (empty: any) and carry all the labels, whatever their state.
    pub fn agents(
        &self,
        namespace: &str,
        skill: &str,
        labels: &HashMap<String, String>,
        after: &str,
        limit: usize,
    ) -> Vec<Agent> {
        self.locked(|state, _| state.list_agents(namespace, skill, labels, after, limit))
    }

    /// Watches the agents of a namespace.
    pub fn watch_agents(&self, namespace: &str) -> AgentWatch {
        AgentWatch::begin(self, namespace)
    }

    /// Workers whose id is greater than `after`, by id, at most `limit`: those that are
    /// connected, wait for tasks or hold leases, and serve the agent (empty: any).
    pub fn workers(&self, namespace: &str, agent: &str, after: &str, limit: usize) -> Vec<Worker> {
        self.locked(|state, _| state.list_workers(namespace, agent, after, limit))
    }

    /// Tells a connected worker to finish what it has; it gets no more tasks. False when no
    /// such worker is connected.
    pub fn drain_worker(&self, namespace: &str, worker_id: &str) -> bool {
        self.changed(|state, _| state.drain(namespace, worker_id))
    }

    /// Ends all streams, waiting polls and watches, and hands nothing out any more. Results by
    /// single calls still count while the sink takes them.
    pub fn shutdown(&self, reason: &str) {
        self.changed(|state, now| state.close(reason, now));
    }

    /// Lets go of the sink: what is told from now on is refused as `Unavailable`.
    pub(super) fn drop_sink(&self) {
        self.told(|state, _| state.sink = Sink::Gone);
    }

    /// Makes those of the agents known that are not, through the sink.
    pub(super) async fn register(
        &self,
        namespace: &str,
        agents: impl IntoIterator<Item = Agent>,
    ) -> Result<(), Refusal> {
        let (sink, unknown) = self.locked(|state, _| {
            if state.closed {
                return Err(Refusal::Unavailable);
            }
            let Sink::Set(sink) = &state.sink else {
                return Err(Refusal::Unavailable);
            };
            let agents = agents.into_iter();
            let unknown = agents.filter(|a| state.agent(namespace, &a.id).is_none());
            Ok((sink.clone(), unknown.collect::<Vec<_>>()))
        })?;
        let told = unknown.into_iter().map(|agent| {
            let agent = Agent {
                state: 0,
                create_time: None,
                workers: 0,
                running_tasks: 0,
                waiting_tasks: 0,
                ..agent
            };
            sink.register(namespace.to_owned(), agent)
        });
        join_all(told).await.into_iter().collect()
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.inner.bounds
    }

    /// Waits until the timers are to be looked at again.
    pub(super) async fn woken(&self) {
        self.inner.wake.notified().await;
    }

    /// Makes one change. Facts it gives are not told yet.
    pub(super) fn locked<R>(&self, change: impl FnOnce(&mut State, Instant) -> R) -> R {
        let now = Instant::now();
        let mut state = self.state();
        let result = change(&mut state, now);
        state.settle(now);
        let sooner = match (state.next_due(), state.armed) {
            (Some(due), Some(armed)) => due < armed,
            (due, None) => due.is_some(),
            (None, Some(_)) => false,
        };
        if sooner {
            self.inner.wake.notify_one();
        }
        result
    }

    /// Makes one change and leaves the facts it gives to the task that runs the timers: for
    /// callers that the sink must not be called from.
    pub(super) fn changed<R>(&self, change: impl FnOnce(&mut State, Instant) -> R) -> R {
        let (result, facts) = self.locked(|state, now| {
            let result = change(state, now);
            state.settle(now);
            (result, !state.effects.is_empty())
        });
        if facts {
            self.inner.wake.notify_one();
        }
        result
    }

    /// Makes one change and tells the facts it gives.
    pub(super) fn told<R>(&self, change: impl FnOnce(&mut State, Instant) -> R) -> R {
        let (result, batch) = self.locked(|state, now| {
            let result = change(state, now);
            state.settle(now);
            (result, state.begin_flush())
        });
        self.tell_all(batch);
        result
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
