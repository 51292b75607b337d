//! Outputs of steps that are kept for others: those just given, from memory; those of before,
//! from the store. Where they lie is written with the group that tells them.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use prost::Message as _;

use crate::{
    core::{
        decide::{CacheKey, Cached, Keep, Outputs},
        time::Time,
    },
    proto::event::Kind,
    store::{self, OutputRecord, Store, Write},
};

/// How many outputs are held in memory, so that they are found before they are durable.
const RECENT_MAX: usize = 1_000;
/// How many bytes of outputs are held in memory, the last one in any case.
const RECENT_BYTES_MAX: usize = 8 << 20;

/// The outputs that a shard knows of.
pub struct Kept {
    store: Arc<dyn Store>,
    recent: HashMap<CacheKey, Recent>,
    /// Keys of `recent`, the oldest first.
    order: VecDeque<CacheKey>,
    bytes: usize,
    /// Where outputs lie that were given since this was last taken.
    pub writes: Vec<Write>,
}

struct Recent {
    cached: Cached,
    expire_time: Time,
    bytes: usize,
}

impl Kept {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            recent: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            writes: Vec::new(),
        }
    }

    fn stored(&self, key: &CacheKey, now: Time) -> Result<Option<Cached>, store::Error> {
        let Some(record) = self.store.output(key)? else {
            return Ok(None);
        };
        if Time::from(record.expire_time) <= now {
            return Ok(None);
        }
        let (id, before) = (record.execution_id, record.sequence.saturating_sub(1));
        // None when the execution was removed since.
        let event = self.store.events(id, before, 1)?.pop();
        let kind = event.and_then(|event| event.kind);
        Ok(kind.and_then(|kind| match kind {
            Kind::StepCompleted(completed) => Some(Cached {
                execution_id: id,
                completed,
            }),
            _ => None,
        }))
    }

    fn drop_oldest(&mut self) {
        while self.order.len() > RECENT_MAX
            || (self.bytes > RECENT_BYTES_MAX && self.order.len() > 1)
        {
            let oldest = self.order.pop_front();
            if let Some(gone) = oldest.and_then(|key| self.recent.remove(&key)) {
                self.bytes -= gone.bytes;
            }
        }
    }
}

impl Outputs for Kept {
    fn find(&mut self, key: &CacheKey, now: Time) -> Option<Cached> {
        if let Some(recent) = self.recent.get(key) {
            return (recent.expire_time > now).then(|| recent.cached.clone());
        }
        self.stored(key, now).unwrap_or_else(|error| {
            tracing::error!(%error, "a kept output cannot be read: the step is done again");
            None
        })
    }

    fn keep(&mut self, keep: Keep<'_>) {
        let bytes = keep.completed.encoded_len();
        let recent = Recent {
            cached: Cached {
                execution_id: keep.execution_id,
                completed: keep.completed.clone(),
            },
            expire_time: keep.expire_time,
            bytes,
        };
        self.bytes += bytes;
        match self.recent.insert(keep.key, recent) {
            Some(before) => self.bytes -= before.bytes,
            None => self.order.push_back(keep.key),
        }
        self.drop_oldest();
        self.writes.push(Write::PutOutput {
            key: keep.key,
            record: OutputRecord {
                execution_id: keep.execution_id,
                sequence: keep.sequence,
                expire_time: keep.expire_time.into(),
            },
        });
    }
}
