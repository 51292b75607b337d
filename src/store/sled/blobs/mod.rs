//! Large payloads, each in a file of its own beside the journal: `blobs/ab/cdef…`, named by the
//! SHA-256 of its bytes. The same content is kept once.
//!
//! A blob is durable before the record that refers to it is journaled, and is removed after
//! the record that forgets its last execution is. What a crash leaves between the two is named
//! by nobody and swept up later. Anyone writes and reads, only who commits removes and sweeps:
//! and none that is **awaited**, written for a record that is still to come.

mod awaited;
mod files;
mod name;
mod payloads;
mod sweep;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

pub use awaited::Awaited;
pub use files::{Files, Fresh};
pub use name::Name;
use payloads::{Payload, Reference, payloads};
pub use sweep::Sweep;

use super::super::Error;
use crate::proto::Event;

/// The blobs of a store.
#[derive(Debug)]
pub struct Blobs {
    files: Files,
    /// Payloads above this size become blobs, in bytes.
    inline_bytes_max: usize,
    /// How many copies are being made, for which no blob may go.
    held: AtomicUsize,
    /// Those that are written for a record that is still to come.
    awaited: awaited::Names,
}

/// While this lives no blob is removed.
#[derive(Debug)]
pub struct Hold<'a>(&'a Blobs);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Blobs {
    /// Keeps all blobs, also those that are forgotten meanwhile.
    pub fn hold(&self) -> Hold<'_> {
        self.held.fetch_add(1, Ordering::SeqCst);
        Hold(self)
    }

    /// Whether no blob may be removed now.
    pub fn are_held(&self) -> bool {
        self.held.load(Ordering::SeqCst) > 0
    }

    /// The blobs in a directory, which need not be there.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn open(directory: PathBuf, inline_bytes_max: usize) -> Result<Self, Error> {
        Ok(Self {
            files: Files::open(directory)?,
            inline_bytes_max,
            held: AtomicUsize::new(0),
            awaited: awaited::Names::default(),
        })
    }

    /// The files.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Whether a payload of these events is to become a blob.
    pub fn would_take(&self, events: &mut [Event]) -> bool {
        let mut payloads = events.iter_mut().flat_map(payloads);
        payloads.any(|payload| self.is_taken(&payload))
    }

    fn is_taken(&self, payload: &Payload<'_>) -> bool {
        payload.bytes() > self.inline_bytes_max || payload.looks_like_reference()
    }

    /// Takes the large payloads out of events and leaves references in their places. Gives
    /// the names referred to; what is new is added to `fresh`, to be written before the
    /// events are.
    pub fn take(&self, events: &mut [Event], fresh: &mut Fresh) -> Vec<Name> {
        let mut names = Vec::new();
        for payload in events.iter_mut().flat_map(payloads) {
            if !self.is_taken(&payload) {
                continue;
            }
            let bytes = payload.encoded();
            let reference = Reference {
                name: Name::of(&bytes),
                bytes: bytes.len() as u64,
            };
            payload.refer(reference);
            fresh.insert(reference.name, bytes);
            names.push(reference.name);
        }
        names.sort();
        names.dedup();
        names
    }

    /// Puts the payloads of an event that lie in blobs back. Gives how many bytes they have.
    ///
    /// # Errors
    /// `Error::Damaged` naming the file when a blob is missing or altered, and `Error::Io`.
    pub fn give(&self, event: &mut Event) -> Result<u64, Error> {
        let mut bytes = 0;
        for payload in payloads(event) {
            if payload.looks_like_reference() {
                bytes += self.restore(payload)?;
            }
        }
        Ok(bytes)
    }

    fn restore(&self, payload: Payload<'_>) -> Result<u64, Error> {
        let reference = payload.reference().ok_or_else(|| {
            Error::Damaged("a payload refers to a blob that no blob is called".into())
        })?;
        let bytes = self.files.read(reference.name, reference.bytes)?;
        payload.restore(&bytes).map_err(|error| {
            files::damaged(
                &self.files.path(reference.name),
                &format!("is no payload ({error})"),
            )
        })?;
        Ok(reference.bytes)
    }

    /// The blobs that events refer to, with their sizes.
    pub fn named(events: &mut [Event]) -> Vec<(Name, u64)> {
        let references = events.iter_mut().flat_map(payloads);
        references
            .filter_map(|payload| payload.reference())
            .map(|to| (to.name, to.bytes))
            .collect()
    }
}
