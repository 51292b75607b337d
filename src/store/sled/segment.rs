//! One file of the journal: a header, then records one after another.
//!
//! | bytes | what, little-endian |
//! |---|---|
//! | 0..8 | magic |
//! | 8..12 | CRC32C of all that follows in the header |
//! | 12..16 | format |
//! | 16..24 | commit number of its first record; the file's name as well |
//! | 24..32 | running hash before that record |
//! | 32..40 | salt of its records' checksums |
//!
//! Files grow by written zeros ahead of the records, and are used again: a sync that changes
//! neither length nor extents costs half.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use uuid::Uuid;

use super::{
    super::Error,
    files::{failed, sync_directory},
    frame::{self, Position},
    room::{self, Room},
};

/// The size of a segment's header, in bytes: where its first record begins.
pub const HEADER_BYTES: usize = 40;
const MAGIC: [u8; 8] = *b"TUTTIJNL";
const FORMAT: u32 = 1;
const CHECKED_FROM: usize = 12;

const EXTENSION: &str = "log";
/// A file that is to become the next segment: a recycled one, or one whose creation a crash
/// interrupted. What it holds does not matter.
const NEXT_FILE: &str = "next";
/// One that is on its way to be that.
const UNFINISHED_FILE: &str = "next.unfinished";
/// The least length of a segment: its header and an empty record's.
const LENGTH_MIN: u64 = (HEADER_BYTES + frame::HEADER_BYTES) as u64;

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Where the history stood before its first record.
    pub before: Position,
    /// The salt of its records' checksums.
    pub salt: u64,
}

impl Header {
    /// Reads a segment's header; `None` when it is not whole.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..HEADER_BYTES)?;
        let crc = crc32c::crc32c(&header[CHECKED_FROM..]).to_le_bytes();
        let whole = header[..MAGIC.len()] == MAGIC
            && header[MAGIC.len()..CHECKED_FROM] == crc
            && header[CHECKED_FROM..16] == FORMAT.to_le_bytes();
        let number = |at: usize| {
            let bytes = header[at..at + 8].try_into().expect("a slice of 8 bytes");
            u64::from_le_bytes(bytes)
        };
        whole.then(|| Self {
            before: Position {
                commit: number(16).wrapping_sub(1),
                hash: number(24),
            },
            salt: number(32),
        })
    }

    fn write(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        bytes.extend([0; 4]);
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend((self.before.commit + 1).to_le_bytes());
        bytes.extend(self.before.hash.to_le_bytes());
        bytes.extend(self.salt.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[CHECKED_FROM..]);
        bytes[MAGIC.len()..CHECKED_FROM].copy_from_slice(&crc.to_le_bytes());
        bytes
    }
}

/// The segments of a journal and the commit numbers they begin with, in order.
///
/// # Errors
/// `Error::Io`.
pub fn list(directory: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed("read", directory))? {
        let path = entry.map_err(failed("read", directory))?.path();
        let first = path.file_stem().and_then(|name| name.to_str());
        if path.extension().is_some_and(|e| e == EXTENSION)
            && let Some(first) = first.and_then(|name| name.parse().ok())
        {
            segments.push((first, path));
        }
    }
    segments.sort();
    Ok(segments)
}

/// Sets a segment aside to become the next one, cut to `length_max`.
///
/// # Errors
/// `Error::Io`.
pub fn set_aside(directory: &Path, segment: &Path, length_max: u64) -> Result<(), Error> {
    let next = directory.join(NEXT_FILE);
    fs::rename(segment, &next).map_err(failed("rename", segment))?;
    let cut = || {
        let file = File::options().write(true).open(&next)?;
        let length = file.metadata()?.len();
        file.set_len(length.min(length_max))
    };
    cut().map_err(failed("cut", &next))
}

/// Whether a file waits to become the next segment.
pub fn has_next(directory: &Path) -> bool {
    directory.join(NEXT_FILE).exists()
}

/// Makes the file that is to become the next segment, of this length, unless there is one.
/// `creating` is held while it takes its place.
///
/// # Errors
/// `Error::Io`.
pub fn prepare<T>(
    directory: &Path,
    length: u64,
    creating: impl FnOnce() -> T,
) -> Result<(), Error> {
    let unfinished = directory.join(UNFINISHED_FILE);
    room::make(&unfinished, length)?;
    let _creating = creating();
    if has_next(directory) {
        return remove(&unfinished);
    }
    let next = directory.join(NEXT_FILE);
    fs::rename(&unfinished, &next).map_err(failed("rename", &unfinished))
}

