//! The group that a shard fills: writes in pieces, each staged as soon as it is large enough,
//! between two commands. So no piece comes near what one commit may hold, however much follows
//! from all the commands of a group, and each command's writes stay together.

use crate::{
    engine::lane::{Commits, Piece},
    proto::event::Kind,
    store::Write,
};

/// The writes of a piece, of which one more command may make more.
const PIECE_WRITES: usize = 64;
/// The events of a piece, likewise.
const PIECE_EVENTS: usize = 256;

/// A group that is being filled.
#[derive(Default)]
pub(super) struct Filling {
    /// Those of the last piece.
    writes: Vec<Write>,
    events: usize,
    /// The last piece holds what may be large and stays in the journal.
    heavy: bool,
    pieces: Vec<Piece>,
    /// The requests whose records are written.
    requests: Vec<(String, String)>,
}

impl Filling {
    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.pieces.is_empty()
    }

    /// Adds a write.
    pub fn push(&mut self, write: Write) {
        match &write {
            Write::Append { events, .. } => {
                self.events += events.len();
                self.heavy |= events.first().is_some_and(|first| match &first.kind {
                    Some(Kind::ExecutionStarted(started)) => {
                        started.definition.is_some() || !started.agents.is_empty()
                    }
                    _ => false,
                });
            }
            Write::PutRequest {
                namespace,
                request_id,
                ..
            } => self.requests.push((namespace.clone(), request_id.clone())),
            _ => {}
        }
        self.writes.push(write);
    }

    /// A command's writes are all here.
    pub fn command_ended(&mut self, commits: &Commits) {
        let full = self.writes.len() >= PIECE_WRITES || self.events >= PIECE_EVENTS;
        if full || self.heavy {
            self.stage(commits);
        }
    }

    /// The pieces, and the requests whose records they hold; another group is filled from here
    /// on.
    pub fn take(&mut self, commits: &Commits) -> (Vec<Piece>, Vec<(String, String)>) {
        if !self.writes.is_empty() {
            self.stage(commits);
        }
        let requests = std::mem::take(&mut self.requests);
        (std::mem::take(&mut self.pieces), requests)
    }

    fn stage(&mut self, commits: &Commits) {
        // The next piece is about as large.
        let room = Vec::with_capacity(self.writes.len());
        let writes = std::mem::replace(&mut self.writes, room);
        (self.events, self.heavy) = (0, false);
        self.pieces.push(commits.stage(writes));
    }
}
