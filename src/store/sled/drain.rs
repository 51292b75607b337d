//! What a layer of the overlay comes to in the state: the keys that it adds, replaces and
//! removes. Several packs of one execution become as few as fit; what began and ended within
//! the layer leaves no trace but its result.

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use super::{
    super::{Error, filter},
    chunks, keys,
    overlay::{Layer, Pending},
    record::{self, Pack},
    state::State,
};
use crate::proto::Execution;

/// What a layer changes in the state.
///
/// # Errors
/// `Error::Damaged` when layer or state is not readable, and `Error::Io`.
pub fn batch(state: &State, layer: &Layer) -> Result<sled::Batch, Error> {
    let mut drain = Drain {
        state,
        batch: sled::Batch::default(),
    };
    for (id, pending) in &layer.executions {
        drain.execution(*id, pending)?;
    }
    for (key, value) in &layer.values {
        drain.value(key, value.as_deref())?;
    }
    Ok(drain.batch)
}

struct Drain<'a> {
    state: &'a State,
    batch: sled::Batch,
}

impl Drain<'_> {
    fn execution(&mut self, id: Uuid, pending: &Pending) -> Result<(), Error> {
        if pending.forgets {
            self.forget(id)?;
        }
        for pack in coalesced(&pending.packs) {
            self.put_value(&keys::events(id, pack.last_sequence), &pack.events)?;
        }
        let Some(summary) = &pending.summary else {
            // What began anew has a summary; what was only forgotten has no mark.
            return if pending.forgets {
                Ok(())
            } else {
                self.mark(id, pending)
            };
        };
        self.put_value(&keys::summary(id), summary)?;
        let summary: Execution = record::decode(summary, "a summary")?;
        if pending.is_whole() {
            for key in indexes(id, &summary) {
                self.batch.insert(key, Vec::new());
            }
        }
        if !filter::has_ended(&summary) {
            let standing = pending.standing.as_deref().unwrap_or_default();
            self.batch.insert(keys::open(id), standing);
        } else if !pending.is_whole() {
            self.batch.remove(keys::open(id));
        }
        Ok(())
    }

    /// Says anew where an execution stands whose state has not changed, if it is open.
    fn mark(&mut self, id: Uuid, pending: &Pending) -> Result<(), Error> {
        let standing = pending.standing.as_deref().unwrap_or_default();
        let key = keys::open(id);
        if self.state.get(&key)?.is_some_and(|mark| mark != standing) {
            self.batch.insert(key, standing);
        }
        Ok(())
    }

    fn forget(&mut self, id: Uuid) -> Result<(), Error> {
        let key = keys::summary(id);
        let Some(summary) = self.state.value(&key)? else {
            return Ok(());
        };
        let summary: Execution = record::decode(&summary, "a summary")?;
        for key in indexes(id, &summary) {
            self.batch.remove(key);
        }
        self.batch.remove(keys::open(id));
        self.remove_all(&key)?;
        self.remove_all(&keys::events_of(id))
    }

    fn value(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Error> {
        match value {
            Some(value) if keys::is_request(key) => self.batch.insert(key, value),
            Some(value) => self.put_value(key, value)?,
            None => self.remove_all(key)?,
        }
        Ok(())
    }

    fn put_value(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        for (key, part) in chunks::split(key, value)? {
            self.batch.insert(key, part);
        }
        Ok(())
    }

    fn remove_all(&mut self, prefix: &[u8]) -> Result<(), Error> {
        for key in self.state.keys(prefix) {
            self.batch.remove(key?);
        }
        Ok(())
    }
}

/// Joins packs that fit under one key together.
fn coalesced(packs: &[Pack]) -> Vec<Pack> {
    let mut joined: Vec<Pack> = Vec::with_capacity(1);
    let mut group: &[Pack] = &packs[..0];
    let mut begin = 0;
    for (index, pack) in packs.iter().enumerate() {
        let bytes: usize = group.iter().map(|pack| pack.events.len()).sum();
        if !group.is_empty() && bytes + pack.events.len() > chunks::SINGLE_BYTES_MAX {
            joined.extend(join(group));
            begin = index;
        }
        group = &packs[begin..=index];
    }
    joined.extend(join(group));
    joined
}

fn join(packs: &[Pack]) -> Option<Pack> {
    let last = packs.last()?;
    if packs.len() == 1 {
        return Some(last.clone());
    }
    let mut events = BytesMut::with_capacity(packs.iter().map(|pack| pack.events.len()).sum());
    for pack in packs {
        events.extend_from_slice(&pack.events);
    }
    Some(Pack {
        last_sequence: last.last_sequence,
        events: Bytes::from(events),
    })
}

/// The index keys of an execution. They are written once: namespace and workflow never change.
fn indexes(id: Uuid, summary: &Execution) -> [Vec<u8>; 2] {
    let namespace = keys::namespace_index(&summary.namespace);
    let workflow = keys::workflow_index(&summary.namespace, &summary.workflow);
    [keys::with_id(namespace, id), keys::with_id(workflow, id)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(last_sequence: u64, bytes: usize) -> Pack {
        Pack {
            last_sequence,
            events: vec![1; bytes].into(),
        }
    }

    #[test]
    fn packs_are_joined_as_long_as_they_fit_under_one_key() {
        let of = |packs: &[Pack]| -> Vec<(u64, usize)> {
            let joined = coalesced(packs).into_iter();
            joined.map(|p| (p.last_sequence, p.events.len())).collect()
        };
        assert_eq!(of(&[]), []);
        assert_eq!(of(&[pack(1, 9000)]), [(1, 9000)]);
        assert_eq!(of(&[pack(1, 10), pack(3, 20), pack(4, 4064)]), [(4, 4094)]);
        assert_eq!(
            of(&[pack(1, 10), pack(2, 4090), pack(3, 4000), pack(4, 90)]),
            [(1, 10), (2, 4090), (4, 4090)]
        );
    }
}
