//! What is done with a data directory while no server has it open: copied, checked, made of a
//! backup. Called by the command line.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use crate::store::{
    Error, Snapshot, Store as _,
    sled::{Options, SledStore},
};
pub use crate::store::{Verification, sled::Inspection};

/// Writes a copy of a data directory.
///
/// # Errors
/// `Error::InUse` while a server has it open; `Error::Damaged`, `Error::Io`.
pub fn backup(data: &Path, sink: &mut dyn Write) -> Result<Snapshot, Error> {
    must_be_there(data)?;
    let (store, _) = SledStore::open(data, Options::default())?;
    let copied = store.snapshot(sink)?;
    store.close()?;
    Ok(copied)
}

/// Makes a data directory of a copy: whole, or the directory is empty again.
///
/// # Errors
/// `Error::NotRestored` when the copy is not whole or the directory is not empty;
/// `Error::NewerFormat`, `Error::Io`.
pub fn restore(source: &mut dyn Read, data: &Path) -> Result<Snapshot, Error> {
    SledStore::restore(source, data, &Options::default())
}

/// Checks the whole of a data directory; each execution that is broken is given to `broken`.
///
/// # Errors
/// `Error::InUse` while a server has it open; `Error::Damaged` naming segment and offset or
/// file; `Error::Io`.
pub fn verify(data: &Path, broken: &mut dyn FnMut(Verification)) -> Result<Inspection, Error> {
    must_be_there(data)?;
    SledStore::inspect(data, &Options::default(), broken)
}

/// Opening a data directory would make one.
fn must_be_there(data: &Path) -> Result<(), Error> {
    if data.is_dir() {
        return Ok(());
    }
    Err(Error::Io {
        context: format!("there is no data directory {}", data.display()),
        source: io::ErrorKind::NotFound.into(),
    })
}
