//! The background thread: takes what is committed over into the state, a layer of the overlay
//! at a time, and makes the state durable so that the journal may forget. Commits and reads
//! never wait for it.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    super::Error, Options, directory::Directory, failure::Failure, kept::Kept, rewrite::rewrite,
    sealed::Sealed,
};

/// What the thread works on.
#[derive(Debug)]
pub struct Work {
    /// What is committed.
    pub kept: Kept,
    /// The journal's full segments.
    pub sealed: Arc<Sealed>,
    /// Set by whoever fails.
    pub failure: Failure,
    /// How much journal is written between checkpoints, in bytes.
    pub checkpoint_bytes: u64,
    cache_bytes: u64,
    /// For how long nothing is committed until what there is is taken over.
    drain_idle: Duration,
    orders: Mutex<Orders>,
    wake: Condvar,
    /// Released last.
    pub directory: Directory,
}

#[derive(Debug, Default)]
struct Orders {
    jobs: Vec<Job>,
    stop: bool,
}

/// What the thread is asked to do beside what is due.
#[derive(Debug)]
struct Job {
    what: Task,
    done: mpsc::SyncSender<Result<(), Error>>,
}

/// A task of the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Do what is due.
    #[cfg(test)]
    Due,
    /// Take over all there is.
    Drain,
    /// Take over all there is and make it durable.
    #[cfg(test)]
    Checkpoint,
    /// A checkpoint, after which nothing is kept that only a running store needs.
    Rest,
    /// Write the state anew.
    Compact,
}

impl Work {
    /// What there is to work on.
    pub fn new(kept: Kept, sealed: Arc<Sealed>, directory: Directory, options: &Options) -> Self {
        Self {
            kept,
            sealed,
            failure: Failure::default(),
            checkpoint_bytes: options.checkpoint_bytes,
            cache_bytes: options.cache_bytes,
            drain_idle: options.drain_idle,
            orders: Mutex::default(),
            wake: Condvar::new(),
            directory,
        }
    }

    /// Wakes the thread when something is due: a layer to be taken over, a checkpoint, or room
    /// in the journal.
    pub fn look(&self, is_layer_due: bool) {
        if is_layer_due || self.is_checkpoint_due() || self.sealed.is_room_due() {
            // Taken so that the thread is either before its own look or asleep.
            drop(self.orders());
            self.wake.notify_all();
        }
    }

    /// Has the thread do something and waits until it is done.
    ///
    /// # Errors
    /// `Error::Io` and `Error::Damaged` of what was done; an earlier failure.
    pub fn have_done(&self, what: Task) -> Result<(), Error> {
        let (done, result) = mpsc::sync_channel(1);
        {
            let mut orders = self.orders();
            self.failure.check()?;
            orders.jobs.push(Job { what, done });
        }
        self.wake.notify_all();
        match result.recv() {
            Ok(result) => result,
            Err(_) => self.failure.check(),
        }
    }

    fn is_due(&self) -> bool {
        self.kept.overlay().is_due() || self.is_checkpoint_due() || self.sealed.is_room_due()
    }

