//! What a layer of the overlay comes to in the state: the keys that it adds, replaces and
//! removes. Several packs of one execution become as few as fit; what began and ended within
//! the layer leaves no trace but its result.

use uuid::Uuid;

use super::{
    super::{Error, Link},
    apply::Changes,
    chunks, keys,
    layer::{Layer, Pending},
    packs::{self, Chained},
    state::State,
    summary::{self, Outline},
};

/// Executions are forgotten together as long as they have fewer keys than this: while that is
/// done, reads wait.
const FORGOTTEN_KEYS: usize = 512;

/// What a layer changes in the state, or in one that has a part of these changes already.
///
/// # Errors
/// `Error::Damaged` when layer or state is not readable, and `Error::Io`.
pub fn changes(state: &State, layer: &Layer) -> Result<Changes, Error> {
    let mut drain = Drain {
        state,
        changes: Changes::default(),
    };
    for (id, pending) in &layer.executions {
        drain.execution(*id, pending)?;
    }
    for (key, value) in &layer.values {
        drain.value(key, value.as_deref())?;
    }
    Ok(drain.changes)
}

struct Drain<'a> {
    state: &'a State,
    changes: Changes,
}

impl Drain<'_> {
    fn execution(&mut self, id: Uuid, pending: &Pending) -> Result<(), Error> {
        if pending.forgets {
            self.forget(id)?;
        }
        let outline = pending.summary.as_deref().map(Outline::of).transpose()?;
        if !pending.packs.is_empty() {
            let namespace = outline.as_ref().map_or("", |o| o.namespace.as_str());
            self.events(id, pending, namespace)?;
        }
        match (&pending.summary, outline) {
            (Some(summary), Some(outline)) => self.summary(id, pending, summary, &outline),
            // What began anew has a summary; what was only forgotten has no mark.
            _ if pending.forgets => Ok(()),
            _ => self.mark(id, pending),
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
        let before = pending.first_sequence.saturating_sub(1);
        let head = self.state.pack(id, before)?.and_then(|pack| pack.head());
        head.ok_or_else(|| {
            Error::Damaged(format!(
                "the state lacks event {before} of execution {id}: restore a backup with \
                 `tutti restore`"
            ))
        })
    }

    fn summary(
        &mut self,
        id: Uuid,
        pending: &Pending,
        summary: &[u8],
        outline: &Outline,
    ) -> Result<(), Error> {
        let key = keys::summary(&outline.namespace, id);
        self.put_value(&key, &summary::kept(summary)?)?;
        if pending.is_whole() {
            let index = workflow_index(id, &outline.namespace, &outline.workflow);
            self.put(index, Some(Vec::new()));
        }
        if !outline.has_ended() {
            let standing = pending.standing.as_deref().unwrap_or_default();
            self.put(keys::open(id), Some(standing.to_vec()));
        } else if !pending.is_whole() {
            self.put(keys::open(id), None);
        }
        Ok(())
    }

    /// Says anew where an execution stands whose state has not changed, if it is open.
    fn mark(&mut self, id: Uuid, pending: &Pending) -> Result<(), Error> {
        let standing = pending.standing.as_deref().unwrap_or_default();
        let key = keys::open(id);
        if self.state.get(&key)?.is_some_and(|mark| mark != standing) {
            self.put(key, Some(standing.to_vec()));
        }
        Ok(())
    }

    fn forget(&mut self, id: Uuid) -> Result<(), Error> {
        let Some(summary) = self.state.summary(id)? else {
            return Ok(());
        };
        let mut gone = vec![
            workflow_index(id, &summary.namespace, &summary.workflow),
            keys::open(id),
        ];
        for prefix in [keys::summary(&summary.namespace, id), keys::events_of(id)] {
            for key in self.state.keys(&prefix) {
                gone.push(key?);
            }
        }
        match self.changes.forgotten.last_mut() {
            Some(together) if together.len() < FORGOTTEN_KEYS => together.extend(gone),
            _ => self.changes.forgotten.push(gone),
        }
        Ok(())
    }

    fn value(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Error> {
        match value {
            Some(value) if keys::is_short(key) => self.put(key.to_vec(), Some(value.to_vec())),
            Some(value) => self.put_value(key, value)?,
            None => {
                for part in self.state.keys(key) {
                    self.put(part?, None);
                }
            }
        }
        Ok(())
    }

    fn put_value(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        for (key, part) in chunks::split(key, value)? {
            self.put(key, Some(part));
        }
        Ok(())
    }

    fn put(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.changes.entries.push((key, value));
    }
}

/// The index key of an execution. It is written once: namespace and workflow never change.
fn workflow_index(id: Uuid, namespace: &str, workflow: &str) -> Vec<u8> {
    keys::with_id(keys::workflow_index(namespace, workflow), id)
}
