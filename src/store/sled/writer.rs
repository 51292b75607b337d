//! What only the one who commits touches: checks a group, journals it, and adds it to what is
//! kept.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use prost::Message as _;
use uuid::Uuid;

use super::{
    super::{Error, Write, check},
    blobs::{Blobs, Fresh, Name, Sweep},
    heads::Heads,
    journal::Journal,
    kept::Kept,
    layer::Commit,
    record::{BlobNames, Change, Entry, Group},
};

/// The largest group of one commit, in bytes as journaled.
const GROUP_BYTES_MAX: usize = 1 << 30;

/// The one who commits.
#[derive(Debug)]
pub struct Writer {
    /// Where commits become durable.
    pub journal: Journal,
    /// Where the executions stand that were used last.
    pub heads: Heads,
    /// Where large payloads lie.
    pub blobs: Arc<Blobs>,
    /// What is to be looked through for blobs that nothing refers to.
    pub sweep: Sweep,
}

impl Writer {
    /// Makes a group durable and adds it to what is kept; gives whether there is something to be
    /// taken over into the state then.
    ///
    /// # Errors
    /// `Error::Inconsistent`, of which nothing is written; `Error::Io` and `Error::Damaged`,
    /// after which nothing more may be.
    pub fn commit(&mut self, kept: &Kept, group: Vec<Write>) -> Result<bool, Error> {
        check::group(&group, |id| self.last_sequence(kept, id))?;
        let (group, forgotten) = self.keep_blobs(kept, group)?;
        let payload = Bytes::from(group.encode_to_vec());
        if payload.len() > GROUP_BYTES_MAX {
            let bytes = payload.len();
            return Err(Error::Inconsistent(format!(
                "a group of {bytes} bytes, more than {GROUP_BYTES_MAX}"
            )));
        }
        let position = self.journal.append(&payload)?;
        self.note_heads(&group);
        // What is kept are parts of the record; the pieces that it was made of go.
        drop(group);
        let is_due = kept.fold(Commit::read(payload, position)?)?;
        self.remove_blobs(kept, forgotten)?;
        Ok(is_due)
    }

    /// Writes the large payloads of a group into blobs and journals who refers to them. Gives
    /// the blobs that an execution referred to which is forgotten.
    fn keep_blobs(
        &mut self,
        kept: &Kept,
        mut group: Vec<Write>,
    ) -> Result<(Group, BTreeSet<Name>), Error> {
        let (mut named, mut fresh) = (HashMap::<Uuid, BTreeSet<Name>>::new(), Fresh::new());
        let (mut changes, mut forgotten) = (Vec::new(), BTreeSet::new());
        for write in &mut group {
            match write {
                Write::Append { id, events, .. } => {
                    let names = self.blobs.take(events, &mut fresh);
                    if !names.is_empty() {
                        changes.push(Change::NameBlobs(blob_names(*id, &names)));
                        named.entry(*id).or_default().extend(names);
                    }
                }
                Write::DeleteExecution { id } => {
                    let mut names = kept.blobs_of(*id)?;
                    names.extend(named.remove(id).unwrap_or_default());
                    if !names.is_empty() {
                        changes.push(Change::ForgetBlobs(blob_names(*id, &names)));
                        forgotten.extend(names);
                    }
                }
                _ => {}
            }
        }
        let known: Vec<_> = fresh.keys().copied().collect();
        for name in known {
            // Named means durable. One that is there and not named may not be.
            if kept.is_named(name)? {
                fresh.remove(&name);
            }
        }
        self.blobs.files().write(&fresh)?;
        let mut group = Group::of(group);
        let changes = changes.into_iter().map(|change| Entry {
            change: Some(change),
        });
        group.entries.extend(changes);
        Ok((group, forgotten))
    }

    /// Removes the blobs that nothing refers to any more, and sweeps on.
    fn remove_blobs(&mut self, kept: &Kept, forgotten: BTreeSet<Name>) -> Result<(), Error> {
        if self.blobs.are_held() {
            if !forgotten.is_empty() {
                self.sweep = Sweep::new();
            }
            return Ok(());
        }
        for name in forgotten {
            if !kept.is_named(name)? {
                self.blobs.files().remove(name)?;
            }
        }
        let files = self.blobs.files();
        self.sweep.advance(files, |name| kept.is_named(name))
    }

    fn last_sequence(&mut self, kept: &Kept, id: Uuid) -> Result<u64, Error> {
        if let Some(last) = self.heads.get(id) {
            return Ok(last);
        }
        let last = kept.last_sequence(id)?;
        self.heads.put(id, last);
        Ok(last)
    }

    fn note_heads(&mut self, group: &Group) {
        for entry in &group.entries {
            let (id, last) = match &entry.change {
                Some(Change::Append(append)) => {
                    let last = append.packs.last().map_or(0, |pack| pack.last_sequence);
                    (&append.id[..], last)
                }
                Some(Change::DeleteExecution(id)) => (&id[..], 0),
                _ => continue,
            };
            if let Ok(id) = Uuid::from_slice(id) {
                self.heads.put(id, last);
            }
        }
    }
}

fn blob_names<'a>(id: Uuid, names: impl IntoIterator<Item = &'a Name>) -> BlobNames {
    BlobNames {
        id: id.as_bytes().to_vec(),
        names: names
            .into_iter()
            .map(|name| name.as_bytes().to_vec())
            .collect(),
    }
}
