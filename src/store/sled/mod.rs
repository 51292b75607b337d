//! The default store: our own journal in front, the state in sled behind it.
//!
//! ```text
//! tutti-data/
//!   FORMAT                          `tutti data, format 1`
//!   LOCK                            locked by the process that has the directory open
//!   journal/00000000000000000001.log   commits, by the number of the first; see `segment`, `frame`
//!   journal/next                    a segment to be used again
//!   state/                          sled's files; one tree, see `keys`
//! ```
//!
//! A commit is one record of the journal, synced before it returns, and then one batch of the
//! state, which carries the commit's number and running hash: sled stands at an exact commit
//! at any time. sled's files are synced only at a **checkpoint**, after which the journal
//! forgets what came before. At start the journal's records that the state lacks are applied
//! to it; what does not fit together is refused, never repaired by guessing.
//!
//! Each payload is kept once: in the events that carry it. (Until the next checkpoint the
//! journal holds it too.) Summaries and indexes hold none.

mod chunks;
mod directory;
mod draft;
mod files;
mod frame;
mod heads;
mod history;
mod journal;
mod keys;
mod open;
mod read;
mod record;
mod segment;
mod standing;
mod state;
#[cfg(test)]
mod tests;

use std::{
    io,
    sync::{Mutex, MutexGuard},
};

use prost::Message as _;
use uuid::Uuid;

use self::{
    directory::Directory, draft::Draft, heads::Heads, journal::Journal, record::Group, state::State,
};
use super::{
    Compacted, Error, Info, Open, Page, Pressure, RequestRecord, Snapshot, Store, Verification,
    Write, audit::Chain, check,
};
use crate::proto::{Agent, Event, Execution, ExecutionFilter, WorkflowVersion};

const NAME: &str = "sled";

/// The largest group of one commit, in bytes as journaled.
const GROUP_BYTES_MAX: usize = 1 << 30;

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
    /// How much of the state sled keeps in memory, in bytes.
    pub cache_bytes: u64,
    /// Of how many executions the store remembers where they stand. About 100 bytes each.
    pub heads_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            preallocate_bytes: 4 << 20,
            checkpoint_bytes: 64 << 20,
            cache_bytes: 128 << 20,
            heads_max: 100_000,
        }
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
    state: State,
    writer: Mutex<Writer>,
    /// Released last.
    directory: Directory,
}

/// What only the one who commits touches.
#[derive(Debug)]
struct Writer {
    journal: Journal,
    heads: Heads,
    checkpoint_bytes: u64,
    /// What made the store unusable.
    failure: Option<String>,
}

impl SledStore {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A commit that panicked may have left journal and state apart; `failure` tells.
        self.writer.lock().unwrap_or_else(|poisoned| {
            let mut writer = poisoned.into_inner();
            let failure = &mut writer.failure;
            failure.get_or_insert_with(|| "a commit did not run to its end".to_owned());
            writer
        })
    }
}

impl Writer {
    /// Runs a step that writes. After the first failure that may have left something half
    /// written there is no further one: a sync that failed must not be tried again, since the
    /// system may have dropped what it could not write and then report success.
    fn run(&mut self, step: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        if let Some(failure) = &self.failure {
            return Err(Error::Io {
                context: "the store stopped after a failure".into(),
                source: io::Error::other(failure.clone()),
            });
        }
        let done = step(self);
        if let Err(error @ (Error::Io { .. } | Error::Damaged(_))) = &done {
            self.failure = Some(error.to_string());
        }
        done
    }

    fn commit(&mut self, state: &State, group: Vec<Write>) -> Result<(), Error> {
        check::group(&group, |id| {
            Ok(state.head(&mut self.heads, id)?.last_sequence)
        })?;
        let group = Group::of(group);
        let payload = group.encode_to_vec();
        if payload.len() > GROUP_BYTES_MAX {
            let bytes = payload.len();
            return Err(Error::Inconsistent(format!(
                "a group of {bytes} bytes, more than {GROUP_BYTES_MAX}"
            )));
        }
        let mut draft = Draft::new(state, &mut self.heads);
        draft.add(group)?;
        let (changes, heads) = draft.finish();

        let position = self.journal.append(&payload)?;
        state.apply(changes, position)?;
        self.heads.extend(heads);
        if self.journal.bytes_since_checkpoint() >= self.checkpoint_bytes {
            self.checkpoint(state)?;
        }
        Ok(())
    }

