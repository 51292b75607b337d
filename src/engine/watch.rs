//! Watches: the tail of an execution's events, and the executions of a namespace as they
//! change. A watcher that falls behind reads the store; nobody waits for it.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use tokio::sync::broadcast::{self, error::RecvError};
use uuid::Uuid;

use super::{
    Error,
    progress::{Item, Progress},
    recovery::not_found,
};
use crate::{
    proto::{Chunk, Event, Execution, ExecutionFilter, event},
    store::{self, Store},
};

/// How many events are read from the store at once.
const EVENTS_PER_READ: usize = 256;
/// With how many bytes of large payloads, about.
const BYTES_PER_READ: u64 = 4 << 20;
/// How many executions are read from the store at once.
const EXECUTIONS_PER_READ: usize = 256;

/// What a watch gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Watched {
    /// The next event.
    Event(Box<Event>),
    /// Provisional output.
    Chunk(Chunk),
}

/// A watch of one execution.
pub struct Watch {
    id: Uuid,
    store: Arc<dyn Store>,
    progress: Progress,
    /// `None` once taken apart.
    news: Option<broadcast::Receiver<Item>>,
    ready: VecDeque<Watched>,
    /// The last sequence taken up.
    seen: u64,
    /// True when the store may hold events after `seen`.
    behind: bool,
    ended: bool,
}

impl Watch {
    /// Follows an execution from after a sequence. It must exist.
    pub(super) fn new(store: Arc<dyn Store>, progress: Progress, id: Uuid, after: u64) -> Self {
        Self {
            id,
            store,
            news: Some(progress.follow(id)),
            progress,
            ready: VecDeque::new(),
            seen: after,
            behind: true,
            ended: false,
        }
    }

    /// The same watch, whose caller has `event` already: after the last one nothing comes.
    pub(super) fn seen_to(mut self, event: &Event) -> Self {
        self.ended = ends(event);
        self
    }

    /// The next item; `None` after the execution's last event. Cancel safe.
    ///
    /// # Errors
    /// `DataLoss`, `NotFound` (deleted meanwhile), `Unavailable` (shutting down).
    pub async fn next(&mut self) -> Option<Result<Watched, Error>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Ok(item));
            }
            if self.ended {
                return None;
            }
            if let Err(error) = self.fill().await {
                self.ended = true;
                return Some(Err(error));
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Error> {
        if self.behind {
            return self.read().await;
        }
        let news = self.news.as_mut().ok_or(Error::Unavailable)?;
        match news.recv().await {
            Ok(Item::Events { last, .. }) if last <= self.seen => {}
            Ok(Item::Events {
                events: Some(events),
                ..
            }) if events.first().is_some_and(|e| e.sequence <= self.seen + 1) => {
                for event in events.iter().filter(|e| e.sequence > self.seen) {
                    self.ready
                        .push_back(Watched::Event(Box::new(event.clone())));
                }
                self.took_up(events.last());
            }
            Ok(Item::Chunk(chunk)) => {
                self.ready.push_back(Watched::Chunk(chunk.as_ref().clone()));
            }
            Ok(Item::Deleted) => return Err(not_found(self.id)),
            Ok(Item::Events { .. }) | Err(RecvError::Lagged(_)) => self.behind = true,
            Err(RecvError::Closed) => return self.read_rest().await,
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<(), Error> {
        let (store, id, after) = (Arc::clone(&self.store), self.id, self.seen);
        let page = tokio::task::spawn_blocking(move || {
            store.events_within(id, after, EVENTS_PER_READ, BYTES_PER_READ)
        })
        .await
        .map_err(|_| Error::Unavailable)??;
        self.behind = page.next.is_some();
        self.took_up(page.items.last());
        let events = page.items.into_iter().map(|e| Watched::Event(Box::new(e)));
        self.ready.extend(events);
        Ok(())
    }

    /// Nobody tells any more: the execution ended, or the server stops.
    async fn read_rest(&mut self) -> Result<(), Error> {
        let before = self.seen;
        self.read().await?;
        if self.seen == before {
            Err(Error::Unavailable)
        } else {
            Ok(())
        }
    }

    fn took_up(&mut self, last: Option<&Event>) {
        let Some(last) = last else { return };
        self.seen = last.sequence;
        self.ended = ends(last);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.news.take());
        self.progress.unfollow(self.id);
    }
}

/// True for the last event of an execution.
pub fn ends(event: &Event) -> bool {
    matches!(
        event.kind,
        Some(
            event::Kind::ExecutionCompleted(_)
                | event::Kind::ExecutionFailed(_)
                | event::Kind::ExecutionCancelled(_)
                | event::Kind::ExecutionTimedOut(_)
        )
    )
}

/// A watch of the executions of a namespace.
pub struct WatchAll {
    store: Arc<dyn Store>,
    namespace: String,
    filter: ExecutionFilter,
    news: broadcast::Receiver<Arc<Execution>>,
    ready: VecDeque<Execution>,
    /// Reading the store from the start (`Some(None)`), from a place, or done.
    reading: Option<Option<Uuid>>,
    /// Executions told that may leave the filter: their next change is told too.
    told: HashSet<String>,
}

/// How many executions a watch remembers to have told; the memory starts anew after that.
const TOLD_MAX: usize = 100_000;

impl WatchAll {
    pub(super) fn new(
        store: Arc<dyn Store>,
        progress: &Progress,
        namespace: &str,
        filter: ExecutionFilter,
    ) -> Self {
        Self {
            store,
            namespace: namespace.to_owned(),
            filter,
            news: progress.follow_all(),
            ready: VecDeque::new(),
            reading: Some(None),
            told: HashSet::new(),
        }
    }

    /// The next execution that changed, without steps and payloads. Cancel safe.
    ///
    /// # Errors
    /// `DataLoss`, `Unavailable` (shutting down).
    pub async fn next(&mut self) -> Option<Result<Execution, Error>> {
        loop {
            if let Some(execution) = self.ready.pop_front() {
                return Some(Ok(execution));
            }
            if let Err(error) = self.fill().await {
                return Some(Err(error));
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Error> {
        if let Some(cursor) = self.reading {
            return self.read(cursor).await;
        }
        match self.news.recv().await {
            Ok(changed) => self.take_up(&changed),
            Err(RecvError::Lagged(_)) => self.reading = Some(None),
            Err(RecvError::Closed) => return Err(Error::Unavailable),
        }
        Ok(())
    }

    /// An execution that left the filter is told once more, so that the caller sees it leave.
    fn take_up(&mut self, changed: &Execution) {
        if changed.namespace != self.namespace {
            return;
        }
        let matches = store::passes(&self.filter, changed);
        if matches || self.told.remove(&changed.execution_id) {
            self.ready.push_back(changed.clone());
        }
        if matches {
            self.remember(changed.execution_id.clone());
        }
    }

    fn remember(&mut self, id: String) {
        if self.told.len() >= TOLD_MAX {
            self.told.clear();
        }
        self.told.insert(id);
    }

    async fn read(&mut self, cursor: Option<Uuid>) -> Result<(), Error> {
        let (store, namespace) = (Arc::clone(&self.store), self.namespace.clone());
        let filter = self.filter.clone();
        let page = tokio::task::spawn_blocking(move || {
            store.executions(&namespace, &filter, cursor, EXECUTIONS_PER_READ)
        })
        .await
        .map_err(|_| Error::Unavailable)??;
        self.reading = page.next.map(Some);
        for execution in page.items {
            self.remember(execution.execution_id.clone());
            self.ready.push_back(execution);
        }
        Ok(())
    }
}
