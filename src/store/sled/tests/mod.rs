//! The store on disk: the conformance suite, recovery, damage, and agreement with `memory`.
#![allow(clippy::unwrap_used)]

use tempfile::TempDir;

use super::{Opened, Options, SledStore};
use crate::store::{
    Store,
    conformance::{Subject, suite},
};

/// Small enough that few commits fill a segment, and one checkpoint follows another.
fn small() -> Options {
    Options {
        segment_bytes: 4 << 10,
        preallocate_bytes: 1 << 10,
        checkpoint_bytes: 16 << 10,
        cache_bytes: 1 << 20,
        heads_max: 4,
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
