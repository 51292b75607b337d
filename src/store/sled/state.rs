//! The state in sled: what all commits up to one come to, always at an exact commit.

use std::{
    fs, io,
    ops::Deref as _,
    path::Path,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    thread,
    time::{Duration, Instant},
};

use sled::IVec;
use uuid::Uuid;

use super::{
    super::Error,
    chunks,
    directory::FORMAT,
    files::{failed, sync_tree},
    frame::Position,
    keys,
    packs::{self, Chained},
    record,
};
use crate::proto::Execution;

/// How long to wait for a store of this same process that is still being dropped.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);
const RELEASE_POLL: Duration = Duration::from_millis(5);

/// Where the state stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The last commit that is in it.
    pub applied: Position,
    /// A later one when it was being brought there: a part of what lies between is in it too.
    pub taking_over: Position,
    /// The last commit that the journal may have forgotten.
    pub checkpoint: Position,
}

/// The state.
#[derive(Debug)]
pub struct State {
    current: RwLock<Current>,
    /// Held by whoever reads; taken for a moment before changes are applied.
    applying: RwLock<()>,
}

/// The sled that the state lies in; compaction puts another in its place.
#[derive(Debug)]
pub struct Current {
    path: Arc<Path>,
    tree: sled::Db,
}

impl State {
    /// Opens the state, or an empty one.
    ///
    /// # Errors
    /// `Error::Damaged` when sled cannot read it, and `Error::Io`.
    pub fn open(path: &Path, cache_bytes: u64) -> Result<Self, Error> {
        remove_unfinished_snapshots(path)?;
        let config = sled::Config::new().path(path).cache_capacity(cache_bytes);
        let path: Arc<Path> = path.into();
        let tree = open_released(&config).map_err(unreadable(&path))?;
        if tree.is_empty() {
            let format = FORMAT.to_be_bytes();
            tree.insert(keys::FORMAT, &format)
                .map_err(unreadable(&path))?;
        }
        Ok(Self {
            current: RwLock::new(Current { path, tree }),
            applying: RwLock::new(()),
        })
    }

