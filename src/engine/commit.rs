//! The commit thread: the store's only writer. Takes the groups that wait, makes them durable
//! as one, and says so to each. What arrives meanwhile is the next group: no timer, no fixed
//! batch.

use std::{sync::Arc, thread::JoinHandle};

use tokio::sync::{mpsc, oneshot, watch};

use crate::store::{Store, Write};

/// The most groups that wait to be committed; more make their senders wait.
const GROUPS_MAX: usize = 1024;
/// The most writes made durable as one.
const WRITES_MAX: usize = 4_096;

/// Writes that are made durable together, and who is told.
pub struct Group {
    /// The writes, in order.
    pub writes: Vec<Write>,
    /// Told once durable; dropped when that failed.
    pub done: oneshot::Sender<()>,
}

/// What the thread is told.
enum Order {
    Commit(Group),
    Stop,
}

/// Where groups are handed in. Each sender's groups are committed in its order.
#[derive(Clone)]
pub struct Commits {
    orders: mpsc::Sender<Order>,
}

impl Commits {
    /// Hands a group in; waits while too many wait to be committed. False when the thread has
    /// ended: the group will never be durable.
    pub async fn send(&self, group: Group) -> bool {
        self.orders.send(Order::Commit(group)).await.is_ok()
    }
}

/// The running thread.
pub struct Committer {
    orders: mpsc::Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Lets the thread commit what it was handed and waits until it has ended.
    pub async fn join(mut self) {
        let _ = self.orders.send(Order::Stop).await;
        if let Some(thread) = self.thread.take() {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the commit thread ended badly");
            }
        }
    }
}

/// Where the reason is put when the engine cannot go on.
pub type Failed = watch::Sender<Option<String>>;

/// Starts the thread. It ends with the first commit that fails, and says so.
pub fn start(store: Arc<dyn Store>, failed: Failed) -> (Committer, Commits) {
    let (orders, receiver) = mpsc::channel(GROUPS_MAX);
    let thread = std::thread::Builder::new()
        .name("tutti-commit".into())
        .spawn(move || run(store.as_ref(), receiver, &failed))
        .expect("the system can start one more thread at start-up");
    let committer = Committer {
        orders: orders.clone(),
        thread: Some(thread),
    };
    (committer, Commits { orders })
}

fn run(store: &dyn Store, mut receiver: mpsc::Receiver<Order>, failed: &Failed) {
    let mut stopping = false;
    while !stopping && let Some(Order::Commit(first)) = receiver.blocking_recv() {
        let mut writes = first.writes;
        let mut done = vec![first.done];
        while writes.len() < WRITES_MAX
            && let Ok(order) = receiver.try_recv()
        {
            match order {
                Order::Commit(group) => {
                    writes.extend(group.writes);
                    done.push(group.done);
                }
                Order::Stop => {
                    stopping = true;
                    break;
                }
            }
        }
        if let Err(error) = store.commit(writes) {
            // A failed sync leaves it unknown what is on disk: never retried, never hidden.
            tracing::error!(%error, "the store failed: stopping");
            failed.send_replace(Some(error.to_string()));
            return;
        }
        for one in done {
            let _ = one.send(());
        }
    }
}
