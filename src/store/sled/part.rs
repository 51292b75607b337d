//! A part of a commit, made ready beforehand by whoever hands it in: checked as far as it tells
//! of itself, encoded, its large payloads written and synced. What is left to the one who
//! commits is to put parts in a row.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use prost::Message as _;
use uuid::Uuid;

use super::{
    super::{
        Error, Staged, Write,
        check::{self, Claim},
    },
    SledStore,
    blobs::{Awaited, Blobs, Fresh, Name},
    kept::Kept,
    record::{self, BlobNames, Change, Entry, Group},
};

/// Writes as they are journaled.
#[derive(Debug, Default)]
pub struct Piece {
    /// As they lie in the record.
    pub payload: Bytes,
    /// As they are folded: parts of that same memory.
    pub entries: Vec<Entry>,
}

impl Piece {
    /// Encodes writes.
    ///
    /// # Errors
    /// `Error::Damaged` when what was encoded does not decode: a broken invariant.
    pub fn of(group: &Group) -> Result<Self, Error> {
        let payload = Bytes::from(group.encode_to_vec());
        let entries = record::decode_shared::<Group>(payload.clone(), "a commit")?.entries;
        Ok(Self { payload, entries })
    }
}

/// Writes that are ready to be committed.
#[derive(Debug)]
pub struct Part {
    /// What they claim of executions, in order.
    pub claims: Vec<Claim>,
    /// The writes.
    pub piece: Piece,
    /// The blobs that executions refer to from here on.
    pub named: HashMap<Uuid, BTreeSet<Name>>,
    /// Those that they referred to within the part only.
    pub forgotten: BTreeSet<Name>,
    /// Keeps the blobs until they are named.
    pub awaited: Option<Awaited>,
}

impl Part {
    /// Makes writes ready. The large payloads among them are durable when it returns.
    ///
    /// # Errors
    /// `Error::Inconsistent` and `Error::TooLarge`, of which nothing is written; `Error::Io`
    /// and `Error::Damaged`.
    pub fn of(
        kept: &Kept,
        blobs: &Arc<Blobs>,
        mut writes: Vec<Write>,
        bytes_max: u64,
    ) -> Result<Self, Error> {
        let claims = check::claims(&writes)?;
        let mut names = Names::default();
        let mut fresh = Fresh::new();
        for write in &mut writes {
            match write {
                Write::Append { id, events, .. } => names.add(*id, blobs.take(events, &mut fresh)),
                Write::DeleteExecution { id } => names.forget(*id),
                _ => {}
            }
        }
        let mut group = Group::of(writes);
        group.entries.extend(names.entries);
        let piece = Piece::of(&group)?;
        drop(group);
        let bytes = piece.payload.len() as u64;
        if bytes > bytes_max {
            return Err(Error::TooLarge { bytes, bytes_max });
        }
        let awaited = match fresh.is_empty() {
            true => None,
            false => Some(write(kept, blobs, fresh)?),
        };
        Ok(Self {
            claims,
            piece,
            named: names.named,
            forgotten: names.forgotten,
            awaited,
        })
    }
}

impl SledStore {
    /// Stages writes.
    ///
    /// # Errors
    /// Those of `Part::of`, and an earlier failure.
    pub(super) fn ready(&self, writes: Vec<Write>) -> Result<Staged, Error> {
        self.work.failure.check()?;
        let count = writes.len();
        let part = Part::of(&self.work.kept, &self.blobs, writes, self.group_bytes_max);
        let part = self.work.failure.note(part)?;
        Ok(Staged::new(count, part.piece.payload.len() as u64, part))
    }

    /// Whether files must be written for them.
    pub(super) fn writes_files(&self, writes: &mut [Write]) -> bool {
        writes.iter_mut().any(|write| match write {
            Write::Append { events, .. } => self.blobs.would_take(events),
            _ => false,
        })
    }

    /// Has the journal hold a record, be it an empty one, before a file is written: a start that
    /// finds none does not look for files that nobody names.
    ///
    /// # Errors
    /// As `Writer::commit`.
    pub(super) fn leave_rest(&self) -> Result<(), Error> {
        let mut writer = self.writer();
        self.work.failure.check()?;
        if writer.journal.is_at_rest() {
            let committed = writer.commit(&self.work.kept, Vec::new());
            self.work.failure.note(committed)?;
        }
        Ok(())
    }
}

/// Makes blobs durable. None of them is removed while what is given lives.
fn write(kept: &Kept, blobs: &Arc<Blobs>, mut fresh: Fresh) -> Result<Awaited, Error> {
    let names: Vec<_> = fresh.keys().copied().collect();
    let awaited = blobs.expect(names.clone());
    for name in names {
        // Named means durable. One that is there and not named may not be.
        if kept.is_named(name)? {
            fresh.remove(&name);
        }
    }
    blobs.files().write(&fresh)?;
    Ok(awaited)
}

/// Who refers to which blobs, as the writes of a part come to it.
#[derive(Default)]
struct Names {
    named: HashMap<Uuid, BTreeSet<Name>>,
    forgotten: BTreeSet<Name>,
    entries: Vec<Entry>,
}

impl Names {
    fn add(&mut self, id: Uuid, names: Vec<Name>) {
        if !names.is_empty() {
            self.entries.push(entry(Change::NameBlobs, id, &names));
            self.named.entry(id).or_default().extend(names);
        }
    }

    fn forget(&mut self, id: Uuid) {
        if let Some(names) = self.named.remove(&id) {
            self.entries.push(entry(Change::ForgetBlobs, id, &names));
            self.forgotten.extend(names);
        }
    }
}

/// The journal's entry about blobs of an execution.
pub fn entry<'a>(
    change: fn(BlobNames) -> Change,
    id: Uuid,
    names: impl IntoIterator<Item = &'a Name>,
) -> Entry {
    let names = names.into_iter().map(|name| name.as_bytes().to_vec());
    let blobs = BlobNames {
        id: id.as_bytes().to_vec(),
        names: names.collect(),
    };
    Entry {
        change: Some(change(blobs)),
    }
}
