//! The way of writes to the commit thread. Whoever hands them in stages them: encodes them on
//! its own thread, while the group before is being synced. What is large must be written beside
//! the journal first; that is done apart, and neither the commit thread nor whoever hands it in
//! waits for it: only what one sender hands in after it does, since its order is kept.

use std::sync::Arc;

use futures::future::try_join_all;
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

use super::commit::{Failed, Order, Part, fail};
use crate::store::{self, Attempt, Staged, Store, Write};

/// The most pieces whose large payloads are written at once.
const SLOW_MAX: usize = 4;

/// Writes that are committed as a whole.
pub enum Piece {
    /// They are ready.
    Ready(Staged),
    /// Large payloads among them must be written first.
    Slow(Vec<Write>),
    /// They never will be ready.
    Refused(store::Error),
}

/// Where writes are staged and handed in.
#[derive(Clone)]
pub struct Commits {
    orders: mpsc::Sender<Order>,
    store: Arc<dyn Store>,
    failed: Failed,
    slow: Arc<Semaphore>,
}

impl Commits {
    pub(super) fn new(orders: mpsc::Sender<Order>, store: Arc<dyn Store>, failed: Failed) -> Self {
        Self {
            orders,
            store,
            failed,
            slow: Arc::new(Semaphore::new(SLOW_MAX)),
        }
    }

    /// Stages writes, as far as that takes no waiting.
    pub fn stage(&self, writes: Vec<Write>) -> Piece {
        match self.store.stage_at_once(writes) {
            Ok(Attempt::Staged(staged)) => Piece::Ready(staged),
            Ok(Attempt::Slow(writes)) => Piece::Slow(writes),
            Err(error) => Piece::Refused(error),
        }
    }

    /// Commits writes that belong to no lane. False when they never will be durable.
    ///
    /// # Errors
    /// Those of staging them, with nothing written.
    pub async fn commit(&self, writes: Vec<Write>) -> Result<bool, store::Error> {
        let staged = self.finish(self.stage(writes)).await?;
        let (done, durable) = oneshot::channel();
        self.hand_in(vec![staged], done).await;
        Ok(durable.await.is_ok())
    }

    async fn finish(&self, piece: Piece) -> Result<Staged, store::Error> {
        let writes = match piece {
            Piece::Ready(staged) => return Ok(staged),
            Piece::Refused(error) => return Err(error),
            Piece::Slow(writes) => writes,
        };
        let _turn = self.slow.acquire().await;
        let store = Arc::clone(&self.store);
        let staging = tokio::task::spawn_blocking(move || store.stage(writes));
        staging.await.unwrap_or_else(|error| {
            let what = format!("a group was not made ready: {error}");
            Err(store::Error::Inconsistent(what))
        })
    }

    /// Waits while too much waits to be committed. False when the thread has ended.
    async fn hand_in(&self, staged: Vec<Staged>, done: oneshot::Sender<()>) -> bool {
        let (mut done, last) = (Some(done), staged.len().saturating_sub(1));
        for (nth, staged) in staged.into_iter().enumerate() {
            let done = done.take_if(|_| nth == last);
            let order = Order::Commit(Part { staged, done });
            if self.orders.send(order).await.is_err() {
                return false;
            }
        }
        true
    }
}

/// Keeps the order of one sender.
pub struct Lane {
    commits: Commits,
    /// What was handed in last and is not ready yet; gives false when it never will be.
    last: Option<JoinHandle<bool>>,
    /// What was handed in never will be durable, so nothing after it may be.
    broken: bool,
}

impl Lane {
    /// A lane of its own.
    pub fn new(commits: Commits) -> Self {
        Self {
            commits,
            last: None,
            broken: false,
        }
    }

    /// Where pieces are staged.
    pub fn commits(&self) -> &Commits {
        &self.commits
    }

