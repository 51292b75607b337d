//! What must hold of a group before anything of it is written; the same for every store.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Error, Write};
use crate::proto::{Event, Execution};

/// Checks that a group follows from what is kept. `last` gives the last sequence kept of an
/// execution, 0 when there is none.
///
/// # Errors
/// `Error::Inconsistent` naming the execution, and whatever `last` fails with.
pub(super) fn group(
    group: &[Write],
    mut last: impl FnMut(Uuid) -> Result<u64, Error>,
) -> Result<(), Error> {
    let mut lasts: HashMap<Uuid, u64> = HashMap::new();
    for write in group {
        match write {
            Write::Append {
                id,
                events,
                summary,
            } => {
                let before = match lasts.get(id) {
                    Some(before) => *before,
                    None => last(*id)?,
                };
                lasts.insert(*id, append(*id, before, events, summary.as_deref())?);
            }
            Write::Stand {
                id,
                sequence,
                summary,
                ..
            } => {
                let before = match lasts.get(id) {
                    Some(before) => *before,
                    None => last(*id)?,
                };
                stand(*id, before, *sequence, summary.as_deref())?;
            }
            Write::DeleteExecution { id } => {
                lasts.insert(*id, 0);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks where an execution is said to stand.
fn stand(id: Uuid, last: u64, sequence: u64, summary: Option<&Execution>) -> Result<(), Error> {
    if sequence == 0 || sequence != last {
        let what = format!("it stands at event {last}, not at {sequence}");
        return Err(inconsistent(id, &what));
    }
    match summary {
        Some(summary) if summary.execution_id != id.to_string() => {
            Err(inconsistent(id, "the summary names another execution"))
        }
        _ => Ok(()),
    }
}

/// Checks one append and gives the last sequence after it.
fn append(
    id: Uuid,
    before: u64,
    events: &[Event],
    summary: Option<&Execution>,
) -> Result<u64, Error> {
    if events.is_empty() {
        return Err(inconsistent(id, "an append without events"));
    }
    let mut text = Uuid::encode_buffer();
    let text: &str = id.hyphenated().encode_lower(&mut text);
    let mut last = before;
    for event in events {
        if event.execution_id != text {
            return Err(inconsistent(
                id,
                &format!("an event names execution `{}`", event.execution_id),
            ));
        }
        if event.sequence != last + 1 {
            return Err(inconsistent(
                id,
                &format!("event {} does not follow {last}", event.sequence),
            ));
        }
        last = event.sequence;
    }
    match summary {
        None if before == 0 => Err(inconsistent(id, "the first event has no summary")),
        Some(summary) if summary.execution_id != text => {
            Err(inconsistent(id, "the summary names another execution"))
        }
        _ => Ok(last),
    }
}

fn inconsistent(id: Uuid, what: &str) -> Error {
    Error::Inconsistent(format!("execution {id}: {what}"))
}
