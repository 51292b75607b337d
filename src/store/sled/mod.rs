//! The default store: our own journal in front, the state in sled behind it.
//!
//! ```text
//! tutti-data/
//!   FORMAT                          `tutti data, format 2`
//!   LOCK                            locked by the process that has the directory open
//!   journal/00000000000000000001.log   commits, by the number of the first; see `segment`, `frame`
//!   journal/next                    a segment to be used again
//!   blobs/ab/cdef…                  large payloads, by the SHA-256 of their bytes; see `blobs`
//!   state/ or state-N/              sled's files; one tree, see `keys`
//!   STATE                           which of these counts, once a state took another's place
//! ```
//!
//! A commit is one record of the journal, synced before it returns, and is then folded into
//! the **overlay**, in memory. Its parts are staged beforehand, by any number of threads. The **keeper**, a thread in the background, takes the overlay
//! over into the state a layer at a time, key by key: beforehand the state is told the number and
//! the running hash of the layer's last commit, and once more when all of it is there, so that
//! what a crash leaves between two commits is known and done again; see `apply`.
//! Reads see the overlay over the state. sled's files are synced only at a **checkpoint**, which
//! the keeper makes too, and after which the journal forgets what came before. At start the
//! journal's records that the state lacks are folded into the overlay again; what does not fit
//! together is refused, never repaired by guessing.
//!
//! Each payload is kept once: in the events that carry it. (Until the next checkpoint the
//! journal holds it too.) Summaries and indexes hold none.

mod apply;
mod blobs;
mod changes;
mod chunks;
mod copy;
mod directory;
mod drain;
mod failure;
mod files;
mod frame;
mod heads;
mod history;
mod inspect;
mod journal;
mod keeper;
mod kept;
mod keys;
mod layer;
mod merged;
mod naming;
mod open;
mod overlay;
mod packs;
mod part;
mod read;
mod record;
mod record_names;
mod restore;
mod rewrite;
mod room;
mod sealed;
mod segment;
mod standing;
mod state;
mod summary;
#[cfg(test)]
mod tests;
mod values;
mod verify;
mod whole;
mod writer;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use uuid::Uuid;

pub use self::inspect::Inspection;
use self::{
    blobs::Blobs,
    files::tree_bytes,
    keeper::{Keeper, Task, Work},
    part::Part,
    writer::Writer,
};
use super::{
    Attempt, Compacted, Error, Info, Open, OutputRecord, Page, Pressure, RequestName,
    RequestRecord, Snapshot, Staged, Store, Verification, Write,
};
use crate::{
    core::decide::CacheKey,
    proto::{Agent, Event, Execution, ExecutionFilter, Retention, WorkflowVersion},
};

const NAME: &str = "sled";

/// The bounds that a store keeps to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The size at which a journal segment is full, in bytes. A larger group gets a segment
    /// of its own.
    pub segment_bytes: u64,
    /// By how much a segment grows ahead of what is written, in bytes.
    pub preallocate_bytes: u64,
    /// How much journal is written between checkpoints, in bytes: what there is to replay at
    /// start at most, and about half of what the journal takes on disk.
    pub checkpoint_bytes: u64,
    /// How much waits in memory before it is taken over into the state, in bytes. More of it
    /// means fewer and larger values in the state.
    pub drain_bytes: usize,
    /// For how long nothing must be committed until what waits in memory is taken over though it
    /// is less: a store at rest keeps none of it in memory, and has less to replay.
    pub drain_idle: Duration,
    /// How much may wait in memory to be taken over into the state before new executions are
    /// refused, in bytes.
    pub pending_bytes_max: usize,
    /// How much of the state sled keeps in memory, in bytes.
    pub cache_bytes: u64,
    /// Payloads above this size, as encoded, lie in files of their own, in bytes.
    pub inline_bytes_max: usize,
    /// The most that one commit may hold, in bytes as journaled; below 4 GiB.
    pub group_bytes_max: u32,
    /// Of how many executions the store remembers where they stand. About 50 bytes each.
    pub heads_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            preallocate_bytes: 4 << 20,
            checkpoint_bytes: 64 << 20,
            drain_bytes: 8 << 20,
            drain_idle: Duration::from_secs(2),
            pending_bytes_max: 64 << 20,
            cache_bytes: 8 << 20,
            inline_bytes_max: 32 << 10,
            group_bytes_max: 256 << 20,
            heads_max: 100_000,
        }
    }
}

impl Options {
    /// The size of a layer of what waits in memory, in bytes.
    fn layer_bytes(&self) -> usize {
        self.drain_bytes.min(self.pending_bytes_max / 2).max(1)
    }
}

/// What opening a store found to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// How many commits of the journal the state lacked.
    pub commits_replayed: u64,
    /// How many bytes behind the journal's last whole record were cut off: what a crash left
    /// of a commit that nobody was told of.
    pub bytes_cut: u64,
}

/// A store on disk. Dropping it loses nothing: every commit that returned is in the journal.
#[derive(Debug)]
pub struct SledStore {
    /// Ended first.
    _keeper: Keeper,
    work: Arc<Work>,
    writer: Mutex<Writer>,
    pending_bytes_max: usize,
    group_bytes_max: u64,
    blobs: Arc<Blobs>,
}

impl SledStore {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A commit that panicked may have left journal and overlay apart.
        self.writer.lock().unwrap_or_else(|poisoned| {
            let reason = "a commit did not run to its end";
            self.work.failure.set(reason.to_owned());
            poisoned.into_inner()
        })
    }
}