    fn is_checkpoint_due(&self) -> bool {
        self.sealed.bytes_since_checkpoint() >= self.checkpoint_bytes
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let (mut orders, idle) = self.wait();
            if orders.stop {
                return;
            }
            let jobs = std::mem::take(&mut orders.jobs);
            drop(orders);
            // What fails is told by `failure`, also to those whose jobs are not done then.
            let mut done = self.failure.note(self.do_due(idle));
            for job in jobs {
                done = done.and_then(|()| self.failure.note(self.task(job.what)));
                let told = done
                    .as_ref()
                    .map_or_else(|_| self.failure.check(), |()| Ok(()));
                let _ = job.done.send(told);
            }
            if done.is_err() {
                return self.orders().jobs.clear();
            }
        }
    }

    /// Waits until there is something to do; tells whether nothing was committed for a while and
    /// there is something to be taken over.
    fn wait(&self) -> (MutexGuard<'_, Orders>, bool) {
        let mut orders = self.orders();
        while !orders.stop && orders.jobs.is_empty() && !self.is_due() {
            let Some(end) = self.kept.overlay().end() else {
                orders = self
                    .wake
                    .wait(orders)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let waited = self.wake.wait_timeout(orders, self.drain_idle);
            let (again, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() && self.kept.overlay().end() == Some(end) {
                return (again, true);
            }
            orders = again;
        }
        (orders, false)
    }

    fn do_due(&self, idle: bool) -> Result<(), Error> {
        self.failure.check()?;
        if self.sealed.is_room_due() {
            self.sealed.make_room()?;
        }
        if self.is_checkpoint_due() {
            return self.checkpoint();
        }
        if idle || self.kept.overlay().is_due() {
            self.kept.drain_one()?;
        }
        Ok(())
    }

    fn task(&self, what: Task) -> Result<(), Error> {
        match what {
            #[cfg(test)]
            Task::Due => Ok(()),
            Task::Drain => self.kept.drain(),
            #[cfg(test)]
            Task::Checkpoint if self.sealed.bytes_since_checkpoint() == 0 => Ok(()),
            #[cfg(test)]
            Task::Checkpoint => self.checkpoint(),
            Task::Rest => self.rest(),
            Task::Compact => self.compact(),
        }
    }

    /// Makes the state durable, so that the journal may forget what led to it.
    fn checkpoint(&self) -> Result<(), Error> {
        let bytes = self.sealed.bytes_since_checkpoint();
        self.kept.drain()?;
        let applied = self.kept.state.standing()?.applied;
        self.kept.state.make_durable(applied)?;
        self.sealed.checkpointed(applied.commit, bytes)
    }

    fn rest(&self) -> Result<(), Error> {
        if self.sealed.bytes_since_checkpoint() > 0 || self.sealed.has_full() {
            self.checkpoint()?;
        }
        self.sealed.remove_unfinished()
    }

    /// Writes the state anew, and has that take its place. A crash leaves the old one, or the
    /// new one, whole; what is left of the other is removed at the next start.
    fn compact(&self) -> Result<(), Error> {
        let bytes = self.sealed.bytes_since_checkpoint();
        self.kept.drain()?;
        let _still = self.kept.hold_drains();
        let into = self.directory.next_state()?;
        let rewritten = rewrite(&self.kept.state, &into, self.cache_bytes)?;
        let applied = rewritten.standing()?.applied;
        self.directory.name_state(&into)?;
        drop(self.kept.state.replace(rewritten));
        self.directory.remove_other_states()?;
        self.sealed.checkpointed(applied.commit, bytes)
    }
}

/// The running thread. Dropping it lets it finish what it is doing and ends it.
#[derive(Debug)]
pub struct Keeper {
    work: Arc<Work>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// `Error::Io` when the system cannot start one more.
    pub fn start(work: Arc<Work>) -> Result<Self, Error> {
        let its = Arc::clone(&work);
        let run = move || {
            let _told = ToldWhenPanicking(&its);
            its.run();
        };
        let thread = thread::Builder::new()
            .name("tutti-keeper".into())
            .spawn(run)
            .map_err(|source| Error::Io {
                context: "cannot start the store's thread".into(),
                source,
            })?;
        Ok(Self {
            work,
            thread: Some(thread),
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.work.orders().stop = true;
        self.work.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic was told as the store's failure.
            let _ = thread.join();
        }
    }
}

/// Makes a panic of the thread the store's failure.
struct ToldWhenPanicking<'a>(&'a Work);

impl Drop for ToldWhenPanicking<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let reason = "the store's thread panicked: a broken invariant, see the log";
            self.0.failure.set(reason.into());
            self.0.orders().jobs.clear();
        }
    }
}
