//! The store on disk: the conformance suite, recovery, damage, and agreement with `memory`.
#![allow(clippy::unwrap_used)]

mod agreement;
mod blobs;
mod damage;
mod killed;
mod overlay;
mod recovery;
mod staged;
mod taking_over;
mod upkeep;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;

use super::{
    Opened, Options, SledStore, frame,
    keeper::Task,
    segment::{HEADER_BYTES, Header},
};
use crate::store::{
    Error, Store,
    conformance::{Subject, suite},
};

/// Small enough that few commits fill a segment, and one checkpoint follows another.
fn small() -> Options {
    Options {
        segment_bytes: 4 << 10,
        preallocate_bytes: 1 << 10,
        checkpoint_bytes: 16 << 10,
        drain_bytes: 2 << 10,
        drain_idle: Duration::from_secs(3600),
        pending_bytes_max: 8 << 10,
        cache_bytes: 1 << 20,
        inline_bytes_max: 32 << 10,
        group_bytes_max: 16 << 20,
        heads_max: 4,
    }
}

/// The journal holds everything, the state nothing but what it is told to take over.
fn no_checkpoint() -> Options {
    Options {
        checkpoint_bytes: u64::MAX,
        drain_bytes: usize::MAX,
        pending_bytes_max: usize::MAX,
        ..small()
    }
}

struct OnDisk {
    directory: TempDir,
    store: SledStore,
}

impl OnDisk {
    fn with(options: Options) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (store, opened) = SledStore::open(directory.path(), options).unwrap();
        assert_eq!(opened, Opened::default());
        Self { directory, store }
    }

    /// Has the keeper do something and waits until it is done.
    fn keeper(&self, task: Task) {
        self.store.work.have_done(task).unwrap();
    }

    /// Ends the store as a killed process would, and gives its directory.
    fn killed(self) -> TempDir {
        drop(self.store);
        self.directory
    }
}

impl Subject for OnDisk {
    fn new() -> Self {
        Self::with(small())
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn reopened(self) -> Self {
        let directory = self.killed();
        let (store, _) = SledStore::open(directory.path(), small()).unwrap();
        Self { directory, store }
    }
}

suite!(OnDisk);

fn open(directory: &TempDir) -> Result<(SledStore, Opened), Error> {
    SledStore::open(directory.path(), no_checkpoint())
}

/// The journal's segments, in order.
fn segments(directory: &TempDir) -> Vec<PathBuf> {
    let segments = super::segment::list(&directory.path().join("journal")).unwrap();
    segments.into_iter().map(|(_, path)| path).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Where each record of a segment ends, in bytes from the file's beginning.
fn record_ends(segment: &Path) -> Vec<usize> {
    let bytes = fs::read(segment).unwrap();
    let salt = Header::read(&bytes).unwrap().salt;
    let mut end = HEADER_BYTES;
    let mut ends = Vec::new();
    while let Ok(frame) = frame::read(&bytes[end..], salt) {
        end += frame.bytes();
        ends.push(end);
    }
    ends
}
