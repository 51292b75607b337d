//! What a store tells of its own upkeep: memory, space, copies.

/// How full the memory is that holds what was committed and is not in its final place yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// What it holds, in bytes.
    pub pending_bytes: u64,
    /// What it may hold, in bytes; 0: there is no such memory.
    pub pending_bytes_max: u64,
}

impl Pressure {
    /// Whether no more should be started.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.pending_bytes_max > 0 && self.pending_bytes >= self.pending_bytes_max
    }

    /// Whether what is started should wait a little, so that it never becomes full.
    #[must_use]
    pub fn is_high(&self) -> bool {
        self.pending_bytes_max > 0 && self.pending_bytes >= self.pending_bytes_max / 4 * 3
    }
}

/// What compacting did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// The size on disk of what was rewritten, before, in bytes.
    pub bytes_before: u64,
    /// Its size after, in bytes.
    pub bytes_after: u64,
}

/// A copy of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The last commit that is in it.
    pub commit: u64,
    /// The running hash after that commit: equal hashes mean equal histories.
    pub hash: u64,
    /// How many bytes were written.
    pub bytes: u64,
}
