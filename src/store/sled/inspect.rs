//! Checks a data directory that no server has open: the journal record by record, how journal
//! and state fit together, and the chain of every execution. Changes nothing but what opening
//! sled does.

use std::path::Path;

use bytes::Bytes;

use super::{
    super::{Error, Verification},
    Options, SledStore,
    blobs::Blobs,
    directory::Directory,
    history,
    kept::Kept,
    layer::{Commit, Layer},
    overlay::Overlay,
    state::State,
    whole::verify_blobs,
};

/// How many executions are looked at in one step.
const PAGE: usize = 100;

/// What checking a data directory found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The last commit of the journal.
    pub commit: u64,
    /// The last commit that is in the state.
    pub applied: u64,
    /// How many bytes behind the last record a crash left of one that was not finished; the
    /// next start cuts them off.
    pub torn_bytes: u64,
    /// How many executions there are.
    pub executions: u64,
    /// How many events are as they were written.
    pub events: u64,
    /// How many executions have an event that is not.
    pub broken: u64,
}

impl SledStore {
    /// Checks a data directory, and gives each execution that is broken to `broken`.
    ///
    /// # Errors
    /// `Error::InUse`, `Error::NewerFormat`, `Error::Damaged` naming segment and offset, or what
    /// else is damaged, and `Error::Io`.
    pub fn inspect(
        path: &Path,
        options: &Options,
        broken: &mut dyn FnMut(Verification),
    ) -> Result<Inspection, Error> {
        let directory = Directory::open(path)?;
        let state = State::open(&directory.state()?, options.cache_bytes)?;
        let standing = state.standing()?;
        let mut layer = Layer::default();
        let journal = directory.path().join("journal");
        let history = history::read(&journal, standing, &mut |frame| {
            let payload = Bytes::copy_from_slice(frame.payload);
            layer.fold(Commit::read(payload, frame.position)?)
        })?;
        let mut found = Inspection {
            commit: history.end.commit,
            applied: standing.applied.commit,
            torn_bytes: history.last.map_or(0, |last| last.torn_bytes),
            ..Inspection::default()
        };
        let blobs = directory.path().join("blobs");
        let blobs = Blobs::open(blobs, options.inline_bytes_max)?;
        let kept = Kept::new(state, Overlay::of(layer, usize::MAX));
        let mut after = None;
        loop {
            let page = kept.verify_executions(after, PAGE)?;
            for execution in page.items {
                let execution = verify_blobs(&kept, &blobs, execution)?;
                found.executions += 1;
                found.events += execution.events;
                if execution.broken.is_some() {
                    found.broken += 1;
                    broken(execution);
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }
}
