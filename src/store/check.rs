//! What must hold of a group before anything of it is written; the same for every store. What
//! can be told of the writes alone is checked when they are made ready, the rest when they are
//! committed.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Error, Write};
use crate::proto::{Event, Execution};

/// What a write takes for granted of an execution, and leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// The execution.
    pub id: Uuid,
    /// What is claimed.
    pub what: What,
}

/// What a write does with an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Events follow `after`, the last of which is `last`.
    Append { after: u64, last: u64 },
    /// It stands at this event.
    Stand { sequence: u64 },
    /// It is forgotten.
    Delete,
}

/// Checks what writes tell of themselves, and gives what they claim of executions, in order.
///
/// # Errors
/// `Error::Inconsistent` naming the execution.
pub(super) fn claims(writes: &[Write]) -> Result<Vec<Claim>, Error> {
    let mut claims = Vec::with_capacity(writes.len());
    for write in writes {
        let (id, what) = match write {
            Write::Append {
                id,
                events,
                summary,
            } => (*id, append(*id, events, summary.as_deref())?),
            Write::Stand {
                id,
                sequence,
                summary,
                ..
            } => (*id, stand(*id, *sequence, summary.as_deref())?),
            Write::DeleteExecution { id } => (*id, What::Delete),
            _ => continue,
        };
        claims.push(Claim { id, what });
    }
    Ok(claims)
}

/// Checks that claims follow from what is kept. `last` gives the last sequence kept of an
/// execution, 0 when there is none. Gives the last sequences of those that change.
///
/// # Errors
/// `Error::Inconsistent` naming the execution, and whatever `last` fails with.
pub(super) fn follow<'a>(
    claims: impl Iterator<Item = &'a Claim>,
    mut last: impl FnMut(Uuid) -> Result<u64, Error>,
) -> Result<HashMap<Uuid, u64>, Error> {
    let mut lasts: HashMap<Uuid, u64> = HashMap::new();
    for Claim { id, what } in claims {
        let mut before = || match lasts.get(id) {
            Some(before) => Ok(*before),
            None => last(*id),
        };
        match what {
            What::Append { after, last } => {
                let before = before()?;
                if *after != before {
                    let what = format!("event {} does not follow {before}", after + 1);
                    return Err(inconsistent(*id, &what));
                }
                lasts.insert(*id, *last);
            }
            What::Stand { sequence } => {
                let before = before()?;
                if *sequence != before {
                    let what = format!("it stands at event {before}, not at {sequence}");
                    return Err(inconsistent(*id, &what));
                }
            }
            What::Delete => {
                lasts.insert(*id, 0);
            }
        }
    }
    Ok(lasts)
}

/// Checks where an execution is said to stand.
fn stand(id: Uuid, sequence: u64, summary: Option<&Execution>) -> Result<What, Error> {
    if sequence == 0 {
        return Err(inconsistent(id, "it stands before its first event"));
    }
    match summary {
        Some(summary) if summary.execution_id != id.to_string() => {
            Err(inconsistent(id, "the summary names another execution"))
        }
        _ => Ok(What::Stand { sequence }),
    }
}

/// Checks one append.
fn append(id: Uuid, events: &[Event], summary: Option<&Execution>) -> Result<What, Error> {
    let Some(first) = events.first() else {
        return Err(inconsistent(id, "an append without events"));
    };
    let mut text = Uuid::encode_buffer();
    let text: &str = id.hyphenated().encode_lower(&mut text);
    let after = first
        .sequence
        .checked_sub(1)
        .ok_or_else(|| inconsistent(id, "an event without a sequence"))?;
    let mut last = after;
    for event in events {
        if event.execution_id != text {
            let what = format!("an event names execution `{}`", event.execution_id);
            return Err(inconsistent(id, &what));
        }
        if event.sequence != last + 1 {
            let what = format!("event {} does not follow {last}", event.sequence);
            return Err(inconsistent(id, &what));
        }
        last = event.sequence;
    }
    match summary {
        None if after == 0 => Err(inconsistent(id, "the first event has no summary")),
        Some(summary) if summary.execution_id != text => {
            Err(inconsistent(id, "the summary names another execution"))
        }
        _ => Ok(What::Append { after, last }),
    }
}

fn inconsistent(id: Uuid, what: &str) -> Error {
    Error::Inconsistent(format!("execution {id}: {what}"))
}
