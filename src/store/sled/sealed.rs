//! The journal's full segments, shared by the one who writes the journal and the one who makes
//! the state durable: what the state no longer needs is given up here.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::{
    super::Error,
    files::{failed, sync_directory},
    room::Room,
    segment::{self, HEADER_BYTES, Segment},
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
    /// The segment that is written to.
    active: Mutex<Option<(PathBuf, Arc<Room>)>>,
    /// Whether a file is set aside to become the next segment.
    has_next: AtomicBool,
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
            has_next: AtomicBool::new(segment::has_next(&directory)),
            directory,
            segment_bytes,
            full: Mutex::new(full),
            next: Mutex::new(()),
            bytes_since_checkpoint: AtomicU64::new(record_bytes),
            active: Mutex::default(),
        }
    }

    /// Notes the segment that is written to from now on.
    pub fn written_to(&self, segment: &Segment) {
        self.has_next.store(false, Ordering::Relaxed);
        *self.active() = Some((segment.path().to_owned(), segment.room()));
    }

    /// Whether there is room to be made ahead of the records.
    pub fn is_room_due(&self) -> bool {
        let active = self.active();
        let Some((_, room)) = active.as_ref() else {
            return false;
        };
        self.wanted(room).is_some() || self.is_next_due(room)
    }

    /// Makes room ahead of the records: in the segment that is written to, and, once half of
    /// that is used, the next one.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn make_room(&self) -> Result<(), Error> {
        let active = self.active().clone();
        let Some((path, room)) = active else {
            return Ok(());
        };
        if let Some(length) = self.wanted(&room) {
            room.grow(&path, length)?;
        }
        if self.is_next_due(&room) {
            segment::prepare(&self.directory, self.segment_bytes, || self.creating())?;
            self.has_next.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// A segment without records is left as it is: it may stay so.
    fn wanted(&self, room: &Room) -> Option<u64> {
        let has_records = room.used() > HEADER_BYTES as u64;
        room.wanted(self.segment_bytes).filter(|_| has_records)
    }

    fn is_next_due(&self, room: &Room) -> bool {
        room.used() >= self.segment_bytes / 2 && !self.has_next.load(Ordering::Relaxed)
    }

    /// Removes the segment that is set aside. What is on its way to be one is not touched: only
    /// who makes room knows of it.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn remove_next(&self) -> Result<(), Error> {
        let _creating = self.creating();
        segment::remove_next(&self.directory)?;
        self.has_next.store(false, Ordering::Relaxed);
        sync_directory(&self.directory)
    }

    /// Removes also what is left of one that was not finished.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn remove_unfinished(&self) -> Result<(), Error> {
        segment::remove_unfinished(&self.directory)?;
        self.remove_next()
    }

    fn active(&self) -> MutexGuard<'_, Option<(PathBuf, Arc<Room>)>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
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
                self.has_next.store(true, Ordering::Relaxed);
            }
        }
        sync_directory(&self.directory)
    }

    /// Whether there are full segments.
    pub fn has_full(&self) -> bool {
        !self.full().is_empty()
    }

    fn full(&self) -> MutexGuard<'_, Vec<(PathBuf, u64)>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
