//! Blobs that are written for a record that is still to come. Nobody names them yet, and they
//! must stay.

use std::{
    collections::HashMap,
    fs, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{super::super::Error, Blobs, name::Name};
use crate::store::sled::files::failed;

/// The names that are awaited, with how often.
#[derive(Debug, Default)]
pub struct Names(Mutex<HashMap<Name, usize>>);

impl Names {
    fn lock(&self) -> MutexGuard<'_, HashMap<Name, usize>> {
        // A count is changed whole or not at all.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While this lives its blobs stay, named or not.
#[derive(Debug)]
pub struct Awaited {
    blobs: Arc<Blobs>,
    names: Vec<Name>,
}

impl Drop for Awaited {
    fn drop(&mut self) {
        let mut awaited = self.blobs.awaited.lock();
        for name in &self.names {
            if let Some(times) = awaited.get_mut(name) {
                *times -= 1;
                if *times == 0 {
                    awaited.remove(name);
                }
            }
        }
    }
}

impl Blobs {
    /// Says that blobs will be named. To be called before they are looked for or written.
    pub fn expect(self: &Arc<Self>, names: Vec<Name>) -> Awaited {
        let mut awaited = self.awaited.lock();
        for name in &names {
            *awaited.entry(*name).or_default() += 1;
        }
        Awaited {
            blobs: Arc::clone(self),
            names,
        }
    }

    /// Removes a blob that nobody names and nobody awaits. Gives whether it did.
    ///
    /// # Errors
    /// `Error::Io`, and those of `is_named`.
    pub fn remove(
        &self,
        name: Name,
        is_named: impl FnOnce() -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        // Held until it is gone: who awaits it from then on writes it anew.
        let awaited = self.awaited.lock();
        if awaited.contains_key(&name) || is_named()? {
            return Ok(false);
        }
        self.files.remove(name)?;
        Ok(true)
    }

    /// Removes what a crash left of a blob that was being written.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn remove_leftover(&self, name: Option<Name>, path: &Path) -> Result<(), Error> {
        let awaited = self.awaited.lock();
        if name.is_some_and(|name| awaited.contains_key(&name)) {
            return Ok(());
        }
        match fs::remove_file(path) {
            // It was being written, and now it is.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(failed("remove", path)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_blob_that_is_awaited_stays_until_nobody_awaits_or_names_it() {
        let place = tempfile::tempdir().unwrap();
        let blobs = Arc::new(Blobs::open(place.path().join("blobs"), 0).unwrap());
        let name = Name::of(b"content");
        let (one, other) = (blobs.expect(vec![name]), blobs.expect(vec![name]));
        let fresh = [(name, b"content".to_vec())].into();
        blobs.files().write(&fresh).unwrap();
        drop(one);
        assert!(!blobs.remove(name, || Ok(false)).unwrap());
        drop(other);
        assert!(!blobs.remove(name, || Ok(true)).unwrap());
        assert!(blobs.remove(name, || Ok(false)).unwrap());
        assert!(!blobs.files().path(name).exists());
    }

    #[test]
    fn what_is_being_written_is_no_leftover() {
        let place = tempfile::tempdir().unwrap();
        let blobs = Arc::new(Blobs::open(place.path().join("blobs"), 0).unwrap());
        let (name, path) = (Name::of(b"content"), place.path().join("unfinished"));
        fs::write(&path, b"cont").unwrap();
        let awaited = blobs.expect(vec![name]);
        blobs.remove_leftover(Some(name), &path).unwrap();
        assert!(path.exists());
        drop(awaited);
        blobs.remove_leftover(Some(name), &path).unwrap();
        assert!(!path.exists());
        blobs.remove_leftover(Some(name), &path).unwrap();
    }
}
