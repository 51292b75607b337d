//! What is committed and not in the state yet: one layer that fills, and at most one before it
//! that is being taken over into the state. It is kept as what it means, not as keys, so that
//! what lives shorter than a layer never becomes a key.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use uuid::Uuid;

use super::{
    super::{Error, filter},
    frame::Position,
    keys,
    record::{self, Append, Change, Group, Pack, PutAgent, PutRequest, PutWorkflow, Stand},
};

/// What a change takes in memory beside its bytes, about.
const CHANGE_BYTES: usize = 256;

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
        let ended = summary.map(|summary| {
            record::decode(summary, "a summary").map(|summary| filter::has_ended(&summary))
        });
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
    pub fn fold(&mut self, group: Group, end: Position) -> Result<(), Error> {
        for entry in group.entries {
            let change = entry.change.ok_or_else(|| {
                Error::Damaged("a write of a kind that this version does not know".into())
            })?;
            self.bytes += CHANGE_BYTES;
            self.change(change)?;
        }
        self.end = end;
        self.commits += 1;
        Ok(())
    }

    fn change(&mut self, change: Change) -> Result<(), Error> {
        match change {
            Change::Append(append) => {
                self.bytes += append.bytes();
                let pending = self.executions.entry(record::id(&append.id)?).or_default();
                pending.append(append)?;
            }
            Change::Stand(stand) => {
                self.bytes += stand.standing.len() + stand.summary.as_ref().map_or(0, Bytes::len);
                let pending = self.executions.entry(record::id(&stand.id)?).or_default();
                pending.stand(stand)?;
            }
            Change::DeleteExecution(id) => self.delete_execution(record::id(&id)?),
            Change::PutRequest(PutRequest {
                namespace,
                request_id,
                record,
            }) => self.put(keys::request(&namespace, &request_id), record),
            Change::DeleteRequest(key) => {
                let key = keys::request(&key.namespace, &key.request_id);
                self.values.insert(key, None);
            }
            Change::NameBlobs(blobs) => {
                let id = record::id(&blobs.id)?;
                for name in &blobs.names {
                    self.put(keys::blob(name, id), Bytes::new());
                    self.put(keys::blob_of(id, name), Bytes::new());
                }
            }
            Change::ForgetBlobs(blobs) => {
                let id = record::id(&blobs.id)?;
                for name in &blobs.names {
                    self.values.insert(keys::blob(name, id), None);
                    self.values.insert(keys::blob_of(id, name), None);
                }
            }
            Change::PutRetention(said) => {
                let of = record::decode::<crate::proto::Retention>(&said, "a retention rule")?;
                self.put(keys::retention(&of.namespace, &of.workflow), said);
            }
            Change::DeleteRetention(key) => {
                let key = keys::retention(&key.namespace, &key.workflow);
                self.values.insert(key, None);
            }
            Change::PutWorkflow(PutWorkflow {
                namespace,
                workflow,
            }) => {
                let key = record::workflow_key(&namespace, &workflow)?;
                self.put(key, workflow);
            }
            Change::DeleteWorkflow(key) => {
                let key = keys::workflow(&key.namespace, &key.name, key.version);
                self.values.insert(key, None);
            }
            Change::PutAgent(PutAgent { namespace, agent }) => {
                let id = record::decode::<crate::proto::Agent>(&agent, "an agent")?.id;
                self.put(keys::agent(&namespace, &id), agent);
            }
            Change::DeleteAgent(key) => {
                let key = keys::agent(&key.namespace, &key.id);
                self.values.insert(key, None);
            }
        }
        Ok(())
    }

    fn put(&mut self, key: Vec<u8>, value: Bytes) {
        self.bytes += key.len() + value.len();
        self.values.insert(key, Some(value));
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
        self.executions.insert(id, gone);
    }
}

/// The layers over the state.
#[derive(Debug, Default)]
pub struct Overlay {
    active: Layer,
    /// Being taken over into the state, which may have it already.
    draining: Option<Arc<Layer>>,
}

impl Overlay {
    /// An overlay of one layer.
    pub fn of(active: Layer) -> Self {
        Self {
            active,
            draining: None,
        }
    }

    /// The layer that fills.
    pub fn active(&mut self) -> &mut Layer {
        &mut self.active
    }

    /// The layers, the newest first.
    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        [Some(&self.active), self.draining.as_deref()]
            .into_iter()
            .flatten()
    }

    /// What all layers take in memory, about, in bytes.
    pub fn bytes(&self) -> usize {
        self.layers().map(|layer| layer.bytes).sum()
    }

    /// The size of the layer that fills, in bytes.
    pub fn active_bytes(&self) -> usize {
        self.active.bytes
    }

    /// Begins to take over what there is; `None` when there is nothing.
    ///
    /// # Panics
    /// When another layer is being taken over.
    pub fn begin_drain(&mut self) -> Option<Arc<Layer>> {
        assert!(self.draining.is_none(), "one layer is drained at a time");
        if self.active.is_empty() {
            return None;
        }
        self.draining = Some(Arc::new(std::mem::take(&mut self.active)));
        self.draining.clone()
    }

    /// The layer is in the state.
    pub fn end_drain(&mut self) {
        self.draining = None;
    }

    /// What the layers hold of an execution, the oldest first, down to where nothing below
    /// counts; and whether that was reached.
    pub fn execution(&self, id: Uuid) -> (Vec<&Pending>, bool) {
        let mut found = Vec::new();
        for layer in self.layers() {
            if let Some(pending) = layer.executions.get(&id) {
                found.insert(0, pending);
                if pending.is_whole() {
                    return (found, true);
                }
            }
        }
        (found, false)
    }

    /// The last sequence of an execution; `None` when the layers do not tell.
    pub fn last_sequence(&self, id: Uuid) -> Option<u64> {
        let (found, whole) = self.execution(id);
        let last = found.iter().rev().find_map(|p| p.last_sequence());
        last.or(whole.then_some(0))
    }

    /// Where an execution stands: `None` when the layers do not tell, `Some(None)` when that was
    /// not kept after its last event.
    pub fn standing(&self, id: Uuid) -> Option<Option<Bytes>> {
        let (found, whole) = self.execution(id);
        let touched = |p: &&&Pending| p.standing.is_some() || !p.packs.is_empty();
        let newest = found.iter().rev().find(touched);
        let standing = newest.map(|pending| pending.standing.clone());
        standing.or(whole.then_some(None))
    }

    /// What is known of a request, workflow or agent: `None` when nothing, `Some(None)` that it
    /// is forgotten.
    pub fn value(&self, key: &[u8]) -> Option<Option<Bytes>> {
        let mut layers = self.layers();
        layers.find_map(|layer| layer.values.get(key).cloned())
    }

    /// What is known of requests, workflows or agents in a range of keys.
    pub fn values(&self, from: &[u8], until: &[u8]) -> BTreeMap<Vec<u8>, Option<Bytes>> {
        let mut found = BTreeMap::new();
        let range = from.to_vec()..until.to_vec().max(from.to_vec());
        for layer in self.layers() {
            for (key, value) in layer.values.range(range.clone()) {
                let entry = found.entry(key.clone());
                entry.or_insert_with(|| value.clone());
            }
        }
        found
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