/// Removes what waits to become the next segment.
///
/// # Errors
/// `Error::Io`.
pub fn remove_next(directory: &Path) -> Result<(), Error> {
    remove(&directory.join(NEXT_FILE))
}

/// Removes what is on its way to be that. Only who prepares it does.
///
/// # Errors
/// `Error::Io`.
pub fn remove_unfinished(directory: &Path) -> Result<(), Error> {
    remove(&directory.join(UNFINISHED_FILE))
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failed("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// A segment that is written to.
#[derive(Debug)]
pub struct Segment {
    path: PathBuf,
    file: File,
    salt: u64,
    /// Where the next record begins.
    offset: u64,
    room: Arc<Room>,
}

impl Segment {
    /// Makes the segment that follows `before`; it is there as a whole or, after a crash, not
    /// at all.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn create(directory: &Path, before: Position, length: u64) -> Result<Self, Error> {
        let next = directory.join(NEXT_FILE);
        let path = directory.join(format!("{:020}.{EXTENSION}", before.commit + 1));
        let header = Header {
            before,
            salt: Uuid::new_v4().as_u64_pair().1,
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&next)
            .map_err(failed("create", &next))?;
        let mut segment = Self::at(next, file, header.salt, 0)?;
        segment.reach(length.max(LENGTH_MIN))?;
        let mut start = header.write();
        start.extend([0; frame::HEADER_BYTES]);
        segment.put(&start)?;
        segment.sync()?;
        fs::rename(&segment.path, &path).map_err(failed("create", &path))?;
        sync_directory(directory)?;
        segment.path = path;
        segment.move_to(HEADER_BYTES as u64);
        Ok(segment)
    }

    /// Opens a segment to write on from `offset`.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn open(path: PathBuf, header: Header, offset: u64) -> Result<Self, Error> {
        let file = File::options()
            .write(true)
            .open(&path)
            .map_err(failed("open", &path))?;
        Self::at(path, file, header.salt, offset)
    }

    fn at(path: PathBuf, file: File, salt: u64, offset: u64) -> Result<Self, Error> {
        let length = file.metadata().map_err(failed("read", &path))?.len();
        let room = Room::new(length);
        room.use_up_to(offset);
        Ok(Self {
            path,
            file,
            salt,
            offset,
            room: Arc::new(room),
        })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The salt of its records' checksums.
    pub fn salt(&self) -> u64 {
        self.salt
    }

    /// Its room, which is made ahead.
    pub fn room(&self) -> Arc<Room> {
        Arc::clone(&self.room)
    }

    /// Whether no record is in it.
    pub fn is_empty(&self) -> bool {
        self.offset == HEADER_BYTES as u64
    }

    /// Whether this many more bytes fit below `segment_bytes`; the first record always does.
    pub fn has_room(&self, bytes: usize, segment_bytes: u64) -> bool {
        self.is_empty() || self.offset + bytes as u64 <= segment_bytes
    }

    /// Writes a record, as `frame::write` made it, and makes it durable.
    ///
    /// # Errors
    /// `Error::Io`: what is on disk is then unknown, and nothing more may be written.
    pub fn append(&mut self, record: &[u8], grow_bytes: u64) -> Result<(), Error> {
        let end = self.offset + record.len() as u64;
        if end > self.room.length() {
            self.reach(end.next_multiple_of(grow_bytes.max(1)))?;
        }
        self.put(record)?;
        self.sync()?;
        // The empty header at its end is written over by the next record.
        self.move_to(end - frame::HEADER_BYTES as u64);
        Ok(())
    }

    fn move_to(&mut self, offset: u64) {
        self.offset = offset;
        self.room.use_up_to(offset);
    }

    /// Clears this many bytes behind the last record.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn clear(&mut self, bytes: u64) -> Result<(), Error> {
        let (from, until) = (self.offset, self.offset + bytes);
        self.reach(until)?;
        room::fill(&mut self.file, from, until).map_err(failed("write", &self.path))?;
        self.sync()
    }

    fn reach(&mut self, length: u64) -> Result<(), Error> {
        self.room.reach(&mut self.file, &self.path, length)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file
            .seek(SeekFrom::Start(self.offset))
            .and_then(|_| self.file.write_all(bytes))
            .map_err(failed("write", &self.path))
    }

    fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(failed("sync", &self.path))
    }
}
