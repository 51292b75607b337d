//! Reads a journal from its beginning to its end, and tells a torn tail from damage.
//!
//! A crash leaves at most one record unfinished: the last one, which nobody was told of. So
//! what is broken with no whole record behind it is cut off, and anything else that is not as
//! written is damage.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    super::Error,
    files::failed,
    frame::{self, Fault, Frame, Position},
    segment::{self, HEADER_BYTES, Header},
    state::Standing,
};

/// What a journal was found to hold.
#[derive(Debug, Default)]
pub struct History {
    /// Where it ends.
    pub end: Position,
    /// Segments that are full, with their last commit, in order.
    pub sealed: Vec<(PathBuf, u64)>,
    /// The last segment; `None` when there is no segment.
    pub last: Option<LastSegment>,
    /// All records together, in bytes.
    pub record_bytes: u64,
}

/// The segment that the history ends in.
#[derive(Debug)]
pub struct LastSegment {
    /// Its file.
    pub path: PathBuf,
    /// Its header.
    pub header: Header,
    /// Where its last record ends.
    pub offset: u64,
    /// How many bytes behind that are left of a record that was not finished.
    pub torn_bytes: u64,
}

/// Reads all segments of a journal and visits each record that the state lacks.
///
/// # Errors
/// `Error::Damaged` naming segment and offset, `Error::Io`, and whatever `visit` fails with.
pub fn read(
    directory: &Path,
    standing: Standing,
    visit: &mut dyn FnMut(Frame<'_>) -> Result<(), Error>,
) -> Result<History, Error> {
    let segments = segment::list(directory)?;
    let mut reader = Reader {
        standing,
        visit,
        history: History::default(),
    };
    for (index, (_, path)) in segments.iter().enumerate() {
        let next = segments.get(index + 1).map(|(first, _)| *first);
        reader.segment(path, index == 0, next)?;
    }
    reader.check_end(directory)?;
    Ok(reader.history)
}

/// Says that the journal is not as written, where, and what to do.
fn damaged(path: &Path, offset: usize, what: &str) -> Error {
    Error::Damaged(format!(
        "journal segment {} at byte {offset}: {what}; restore a backup with `tutti restore`",
        path.display()
    ))
}

struct Reader<'a> {
    standing: Standing,
    visit: &'a mut dyn FnMut(Frame<'_>) -> Result<(), Error>,
    history: History,
}

impl Reader<'_> {
    /// Reads one segment; `next` is the commit that the segment after it begins with.
    fn segment(&mut self, path: &Path, is_first: bool, next: Option<u64>) -> Result<(), Error> {
        let bytes = fs::read(path).map_err(failed("read", path))?;
        let header = Header::read(&bytes)
            .ok_or_else(|| damaged(path, 0, "the segment's header is not whole"))?;
        if is_first {
            self.begin(path, header.before)?;
        } else if self.history.end != header.before {
            return Err(damaged(
                path,
                0,
                "it does not follow from the segment before",
            ));
        }
        let mut offset = HEADER_BYTES;
        let fault = loop {
            match frame::read(&bytes[offset..], header.salt) {
                Ok(frame) => {
                    self.record(path, offset, frame)?;
                    offset += frame.bytes();
                }
                Err(fault) => break fault,
            }
        };
        if let Some(next) = next {
            return self.seal(path, offset, fault, next);
        }
        let torn_bytes = self.tail(path, &bytes, offset, fault, header.salt)?;
        self.history.last = Some(LastSegment {
            path: path.to_owned(),
            header,
            offset: offset as u64,
            torn_bytes,
        });
        Ok(())
    }

    /// The oldest segment kept must begin no later than what the journal may have forgotten.
    fn begin(&mut self, path: &Path, before: Position) -> Result<(), Error> {
        let checkpoint = self.standing.checkpoint.commit;
        if checkpoint < before.commit {
            let what = format!(
                "the journal begins with commit {}, but the state is kept up to commit \
                 {checkpoint}: what lies between is missing",
                before.commit + 1
            );
            return Err(damaged(path, 0, &what));
        }
        self.history.end = before;
        self.compare(path, 0)
    }

    fn record(&mut self, path: &Path, offset: usize, frame: Frame<'_>) -> Result<(), Error> {
        let due = self.history.end.after(frame.payload);
        if frame.position != due {
            let what = format!(
                "commit {} with hash {:016x} where commit {} with hash {:016x} was due",
                frame.position.commit, frame.position.hash, due.commit, due.hash
            );
            return Err(damaged(path, offset, &what));
        }
        self.history.end = due;
        self.history.record_bytes += frame.bytes() as u64;
        self.compare(path, offset)?;
        if due.commit <= self.standing.applied.commit {
            return Ok(());
        }
        (self.visit)(frame).map_err(|error| match error {
            Error::Damaged(what) | Error::Inconsistent(what) => damaged(path, offset, &what),
            other => other,
        })
    }

    /// State and journal must be of one history.
    fn compare(&self, path: &Path, offset: usize) -> Result<(), Error> {
        let end = self.history.end;
        for at in [self.standing.applied, self.standing.taking_over] {
            if end.commit == at.commit && end.hash != at.hash {
                let what = format!("the state is of another history at commit {}", end.commit);
                return Err(damaged(path, offset, &what));
            }
        }
        Ok(())
    }

    /// Where a segment ends that another one follows.
    fn seal(&mut self, path: &Path, offset: usize, fault: Fault, next: u64) -> Result<(), Error> {
        let last = self.history.end.commit;
        if next == last + 1 {
            self.history.sealed.push((path.to_owned(), last));
            return Ok(());
        }
        let found = match fault {
            Fault::Nothing => "the segment ends",
            Fault::Broken(what) => what,
        };
        let what = format!(
            "{found} after commit {last}, but the segment after it begins with commit {next}"
        );
        Err(damaged(path, offset, &what))
    }

    /// Where the history ends: gives how many bytes are left of a record not finished.
    fn tail(
        &self,
        path: &Path,
        bytes: &[u8],
        offset: usize,
        fault: Fault,
        salt: u64,
    ) -> Result<u64, Error> {
        let rest = &bytes[offset..];
        if let Some(behind) = frame::find(rest, salt, self.history.end.commit) {
            let found = match fault {
                Fault::Nothing => "a record is missing",
                Fault::Broken(what) => what,
            };
            let what = format!("{found}, but a whole record is at byte {}", offset + behind);
            return Err(damaged(path, offset, &what));
        }
        let written = rest.iter().rposition(|byte| *byte != 0);
        Ok(match fault {
            // What lies behind the end is left of the segment's earlier use.
            Fault::Nothing => 0,
            Fault::Broken(_) => written.map_or(0, |last| last as u64 + 1),
        })
    }

    /// The state is written behind the journal, so it is never ahead of it.
    fn check_end(&self, directory: &Path) -> Result<(), Error> {
        let standing = self.standing;
        let applied = standing.applied.commit.max(standing.taking_over.commit);
        let end = self.history.end.commit;
        if end >= applied {
            return Ok(());
        }
        let what = format!(
            "the journal ends with commit {end}, but the state stands at commit {applied}: what \
             lies between is missing"
        );
        Err(match &self.history.last {
            Some(last) => damaged(&last.path, last.offset as usize, &what),
            None => Error::Damaged(format!(
                "{} holds no segment, but the state stands at commit {applied}; restore a backup with `tutti restore`",
                directory.display()
            )),
        })
    }
}
