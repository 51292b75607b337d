//! What some commits come to, kept as what it means, not as keys, so that what lives shorter
//! than a layer never becomes a key. All bytes are parts of the records that were journaled.

use std::collections::BTreeMap;

use bytes::Bytes;
use uuid::Uuid;

use super::{
    super::Error,
    frame::Position,
    keys,
    record::{self, Append, Change, Entry, Group, Pack, PutAgent, PutRequest, PutWorkflow, Stand},
    summary::Outline,
};

/// What a layer takes in memory for an execution beside its encoded bytes, about: its place in
/// the map, and room for a few packs.
const EXECUTION_BYTES: usize = 400;
/// What a layer takes in memory for a pack beside its encoded bytes.
const PACK_BYTES: usize = size_of::<Pack>();
/// What a layer takes in memory for a value beside key and encoded bytes, about.
const VALUE_BYTES: usize = 128;

/// A commit that is in the journal.
#[derive(Debug)]
pub struct Commit {
    entries: Vec<Entry>,
    /// Where the history stands after it.
    end: Position,
    /// The size of what it is made of and keeps hold of, in bytes.
    bytes: usize,
}

impl Commit {
    /// Reads a record. What is kept of it are parts of that one piece of memory.
    ///
    /// # Errors
    /// `Error::Damaged` when it is not readable.
    pub fn read(payload: Bytes, end: Position) -> Result<Self, Error> {
        let bytes = payload.len();
        let entries = record::decode_shared::<Group>(payload, "a commit")?.entries;
        Ok(Self::new(entries, bytes, end))
    }

    /// A commit of these writes, which keep hold of so many bytes.
    pub fn new(entries: Vec<Entry>, bytes: usize, end: Position) -> Self {
        Self {
            entries,
            end,
            bytes,
        }
    }
}

/// The commits from one position of the history to another, folded.
#[derive(Debug, Default)]
pub struct Layer {
    /// The executions that were written to.
    pub executions: BTreeMap<Uuid, Pending>,
    /// Requests, workflows and agents by their key; `None` where one is forgotten.
    pub values: BTreeMap<Vec<u8>, Option<Bytes>>,
    /// The last commit that is in it.
    pub end: Position,
    /// What it takes in memory, about, in bytes.
    pub bytes: usize,
    /// How many commits it holds.
    pub commits: u64,
}

/// What a layer holds of one execution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pending {
    /// What lies below the layer under this id is gone.
    pub forgets: bool,
    /// The sequence of the first event here; 0 when there is none.
    pub first_sequence: u64,
    /// The events, in order.
    pub packs: Vec<Pack>,
    /// The newest summary, encoded.
    pub summary: Option<Bytes>,
    /// Where it stands since its last event.
    pub standing: Option<Bytes>,
}

impl Pending {
    /// The sequence of the last event here; `None` when there is none.
    pub fn last_sequence(&self) -> Option<u64> {
        self.packs.last().map(|pack| pack.last_sequence)
    }

    /// Whether nothing below the layer counts.
    pub fn is_whole(&self) -> bool {
        self.forgets || self.first_sequence == 1
    }

    fn append(&mut self, append: Append) -> Result<(), Error> {
        if self.packs.is_empty()
            && let Some(pack) = append.packs.first()
        {
            self.first_sequence = pack.first_sequence()?;
        }
        self.packs.extend(append.packs);
        self.standing = None;
        if append.summary.is_some() {
            self.summary = append.summary;
        }
        Ok(())
    }

    /// Of one that has ended nothing is kept.
    fn stand(&mut self, stand: Stand) -> Result<(), Error> {
        if self.has_ended()? == Some(true) {
            return Ok(());
        }
        self.standing = Some(stand.standing);
        if stand.summary.is_some() {
            self.summary = stand.summary;
        }
        Ok(())
    }

    /// Whether the execution has ended; `None` when that is not told here.
    ///
    /// # Errors
    /// `Error::Damaged` when the summary does not decode.
    pub fn has_ended(&self) -> Result<Option<bool>, Error> {
        let summary = self.summary.as_ref();
        let ended = summary.map(|summary| Outline::of(summary).map(|outline| outline.has_ended()));
        ended.transpose()
    }
}

