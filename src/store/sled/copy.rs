//! A whole copy of a store as one stream: what a backup holds. `restore` makes a data directory
//! of it again.
//!
//! | bytes | what, little-endian |
//! |---|---|
//! | 8 | magic |
//! | 4 | format of the data |
//! | 8, 8 | commit and running hash that the copy stands at |
//! | then, for each entry: 1 | its kind: 1, a key of the state with its value; 2, a blob |
//! | of a key: 4, 4 | length of the key, of the value |
//! | | key, value |
//! | of a blob: 8 | length |
//! | | its bytes, whose SHA-256 is its name |
//! | at the end: 1 | 0 |
//! | 8 | number of entries |
//! | 32 | SHA-256 of all before |

use std::io::{self, Seek as _, SeekFrom, Write};

use sha2::{Digest as _, Sha256};

use super::{
    super::{Error, Snapshot},
    blobs::{Blobs, Name},
    directory::FORMAT,
    files::failed,
    frame::Position,
    keeper::{Task, Work},
    keys,
    state::State,
};

/// What a copy begins with.
pub const MAGIC: [u8; 8] = *b"TUTTICPY";
/// An entry: a key of the state with its value.
pub const ENTRY: u8 = 1;
/// An entry: a blob.
pub const BLOB: u8 = 2;
/// Ends the entries.
pub const END: u8 = 0;
/// The longest key or value that is taken, in bytes.
pub const PART_BYTES_MAX: u32 = 1 << 20;
/// Writes a copy into `sink`. The state is put together on disk first, so that a slow sink holds
/// nothing up; blobs never change, and none of them goes before the copy is made.
///
/// # Errors
/// `Error::Io`, also of the sink; `Error::Damaged`.
pub fn write(work: &Work, blobs: &Blobs, sink: &mut dyn Write) -> Result<Snapshot, Error> {
    let _whole = blobs.hold();
    let place = work.directory.path();
    let mut spool = tempfile::tempfile_in(place).map_err(failed("create a file in", place))?;
    work.have_done(Task::Drain)?;
    let (progress, at, names) = {
        let _still = work.kept.hold_drains();
        let mut writer = CopyWriter::new(io::BufWriter::new(&mut spool), Progress::default());
        let (at, names) = writer.state(&work.kept.state)?;
        writer.sink.flush().map_err(unwritten)?;
        (writer.progress, at, names)
    };
    spool
        .seek(SeekFrom::Start(0))
        .and_then(|_| io::copy(&mut spool, sink))
        .map_err(failed("write the copy of", place))?;
    let mut writer = CopyWriter::new(sink, progress);
    for name in names {
        writer.blob(&blobs.files().content(name)?)?;
    }
    writer.end()?;
    Ok(Snapshot {
        commit: at.commit,
        hash: at.hash,
        bytes: writer.progress.bytes,
    })
}

/// What was written so far.
#[derive(Default)]
struct Progress {
    hash: Sha256,
    bytes: u64,
    entries: u64,
}

struct CopyWriter<W: Write> {
    sink: W,
    progress: Progress,
}

impl<W: Write> CopyWriter<W> {
    fn new(sink: W, progress: Progress) -> Self {
        Self { sink, progress }
    }

    /// Writes all of a state that nothing changes meanwhile. Gives where it stands, and the
    /// blobs that it refers to.
    fn state(&mut self, state: &State) -> Result<(Position, Vec<Name>), Error> {
        let at = state.standing()?.applied;
        self.put(&MAGIC)?;
        self.put(&FORMAT.to_le_bytes())?;
        self.put(&at.commit.to_le_bytes())?;
        self.put(&at.hash.to_le_bytes())?;
        let mut names = Vec::new();
        for entry in state.all() {
            let (key, value) = entry?;
            if keys::is_meta(&key) {
                continue;
            }
            // In order, so those of one blob follow each other.
            names.extend(keys::blob_in_mark(&key).and_then(Name::from_slice));
            names.dedup();
            self.put(&[ENTRY])?;
            self.put(&length(&key)?)?;
            self.put(&length(&value)?)?;
            self.put(&key)?;
            self.put(&value)?;
            self.progress.entries += 1;
        }
        Ok((at, names))
    }

    fn blob(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.put(&[BLOB])?;
        self.put(&(bytes.len() as u64).to_le_bytes())?;
        self.put(bytes)?;
        self.progress.entries += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        self.put(&[END])?;
        self.put(&self.progress.entries.to_le_bytes())?;
        let hash = self.progress.hash.clone().finalize();
        self.put(&hash)?;
        self.sink.flush().map_err(unwritten)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.progress.hash.update(bytes);
        self.progress.bytes += bytes.len() as u64;
        self.sink.write_all(bytes).map_err(unwritten)
    }
}

fn length(part: &[u8]) -> Result<[u8; 4], Error> {
    let length = u32::try_from(part.len()).ok();
    let fits = length.filter(|length| *length <= PART_BYTES_MAX);
    fits.map(u32::to_le_bytes)
        .ok_or_else(|| Error::Damaged(format!("a part of the state of {} bytes", part.len())))
}

fn unwritten(source: io::Error) -> Error {
    Error::Io {
        context: "cannot write the copy".into(),
        source,
    }
}
