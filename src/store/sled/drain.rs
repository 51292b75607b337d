//! What a layer of the overlay comes to in the state: the keys that it adds, replaces and
//! removes. Several packs of one execution become as few as fit; what began and ended within
//! the layer leaves no trace but its result.

use prost::Message as _;
use uuid::Uuid;

use super::{
    super::{Error, Link, filter},
    chunks, keys,
    overlay::{Layer, Pending},
    packs::{self, Chained},
    record,
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
        let summary = pending.summary.as_ref();
        let summary: Option<Execution> = summary
            .map(|summary| record::decode(summary, "a summary"))
            .transpose()?;
        if !pending.packs.is_empty() {
            let namespace = summary.as_ref().map_or("", |s| s.namespace.as_str());
            self.events(id, pending, namespace)?;
        }
        match summary {
            Some(summary) => self.summary(id, pending, summary),
            // What began anew has a summary; what was only forgotten has no mark.
            None if pending.forgets => Ok(()),
            None => self.mark(id, pending),
        }
    }

    fn events(&mut self, id: Uuid, pending: &Pending, namespace: &str) -> Result<(), Error> {
        let head = self.head(id, pending)?;
        let chained = Chained::of(&pending.packs, head)?;
        for (index, pack) in Chained::coalesced(chained).iter().enumerate() {
            let is_first = index == 0 && pending.first_sequence == 1;
            let value = pack.written(if is_first { namespace } else { "" });
            self.put_value(&keys::events(id, pack.last_sequence), &value)?;
        }
        Ok(())
    }

    /// The link that the first pending event follows.
    fn head(&self, id: Uuid, pending: &Pending) -> Result<Link, Error> {
        if pending.is_whole() {
            return Ok(packs::origin(id));
        }
        let head = self.state.last_pack(id)?.and_then(|pack| pack.head());
        head.ok_or_else(|| {
            let before = pending.first_sequence.saturating_sub(1);
            Error::Damaged(format!(
                "the state lacks event {before} of execution {id}: restore a backup with \
                 `tutti restore`"
            ))
        })
    }

    /// Namespace and id are told by the key.
    fn summary(&mut self, id: Uuid, pending: &Pending, summary: Execution) -> Result<(), Error> {
        let kept = Execution {
            execution_id: String::new(),
            namespace: String::new(),
            ..summary.clone()
        };
        let key = keys::summary(&summary.namespace, id);
        self.put_value(&key, &kept.encode_to_vec())?;
        if pending.is_whole() {
            self.batch.insert(workflow_index(id, &summary), Vec::new());
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
        let Some(summary) = self.state.summary(id)? else {
            return Ok(());
        };
        self.batch.remove(workflow_index(id, &summary));
        self.batch.remove(keys::open(id));
        self.remove_all(&keys::summary(&summary.namespace, id))?;
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

/// The index key of an execution. It is written once: namespace and workflow never change.
fn workflow_index(id: Uuid, summary: &Execution) -> Vec<u8> {
    let index = keys::workflow_index(&summary.namespace, &summary.workflow);
    keys::with_id(index, id)
}
