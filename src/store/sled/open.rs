//! Opens a data directory: takes hold of it, reads the journal through, and folds what the
//! state lacks of it into the overlay.

use std::{
    cmp::Ordering,
    path::Path,
    sync::{Arc, Mutex},
};

use bytes::Bytes;

use super::{
    super::Error,
    Opened, Options, SledStore, Writer,
    blobs::{Blobs, Sweep},
    directory::{Directory, FORMAT},
    drain,
    frame::Frame,
    heads::Heads,
    journal::Journal,
    keeper::{Keeper, Work},
    kept::Kept,
    layer::{Commit, Layer},
    overlay::Overlay,
    rewrite::rewrite,
    state::{Standing, State},
};

impl SledStore {
    /// Opens a data directory, or makes one, and replays what the state lacks of the journal.
    ///
    /// # Errors
    /// `Error::InUse`, `Error::NewerFormat`, `Error::Damaged` naming what is damaged and what
    /// to do, and `Error::Io`.
    pub fn open(path: &Path, options: Options) -> Result<(Self, Opened), Error> {
        let directory = Directory::open(path)?;
        let state = open_state(&directory, options.cache_bytes)?;
        let mut replay = Replay {
            state: &state,
            layer: Layer::default(),
            standing: state.standing()?,
            bytes_max: options.pending_bytes_max,
            commits: 0,
        };
        let (journal, bytes_cut) = Journal::open(
            directory.path().join("journal"),
            &options,
            replay.standing,
            &mut |frame| replay.add(frame),
        )?;
        let blobs = directory.path().join("blobs");
        let blobs = Arc::new(Blobs::open(blobs, options.inline_bytes_max)?);
        // Only an orderly stop leaves nothing behind that nobody names.
        let sweep = match journal.is_at_rest() {
            true => Sweep::done(),
            false => Sweep::new(),
        };
        let opened = Opened {
            commits_replayed: replay.commits,
            bytes_cut,
        };
        let greatest = replay.layer.executions.keys().next_back().copied();
        let greatest = state.greatest_id()?.max(greatest.unwrap_or_default());
        let heads = Heads::new(options.heads_max, greatest);
        let overlay = Overlay::of(replay.layer, options.layer_bytes());
        let kept = Kept::new(state, overlay);
        let work = Arc::new(Work::new(kept, journal.sealed(), directory, &options));
        let store = Self {
            _keeper: Keeper::start(Arc::clone(&work))?,
            work,
            writer: Mutex::new(Writer {
                journal,
                heads,
                blobs: Arc::clone(&blobs),
                sweep,
            }),
            blobs,
            pending_bytes_max: options.pending_bytes_max,
            group_bytes_max: options.group_bytes_max.into(),
        };
        Ok((store, opened))
    }
}

/// Opens the state, and brings one of an older format to this one.
fn open_state(directory: &Directory, cache_bytes: u64) -> Result<State, Error> {
    directory.remove_other_states()?;
    let state = State::open(&directory.state()?, cache_bytes)?;
    if state.format()? == FORMAT {
        return Ok(state);
    }
    let into = directory.next_state()?;
    let rewritten = rewrite(&state, &into, cache_bytes)?;
    directory.name_state(&into)?;
    drop(state);
    directory.remove_other_states()?;
    Ok(rewritten)
}

/// Folds commits into a layer. One that becomes too large is taken over into the state at once.
struct Replay<'a> {
    state: &'a State,
    /// Where it stood.
    standing: Standing,
    layer: Layer,
    bytes_max: usize,
    commits: u64,
}

impl Replay<'_> {
    fn add(&mut self, frame: Frame<'_>) -> Result<(), Error> {
        let payload = Bytes::copy_from_slice(frame.payload);
        self.layer.fold(Commit::read(payload, frame.position)?)?;
        self.commits += 1;
        let end = self.standing.taking_over.commit;
        let is_due = match frame.position.commit.cmp(&end) {
            // A part of this layer is in the state already: it must be the same layer again.
            Ordering::Less => false,
            Ordering::Equal => true,
            Ordering::Greater => self.layer.bytes >= self.bytes_max,
        };
        if is_due {
            let layer = std::mem::take(&mut self.layer);
            let changes = drain::changes(self.state, &layer)?;
            self.state.apply(changes, layer.end, || {})?;
        }
        Ok(())
    }
}
