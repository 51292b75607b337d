//! The commit thread: the only one that puts writes in order. Takes the parts that wait, makes
//! them durable as one group, and says so to each. What arrives meanwhile is the next group: no
//! timer, no fixed batch. Parts arrive staged (`lane`): what is encoded and written beside the
//! journal is so while the group before is being synced.

use std::{sync::Arc, thread::JoinHandle};

use tokio::sync::{mpsc, oneshot, watch};

use super::lane::Commits;
use crate::store::{self, Staged, Store};

/// The most parts that wait to be committed; more make their senders wait.
const PARTS_MAX: usize = 1024;
/// The most writes made durable as one.
const WRITES_MAX: usize = 4_096;

/// Writes that are made durable as one, and who is told.
pub(super) struct Part {
    /// The writes.
    pub staged: Staged,
    /// Told once durable; dropped when that failed.
    pub done: Option<oneshot::Sender<()>>,
}

/// What the thread is told.
pub(super) enum Order {
    Commit(Part),
    Stop,
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

/// Says why the engine cannot go on. The first reason counts.
pub(super) fn fail(failed: &Failed, error: &store::Error) {
    // A failed sync leaves it unknown what is on disk: never retried, never hidden.
    tracing::error!(%error, "the store failed: stopping");
    failed.send_if_modified(|reason| {
        let is_first = reason.is_none();
        reason.get_or_insert_with(|| error.to_string());
        is_first
    });
}

/// Starts the thread; its groups hold at most so many bytes. It ends with the first commit that
/// fails, and says so.
pub fn start(store: Arc<dyn Store>, failed: Failed, bytes_max: u64) -> (Committer, Commits) {
    let (orders, receiver) = mpsc::channel(PARTS_MAX);
    let commits = Commits::new(orders.clone(), Arc::clone(&store), failed.clone());
    let thread = std::thread::Builder::new()
        .name("tutti-commit".into())
        .spawn(move || run(store.as_ref(), Queue::new(receiver, bytes_max), &failed))
        .expect("the system can start one more thread at start-up");
    let committer = Committer {
        orders,
        thread: Some(thread),
    };
    (committer, commits)
}

fn run(store: &dyn Store, mut queue: Queue, failed: &Failed) {
    while let Some(group) = queue.next() {
        let (staged, done): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|part| (part.staged, part.done))
            .unzip();
        if let Err(error) = store.commit_staged(staged) {
            return fail(failed, &error);
        }
        for one in done.into_iter().flatten() {
            let _ = one.send(());
        }
    }
}

/// The parts that wait.
struct Queue {
    orders: mpsc::Receiver<Order>,
    bytes_max: u64,
    /// One that did not fit into the group before.
    left: Option<Part>,
    stopping: bool,
}

impl Queue {
    fn new(orders: mpsc::Receiver<Order>, bytes_max: u64) -> Self {
        Self {
            orders,
            bytes_max,
            left: None,
            stopping: false,
        }
    }

    /// The next group: all that waits, as far as it fits; waits for the first. `None` once
    /// told to stop.
    fn next(&mut self) -> Option<Vec<Part>> {
        let first = match self.left.take() {
            Some(left) => left,
            None if self.stopping => return None,
            None => match self.orders.blocking_recv() {
                Some(Order::Commit(first)) => first,
                Some(Order::Stop) | None => return None,
            },
        };
        let (mut writes, mut bytes) = (first.staged.writes(), first.staged.bytes());
        let mut group = vec![first];
        while writes < WRITES_MAX
            && !self.stopping
            && let Ok(order) = self.orders.try_recv()
        {
            match order {
                Order::Commit(part) if bytes + part.staged.bytes() > self.bytes_max => {
                    self.left = Some(part);
                    break;
                }
                Order::Commit(part) => {
                    writes += part.staged.writes();
                    bytes += part.staged.bytes();
                    group.push(part);
                }
                Order::Stop => self.stopping = true,
            }
        }
        Some(group)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn part(staged: Staged) -> Order {
        Order::Commit(Part { staged, done: None })
    }

    /// The sizes of the groups that parts of these sizes are committed in.
    fn groups(sizes: &[u64], bytes_max: u64) -> Vec<Vec<u64>> {
        let (orders, receiver) = mpsc::channel(PARTS_MAX);
        for bytes in sizes {
            let staged = Staged::of_size(1, *bytes);
            assert!(orders.try_send(part(staged)).is_ok());
        }
        assert!(orders.try_send(Order::Stop).is_ok());
        let mut queue = Queue::new(receiver, bytes_max);
        let next = || queue.next();
        let sizes = |group: Vec<Part>| group.iter().map(|part| part.staged.bytes()).collect();
        std::iter::from_fn(next).map(sizes).collect()
    }

    #[test]
    fn all_that_waits_is_one_group_as_far_as_it_fits() {
        assert_eq!(groups(&[3, 3, 4], 10), [vec![3, 3, 4]]);
        assert_eq!(
            groups(&[3, 3, 5, 5, 1], 10),
            [vec![3, 3], vec![5, 5], vec![1]]
        );
        assert_eq!(groups(&[12, 1], 10), [vec![12], vec![1]]);
        assert_eq!(groups(&[], 10), Vec::<Vec<u64>>::new());
    }

    #[test]
    fn a_group_has_a_bound_of_writes() {
        let (orders, receiver) = mpsc::channel(PARTS_MAX);
        for _ in 0..3 {
            assert!(
                orders
                    .try_send(part(Staged::of_size(WRITES_MAX / 2, 1)))
                    .is_ok()
            );
        }
        assert!(orders.try_send(Order::Stop).is_ok());
        let mut queue = Queue::new(receiver, 10);
        assert_eq!(queue.next().unwrap().len(), 2);
        assert_eq!(queue.next().unwrap().len(), 1);
        assert!(queue.next().is_none());
    }
}