impl Store for SledStore {
    fn stage(&self, mut writes: Vec<Write>) -> Result<Staged, Error> {
        if self.writes_files(&mut writes) {
            self.leave_rest()?;
        }
        self.ready(writes)
    }

    fn stage_at_once(&self, mut writes: Vec<Write>) -> Result<Attempt, Error> {
        match self.writes_files(&mut writes) {
            true => Ok(Attempt::Slow(writes)),
            false => self.ready(writes).map(Attempt::Staged),
        }
    }

    fn commit_staged(&self, group: Vec<Staged>) -> Result<(), Error> {
        let group = group.into_iter().filter(|staged| staged.writes() > 0);
        let parts = group.map(Staged::content::<Part>);
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        if parts.is_empty() {
            return Ok(());
        }
        let sizes = parts.iter().map(|part| part.piece.payload.len() as u64);
        let (bytes, bytes_max) = (sizes.sum(), self.group_bytes_max);
        if bytes > bytes_max {
            return Err(Error::TooLarge { bytes, bytes_max });
        }
        let mut writer = self.writer();
        self.work.failure.check()?;
        let committed = writer.commit(&self.work.kept, parts);
        let is_layer_due = self.work.failure.note(committed)?;
        drop(writer);
        self.work.look(is_layer_due);
        Ok(())
    }

    fn events(&self, id: Uuid, after: u64, limit: usize) -> Result<Vec<Event>, Error> {
        Ok(self.events_within(id, after, limit, u64::MAX)?.items)
    }

    fn events_within(
        &self,
        id: Uuid,
        after: u64,
        limit: usize,
        bytes_max: u64,
    ) -> Result<Page<Event, u64>, Error> {
        let found = self.work.kept.events(id, after, limit)?;
        self.with_payloads(id, found, limit, bytes_max)
    }

    fn execution(&self, id: Uuid) -> Result<Option<Execution>, Error> {
        self.work.kept.execution(id)
    }

    fn executions(
        &self,
        namespace: &str,
        filter: &ExecutionFilter,
        cursor: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Execution, Uuid>, Error> {
        self.work.kept.executions(namespace, filter, cursor, limit)
    }

    fn open_executions(&self, after: Option<Uuid>, limit: usize) -> Result<Vec<Open>, Error> {
        self.work.kept.open_executions(after, limit)
    }

    fn request(&self, namespace: &str, request_id: &str) -> Result<Option<RequestRecord>, Error> {
        self.work.kept.request(namespace, request_id)
    }

    fn requests(
        &self,
        after: Option<RequestName>,
        limit: usize,
    ) -> Result<Vec<(RequestName, RequestRecord)>, Error> {
        self.work.kept.requests(after, limit)
    }

    fn output(&self, key: &CacheKey) -> Result<Option<OutputRecord>, Error> {
        self.work.kept.output(key)
    }

    fn outputs(
        &self,
        after: Option<CacheKey>,
        limit: usize,
    ) -> Result<Vec<(CacheKey, OutputRecord)>, Error> {
        self.work.kept.outputs(after, limit)
    }

    fn executed_workflows(
        &self,
        after: Option<(String, String)>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Error> {
        self.work.kept.executed_workflows(after, limit)
    }

    fn retentions(&self) -> Result<Vec<Retention>, Error> {
        self.work.kept.retentions()
    }

    fn workflow(
        &self,
        namespace: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<WorkflowVersion>, Error> {
        self.work.kept.workflow(namespace, name, version)
    }

    fn workflow_versions(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        self.work.kept.workflow_versions(namespace, name)
    }

    fn workflows(
        &self,
        namespace: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        self.work.kept.workflows(namespace, after, limit)
    }

    fn agents(&self) -> Result<Vec<(String, Agent)>, Error> {
        self.work.kept.agents()
    }

    fn verify_execution(&self, id: Uuid) -> Result<Option<Verification>, Error> {
        let found = self.work.kept.verify_execution(id)?;
        found
            .map(|found| self.with_blobs_verified(found))
            .transpose()
    }

    fn verify_executions(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Verification, Uuid>, Error> {
        let found = self.work.kept.verify_executions(after, limit)?;
        let items = found.items.into_iter();
        let items = items.map(|found| self.with_blobs_verified(found));
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: found.next,
        })
    }

    fn compact(&self) -> Result<Compacted, Error> {
        let bytes_before = tree_bytes(&self.work.kept.state.path())?;
        self.work.have_done(Task::Compact)?;
        let bytes_after = tree_bytes(&self.work.kept.state.path())?;
        Ok(Compacted {
            bytes_before,
            bytes_after,
        })
    }

    fn snapshot(&self, sink: &mut dyn io::Write) -> Result<Snapshot, Error> {
        copy::write(&self.work, &self.blobs, sink)
    }

    fn pressure(&self) -> Pressure {
        Pressure {
            pending_bytes: self.work.kept.overlay().bytes() as u64,
            pending_bytes_max: self.pending_bytes_max as u64,
        }
    }

    fn on_failure(&self, tell: Box<dyn FnOnce(String) + Send>) {
        self.work.failure.on_failure(tell);
    }

    fn free_bytes(&self) -> Result<Option<u64>, Error> {
        self.work.directory.free_bytes().map(Some)
    }

    fn info(&self) -> Info {
        Info {
            name: NAME,
            format: directory::FORMAT,
        }
    }

    fn close(&self) -> Result<(), Error> {
        // What is being committed is waited for.
        let mut writer = self.writer();
        self.work.failure.check()?;
        self.work.failure.note(writer.journal.rest())?;
        drop(writer);
        self.work.have_done(Task::Rest)
    }
}
