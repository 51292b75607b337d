//! What is committed and not in the state yet: one layer that fills, and full ones before it,
//! which are taken over into the state one by one.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use uuid::Uuid;

use super::{
    super::Error,
    frame::Position,
    layer::{Commit, Layer, Pending},
};

/// The layers over the state.
#[derive(Debug)]
pub struct Overlay {
    active: Layer,
    /// Full ones, the oldest first: it is taken over into the state next, and stays until the
    /// state has all of it.
    full: VecDeque<Arc<Layer>>,
    /// The size at which a layer is full, in bytes.
    layer_bytes: usize,
}

impl Overlay {
    /// An overlay of one layer, whose next ones are full at this size, in bytes.
    pub fn of(active: Layer, layer_bytes: usize) -> Self {
        Self {
            active,
            full: VecDeque::new(),
            layer_bytes,
        }
    }

    /// Adds a commit. It follows from what is kept.
    ///
    /// # Errors
    /// `Error::Damaged` when it is not readable.
    pub fn fold(&mut self, commit: Commit) -> Result<(), Error> {
        self.active.fold(commit)?;
        if self.active.bytes >= self.layer_bytes {
            self.seal();
        }
        Ok(())
    }

    fn seal(&mut self) {
        let full = std::mem::take(&mut self.active);
        self.full.push_back(Arc::new(full));
    }

    /// The layers, the newest first.
    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        let full = self.full.iter().rev().map(AsRef::as_ref);
        std::iter::once(&self.active).chain(full)
    }

    /// What all layers take in memory, about, in bytes.
    pub fn bytes(&self) -> usize {
        self.layers().map(|layer| layer.bytes).sum()
    }

    /// Whether a layer is full.
    pub fn is_due(&self) -> bool {
        !self.full.is_empty() || self.active.bytes >= self.layer_bytes
    }

    /// The last commit that is here; `None` when all is in the state.
    pub fn end(&self) -> Option<Position> {
        let mut layers = self.layers();
        layers
            .find(|layer| !layer.is_empty())
            .map(|layer| layer.end)
    }

    /// The oldest layer, which is to be taken over next; `None` when there is nothing.
    pub fn oldest(&mut self) -> Option<Arc<Layer>> {
        if self.full.is_empty() && !self.active.is_empty() {
            self.seal();
        }
        self.full.front().cloned()
    }

    /// The oldest layer is in the state.
    pub fn taken_over(&mut self) {
        self.full.pop_front();
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
