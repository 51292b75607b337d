//! Makes a data directory of a copy, as `copy` wrote it.

use std::{fs, io, io::Read, path::Path};

use sha2::{Digest as _, Sha256};

use super::{
    super::{Error, Snapshot},
    Options, SledStore,
    apply::Changes,
    blobs::{Files, Fresh, Name},
    copy::{BLOB, END, ENTRY, MAGIC, PART_BYTES_MAX},
    directory::{self, Directory, FORMAT},
    files::{failed, sync_directory},
    frame::Position,
    segment::Segment,
    state::State,
};

/// How much is written into a new state at once, in bytes.
const BATCH_BYTES: usize = 256 << 10;
/// How much is written into blobs at once, in bytes.
const BLOBS_BYTES: usize = 16 << 20;
/// The largest blob that is taken, in bytes.
const BLOB_BYTES_MAX: u64 = 1 << 30;

impl SledStore {
    /// Makes a data directory of a copy, in a directory that is empty or not there. Until it is
    /// whole it is refused as a data directory; when it fails the directory is empty again.
    ///
    /// # Errors
    /// `Error::NotRestored` when the copy is not whole or the directory holds something,
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
            return Err(Error::NotRestored(format!(
                "{} holds something: restore into an empty directory",
                path.display()
            )));
        }
        let restored = Self::restore_into(source, path, options);
        if restored.is_err() {
            for made in ["state", "blobs", "journal"] {
                // What cannot be removed hinders only that the same directory is taken again.
                let _ = fs::remove_dir_all(path.join(made));
            }
        }
        restored
    }

    fn restore_into(
        source: &mut dyn Read,
        path: &Path,
        options: &Options,
    ) -> Result<Snapshot, Error> {
        let mut reader = CopyReader {
            source,
            hash: Sha256::new(),
            bytes: 0,
        };
        let at = reader.header(path)?;
        let state = State::open(&path.join("state"), options.cache_bytes)?;
        let blobs = Files::open(path.join("blobs"))?;
        reader.entries(&state, &blobs)?;
        state.apply(Changes::default(), at, || {})?;
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
            let what = "this is no copy of a store: give a file that `tutti backup` wrote";
            return Err(Error::NotRestored(what.into()));
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

    fn entries(&mut self, state: &State, blobs: &Files) -> Result<(), Error> {
        let mut entries = 0_u64;
        let (mut batch, mut batch_bytes) = (Vec::new(), 0);
        let (mut fresh, mut fresh_bytes) = (Fresh::new(), 0);
        loop {
            match self.array()? {
                [ENTRY] => {
                    let (key, value) = (self.array()?, self.array()?);
                    let (key, value) = (self.part(key)?, self.part(value)?);
                    batch_bytes += key.len() + value.len();
                    batch.push((key, Some(value)));
                }
                [BLOB] => {
                    let blob = self.blob()?;
                    fresh_bytes += blob.len();
                    fresh.insert(Name::of(&blob), blob);
                }
                [END] => break,
                [kind] => return Err(broken(&format!("an entry of kind {kind}"))),
            }
            entries += 1;
            if batch_bytes >= BATCH_BYTES {
                state.write(std::mem::take(&mut batch))?;
                batch_bytes = 0;
            }
            if fresh_bytes >= BLOBS_BYTES {
                blobs.write(&std::mem::take(&mut fresh))?;
                fresh_bytes = 0;
            }
        }
        self.end(entries)?;
        blobs.write(&fresh)?;
        state.write(batch)
    }

    fn end(&mut self, entries: u64) -> Result<(), Error> {
        if u64::from_le_bytes(self.array()?) != entries {
            return Err(broken("it does not have as many entries as it says"));
        }
        let hash: [u8; 32] = self.hash.clone().finalize().into();
        if self.array()? != hash {
            return Err(broken("its checksum does not fit"));
        }
        Ok(())
    }

    fn blob(&mut self) -> Result<Vec<u8>, Error> {
        let length = u64::from_le_bytes(self.array()?);
        if length > BLOB_BYTES_MAX {
            return Err(broken(&format!("a payload of {length} bytes")));
        }
        let mut blob = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        self.fill(&mut blob)?;
        Ok(blob)
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
    Error::NotRestored(format!("the copy is not whole: {what}; take another one"))
}
