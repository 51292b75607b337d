//! The journal: every commit as one record, durable before anyone is told of it.
//!
//! Written by one thread at a time. What is read back at start is in `history`.

use std::{fs, path::PathBuf};

use super::{
    super::Error,
    Options, directory,
    files::{failed, sync_directory},
    frame::{self, Frame, Position},
    history,
    segment::{self, Segment},
    state::Standing,
};

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    segment_bytes: u64,
    preallocate_bytes: u64,
    /// Full segments with their last commit, in order.
    sealed: Vec<(PathBuf, u64)>,
    active: Segment,
    end: Position,
    bytes_since_checkpoint: u64,
    /// The record being written; kept for its memory.
    record: Vec<u8>,
}

impl Journal {
    /// Opens the journal, makes it when there is none, visits each record that the
    /// state lacks, and cuts off a torn tail. Gives how many bytes were cut off.
    ///
    /// # Errors
    /// Those of `history::read`.
    pub fn open(
        directory: PathBuf,
        options: &Options,
        standing: Standing,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<(), Error>,
    ) -> Result<(Self, u64), Error> {
        directory::create(&directory)?;
        let history = history::read(&directory, standing, visit)?;
        let mut torn_bytes = 0;
        let active = match history.last {
            Some(last) => {
                let mut active = Segment::open(last.path, last.header, last.offset)?;
                torn_bytes = last.torn_bytes;
                if torn_bytes > 0 {
                    active.clear(torn_bytes)?;
                }
                active
            }
            None => Segment::create(&directory, history.end, options.preallocate_bytes)?,
        };
        let journal = Self {
            directory,
            segment_bytes: options.segment_bytes,
            preallocate_bytes: options.preallocate_bytes,
            sealed: history.sealed,
            active,
            end: history.end,
            bytes_since_checkpoint: history.record_bytes,
            record: Vec::new(),
        };
        Ok((journal, torn_bytes))
    }

    /// Where it ends.
    pub fn end(&self) -> Position {
        self.end
    }

    /// How many bytes of records were written since the last checkpoint.
    pub fn bytes_since_checkpoint(&self) -> u64 {
        self.bytes_since_checkpoint
    }

    /// Writes a commit and makes it durable; gives where the history stands now.
    ///
    /// # Errors
    /// `Error::Io`: whether the record is durable is then unknown, and after a failed sync the
    /// system may have dropped what it could not write. So nothing more may be appended: only
    /// reading the journal again tells what it holds.
    pub fn append(&mut self, payload: &[u8]) -> Result<Position, Error> {
        let position = self.end.after(payload);
        let bytes = frame::HEADER_BYTES * 2 + payload.len();
        if !self.active.has_room(bytes, self.segment_bytes) {
            let next = Segment::create(&self.directory, self.end, self.preallocate_bytes)?;
            let full = std::mem::replace(&mut self.active, next);
            self.sealed.push((full.path().to_owned(), self.end.commit));
        }
        frame::write(&mut self.record, self.active.salt(), position, payload);
        self.active.append(&self.record, self.preallocate_bytes)?;
        self.end = position;
        self.bytes_since_checkpoint += self.record.len() as u64;
        Ok(position)
    }

    /// Gives up the segments that hold nothing later than `commit`, up to which the state is
    /// durable without them: one is kept to be written over, the others are removed.
    ///
    /// # Errors
    /// `Error::Io`.
    pub fn checkpointed(&mut self, commit: u64) -> Result<(), Error> {
        self.bytes_since_checkpoint = 0;
        let kept = self.sealed.iter().position(|(_, last)| *last > commit);
        let spent = self.sealed.drain(..kept.unwrap_or(self.sealed.len()));
        // The oldest first: what is left after a crash has no gap.
        for (path, _) in spent {
            if segment::has_next(&self.directory) {
                fs::remove_file(&path).map_err(failed("remove", &path))?;
            } else {
                segment::set_aside(&self.directory, &path, self.segment_bytes)?;
            }
        }
        sync_directory(&self.directory)
    }
}
