//! What only the one who commits touches: puts what is staged in order, journals it, and adds it
//! to what is kept.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use uuid::Uuid;

use super::{
    super::{
        Error,
        check::{self, What},
    },
    blobs::{Blobs, Name, Sweep},
    heads::Heads,
    journal::Journal,
    kept::Kept,
    layer::Commit,
    part::{self, Part, Piece},
    record::{Change, Group},
};

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
    /// Makes parts durable as one commit and adds them to what is kept; gives whether there is
    /// something to be taken over into the state then.
    ///
    /// # Errors
    /// `Error::Inconsistent`, of which nothing is written; `Error::Io` and `Error::Damaged`,
    /// after which nothing more may be.
    pub fn commit(&mut self, kept: &Kept, parts: Vec<Part>) -> Result<bool, Error> {
        let claims = parts.iter().flat_map(|part| &part.claims);
        let lasts = check::follow(claims, |id| last_sequence(&mut self.heads, kept, id))?;
        let mut forgotten = BTreeSet::new();
        let (mut pieces, mut awaited) = (Vec::with_capacity(parts.len()), Vec::new());
        let mut named = HashMap::new();
        for part in parts {
            pieces.extend(forget(kept, &part, &mut named, &mut forgotten)?);
            pieces.push(part.piece);
            named.extend(part.named);
            forgotten.extend(part.forgotten);
            awaited.extend(part.awaited);
        }
        let payloads: Vec<&[u8]> = pieces.iter().map(|piece| &piece.payload[..]).collect();
        let position = self.journal.append(&payloads)?;
        let bytes = payloads.iter().map(|payload| payload.len()).sum();
        for (id, last) in lasts {
            self.heads.put(id, last);
        }
        let entries = pieces.into_iter().map(|piece| piece.entries);
        let entries = entries.reduce(|mut all, more| {
            all.extend(more);
            all
        });
        let commit = Commit::new(entries.unwrap_or_default(), bytes, position);
        let is_due = kept.fold(commit)?;
        // Named now, or forgotten again.
        drop(awaited);
        self.remove_blobs(kept, forgotten)?;
        Ok(is_due)
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
            self.blobs.remove(name, || kept.is_named(name))?;
        }
        self.sweep.advance(&self.blobs, |name| kept.is_named(name))
    }
}

fn last_sequence(heads: &mut Heads, kept: &Kept, id: Uuid) -> Result<u64, Error> {
    if let Some(last) = heads.get(id) {
        return Ok(last);
    }
    let last = kept.last_sequence(id)?;
    heads.put(id, last);
    Ok(last)
}

/// What goes before a part that deletes executions: that they refer to the blobs no more which
/// what is kept and the parts before it, `named`, say they do.
fn forget(
    kept: &Kept,
    part: &Part,
    named: &mut HashMap<Uuid, BTreeSet<Name>>,
    forgotten: &mut BTreeSet<Name>,
) -> Result<Option<Piece>, Error> {
    let mut group = Group::default();
    for claim in part.claims.iter().filter(|c| c.what == What::Delete) {
        let mut names = kept.blobs_of(claim.id)?;
        names.extend(named.remove(&claim.id).unwrap_or_default());
        if !names.is_empty() {
            let entry = part::entry(Change::ForgetBlobs, claim.id, &names);
            group.entries.push(entry);
            forgotten.extend(names);
        }
    }
    let none = group.entries.is_empty();
    (!none).then(|| Piece::of(&group)).transpose()
}
