//! The data directory as a whole: who holds it, and which format it has.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use fs4::{FileExt, TryLockError};

use super::{
    super::Error,
    files::{failed, sync_directory, write_whole},
};

/// The version of the format on disk that this version writes.
pub const FORMAT: u32 = 2;
/// The oldest that is still read.
const FORMAT_MIN: u32 = 1;

const FORMAT_FILE: &str = "FORMAT";
const FORMAT_TEXT: &str = "tutti data, format ";
const LOCK_FILE: &str = "LOCK";
/// Names the directory that the state lies in, once that is not the first one.
const STATE_FILE: &str = "STATE";
const STATE_NAME: &str = "state";

/// A data directory, held by this process as long as the value lives.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Locked until this is dropped.
    lock: File,
}

impl Drop for Directory {
    /// Unlocks rather than leave it to the closing of the file: a child that was forked meanwhile
    /// has it open too until it becomes its own program, and would hold the lock as long.
    fn drop(&mut self) {
        // What cannot be unlocked is when the file is closed everywhere.
        let _ = FileExt::unlock(&self.lock);
    }
}

impl Directory {
    /// Takes hold of a data directory; makes one where there is none or an empty one.
    ///
    /// # Errors
    /// `Error::InUse`, `Error::NewerFormat`, `Error::Damaged` when it holds something else, and
    /// `Error::Io`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        create(path)?;
        refuse_foreign(path)?;
        let lock = lock(path)?;
        let file = path.join(FORMAT_FILE);
        match fs::read_to_string(&file) {
            Ok(text) => {
                if check_format(path, &text)? < FORMAT {
                    // Before anything is written that an older version would not understand.
                    say_format(&file)?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Before anything else is written, so that whatever lies beside it is ours.
                say_format(&file)?;
            }
            Err(error) => return Err(failed("read", &file)(error)),
        }
        Ok(Self {
            path: path.to_owned(),
            lock,
        })
    }

    /// Says of a directory that holds all of a data directory that it is one.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn complete(path: &Path) -> Result<(), Error> {
        say_format(&path.join(FORMAT_FILE))
    }

    /// How much space its volume has left, in bytes.
    pub fn free_bytes(&self) -> Result<u64, Error> {
        fs4::available_space(&self.path).map_err(failed("look at the free space of", &self.path))
    }

    /// Where the state lies.
    ///
    /// # Errors
    /// `Error::Damaged` when that is not said, and `Error::Io`.
    pub fn state(&self) -> Result<PathBuf, Error> {
        Ok(self.path.join(self.state_name()?))
    }

    fn state_name(&self) -> Result<String, Error> {
        let file = self.path.join(STATE_FILE);
        let name = match fs::read_to_string(&file) {
            Ok(text) => text.trim_end().to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => STATE_NAME.to_owned(),
            Err(error) => return Err(failed("read", &file)(error)),
        };
        match state_number(&name) {
            Some(_) => Ok(name),
            None => Err(Error::Damaged(format!(
                "{} does not name a state: restore a backup with `tutti restore`",
                file.display()
            ))),
        }
    }

    /// Where a state may be made that is to take the place of the one there is.
    ///
    /// # Errors
    /// As `state`.
    pub fn next_state(&self) -> Result<PathBuf, Error> {
        let number = state_number(&self.state_name()?).unwrap_or(0);
        Ok(self.path.join(format!("{STATE_NAME}-{}", number + 1)))
    }

    /// Makes another state, which is durable, the one that counts: it does, or does not yet.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn name_state(&self, state: &Path) -> Result<(), Error> {
        let name = state.file_name().unwrap_or_default().to_string_lossy();
        write_whole(&self.path.join(STATE_FILE), format!("{name}\n").as_bytes())
    }

    /// Removes the states that do not count: unfinished ones, and those replaced.
    ///
    /// # Errors
    /// As `state`.
    pub fn remove_other_states(&self) -> Result<(), Error> {
        let kept = self.state_name()?;
        for entry in fs::read_dir(&self.path).map_err(failed("read", &self.path))? {
            let entry = entry.map_err(failed("read", &self.path))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name != kept && state_number(&name).is_some() {
                let other = entry.path();
                fs::remove_dir_all(&other).map_err(failed("remove", &other))?;
            }
        }
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes a directory and its name durable.
///
/// # Errors
/// `Error::Io`.
pub fn create(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(failed("create", path))?;
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => sync_directory(Path::new(".")),
        Some(parent) => sync_directory(parent),
        None => Ok(()),
    }
}

/// Refuses a directory that holds something and is not a data directory, before anything is
/// written into it.
fn refuse_foreign(path: &Path) -> Result<(), Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed("read", path))? {
        names.push(entry.map_err(failed("read", path))?.file_name());
    }
    let format_unfinished = Path::new(FORMAT_FILE).with_extension("unfinished");
    let foreign = names
        .iter()
        .find(|name| *name != LOCK_FILE && *name != format_unfinished.as_os_str());
    match foreign {
        Some(name) if !path.join(FORMAT_FILE).exists() => Err(Error::Damaged(format!(
            "{} holds `{}` but no {FORMAT_FILE} file, so it is not a whole data directory: choose \
             an empty directory with --data, or restore a backup with `tutti restore`",
            path.display(),
            name.display()
        ))),
        _ => Ok(()),
    }
}

fn lock(path: &Path) -> Result<File, Error> {
    let file = path.join(LOCK_FILE);
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&file)
        .map_err(failed("open", &file))?;
    match FileExt::try_lock(&lock) {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(path.display().to_string())),
        Err(TryLockError::Error(error)) => Err(failed("lock", &file)(error)),
    }
}

fn say_format(file: &Path) -> Result<(), Error> {
    write_whole(file, format!("{FORMAT_TEXT}{FORMAT}\n").as_bytes())
}

fn check_format(path: &Path, text: &str) -> Result<u32, Error> {
    let found = text
        .trim_end()
        .strip_prefix(FORMAT_TEXT)
        .and_then(|number| number.parse::<u32>().ok());
    match found {
        Some(found) if found > FORMAT => Err(Error::NewerFormat {
            path: path.display().to_string(),
            found,
            known: FORMAT,
        }),
        Some(found) if found >= FORMAT_MIN => Ok(found),
        _ => Err(Error::Damaged(format!(
            "{} does not say `{FORMAT_TEXT}{FORMAT}`: restore a backup with `tutti restore`",
            path.join(FORMAT_FILE).display()
        ))),
    }
}

/// The number of a state by its name: 0 for the first one.
fn state_number(name: &str) -> Option<u64> {
    match name.strip_prefix(STATE_NAME)? {
        "" => Some(0),
        number => number.strip_prefix('-')?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_let_go_of_can_be_opened_though_its_file_is_still_open_elsewhere() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let held = Directory::open(place.path()).expect("it is free");
        // As a child has it that was forked meanwhile and is not its own program yet.
        let _inherited = held.lock.try_clone().expect("files can be shared");
        let second = Directory::open(place.path());
        assert!(matches!(second, Err(Error::InUse(_))), "{second:?}");
        drop(held);
        let third = Directory::open(place.path());
        assert!(third.is_ok(), "{third:?}");
    }
}
