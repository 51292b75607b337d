//! The files of blobs: written whole or not at all, read with their content checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use super::{super::super::Error, name::Name};
use crate::store::sled::{
    directory,
    files::{failed, sync_directory},
};

/// Blobs that are being written have this extension.
const UNFINISHED: &str = "unfinished";
/// How many files are synced at once: the file system makes one transaction of them.
const SYNCS_MAX: usize = 8;

/// Blobs that are to be written, by name.
pub type Fresh = BTreeMap<Name, Vec<u8>>;

/// A file that is no blob, with the name of the one it was to become.
pub type Leftover = (Option<Name>, PathBuf);

/// The directory of blobs.
#[derive(Debug)]
pub struct Files {
    directory: PathBuf,
    /// How many were written: two that write the same blob at once use different files.
    written: AtomicU64,
}

impl Files {
    /// The files in a directory, made when it is not there.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn open(directory: PathBuf) -> Result<Self, Error> {
        directory::create(&directory)?;
        Ok(Self {
            directory,
            written: AtomicU64::new(0),
        })
    }

    /// Where a blob lies.
    pub fn path(&self, name: Name) -> PathBuf {
        name.path(&self.directory)
    }

    /// Writes blobs; they are durable when it returns.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn write(&self, fresh: &Fresh) -> Result<(), Error> {
        let directories = self.make_directories(fresh)?;
        let blobs: Vec<_> = fresh.iter().collect();
        for together in blobs.chunks(SYNCS_MAX) {
            if let [(name, bytes)] = together {
                self.write_one(**name, bytes)?;
                continue;
            }
            thread::scope(|scope| {
                let writing: Vec<_> = together
                    .iter()
                    .map(|(name, bytes)| scope.spawn(|| self.write_one(**name, bytes)))
                    .collect();
                let mut written = writing.into_iter().map(|one| match one.join() {
                    Ok(written) => written,
                    Err(_) => Err(Error::Inconsistent("a blob's writer panicked".into())),
                });
                written.try_for_each(|one| one)
            })?;
        }
        directories.iter().try_for_each(|path| sync_directory(path))
    }

    fn make_directories(&self, fresh: &Fresh) -> Result<BTreeSet<PathBuf>, Error> {
        let mut directories = BTreeSet::new();
        for name in fresh.keys() {
            let path = self.path(*name);
            let parent = path.parent().unwrap_or(&self.directory);
            if directories.insert(parent.to_owned()) {
                directory::create(parent)?;
            }
        }
        Ok(directories)
    }

    fn write_one(&self, name: Name, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(name);
        let nth = self.written.fetch_add(1, Ordering::Relaxed);
        let unfinished = path.with_extension(format!("{nth}.{UNFINISHED}"));
        let mut file = fs::File::create(&unfinished).map_err(failed("create", &unfinished))?;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(failed("write", &unfinished))?;
        fs::rename(&unfinished, &path).map_err(failed("write", &path))
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// `Error::Damaged` when it is missing or not what it was, and `Error::Io`.
    pub fn read(&self, name: Name, bytes: u64) -> Result<Vec<u8>, Error> {
        let path = self.path(name);
        let found = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged(&path, "is missing"));
            }
            found => found.map_err(failed("read", &path))?,
        };
        if found.len() as u64 != bytes {
            let what = format!("has {} bytes where {bytes} were written", found.len());
            return Err(damaged(&path, &what));
        }
        if Name::of(&found) != name {
            return Err(damaged(&path, "does not hold what was written"));
        }
        Ok(found)
    }

    /// The bytes of a blob whose size is not known.
    ///
    /// # Errors
    /// As `read`.
    pub fn content(&self, name: Name) -> Result<Vec<u8>, Error> {
        let bytes = fs::metadata(self.path(name)).map_or(0, |file| file.len());
        self.read(name, bytes)
    }

    /// Removes a blob that nothing refers to any more. One that is gone is no error.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn remove(&self, name: Name) -> Result<(), Error> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// The files of one of the 256 directories: blobs, and leftovers to be removed, with the
    /// names of the blobs that they were to become.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn list(&self, first: u8) -> Result<(Vec<Name>, Vec<Leftover>), Error> {
        let first = format!("{first:02x}");
        let directory = self.directory.join(&first);
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Default::default()),
            entries => entries.map_err(failed("read", &directory))?,
        };
        let (mut names, mut leftovers) = (Vec::new(), Vec::new());
        for entry in entries {
            let path = entry.map_err(failed("read", &directory))?.path();
            let rest = path.file_name().and_then(|name| name.to_str());
            match rest.and_then(|rest| Name::of_file(&first, rest)) {
                Some(name) => names.push(name),
                None if path.extension().is_some_and(|e| e == UNFINISHED) => {
                    let blob = rest.and_then(|rest| rest.split('.').next());
                    let name = blob.and_then(|blob| Name::of_file(&first, blob));
                    leftovers.push((name, path));
                }
                None => {}
            }
        }
        names.sort();
        Ok((names, leftovers))
    }
}

/// Says that a blob is not as it was written.
pub fn damaged(path: &Path, what: &str) -> Error {
    Error::Damaged(format!(
        "the blob {} {what}: restore a backup with `tutti restore`",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn files() -> (tempfile::TempDir, Files) {
        let place = tempfile::tempdir().unwrap();
        let files = Files::open(place.path().join("blobs")).unwrap();
        (place, files)
    }

    #[test]
    fn blobs_are_written_read_listed_and_removed() {
        let (_place, files) = files();
        let blobs: Vec<Vec<u8>> = (0..20).map(|n| vec![n; 100]).collect();
        let fresh: Fresh = blobs.iter().map(|b| (Name::of(b), b.clone())).collect();
        files.write(&fresh).unwrap();
        for (name, bytes) in &fresh {
            assert_eq!(&files.read(*name, 100).unwrap(), bytes);
            let (listed, _) = files.list(name.as_bytes()[0]).unwrap();
            assert!(listed.contains(name));
            files.remove(*name).unwrap();
            files.remove(*name).unwrap();
            let missing = files.read(*name, 100).unwrap_err().to_string();
            assert!(missing.contains("is missing"), "{missing}");
        }
    }

    #[test]
    fn an_altered_blob_is_damage_that_names_its_file() {
        let (_place, files) = files();
        let name = Name::of(b"content");
        files.write(&[(name, b"content".to_vec())].into()).unwrap();
        for (now, words) in [("contend", "what was written"), ("cont", "has 4 bytes")] {
            fs::write(files.path(name), now).unwrap();
            let Err(Error::Damaged(said)) = files.read(name, 7) else {
                panic!("{now} was taken for content");
            };
            assert!(said.contains(words), "{said}");
            assert!(said.contains(&name.to_string()[2..]), "{said}");
        }
    }
}
