//! The journal's full segments, shared by the one who writes the journal and the one who makes
//! the state durable: what the state no longer needs is given up here.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    super::Error,
    files::{failed, sync_directory},
    segment,
};

/// The full segments of a journal.
#[derive(Debug)]
pub struct Sealed {
    directory: PathBuf,
    /// To how much a segment is cut that is to be used again, in bytes.
    segment_bytes: u64,
    /// With the last commit of each, in order.
    full: Mutex<Vec<(PathBuf, u64)>>,
    /// Held by whoever makes a segment of the file set aside, or sets one aside.
    next: Mutex<()>,
    bytes_since_checkpoint: AtomicU64,
}

impl Sealed {
    /// The full segments that a journal was found with.
    pub fn new(
        directory: PathBuf,
        segment_bytes: u64,
        full: Vec<(PathBuf, u64)>,
        record_bytes: u64,
    ) -> Self {
        Self {
            directory,
            segment_bytes,
            full: Mutex::new(full),
            next: Mutex::new(()),
            bytes_since_checkpoint: AtomicU64::new(record_bytes),
        }
    }

    /// Adds a full segment with its last commit.
    pub fn push(&self, path: PathBuf, last: u64) {
        self.full().push((path, last));
    }

    /// While this is held no segment is set aside.
    pub fn creating(&self) -> MutexGuard<'_, ()> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts bytes of records; gives how many were written since the last checkpoint.
    pub fn written(&self, bytes: u64) -> u64 {
        self.bytes_since_checkpoint
            .fetch_add(bytes, Ordering::Relaxed)
            + bytes
    }

    /// How many bytes of records were written since the last checkpoint.
    pub fn bytes_since_checkpoint(&self) -> u64 {
        self.bytes_since_checkpoint.load(Ordering::Relaxed)
    }

    /// Gives up the segments that hold nothing later than `commit`, up to which the state is
    /// durable without them: one is kept to be written over, the others are removed. `bytes`
    /// is what was written since the checkpoint before when this one began.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn checkpointed(&self, commit: u64, bytes: u64) -> Result<(), Error> {
        self.bytes_since_checkpoint
            .fetch_sub(bytes, Ordering::Relaxed);
        let spent: Vec<_> = {
            let mut full = self.full();
            let kept = full.iter().position(|(_, last)| *last > commit);
            let spent = kept.unwrap_or(full.len());
            full.drain(..spent).collect()
        };
        // The oldest first: what is left after a crash has no gap.
        for (path, _) in spent {
            let _creating = self.creating();
            if segment::has_next(&self.directory) {
                fs::remove_file(&path).map_err(failed("remove", &path))?;
            } else {
                segment::set_aside(&self.directory, &path, self.segment_bytes)?;
            }
        }
        sync_directory(&self.directory)
    }

    fn full(&self) -> MutexGuard<'_, Vec<(PathBuf, u64)>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
