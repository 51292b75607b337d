//! Why a store cannot do what it was asked.

/// Why a store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the data directory open.
    #[error(
        "the data directory {0} is in use by another process: stop that one, or choose another with --data"
    )]
    InUse(String),
    /// The data directory was written by a newer version.
    #[error(
        "the data directory {path} has format {found}, this version knows up to {known}: run a newer tutti"
    )]
    NewerFormat {
        /// The directory.
        path: String,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// What is on disk is not what was written.
    #[error("the data directory is damaged: {0}")]
    Damaged(String),
    /// A copy was not restored: why, and what to do.
    #[error("{0}")]
    NotRestored(String),
    /// A write does not follow from what is kept: a broken invariant of the caller.
    #[error("inconsistent write: {0}")]
    Inconsistent(String),
    /// More than one commit may hold.
    #[error("a commit of {bytes} bytes, more than group_bytes_max, {bytes_max}")]
    TooLarge {
        /// What it would take.
        bytes: u64,
        /// What it may take.
        bytes_max: u64,
    },
    /// This kind of store does not do that.
    #[error("a store of kind {0} does not do that")]
    Unsupported(&'static str),
    /// The disk or the file system failed.
    #[error("{context}: {source}")]
    Io {
        /// What was being done, with the path.
        context: String,
        /// What went wrong.
        source: std::io::Error,
    },
}
