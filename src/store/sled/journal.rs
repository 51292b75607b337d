//! The journal: every commit as one record, durable before anyone is told of it.
//!
//! Written by one thread at a time. What is read back at start is in `history`.

use std::{path::PathBuf, sync::Arc};

use super::{
    super::Error,
    Options, directory,
    frame::{self, Frame, Position},
    history,
    sealed::Sealed,
    segment::Segment,
    state::Standing,
};

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    segment_bytes: u64,
    preallocate_bytes: u64,
    sealed: Arc<Sealed>,
    active: Segment,
    end: Position,
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
        let sealed = Sealed::new(
            directory.clone(),
            options.segment_bytes,
            history.sealed,
            history.record_bytes,
        );
        sealed.written_to(&active);
        let journal = Self {
            directory,
            segment_bytes: options.segment_bytes,
            preallocate_bytes: options.preallocate_bytes,
            sealed: Arc::new(sealed),
            active,
            end: history.end,
            record: Vec::new(),
        };
        Ok((journal, torn_bytes))
    }

    /// Its full segments.
    pub fn sealed(&self) -> Arc<Sealed> {
        Arc::clone(&self.sealed)
    }

    /// Writes a commit, given in parts, and makes it durable; gives where the history stands now.
    ///
    /// No other record is written before this one is synced: what a crash leaves is at most one
    /// record that is not whole, at the end. A whole one behind it is damage, see `history`.
    ///
    /// # Errors
    /// `Error::Io`: whether the record is durable is then unknown, and after a failed sync the
    /// system may have dropped what it could not write. So nothing more may be appended: only
    /// reading the journal again tells what it holds.
    pub fn append(&mut self, parts: &[&[u8]]) -> Result<Position, Error> {
        let payload_bytes: usize = parts.iter().map(|part| part.len()).sum();
        let bytes = frame::HEADER_BYTES * 2 + payload_bytes;
        if !self.active.has_room(bytes, self.segment_bytes) {
            self.begin_segment(self.preallocate_bytes)?;
        }
        let position = frame::write(&mut self.record, self.active.salt(), self.end, parts);
        self.active.append(&self.record, self.preallocate_bytes)?;
        self.end = position;
        self.sealed.written(self.record.len() as u64);
        Ok(position)
    }

    /// Whether its last segment holds no record, as an orderly stop leaves it.
    pub fn is_at_rest(&self) -> bool {
        self.active.is_empty()
    }

    /// Begins a segment of no more than a header, so that all before it can be given up.
    ///
    /// # Errors
    /// As `append`.
    pub fn rest(&mut self) -> Result<(), Error> {
        if self.active.is_empty() {
            return Ok(());
        }
        self.sealed.remove_next()?;
        self.begin_segment(0)
    }

    fn begin_segment(&mut self, length: u64) -> Result<(), Error> {
        let creating = self.sealed.creating();
        let next = Segment::create(&self.directory, self.end, length)?;
        drop(creating);
        self.sealed.written_to(&next);
        let full = std::mem::replace(&mut self.active, next);
        self.sealed.push(full.path().to_owned(), self.end.commit);
        Ok(())
    }
}
