//! The state in sled: what all commits up to one come to, always at an exact commit.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock, RwLockReadGuard},
    thread,
    time::{Duration, Instant},
};

use sled::IVec;
use uuid::Uuid;

use super::{
    super::Error,
    chunks,
    files::{failed, sync_tree},
    frame::Position,
    keys,
};

/// How long to wait for a store of this same process that is still being dropped.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);
const RELEASE_POLL: Duration = Duration::from_millis(5);

/// Where the state stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The last commit that is in it.
    pub applied: Position,
    /// The last commit that the journal may have forgotten.
    pub checkpoint: Position,
}

/// The state.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    tree: sled::Db,
    /// Held for writing while changes are applied, so that a value of several parts is never
    /// read half old, half new.
    applying: RwLock<()>,
}

impl State {
    /// Opens the state, or an empty one.
    ///
    /// # Errors
    /// `Error::Damaged` when sled cannot read it, and `Error::Io`.
    pub fn open(path: PathBuf, cache_bytes: u64) -> Result<Self, Error> {
        remove_unfinished_snapshots(&path)?;
        let config = sled::Config::new().path(&path).cache_capacity(cache_bytes);
        let tree = open_released(&config).map_err(unreadable(&path))?;
        Ok(Self {
            path,
            tree,
            applying: RwLock::new(()),
        })
    }

    /// Where it stands.
    ///
    /// # Errors
    /// `Error::Damaged` and `Error::Io`.
    pub fn standing(&self) -> Result<Standing, Error> {
        Ok(Standing {
            applied: self.position(keys::APPLIED)?,
            checkpoint: self.position(keys::CHECKPOINT)?,
        })
    }

    fn position(&self, key: &[u8]) -> Result<Position, Error> {
        let Some(value) = self.get(key)? else {
            return Ok(Position::default());
        };
        let number = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_be_bytes);
        match (
            value.get(..8).and_then(number),
            value.get(8..).and_then(number),
        ) {
            (Some(commit), Some(hash)) => Ok(Position { commit, hash }),
            _ => Err(Error::Damaged(format!(
                "the state {} does not say where it stands: restore the data directory from a \
                 backup copy",
                self.path.display()
            ))),
        }
    }

    /// Applies changes and moves on to `position`, both or none, and calls `applied` before
    /// anyone reads.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`; the state is then behind the journal.
    pub fn apply(
        &self,
        mut changes: sled::Batch,
        position: Position,
        applied: impl FnOnce(),
    ) -> Result<(), Error> {
        changes.insert(keys::APPLIED, encoded(position));
        let _writing = self
            .applying
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        self.tree.apply_batch(changes).map_err(self.failed())?;
        applied();
        Ok(())
    }

    /// Makes all that was applied, up to `position`, durable.
    ///
    /// sled's flush alone does not: it writes its log and calls `sync_file_range`, which leaves
    /// the disk's own cache and the file's length to chance, and it never syncs the files of
    /// large items. So what it wrote is synced here, file by file and then the directories,
    /// and only then may the journal forget what led to it: the state says so itself, to tell
    /// later what the journal was allowed to forget from what it lost.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn make_durable(&self, position: Position) -> Result<(), Error> {
        self.tree
            .insert(keys::CHECKPOINT, encoded(position))
            .map_err(self.failed())?;
        self.tree.flush().map_err(self.failed())?;
        sync_tree(&self.path)
    }

    /// The value of a key.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let value = self.tree.get(key).map_err(self.failed())?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// A value of any size. Whoever reads while changes may be applied holds `reading`.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        chunks::join(key, |part| self.tree.get(part).map_err(self.failed()))
    }

    /// All keys with a prefix, in order.
    pub fn keys(&self, prefix: &[u8]) -> impl Iterator<Item = Result<Vec<u8>, Error>> {
        let keys = self.tree.scan_prefix(prefix).keys();
        keys.map(|key| Ok(key.map_err(self.failed())?.to_vec()))
    }

    /// The keys in a range, in order; from both ends.
    pub fn range(
        &self,
        from: Vec<u8>,
        until: Vec<u8>,
    ) -> impl DoubleEndedIterator<Item = Result<IVec, Error>> {
        // sled takes a range that ends before it begins for a broken tree.
        let until = until.max(from.clone());
        let keys = self.tree.range(from..until).keys();
        keys.map(|key| key.map_err(self.failed()))
    }

    /// The keys in a range with their values, in order.
    pub fn entries(
        &self,
        from: Vec<u8>,
        until: Vec<u8>,
    ) -> impl Iterator<Item = Result<(IVec, IVec), Error>> {
        let entries = self.tree.range(from..until);
        entries.map(|entry| entry.map_err(self.failed()))
    }

    /// The last sequence of an execution; 0 when there is none.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn last_sequence(&self, id: Uuid) -> Result<u64, Error> {
        let keys = self.tree.scan_prefix(keys::events_of(id)).keys();
        let last = keys.rev().next().transpose().map_err(self.failed())?;
        Ok(last.and_then(|key| keys::last_sequence(&key)).unwrap_or(0))
    }

    /// The greatest id of an execution.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn greatest_id(&self) -> Result<Uuid, Error> {
        let mut keys = self.range(keys::events_of(Uuid::nil()), keys::events_end());
        let last = keys.next_back().transpose()?;
        Ok(last
            .and_then(|key| keys::event_id(&key))
            .unwrap_or_default())
    }

    /// While this is held nothing is applied.
    pub fn reading(&self) -> RwLockReadGuard<'_, ()> {
        // A batch that panicked stops all commits; what was there before can still be read.
        self.applying.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> impl Fn(sled::Error) -> Error {
        unreadable(&self.path)
    }
}

fn encoded(position: Position) -> Vec<u8> {
    let mut bytes = position.commit.to_be_bytes().to_vec();
    bytes.extend(position.hash.to_be_bytes());
    bytes
}

/// sled takes the snapshot of an open that was killed for a whole one.
fn remove_unfinished_snapshots(path: &Path) -> Result<(), Error> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed("read", path))?,
    };
    for entry in entries {
        let file = entry.map_err(failed("read", path))?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(&file).map_err(failed("remove", &file))?;
        }
    }
    Ok(())
}

/// Opens sled. A store dropped in this process may hold its file a moment longer, in sled's
/// threads; no other process can, since this one holds the directory's lock.
fn open_released(config: &sled::Config) -> sled::Result<sled::Db> {
    let give_up = Instant::now() + RELEASE_TIMEOUT;
    loop {
        match config.open() {
            Err(sled::Error::Io(error))
                if error.to_string().contains("could not acquire lock")
                    && Instant::now() < give_up =>
            {
                thread::sleep(RELEASE_POLL);
            }
            opened => return opened,
        }
    }
}

fn unreadable(path: &Path) -> impl Fn(sled::Error) -> Error {
    let path = path.display().to_string();
    move |error| match error {
        sled::Error::Io(source) => Error::Io {
            context: format!("the state {path} failed"),
            source,
        },
        sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => Error::Damaged(format!(
            "the state {path} is not readable ({error}): restore the data directory from a \
             backup copy"
        )),
        other => Error::Io {
            context: format!("the state {path} failed"),
            source: io::Error::other(other),
        },
    }
}
