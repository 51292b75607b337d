//! A whole copy of the state as one stream: what a backup holds, and how a data directory is
//! made of it again.
//!
//! | bytes | what, little-endian |
//! |---|---|
//! | 8 | magic |
//! | 4 | format of the data |
//! | 8, 8 | commit and running hash that the copy stands at |
//! | then, for each entry: 1 | its kind: 1, a key of the state with its value |
//! | 4, 4 | length of the key, of the value |
//! | | key, value |
//! | at the end: 1 | 0 |
//! | 8 | number of entries |
//! | 32 | SHA-256 of all before |

use std::{
    fs,
    io::{self, Read, Seek as _, SeekFrom, Write},
    path::Path,
};

use sha2::{Digest as _, Sha256};

use super::{
    super::{Error, Snapshot},
    Options, SledStore,
    directory::{self, Directory, FORMAT},
    files::{failed, sync_directory},
    frame::Position,
    keeper::{Task, Work},
    keys,
    segment::Segment,
    state::State,
};

const MAGIC: [u8; 8] = *b"TUTTICPY";
const ENTRY: u8 = 1;
const END: u8 = 0;
/// The longest key or value that is taken, in bytes.
const PART_BYTES_MAX: u32 = 1 << 20;
/// How much is written into a new state at once, in bytes.
const BATCH_BYTES: usize = 256 << 10;

/// Writes a copy into `sink`. It is put together on disk first, so that a slow sink holds
/// nothing up.
///
/// # Errors
/// `Error::Io`, also of the sink; `Error::Damaged`.
pub fn write(work: &Work, sink: &mut dyn Write) -> Result<Snapshot, Error> {
    let place = work.directory.path();
    let mut spool = tempfile::tempfile_in(place).map_err(failed("create a file in", place))?;
    work.have_done(Task::Drain)?;
    let snapshot = {
        let _still = work.kept.hold_drains();
        let mut writer = CopyWriter::new(io::BufWriter::new(&mut spool));
        writer.state(&work.kept.state)?
    };
    spool
        .seek(SeekFrom::Start(0))
        .and_then(|_| io::copy(&mut spool, sink))
        .and_then(|_| sink.flush())
        .map_err(failed("write the copy of", place))?;
    Ok(snapshot)
}

struct CopyWriter<W: Write> {
    sink: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> CopyWriter<W> {
    fn new(sink: W) -> Self {
        Self {
            sink,
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    /// Writes all of a state that nothing changes meanwhile.
    fn state(&mut self, state: &State) -> Result<Snapshot, Error> {
        let at = state.standing()?.applied;
        self.put(&MAGIC)?;
        self.put(&FORMAT.to_le_bytes())?;
        self.put(&at.commit.to_le_bytes())?;
        self.put(&at.hash.to_le_bytes())?;
        let mut entries = 0_u64;
        for entry in state.all() {
            let (key, value) = entry?;
            if keys::is_meta(&key) {
                continue;
            }
            self.put(&[ENTRY])?;
            self.put(&length(&key)?)?;
            self.put(&length(&value)?)?;
            self.put(&key)?;
            self.put(&value)?;
            entries += 1;
        }
        self.put(&[END])?;
        self.put(&entries.to_le_bytes())?;
        let hash = std::mem::take(&mut self.hash).finalize();
        self.put(&hash)?;
        self.sink.flush().map_err(unwritten)?;
        Ok(Snapshot {
            commit: at.commit,
            hash: at.hash,
            bytes: self.bytes,
        })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
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

impl SledStore {
    /// Makes a data directory of a copy, in a directory that is empty or not there. Until it is
    /// whole it is refused as a data directory.
    ///
    /// # Errors
    /// `Error::Damaged` when the copy is not whole or the directory holds something,
    /// `Error::NewerFormat`, and `Error::Io`.
    pub fn restore(
        source: &mut dyn Read,
        path: &Path,
        options: &Options,
    ) -> Result<Snapshot, Error> {
        directory::create(path)?;
        let is_empty = fs::read_dir(path)
            .map_err(failed("read", path))?
            .next()
            .is_none();
        if !is_empty {
            return Err(Error::Damaged(format!(
                "{} holds something: restore into an empty directory",
                path.display()
            )));
        }
        let mut reader = CopyReader {
            source,
            hash: Sha256::new(),
            bytes: 0,
        };
        let at = reader.header(path)?;
        let state = State::open(&path.join("state"), options.cache_bytes)?;
        reader.state(&state)?;
        state.apply(sled::Batch::default(), at, || {})?;
        state.make_durable(at)?;
        drop(state);
        let journal = path.join("journal");
        directory::create(&journal)?;
        Segment::create(&journal, at, options.preallocate_bytes)?;
        sync_directory(path)?;
        Directory::complete(path)?;
        Ok(Snapshot {
            commit: at.commit,
            hash: at.hash,
            bytes: reader.bytes,
        })
    }
}

struct CopyReader<'a> {
    source: &'a mut dyn Read,
    hash: Sha256,
    bytes: u64,
}

impl CopyReader<'_> {
    fn header(&mut self, path: &Path) -> Result<Position, Error> {
        if self.array::<8>()? != MAGIC {
            return Err(Error::Damaged("this is no copy of a store".into()));
        }
        let found = u32::from_le_bytes(self.array()?);
        if found > FORMAT {
            return Err(Error::NewerFormat {
                path: path.display().to_string(),
                found,
                known: FORMAT,
            });
        }
        Ok(Position {
            commit: u64::from_le_bytes(self.array()?),
            hash: u64::from_le_bytes(self.array()?),
        })
    }

    fn state(&mut self, state: &State) -> Result<(), Error> {
        let (mut batch, mut batch_bytes, mut entries) = (sled::Batch::default(), 0, 0_u64);
        loop {
            match self.array()? {
                [ENTRY] => {}
                [END] => break,
                [kind] => return Err(broken(&format!("an entry of kind {kind}"))),
            }
            let (key, value) = (self.array()?, self.array()?);
            let (key, value) = (self.part(key)?, self.part(value)?);
            batch_bytes += key.len() + value.len();
            entries += 1;
            batch.insert(key, value);
            if batch_bytes >= BATCH_BYTES {
                state.write(std::mem::take(&mut batch))?;
                batch_bytes = 0;
            }
        }
        if u64::from_le_bytes(self.array()?) != entries {
            return Err(broken("it does not have as many entries as it says"));
        }
        let hash: [u8; 32] = self.hash.clone().finalize().into();
        if self.array()? != hash {
            return Err(broken("its checksum does not fit"));
        }
        state.write(batch)
    }

    fn part(&mut self, length: [u8; 4]) -> Result<Vec<u8>, Error> {
        let length = u32::from_le_bytes(length);
        if length > PART_BYTES_MAX {
            return Err(broken(&format!("a part of {length} bytes")));
        }
        let mut part = vec![0; length as usize];
        self.fill(&mut part)?;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.source
            .read_exact(bytes)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => broken("it is cut short"),
                _ => Error::Io {
                    context: "cannot read the copy".into(),
                    source: error,
                },
            })?;
        self.hash.update(&*bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

fn broken(what: &str) -> Error {
    Error::Damaged(format!("the copy is not whole: {what}; take another one"))
}