    /// Makes the state durable, so that the journal may forget what led to it.
    fn checkpoint(&mut self, state: &State) -> Result<(), Error> {
        let end = self.journal.end();
        state.make_durable(end)?;
        self.journal.checkpointed(end.commit)
    }
}

impl Store for SledStore {
    fn commit(&self, group: Vec<Write>) -> Result<(), Error> {
        if group.is_empty() {
            return Ok(());
        }
        self.writer()
            .run(|writer| writer.commit(&self.state, group))
    }

    fn events(&self, id: Uuid, after: u64, limit: usize) -> Result<Vec<Event>, Error> {
        self.state.events(id, after, limit)
    }

    fn execution(&self, id: Uuid) -> Result<Option<Execution>, Error> {
        self.state.execution(id)
    }

    fn executions(
        &self,
        namespace: &str,
        filter: &ExecutionFilter,
        cursor: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Execution, Uuid>, Error> {
        self.state.executions(namespace, filter, cursor, limit)
    }

    fn open_executions(&self, after: Option<Uuid>, limit: usize) -> Result<Vec<Open>, Error> {
        self.state.open_executions(after, limit)
    }

    fn request(&self, namespace: &str, request_id: &str) -> Result<Option<RequestRecord>, Error> {
        self.state.request(namespace, request_id)
    }

    fn workflow(
        &self,
        namespace: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<WorkflowVersion>, Error> {
        self.state.workflow(namespace, name, version)
    }

    fn workflow_versions(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        self.state.workflow_versions(namespace, name)
    }

    fn workflows(
        &self,
        namespace: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        self.state.workflows(namespace, after, limit)
    }

    fn agents(&self) -> Result<Vec<(String, Agent)>, Error> {
        self.state.agents()
    }

    fn verify_execution(&self, id: Uuid) -> Result<Option<Verification>, Error> {
        if self.state.execution(id)?.is_none() {
            return Ok(None);
        }
        let mut chain = Chain::new(id);
        for mut event in self.state.events(id, 0, usize::MAX)? {
            if event.sequence != chain.due() {
                return Ok(Some(chain.broken("it is missing")));
            }
            event.execution_id.clear();
            chain.add(&event.encode_to_vec());
        }
        Ok(Some(chain.verified()))
    }

    fn verify_executions(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Verification, Uuid>, Error> {
        let from = after.map_or(Uuid::nil(), |after| {
            Uuid::from_u128(after.as_u128().saturating_add(1))
        });
        let mut page = Page {
            items: Vec::new(),
            next: None,
        };
        for id in self.state.ids(from) {
            let id = id?;
            if page.items.len() >= limit {
                page.next = page.items.last().map(|last: &Verification| last.id);
                break;
            }
            page.items.extend(self.verify_execution(id)?);
        }
        Ok(page)
    }

    fn compact(&self) -> Result<Compacted, Error> {
        Err(Error::Unsupported(NAME))
    }

    fn snapshot(&self, _sink: &mut dyn io::Write) -> Result<Snapshot, Error> {
        Err(Error::Unsupported(NAME))
    }

    fn pressure(&self) -> Pressure {
        Pressure::default()
    }

    fn on_failure(&self, _tell: Box<dyn FnOnce(String) + Send>) {}

    fn free_bytes(&self) -> Result<Option<u64>, Error> {
        self.directory.free_bytes().map(Some)
    }

    fn info(&self) -> Info {
        Info {
            name: NAME,
            format: directory::FORMAT,
        }
    }

    fn close(&self) -> Result<(), Error> {
        self.writer().run(|writer| {
            if writer.journal.bytes_since_checkpoint() == 0 {
                return Ok(());
            }
            writer.checkpoint(&self.state)
        })
    }
}
