//! Writes that are ready to be committed: what `Store::stage` gives and `Store::commit_staged`
//! takes. Each store keeps in it what it likes.

use std::{any::Any, fmt};

use super::{Error, Write};

/// Writes made ready to be committed by the store that staged them. Dropped, they are as if
/// they had never been.
pub struct Staged {
    writes: usize,
    bytes: u64,
    content: Box<dyn Any + Send>,
}

impl Staged {
    /// So many writes that take so many bytes of a commit, as the store holds them.
    pub(super) fn new(writes: usize, bytes: u64, content: impl Any + Send) -> Self {
        Self {
            writes,
            bytes,
            content: Box::new(content),
        }
    }

    /// Writes of a size that hold nothing, for tests of who puts them together.
    #[cfg(test)]
    pub(crate) fn of_size(writes: usize, bytes: u64) -> Self {
        Self::new(writes, bytes, ())
    }

    /// How many writes these are.
    pub fn writes(&self) -> usize {
        self.writes
    }

    /// What they take of a commit, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What the store holds of them.
    ///
    /// # Errors
    /// `Error::Inconsistent` when another kind of store staged them.
    pub(super) fn content<T: Any>(self) -> Result<T, Error> {
        let content = self.content.downcast::<T>();
        content
            .map(|content| *content)
            .map_err(|_| Error::Inconsistent("writes that another kind of store made ready".into()))
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged")
            .field("writes", &self.writes)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// What came of writes that were to be staged without waiting.
#[derive(Debug)]
pub enum Attempt {
    /// They are ready.
    Staged(Staged),
    /// Files must be written for them first: `Store::stage` does.
    Slow(Vec<Write>),
}
