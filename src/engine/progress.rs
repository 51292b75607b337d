//! The progress hub: wakes watchers with what has become durable. Never waits for a watcher:
//! one that is too slow finds that it has missed something and reads the store.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use prost::Message as _;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::proto::{Chunk, Event, Execution};

/// How many items a watcher may be behind before it must read the store.
const BEHIND_MAX: usize = 256;
/// How many changed executions a watcher of a namespace may be behind.
const EXECUTIONS_BEHIND_MAX: usize = 4096;

/// The most bytes of events that a watcher is woken with; larger ones it reads from the store.
const EVENTS_BYTES_MAX: usize = 64 << 10;

/// What a watcher of an execution is woken with.
#[derive(Clone, Debug)]
pub enum Item {
    /// Events have become durable.
    Events {
        /// The sequence of the last of them.
        last: u64,
        /// They themselves, when someone watched as they were decided and they are not large.
        events: Option<Arc<Vec<Event>>>,
    },
    /// Provisional output.
    Chunk(Arc<Chunk>),
    /// The execution was deleted.
    Deleted,
}

type Watched = HashMap<Uuid, broadcast::Sender<Item>, foldhash::fast::RandomState>;

/// The hub. Cheap to clone.
#[derive(Clone)]
pub struct Progress {
    watched: Arc<Mutex<Watched>>,
    /// How many executions are followed: while none is, nobody needs the lock. Who follows after
    /// this was read finds in the store what became durable before.
    followed: Arc<AtomicUsize>,
    executions: broadcast::Sender<Arc<Execution>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            watched: Arc::default(),
            followed: Arc::default(),
            executions: broadcast::Sender::new(EXECUTIONS_BEHIND_MAX),
        }
    }
}

impl Progress {
    /// Follows one execution from now on.
    pub fn follow(&self, id: Uuid) -> broadcast::Receiver<Item> {
        self.change(|watched| {
            let sender = watched
                .entry(id)
                .or_insert_with(|| broadcast::Sender::new(BEHIND_MAX));
            sender.subscribe()
        })
    }

    /// Follows all executions from now on.
    pub fn follow_all(&self) -> broadcast::Receiver<Arc<Execution>> {
        self.executions.subscribe()
    }

    /// What those who follow the execution will be told of events just decided.
    pub fn news(&self, id: Uuid, events: &[Event]) -> Option<Arc<Vec<Event>>> {
        let followed = self.is_anything_followed() && self.lock().contains_key(&id);
        let told = followed && small(events);
        told.then(|| Arc::new(events.to_vec()))
    }

    /// True when someone follows all executions.
    pub fn all_followed(&self) -> bool {
        self.executions.receiver_count() > 0
    }

    /// Wakes those who follow the execution. One whose last follower left is forgotten.
    pub fn tell(&self, id: Uuid, item: Item) {
        if !self.is_anything_followed() {
            return;
        }
        self.change(|watched| {
            if let Some(sender) = watched.get(&id)
                && sender.send(item).is_err()
            {
                watched.remove(&id);
            }
        });
    }

    /// Wakes those who follow all executions.
    pub fn tell_all(&self, summary: Execution) {
        let _ = self.executions.send(Arc::new(summary));
    }

    /// A follower of the execution left.
    pub fn unfollow(&self, id: Uuid) {
        self.change(|watched| {
            if watched.get(&id).is_some_and(|s| s.receiver_count() == 0) {
                watched.remove(&id);
            }
        });
    }

    /// Ends every watch of an execution, once what was told is taken up.
    pub fn stop(&self) {
        self.change(HashMap::clear);
    }

    /// Forgets an execution that has ended, once its last event is told.
    pub fn forget(&self, id: Uuid) {
        if self.is_anything_followed() {
            self.change(|watched| watched.remove(&id));
        }
    }

    fn is_anything_followed(&self) -> bool {
        self.followed.load(Ordering::SeqCst) > 0
    }

    fn change<R>(&self, change: impl FnOnce(&mut Watched) -> R) -> R {
        let mut watched = self.lock();
        let result = change(&mut watched);
        self.followed.store(watched.len(), Ordering::SeqCst);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What waits for a watcher is bounded in bytes as well as in number.
fn small(events: &[Event]) -> bool {
    let mut bytes = 0;
    events.iter().all(|event| {
        bytes += event.encoded_len();
        bytes <= EVENTS_BYTES_MAX
    })
}