impl Layer {
    /// Whether there is nothing to take over.
    pub fn is_empty(&self) -> bool {
        self.commits == 0
    }

    /// Adds a commit. It follows from what is kept.
    ///
    /// # Errors
    /// `Error::Damaged` when it is not readable.
    pub fn fold(&mut self, commit: Commit) -> Result<(), Error> {
        self.bytes += commit.bytes;
        for entry in commit.entries {
            let change = entry.change.ok_or_else(|| {
                Error::Damaged("a write of a kind that this version does not know".into())
            })?;
            self.change(change)?;
        }
        self.end = commit.end;
        self.commits += 1;
        Ok(())
    }

    fn change(&mut self, change: Change) -> Result<(), Error> {
        match change {
            Change::Append(append) => {
                self.bytes += append.packs.len() * PACK_BYTES;
                self.pending(record::id(&append.id)?).append(append)?;
            }
            Change::Stand(stand) => self.pending(record::id(&stand.id)?).stand(stand)?,
            Change::DeleteExecution(id) => self.delete_execution(record::id(&id)?),
            Change::PutRequest(PutRequest {
                namespace,
                request_id,
                record,
            }) => self.put(keys::request(&namespace, &request_id), Some(record)),
            Change::DeleteRequest(key) => {
                self.put(keys::request(&key.namespace, &key.request_id), None);
            }
            Change::PutOutput(put) => self.put(keys::output(&put.key), Some(put.record)),
            Change::DeleteOutput(key) => self.put(keys::output(&key), None),
            Change::NameBlobs(blobs) => {
                let id = record::id(&blobs.id)?;
                for name in &blobs.names {
                    self.put(keys::blob(name, id), Some(Bytes::new()));
                    self.put(keys::blob_of(id, name), Some(Bytes::new()));
                }
            }
            Change::ForgetBlobs(blobs) => {
                let id = record::id(&blobs.id)?;
                for name in &blobs.names {
                    self.put(keys::blob(name, id), None);
                    self.put(keys::blob_of(id, name), None);
                }
            }
            Change::PutRetention(said) => {
                let of = record::decode::<crate::proto::Retention>(&said, "a retention rule")?;
                self.put(keys::retention(&of.namespace, &of.workflow), Some(said));
            }
            Change::DeleteRetention(key) => {
                self.put(keys::retention(&key.namespace, &key.workflow), None);
            }
            Change::PutWorkflow(PutWorkflow {
                namespace,
                workflow,
            }) => {
                let key = record::workflow_key(&namespace, &workflow)?;
                self.put(key, Some(workflow));
            }
            Change::DeleteWorkflow(key) => {
                self.put(keys::workflow(&key.namespace, &key.name, key.version), None);
            }
            Change::PutAgent(PutAgent { namespace, agent }) => {
                let id = record::decode::<crate::proto::Agent>(&agent, "an agent")?.id;
                self.put(keys::agent(&namespace, &id), Some(agent));
            }
            Change::DeleteAgent(key) => {
                self.put(keys::agent(&key.namespace, &key.id), None);
            }
        }
        Ok(())
    }

    fn pending(&mut self, id: Uuid) -> &mut Pending {
        self.executions.entry(id).or_insert_with(|| {
            self.bytes += EXECUTION_BYTES;
            Pending::default()
        })
    }

    fn put(&mut self, key: Vec<u8>, value: Option<Bytes>) {
        self.bytes += VALUE_BYTES + key.len();
        self.values.insert(key, value);
    }

    fn delete_execution(&mut self, id: Uuid) {
        let began_here = |pending: &Pending| !pending.forgets && pending.first_sequence == 1;
        if self.executions.get(&id).is_some_and(began_here) {
            self.executions.remove(&id);
            return;
        }
        let gone = Pending {
            forgets: true,
            ..Pending::default()
        };
        *self.pending(id) = gone;
    }
}

impl Pack {
    /// The sequence of its first event.
    ///
    /// # Errors
    /// `Error::Damaged` when it is not readable.
    pub fn first_sequence(&self) -> Result<u64, Error> {
        let first = record::stored_events(&self.events).next();
        let (_, event) = first
            .transpose()?
            .ok_or_else(|| Error::Damaged("a pack without events".into()))?;
        record::sequence(&event)
    }
}