    /// The version of its format.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn format(&self) -> Result<u32, Error> {
        match self.get(keys::FORMAT)?.as_deref().map(<[u8; 4]>::try_from) {
            None => Ok(1),
            Some(Ok(format)) => Ok(u32::from_be_bytes(format)),
            Some(Err(_)) => Err(Error::Damaged(
                "the state does not say its format: restore a backup with `tutti restore`".into(),
            )),
        }
    }

    /// Puts another in its place that holds the same; gives the old one, to be dropped.
    pub fn replace(&self, by: Self) -> Current {
        let by = by
            .current
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let _writing = self
            .applying
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, by)
    }

    fn current(&self) -> RwLockReadGuard<'_, Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// sled's tree.
    pub(super) fn tree(&self) -> sled::Tree {
        self.current().tree.deref().clone()
    }

    /// Where it lies.
    pub fn path(&self) -> Arc<Path> {
        Arc::clone(&self.current().path)
    }

    /// Where it stands.
    ///
    /// # Errors
    /// `Error::Damaged` and `Error::Io`.
    pub fn standing(&self) -> Result<Standing, Error> {
        Ok(Standing {
            applied: self.position(keys::APPLIED)?,
            taking_over: self.position(keys::TAKING_OVER)?,
            checkpoint: self.position(keys::CHECKPOINT)?,
        })
    }

    fn position(&self, key: &[u8]) -> Result<Position, Error> {
        let Some(value) = self.get(key)? else {
            return Ok(Position::default());
        };
        Position::from_bytes(&value).ok_or_else(|| {
            Error::Damaged(format!(
                "the state {} does not say where it stands: restore a backup with `tutti restore`",
                self.path().display()
            ))
        })
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
        self.tree()
            .insert(keys::CHECKPOINT, position.to_bytes())
            .map_err(self.failed())?;
        self.tree().flush().map_err(self.failed())?;
        sync_tree(&self.path())
    }

    /// The value of a key.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let value = self.tree().get(key).map_err(self.failed())?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// A value of any size. Whoever reads while changes may be applied holds `reading`, and has
    /// looked into the overlay for it.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        chunks::join(key, |part| self.tree().get(part).map_err(self.failed()))
    }

    /// All keys with a prefix, in order.
    pub fn keys(&self, prefix: &[u8]) -> impl Iterator<Item = Result<Vec<u8>, Error>> {
        let (keys, failed) = (self.tree().scan_prefix(prefix).keys(), self.failed());
        keys.map(move |key| Ok(key.map_err(&failed)?.to_vec()))
    }

    /// The keys in a range, in order; from both ends.
    pub fn range(
        &self,
        from: Vec<u8>,
        until: Vec<u8>,
    ) -> impl DoubleEndedIterator<Item = Result<IVec, Error>> {
        // sled takes a range that ends before it begins for a broken tree.
        let until = until.max(from.clone());
        let (keys, failed) = (self.tree().range(from..until).keys(), self.failed());
        keys.map(move |key| key.map_err(&failed))
    }

    /// The keys in a range with their values, in order.
    pub fn entries(
        &self,
        from: Vec<u8>,
        until: Vec<u8>,
    ) -> impl Iterator<Item = Result<(IVec, IVec), Error>> {
        let (entries, failed) = (self.tree().range(from..until), self.failed());
        entries.map(move |entry| entry.map_err(&failed))
    }

    /// All keys with their values, in order.
    pub fn all(&self) -> impl Iterator<Item = Result<(IVec, IVec), Error>> {
        let (entries, failed) = (self.tree().iter(), self.failed());
        entries.map(move |entry| entry.map_err(&failed))
    }

    /// The packs of an execution from the one that holds a sequence on, with the last sequence
    /// of each, in order.
    pub fn packs(
        &self,
        id: Uuid,
        from: u64,
        before: u64,
    ) -> impl Iterator<Item = Result<(u64, Vec<u8>), Error>> {
        let keys = self.range(keys::events(id, from), keys::events(id, before));
        keys.filter_map(|key| {
            let pack = || {
                let key = key?;
                let (Some(key), Some(last)) = (chunks::first_part(&key), keys::last_sequence(&key))
                else {
                    return Ok(None);
                };
                Ok(self.value(key)?.map(|value| (last, value)))
            };
            pack().transpose()
        })
    }

    /// The pack of an execution that ends with a sequence.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn pack(&self, id: Uuid, last: u64) -> Result<Option<Chained>, Error> {
        let value = self.value(&keys::events(id, last))?;
        value.map(|value| Chained::read(last, value)).transpose()
    }

    /// The summary of an execution.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn summary(&self, id: Uuid) -> Result<Option<Execution>, Error> {
        let first = self.packs(id, 0, u64::MAX).next().transpose()?;
        match first {
            Some((_, first)) => self.summary_in(&packs::namespace(&first)?, id),
            None => Ok(None),
        }
    }

    /// The summary of an execution of a namespace.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn summary_in(&self, namespace: &str, id: Uuid) -> Result<Option<Execution>, Error> {
        let Some(value) = self.value(&keys::summary(namespace, id))? else {
            return Ok(None);
        };
        let kept: Execution = record::decode(&value, "a summary")?;
        Ok(Some(Execution {
            execution_id: id.to_string(),
            namespace: namespace.to_owned(),
            ..kept
        }))
    }

    /// The last sequence of an execution; 0 when there is none.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn last_sequence(&self, id: Uuid) -> Result<u64, Error> {
        let mut keys = self.tree().scan_prefix(keys::events_of(id)).keys();
        let last = keys.next_back().transpose().map_err(self.failed())?;
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

    /// Held by whoever looks at the overlay and then reads: what is applied meanwhile is in the
    /// overlay that was looked at.
    pub fn reading(&self) -> RwLockReadGuard<'_, ()> {
        // A batch that panicked stops all commits; what was there before can still be read.
        self.applying.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// See `reading`.
    pub(super) fn applying(&self) -> &RwLock<()> {
        &self.applying
    }

    /// What a failure of sled is to the store.
    pub(super) fn failed(&self) -> impl Fn(sled::Error) -> Error + use<> {
        unreadable(&self.path())
    }
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

fn unreadable(path: &Arc<Path>) -> impl Fn(sled::Error) -> Error + use<> {
    let path = Arc::clone(path);
    move |error| match error {
        sled::Error::Io(source) => Error::Io {
            context: format!("the state {} failed", path.display()),
            source,
        },
        sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => Error::Damaged(format!(
            "the state {} is not readable ({error}): restore a backup with `tutti restore`",
            path.display()
        )),
        other => Error::Io {
            context: format!("the state {} failed", path.display()),
            source: io::Error::other(other),
        },
    }
}
