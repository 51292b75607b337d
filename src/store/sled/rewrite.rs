//! Writes a state anew into an empty one: what was deleted takes no space there, small packs of
//! one execution are joined, and what format 1 kept elsewhere finds its place.

use std::{fs, path::Path};

use prost::Message as _;
use uuid::Uuid;

use super::{
    super::{Error, Link},
    apply::{Changes, Entry},
    chunks,
    files::failed,
    keys,
    packs::{self, Chained},
    record::{self, Pack},
    state::State,
};
use crate::proto::Execution;

/// How much is written at once, in bytes.
const BATCH_BYTES: usize = 256 << 10;
/// How much of one execution's events is looked at together, in bytes.
const RUN_BYTES: usize = 64 << 10;

/// Writes all of a state that nothing changes meanwhile into a new one, and makes that durable.
///
/// # Errors
/// `Error::Damaged` when the state is not readable, and `Error::Io`: the new one is then worth
/// nothing.
pub fn rewrite(from: &State, into: &Path, cache_bytes: u64) -> Result<State, Error> {
    if into.exists() {
        fs::remove_dir_all(into).map_err(failed("remove", into))?;
    }
    let mut writing = Writing {
        is_format_1: from.format()? == 1,
        from,
        to: State::open(into, cache_bytes)?,
        batch: Vec::new(),
        batch_bytes: 0,
        run: Run::default(),
    };
    for entry in from.all() {
        let (key, value) = entry?;
        writing.entry(&key, &value)?;
    }
    writing.finish()
}

struct Writing<'a> {
    from: &'a State,
    is_format_1: bool,
    to: State,
    batch: Vec<Entry>,
    batch_bytes: usize,
    run: Run,
}

/// Packs of one execution that follow each other.
#[derive(Default)]
struct Run {
    id: Uuid,
    /// Written with the first pack.
    namespace: String,
    packs: Vec<Chained>,
    bytes: usize,
    /// The link of the last event that was seen.
    head: Link,
}

impl Writing<'_> {
    fn entry(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        if keys::is_events(key) {
            return match (chunks::first_part(key), keys::event_id(key)) {
                (Some(first), Some(id)) => self.pack(first, id),
                _ => Ok(()),
            };
        }
        if keys::is_meta(key) || self.is_format_1 && keys::is_moved(key) {
            return Ok(());
        }
        self.put(key.to_vec(), value.to_vec())
    }

    fn pack(&mut self, key: &[u8], id: Uuid) -> Result<(), Error> {
        let (Some(last), Some(value)) = (keys::last_sequence(key), self.from.value(key)?) else {
            return Ok(());
        };
        if id != self.run.id {
            self.end_run()?;
            self.begin_run(id, &value)?;
        }
        match self.chained(last, &value) {
            Ok(packs) => {
                self.run.bytes += value.len();
                self.run.packs.extend(packs);
            }
            // What is broken stays as it is, so that the audit still finds it.
            Err(_) => {
                self.end_run()?;
                self.put_value(key, &value)?;
            }
        }
        if self.run.bytes >= RUN_BYTES {
            self.end_run()?;
        }
        Ok(())
    }

    fn begin_run(&mut self, id: Uuid, first: &[u8]) -> Result<(), Error> {
        self.run.id = id;
        self.run.head = packs::origin(id);
        if self.is_format_1 {
            self.run.namespace = self.move_summary(id)?;
        } else {
            self.run.namespace = packs::namespace(first).unwrap_or_default();
        }
        Ok(())
    }

    fn chained(&mut self, last: u64, value: &[u8]) -> Result<Vec<Chained>, Error> {
        if !self.is_format_1 {
            return Ok(vec![Chained::read(last, value.to_vec())?]);
        }
        let pack = Pack {
            last_sequence: last,
            events: value.to_vec().into(),
        };
        let packs = Chained::of(&[pack], self.run.head)?;
        if let Some(head) = packs.last().and_then(Chained::head) {
            self.run.head = head;
        }
        Ok(packs)
    }

    /// Writes what is collected of an execution.
    fn end_run(&mut self) -> Result<(), Error> {
        self.run.bytes = 0;
        for pack in Chained::coalesced(std::mem::take(&mut self.run.packs)) {
            let namespace = std::mem::take(&mut self.run.namespace);
            let key = keys::events(self.run.id, pack.last_sequence);
            self.put_value(&key, &pack.written(&namespace))?;
        }
        Ok(())
    }

    /// Puts a summary of format 1 where it belongs; gives the execution's namespace.
    fn move_summary(&mut self, id: Uuid) -> Result<String, Error> {
        let Some(value) = self.from.value(&keys::summary_1(id))? else {
            return Ok(String::new());
        };
        let mut summary: Execution = record::decode(&value, "a summary")?;
        summary.execution_id.clear();
        let namespace = std::mem::take(&mut summary.namespace);
        let key = keys::summary(&namespace, id);
        self.put_value(&key, &summary.encode_to_vec())?;
        Ok(namespace)
    }

    fn put_value(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        for (key, part) in chunks::split(key, value)? {
            self.put(key, part)?;
        }
        Ok(())
    }

    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), Error> {
        self.batch_bytes += key.len() + value.len();
        self.batch.push((key, Some(value)));
        if self.batch_bytes >= BATCH_BYTES {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), Error> {
        self.batch_bytes = 0;
        self.to.write(std::mem::take(&mut self.batch))
    }

    fn finish(mut self) -> Result<State, Error> {
        self.end_run()?;
        let applied = self.from.standing()?.applied;
        self.write()?;
        self.to.apply(Changes::default(), applied, || {})?;
        self.to.make_durable(applied)?;
        Ok(self.to)
    }
}
