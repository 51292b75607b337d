//! Watches of the agents of a namespace. A watch keeps the ids of agents that have changed,
//! not the changes: it never grows beyond the agents there are, and a slow watcher costs
//! nothing.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    Hub,
    state::{AgentId, State},
};
use crate::proto::{Agent, WatchAgentsResponse};

/// The least time between two looks of a watch: changes within it are told as one.
const PACE: Duration = Duration::from_millis(100);

/// What a watch has yet to tell.
#[derive(Default)]
pub(super) struct Watcher {
    changed: BTreeSet<Arc<str>>,
    notify: Arc<Notify>,
}

/// A watch of the agents of a namespace; ends when dropped.
pub struct AgentWatch {
    hub: Hub,
    space: Arc<str>,
    id: u64,
    notify: Arc<Notify>,
    ready: VecDeque<WatchAgentsResponse>,
    next_look: Instant,
}

impl AgentWatch {
    pub(super) fn begin(hub: &Hub, namespace: &str) -> Self {
        let (space, id, notify) = hub.locked(|state, _| state.watch(namespace));
        Self {
            hub: hub.clone(),
            space,
            id,
            notify,
            ready: VecDeque::new(),
            next_look: Instant::now(),
        }
    }

    /// The next agent that has changed, as it stands: at first every registered one. Changes
    /// in quick succession are told as one. `None` once the server is shutting down. Cancel
    /// safe.
    pub async fn next(&mut self) -> Option<WatchAgentsResponse> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                return Some(next);
            }
            sleep_until(self.next_look).await;
            let look = |state: &mut State, _| state.changed(&self.space, self.id);
            self.ready = self.hub.locked(look)?;
            if self.ready.is_empty() {
                self.notify.notified().await;
            } else {
                self.next_look = Instant::now() + PACE;
            }
        }
    }
}

impl Drop for AgentWatch {
    fn drop(&mut self) {
        let (space, id) = (self.space.clone(), self.id);
        self.hub.locked(|state, _| state.unwatch(&space, id));
    }
}

impl State {
    /// Notes that a registered agent, its workers or its load have changed.
    pub fn touch(&mut self, agent: AgentId) {
        if self.watches == 0 {
            return;
        }
        let Some(slot) = self.agents.get(&agent).filter(|a| a.record.is_some()) else {
            return;
        };
        let Some(space) = self.spaces.get_mut(&slot.space) else {
            return;
        };
        for watcher in space.watchers.values_mut() {
            watcher.changed.insert(slot.id.clone());
            watcher.notify.notify_one();
        }
    }

    /// Wakes every watch, to find that it is over.
    pub fn wake_watches(&self) {
        for watcher in self.spaces.values().flat_map(|s| s.watchers.values()) {
            watcher.notify.notify_one();
        }
    }

    fn watch(&mut self, namespace: &str) -> (Arc<str>, u64, Arc<Notify>) {
        let (name, id) = (self.space(namespace), self.tick());
        let space = self.spaces.entry(name.clone()).or_default();
        let known = |id: &AgentId| self.agents.get(id).is_some_and(|a| a.record.is_some());
        let agents = space.agents.iter().filter(|(_, id)| known(id));
        let watcher = Watcher {
            changed: agents.map(|(name, _)| name.clone()).collect(),
            notify: Arc::default(),
        };
        let notify = watcher.notify.clone();
        space.watchers.insert(id, watcher);
        self.watches += 1;
        (name, id, notify)
    }

    fn unwatch(&mut self, space: &str, id: u64) {
        if let Some(space) = self.spaces.get_mut(space)
            && space.watchers.remove(&id).is_some()
        {
            self.watches -= 1;
        }
        self.prune_space(space);
    }

    /// What has changed since the last look; `None` once nothing changes any more.
    fn changed(&mut self, name: &str, id: u64) -> Option<VecDeque<WatchAgentsResponse>> {
        let space = self.spaces.get_mut(name).filter(|_| !self.closed)?;
        let changed = std::mem::take(&mut space.watchers.get_mut(&id)?.changed);
        let tell = |id: Arc<str>| {
            let agent = self.agent(name, &id);
            WatchAgentsResponse {
                deregistered: agent.is_none(),
                agent: Some(agent.unwrap_or_else(|| Agent {
                    id: id.to_string(),
                    ..Agent::default()
                })),
            }
        };
        Some(changed.into_iter().map(tell).collect())
    }
}
