//! Sweeps up blobs that nothing refers to, as a crash leaves them: a few at a time, between
//! commits, so that nobody waits for it.

use super::{super::super::Error, Blobs, name::Name};

/// How many blobs are looked at between two commits.
const LOOKED_AT_MAX: usize = 64;
/// How many directories there are: one for each first byte of a name.
const DIRECTORIES: u16 = 256;

/// A sweep on its way.
#[derive(Debug)]
pub struct Sweep {
    /// The next directory; 256 once all were looked at.
    next: u16,
    names: Vec<Name>,
    /// How many files were removed.
    removed: u64,
}

impl Sweep {
    /// A sweep that has everything before it.
    pub fn new() -> Self {
        Self {
            next: 0,
            names: Vec::new(),
            removed: 0,
        }
    }

    /// A sweep with nothing to do.
    pub fn done() -> Self {
        Self {
            next: DIRECTORIES,
            ..Self::new()
        }
    }

    /// Whether there is nothing left to do.
    pub fn is_done(&self) -> bool {
        self.next >= DIRECTORIES && self.names.is_empty()
    }

    /// Goes on a little: removes what `is_named` does not know.
    ///
    /// # Errors
    /// `Error::Io`, and those of `is_named`.
    pub fn advance(
        &mut self,
        blobs: &Blobs,
        is_named: impl Fn(Name) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        if self.is_done() {
            return Ok(());
        }
        if self.names.is_empty() {
            self.list(blobs)?;
        }
        let from = self.names.len().saturating_sub(LOOKED_AT_MAX);
        for name in self.names.split_off(from) {
            if blobs.remove(name, || is_named(name))? {
                self.removed += 1;
            }
        }
        if self.is_done() && self.removed > 0 {
            tracing::info!(
                blobs = self.removed,
                "swept up blobs that nothing refers to"
            );
        }
        Ok(())
    }

    fn list(&mut self, blobs: &Blobs) -> Result<(), Error> {
        let Ok(first) = u8::try_from(self.next) else {
            return Ok(());
        };
        self.next += 1;
        let (names, leftovers) = blobs.files().list(first)?;
        self.names = names;
        leftovers
            .iter()
            .try_for_each(|(name, path)| blobs.remove_leftover(*name, path))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    #[test]
    fn what_nothing_names_goes_and_the_rest_stays() {
        let place = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(place.path().join("blobs"), 0).unwrap();
        let files = blobs.files();
        let contents: Vec<Vec<u8>> = (0..200_u8).map(|n| vec![n]).collect();
        let names: Vec<_> = contents.iter().map(|b| Name::of(b)).collect();
        let fresh = contents.into_iter().map(|b| (Name::of(&b), b)).collect();
        files.write(&fresh).unwrap();
        let leftover = files.path(names[0]).with_extension("unfinished");
        fs::write(&leftover, "half").unwrap();

        let mut sweep = Sweep::new();
        while !sweep.is_done() {
            let even = |name: Name| Ok(names.iter().position(|n| *n == name).unwrap() % 2 == 0);
            sweep.advance(&blobs, even).unwrap();
        }
        for (n, name) in names.iter().enumerate() {
            assert_eq!(files.path(*name).exists(), n % 2 == 0);
        }
        assert!(!leftover.exists());
    }
}