    /// Hands pieces in; waits while too much waits to be committed. `done` is told once all of
    /// them are durable, and dropped when one never will be: the engine stops then.
    pub async fn send(&mut self, pieces: Vec<Piece>, done: oneshot::Sender<()>) {
        if self.last.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(last) = self.last.take()
        {
            self.broken = !matches!(last.await, Ok(true));
        }
        if self.broken {
            return;
        }
        let is_ready = |piece: &Piece| matches!(piece, Piece::Ready(_));
        let commits = self.commits.clone();
        if self.last.is_none() && pieces.iter().all(is_ready) {
            let ready = pieces.into_iter().filter_map(|piece| match piece {
                Piece::Ready(staged) => Some(staged),
                _ => None,
            });
            commits.hand_in(ready.collect(), done).await;
            return;
        }
        let before = self.last.take();
        self.last = Some(tokio::spawn(async move {
            let staging = pieces.into_iter().map(|piece| commits.finish(piece));
            let staged = try_join_all(staging).await;
            if let Some(before) = before
                && !matches!(before.await, Ok(true))
            {
                return false;
            }
            match staged {
                Ok(staged) => commits.hand_in(staged, done).await,
                Err(error) => {
                    fail(&commits.failed, &error);
                    false
                }
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{
        engine::commit,
        store::{
            conformance::samples::{append, id, start},
            memory::Memory,
        },
    };

    fn begun() -> (commit::Committer, Commits, Failed) {
        let failed = Failed::new(None);
        let (committer, commits) = commit::start(Arc::new(Memory::new()), failed.clone(), u64::MAX);
        (committer, commits, failed)
    }

    fn event(sequence: u64) -> Vec<Write> {
        match sequence {
            1 => vec![start(1)],
            _ => vec![append(1, sequence..=sequence, None)],
        }
    }

    /// What is slow makes what is quick and handed in later wait, and nothing else.
    #[tokio::test]
    async fn a_lane_keeps_its_order_whatever_is_slow_in_it() {
        let (committer, commits, failed) = begun();
        let mut lane = Lane::new(commits.clone());
        let mut durable = Vec::new();
        for sequence in 1..=20 {
            let piece = match sequence % 3 {
                0 => commits.stage(event(sequence)),
                _ => Piece::Slow(event(sequence)),
            };
            let (done, told) = oneshot::channel();
            lane.send(vec![piece], done).await;
            durable.push(told);
        }
        for told in durable {
            told.await.unwrap();
        }
        assert!(commits.commit(vec![start(2)]).await.unwrap());
        let events = commits.store.events(id(1), 0, 100).unwrap();
        assert!(events.iter().map(|event| event.sequence).eq(1..=20));
        assert_eq!(*failed.borrow(), None);
        committer.join().await;
    }

    #[tokio::test]
    async fn what_is_slow_in_one_lane_holds_up_no_other() {
        let (committer, commits, _) = begun();
        let busy = commits.slow.acquire_many(SLOW_MAX as u32).await.unwrap();
        let mut lane = Lane::new(commits.clone());
        let (done, mut first) = oneshot::channel();
        lane.send(vec![Piece::Slow(event(1))], done).await;
        let (done, second) = oneshot::channel();
        lane.send(vec![commits.stage(event(2))], done).await;
        let mut other = Lane::new(commits.clone());
        let (done, quick) = oneshot::channel();
        other.send(vec![commits.stage(vec![start(2)])], done).await;
        quick.await.unwrap();
        assert!(first.try_recv().is_err(), "its turn has not come");
        drop(busy);
        first.await.unwrap();
        second.await.unwrap();
        committer.join().await;
    }

    #[tokio::test]
    async fn several_pieces_are_told_of_once() {
        let (committer, commits, _) = begun();
        let mut lane = Lane::new(commits.clone());
        for slow in [false, true] {
            let first = if slow { 4 } else { 1 };
            let pieces = (first..first + 3).map(|sequence| match slow && sequence == 5 {
                true => Piece::Slow(event(sequence)),
                false => commits.stage(event(sequence)),
            });
            let (done, told) = oneshot::channel();
            lane.send(pieces.collect(), done).await;
            told.await.unwrap();
            let events = commits.store.events(id(1), 0, 100).unwrap();
            assert_eq!(events.len() as u64, first + 2);
        }
        committer.join().await;
    }

    #[tokio::test]
    async fn after_what_is_refused_nothing_of_its_lane_is_committed() {
        let (committer, commits, failed) = begun();
        let mut lane = Lane::new(commits.clone());
        let refused = Piece::Refused(store::Error::TooLarge {
            bytes: 2,
            bytes_max: 1,
        });
        let (done, never) = oneshot::channel();
        lane.send(vec![commits.stage(event(1)), refused], done)
            .await;
        never.await.unwrap_err();
        for _ in 0..2 {
            let (done, never) = oneshot::channel();
            lane.send(vec![commits.stage(event(1))], done).await;
            never.await.unwrap_err();
        }
        assert!(commits.store.events(id(1), 0, 1).unwrap().is_empty());
        let reason = failed.borrow().clone().unwrap();
        assert!(reason.contains("group_bytes_max"), "{reason}");
        committer.join().await;
    }

    #[tokio::test]
    async fn what_belongs_to_no_lane_is_refused_and_nothing_stops() {
        let (committer, commits, failed) = begun();
        let nothing = Write::Append {
            id: id(1),
            events: Vec::new(),
            summary: None,
        };
        let refused = commits.commit(vec![nothing]).await;
        assert!(matches!(refused, Err(store::Error::Inconsistent(_))));
        assert!(commits.commit(vec![start(1)]).await.unwrap());
        assert_eq!(*failed.borrow(), None);
        committer.join().await;
    }
}
