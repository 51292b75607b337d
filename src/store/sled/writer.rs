//! What only the one who commits touches: checks a group, journals it, and adds it to what is
//! kept.

use prost::Message as _;
use uuid::Uuid;

use super::{
    super::{Error, Write, check},
    heads::Heads,
    journal::Journal,
    kept::Kept,
    record::{Change, Group},
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
}

impl Writer {
    /// Makes a group durable and adds it to what is kept; gives how many bytes then wait to be
    /// taken over into the state.
    ///
    /// # Errors
    /// `Error::Inconsistent`, of which nothing is written; `Error::Io` and `Error::Damaged`,
    /// after which nothing more may be.
    pub fn commit(&mut self, kept: &Kept, group: Vec<Write>) -> Result<usize, Error> {
        check::group(&group, |id| self.last_sequence(kept, id))?;
        let group = Group::of(group);
        let payload = group.encode_to_vec();
        if payload.len() > GROUP_BYTES_MAX {
            let bytes = payload.len();
            return Err(Error::Inconsistent(format!(
                "a group of {bytes} bytes, more than {GROUP_BYTES_MAX}"
            )));
        }
        let position = self.journal.append(&payload)?;
        self.note_heads(&group);
        kept.fold(group, position)
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
                    (&append.id, last)
                }
                Some(Change::DeleteExecution(id)) => (id, 0),
                _ => continue,
            };
            if let Ok(id) = Uuid::from_slice(id) {
                self.heads.put(id, last);
            }
        }
    }
}
