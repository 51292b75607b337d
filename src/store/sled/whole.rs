//! Events with their large payloads put back, and the check that these are as they were written.

use uuid::Uuid;

use super::{
    super::{Broken, Error, Page, Verification},
    SledStore,
    blobs::Blobs,
    kept::Kept,
};
use crate::proto::Event;

/// How many events are looked through at once for the blobs they refer to.
const EVENTS_PER_READ: usize = 1000;

impl SledStore {
    /// The events with their payloads, as many as have no more than `bytes_max` bytes of them
    /// before their last. `limit` is how many were asked for.
    pub(super) fn with_payloads(
        &self,
        id: Uuid,
        found: Vec<Event>,
        limit: usize,
        bytes_max: u64,
    ) -> Result<Page<Event, u64>, Error> {
        let full = found.len() == limit;
        let count = found.len();
        let mut items = Vec::with_capacity(count);
        let mut bytes = 0;
        for mut event in found {
            if bytes > bytes_max {
                break;
            }
            match self.blobs.give(&mut event) {
                Ok(given) => bytes += given,
                Err(error) => return self.unless_deleted(id, error),
            }
            items.push(event);
        }
        let more = full || items.len() < count;
        let next = items.last().map(|event| event.sequence);
        let next = next.filter(|_| more);
        Ok(Page { items, next })
    }

    /// The blobs of an execution go when it is deleted, also while it is being read.
    fn unless_deleted(&self, id: Uuid, error: Error) -> Result<Page<Event, u64>, Error> {
        if self.work.kept.execution(id)?.is_some() {
            return Err(error);
        }
        Ok(Page {
            items: Vec::new(),
            next: None,
        })
    }

    /// Checks the blobs as well that events refer to whose chain is whole.
    pub(super) fn with_blobs_verified(&self, found: Verification) -> Result<Verification, Error> {
        verify_blobs(&self.work.kept, &self.blobs, found)
    }
}

/// Checks the blobs that the events of an execution refer to, as far as its chain is whole.
///
/// # Errors
/// `Error::Io`; `Error::Damaged` for what is broken outside of the execution.
pub fn verify_blobs(
    kept: &Kept,
    blobs: &Blobs,
    found: Verification,
) -> Result<Verification, Error> {
    if kept.blobs_of(found.id)?.is_empty() {
        return Ok(found);
    }
    let mut after = 0;
    while after < found.events {
        let mut events = kept.events(found.id, after, EVENTS_PER_READ)?;
        let Some(last) = events.last().map(|event| event.sequence) else {
            break;
        };
        events.retain(|event| event.sequence <= found.events);
        for event in &mut events {
            let sequence = event.sequence;
            for (name, bytes) in Blobs::named(std::slice::from_mut(event)) {
                match blobs.files().read(name, bytes) {
                    Ok(_) => {}
                    Err(Error::Damaged(reason)) => {
                        return Ok(Verification {
                            events: sequence - 1,
                            broken: Some(Broken { sequence, reason }),
                            ..found
                        });
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        after = last;
    }
    Ok(found)
}
