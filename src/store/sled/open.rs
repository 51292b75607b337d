//! Opens a data directory: takes hold of it, reads the journal through, and brings the state
//! up to its end.

use std::{path::Path, sync::Mutex};

use super::{
    super::Error,
    Opened, Options, SledStore, Writer,
    directory::Directory,
    draft::Draft,
    frame::{Frame, Position},
    heads::Heads,
    journal::Journal,
    record::{self, Group},
    state::State,
};

/// How much of the journal is replayed into the state at once, in bytes.
const REPLAY_BATCH_BYTES: usize = 1 << 20;

impl SledStore {
    /// Opens a data directory, or makes one, and replays what the state lacks of the journal.
    ///
    /// # Errors
    /// `Error::InUse`, `Error::NewerFormat`, `Error::Damaged` naming what is damaged and what
    /// to do, and `Error::Io`.
    pub fn open(path: &Path, options: Options) -> Result<(Self, Opened), Error> {
        let directory = Directory::open(path)?;
        let state = State::open(directory.path().join("state"), options.cache_bytes)?;
        let standing = state.standing()?;
        let mut replay = Replay {
            state: &state,
            heads: Heads::new(options.heads_max),
            waiting: Vec::new(),
            waiting_bytes: 0,
            position: standing.applied,
            commits: 0,
        };
        let (journal, bytes_cut) = Journal::open(
            directory.path().join("journal"),
            &options,
            standing,
            &mut |frame| replay.add(frame),
        )?;
        replay.flush()?;
        let opened = Opened {
            commits_replayed: replay.commits,
            bytes_cut,
        };
        let writer = Writer {
            journal,
            heads: replay.heads,
            checkpoint_bytes: options.checkpoint_bytes,
            failure: None,
        };
        let store = Self {
            state,
            writer: Mutex::new(writer),
            directory,
        };
        Ok((store, opened))
    }
}

/// Applies commits to the state, several at once.
struct Replay<'a> {
    state: &'a State,
    heads: Heads,
    waiting: Vec<Group>,
    waiting_bytes: usize,
    /// Where the history stands after those that wait.
    position: Position,
    commits: u64,
}

impl Replay<'_> {
    fn add(&mut self, frame: Frame<'_>) -> Result<(), Error> {
        self.waiting
            .push(record::decode(frame.payload, "a commit")?);
        self.waiting_bytes += frame.bytes();
        self.position = frame.position;
        self.commits += 1;
        if self.waiting_bytes >= REPLAY_BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut draft = Draft::new(self.state, &mut self.heads);
        for group in self.waiting.drain(..) {
            draft.add(group)?;
        }
        let (changes, heads) = draft.finish();
        self.state.apply(changes, self.position)?;
        self.heads.extend(heads);
        self.waiting_bytes = 0;
        Ok(())
    }
}
