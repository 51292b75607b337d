//! The room of the segment that is written to. The keeper makes it ahead of the records, so that
//! no commit waits for a file to grow; who writes makes it when the keeper is late.

use std::{
    fs::File,
    io::{self, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{super::Error, files::failed};

/// How much is written between two syncs while room is made in the background, in bytes: so
/// long a commit may have to wait for the disk.
const PIECE_BYTES: u64 = 1 << 20;
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// How far a segment's file reaches, and how far it is written.
#[derive(Debug)]
pub struct Room {
    /// The file's length. Held by whoever makes it longer: beyond it nothing is written.
    length: Mutex<u64>,
    /// The file's length, to be read without waiting.
    known: AtomicU64,
    used: AtomicU64,
}

impl Room {
    /// The room of a file of this length.
    pub fn new(length: u64) -> Self {
        Self {
            length: Mutex::new(length),
            known: AtomicU64::new(length),
            used: AtomicU64::new(0),
        }
    }

    /// Notes how far the file is written, in bytes.
    pub fn use_up_to(&self, end: u64) {
        self.used.store(end, Ordering::Relaxed);
    }

    /// How far the file is written, in bytes.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// The file's length, in bytes.
    pub fn length(&self) -> u64 {
        self.known.load(Ordering::Acquire)
    }

    /// To which length the file is to be brought in the background, in bytes: twice what is
    /// more than half used. `None` while there is room, or when there is all there may be.
    pub fn wanted(&self, length_max: u64) -> Option<u64> {
        let length = self.length();
        let scarce = length < length_max && self.used() >= length / 2;
        scarce.then(|| (length * 2).min(length_max))
    }

    /// Makes the file at least this long for who writes to it, who syncs it.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn reach(&self, file: &mut File, path: &Path, length: u64) -> Result<(), Error> {
        if length <= self.length() {
            return Ok(());
        }
        let mut has = self.growing();
        if length > *has {
            fill(file, *has, length).map_err(failed("write", path))?;
            self.grown(&mut has, length);
        }
        Ok(())
    }

    /// Makes the file this long and syncs what is added.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn grow(&self, path: &Path, length: u64) -> Result<(), Error> {
        let mut has = self.growing();
        while *has < length {
            let to = length.min(*has + PIECE_BYTES);
            let add = || {
                let mut file = File::options().write(true).open(path)?;
                fill(&mut file, *has, to)?;
                file.sync_data()
            };
            add().map_err(failed("write", path))?;
            self.grown(&mut has, to);
        }
        Ok(())
    }

    fn grown(&self, has: &mut MutexGuard<'_, u64>, length: u64) {
        **has = length;
        self.known.store(length, Ordering::Release);
    }

    fn growing(&self) -> MutexGuard<'_, u64> {
        // Who panicked has not said that the file is longer.
        self.length.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes zeros into a part of a file.
///
/// # Errors
/// Those of the system.
pub fn fill(file: &mut File, from: u64, until: u64) -> io::Result<()> {
    let mut at = file.seek(SeekFrom::Start(from))?;
    while at < until {
        let bytes = (until - at).min(ZEROS.len() as u64);
        file.write_all(&ZEROS[..bytes as usize])?;
        at += bytes;
    }
    Ok(())
}

/// Makes a file of zeros of this length, synced piece by piece.
///
/// # Errors
/// `Error::Io`.
pub fn make(path: &Path, length: u64) -> Result<(), Error> {
    File::create(path).map_err(failed("create", path))?;
    Room::new(0).grow(path, length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn room_is_wanted_once_half_of_it_is_used_and_never_beyond_its_bound() {
        let room = Room::new(100);
        assert_eq!(room.wanted(1000), None);
        room.use_up_to(50);
        assert_eq!(room.wanted(1000), Some(200));
        assert_eq!(room.wanted(150), Some(150));
        assert_eq!(room.wanted(100), None);
    }

    #[test]
    fn what_is_written_stays_whoever_makes_the_file_longer() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("segment");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"record").unwrap();
        let room = Room::new(6);
        room.grow(&path, 10).unwrap();
        room.reach(&mut file, &path, 8).unwrap();
        room.reach(&mut file, &path, 12).unwrap();
        room.grow(&path, 9).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"record\0\0\0\0\0\0");
    }
}
