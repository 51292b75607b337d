//! The few steps on files that durability rests on, with errors that name the path.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use super::super::Error;

/// Turns an I/O error into one that says what was being done to which path.
pub fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let context = format!("cannot {what} {}", path.display());
    |source| Error::Io { context, source }
}

/// Makes the entries of a directory durable: created, renamed and removed files.
///
/// # Errors
/// `Error::Io`.
pub fn sync_directory(path: &Path) -> Result<(), Error> {
    // Only Unix lets a directory be opened and synced; elsewhere the file system does it.
    if cfg!(unix) {
        let directory = File::open(path).map_err(failed("open", path))?;
        directory.sync_all().map_err(failed("sync", path))?;
    }
    Ok(())
}

/// Makes all files below a directory durable, and then the directories' entries.
///
/// Files that vanish meanwhile are passed over: sled removes those it no longer names.
///
/// # Errors
/// `Error::Io`.
pub fn sync_tree(path: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(path).map_err(failed("read", path))? {
        let entry = entry.map_err(failed("read", path))?;
        let inner = entry.path();
        if inner.is_dir() {
            sync_tree(&inner)?;
            continue;
        }
        match File::open(&inner).and_then(|file| file.sync_all()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("sync", &inner)(error));
            }
            _ => {}
        }
    }
    sync_directory(path)
}

/// How much space all files below a directory take, in bytes. Files that vanish meanwhile are
/// passed over.
///
/// # Errors
/// `Error::Io`.
pub fn tree_bytes(path: &Path) -> Result<u64, Error> {
    let mut bytes = 0;
    for entry in fs::read_dir(path).map_err(failed("read", path))? {
        let entry = entry.map_err(failed("read", path))?;
        bytes += match entry.metadata() {
            Ok(found) if found.is_dir() => tree_bytes(&entry.path())?,
            Ok(found) => found.len(),
            Err(_) => 0,
        };
    }
    Ok(bytes)
}

/// Writes a file as a whole: after a crash it is there with all its bytes, or not at all.
///
/// # Errors
/// `Error::Io`.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let unfinished = path.with_extension("unfinished");
    let mut file = File::create(&unfinished).map_err(failed("create", &unfinished))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(failed("write", &unfinished))?;
    fs::rename(&unfinished, path).map_err(failed("write", path))?;
    path.parent().map_or(Ok(()), sync_directory)
}
