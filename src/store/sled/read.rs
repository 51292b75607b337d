//! What the store is asked of executions, answered from the overlay and the state below it.
//!
//! What the overlay tells alone is answered without the state, which may be busy taking over a
//! layer. Whatever needs both is read while nothing is taken over.

use bytes::Bytes;
use prost_types::Timestamp;
use uuid::Uuid;

use super::{
    super::{Error, Open, Page, filter},
    chunks,
    kept::Kept,
    keys,
    merged::Merged,
    overlay::Overlay,
    packs::Chained,
    record::{self, Events, Pack},
    standing,
    summary::Outline,
};
use crate::proto::{Event, Execution, ExecutionFilter};

/// How far the time in an execution's id may be from its creation time, in milliseconds: the
/// id is drawn when the start comes in, the time is taken when it is accepted.
const ID_TIME_SLACK_MS: u64 = 60_000;
/// The bits behind the time in a UUID of version 7.
const ID_TIME_SHIFT: u32 = 80;

/// What the overlay holds of an execution's events.
pub(super) struct PendingEvents {
    /// The packs, in order.
    pub packs: Vec<Pack>,
    /// The sequence from which on they are here; what is before it is in the state.
    pub from: u64,
}

impl PendingEvents {
    /// Those that hold events after a sequence.
    pub fn of(overlay: &Overlay, id: Uuid, after: u64) -> Self {
        let (layers, whole) = overlay.execution(id);
        let first = layers.iter().find(|layer| !layer.packs.is_empty());
        let from = match first {
            _ if whole => 0,
            Some(layer) => layer.first_sequence,
            None => u64::MAX,
        };
        let packs = layers.into_iter().flat_map(|layer| &layer.packs);
        let packs = packs.filter(|pack| pack.last_sequence > after);
        Self {
            packs: packs.cloned().collect(),
            from,
        }
    }

    /// Whether the state need not be asked for what comes after a sequence.
    fn suffice(&self, after: u64) -> bool {
        after.saturating_add(1) >= self.from
    }
}

impl Kept {
    pub(super) fn events(&self, id: Uuid, after: u64, limit: usize) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        let mut pending = PendingEvents::of(&self.overlay(), id, after);
        if !pending.suffice(after) {
            let _still = self.state.reading();
            pending = PendingEvents::of(&self.overlay(), id, after);
            if !pending.suffice(after) {
                events = self.events_of_state(id, after, pending.from, limit)?;
            }
        }
        for pack in pending.packs {
            if events.len() >= limit {
                break;
            }
            add_events(&mut events, &pack.events, after, limit)?;
        }
        let text = id.to_string();
        for event in &mut events {
            event.execution_id.clone_from(&text);
        }
        Ok(events)
    }

    /// The events in the state after one sequence and before another.
    fn events_of_state(
        &self,
        id: Uuid,
        after: u64,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        for pack in self.state.packs(id, after.saturating_add(1), before) {
            if events.len() >= limit {
                break;
            }
            let (last, value) = pack?;
            add_events(
                &mut events,
                &Chained::read(last, value)?.events,
                after,
                limit,
            )?;
        }
        Ok(events)
    }

    pub(super) fn execution(&self, id: Uuid) -> Result<Option<Execution>, Error> {
        self.summary(id, || self.state.summary(id))
    }

    /// The summary of an execution: the overlay's, or else the state's.
    fn summary(
        &self,
        id: Uuid,
        of_state: impl FnOnce() -> Result<Option<Execution>, Error>,
    ) -> Result<Option<Execution>, Error> {
        let known = pending_summary(&self.overlay(), id);
        let summary = match known {
            Some(summary) => summary,
            None => {
                let _still = self.state.reading();
                let known = pending_summary(&self.overlay(), id);
                match known {
                    Some(summary) => summary,
                    None => return of_state(),
                }
            }
        };
        summary
            .map(|summary| record::decode(&summary, "a summary"))
            .transpose()
    }

    pub(super) fn executions(
        &self,
        namespace: &str,
        filter: &ExecutionFilter,
        cursor: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Execution, Uuid>, Error> {
        let mut page = Page {
            items: Vec::new(),
            next: None,
        };
        let mut last = None;
        for id in self.candidates(namespace, filter, cursor) {
            let id = id?;
            let of_state = || self.state.summary_in(namespace, id);
            let Some(summary) = self.summary(id, of_state)? else {
                continue;
            };
            if summary.namespace != namespace || !filter::passes(filter, &summary) {
                continue;
            }
            if page.items.len() >= limit {
                page.next = last;
                break;
            }
            page.items.push(summary);
            last = Some(id);
        }
        Ok(page)
    }

    /// The ids of executions that may fit a filter, the newest first: in the state those of one
    /// workflow if it names one, and those whose time can lie in its range.
    fn candidates(
        &self,
        namespace: &str,
        filter: &ExecutionFilter,
        cursor: Option<Uuid>,
    ) -> impl Iterator<Item = Result<Uuid, Error>> {
        let by_workflow = !filter.workflow.is_empty();
        let index = if by_workflow {
            keys::workflow_index(namespace, &filter.workflow)
        } else {
            keys::namespace_index(namespace)
        };
        let from = filter.create_time_from.as_ref().map_or(0, |from| {
            id_at(milliseconds(from).saturating_sub(ID_TIME_SLACK_MS))
        });
        let until = filter
            .create_time_until
            .as_ref()
            .map_or(u128::MAX, |until| {
                id_at(milliseconds(until).saturating_add(ID_TIME_SLACK_MS))
            });
        let until = cursor.map_or(until, |cursor| until.min(cursor.as_u128()));
        let (from, until) = (Uuid::from_u128(from), Uuid::from_u128(until));
        let pending = self.pending_ids(from, until);
        let from = keys::with_id(index.clone(), from);
        let in_state = self
            .state
            .range(from, keys::with_id(index, until))
            .rev()
            .filter_map(move |key| {
                // A summary may have several parts.
                let id = |key: &[u8]| match by_workflow {
                    true => keys::id_at_end(key),
                    false => chunks::first_part(key).and_then(keys::id_at_end),
                };
                key.map(|key| id(&key)).transpose()
            });
        Merged::descending(pending.into_iter().rev(), in_state)
    }

    /// The ids of the executions that the overlay knows in a range, in order. They must be
    /// asked for before those of the state: what is taken over meanwhile is then seen twice,
    /// and never not at all.
    fn pending_ids(&self, from: Uuid, until: Uuid) -> Vec<Uuid> {
        let range = from..until.max(from);
        let overlay = self.overlay();
        let layers = overlay.layers();
        let mut ids: Vec<_> = layers
            .flat_map(|layer| layer.executions.range(range.clone()).map(|(id, _)| *id))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The ids of all executions from one on, in order.
    pub(super) fn ids(&self, from: Uuid) -> impl Iterator<Item = Result<Uuid, Error>> {
        let pending = self.pending_ids(from, Uuid::max());
        let mut next = Some(keys::events_of(from));
        let in_state = std::iter::from_fn(move || {
            let from = next.take()?;
            let key = self.state.range(from, keys::events_end()).next()?;
            let id = key.map(|key| keys::event_id(&key)).transpose()?;
            if let Ok(id) = id {
                // Its other packs are passed over.
                next = Some(keys::events(id, u64::MAX));
            }
            Some(id)
        });
        Merged::ascending(pending.into_iter(), in_state)
    }

    pub(super) fn open_executions(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Open>, Error> {
        let from = after.map_or(Uuid::nil(), keys::next_id);
        let mut pending = self.pending_ids(from, Uuid::max()).into_iter().peekable();
        let mut open = Vec::new();
        for entry in self
            .state
            .entries(keys::open(from), keys::OPEN_END.to_vec())
        {
            let (key, value) = entry?;
            let Some(id) = keys::id_at_end(&key) else {
                continue;
            };
            while let Some(before) = pending.next_if(|pending| *pending < id) {
                open.extend(self.open_execution(before)?);
            }
            if open.len() >= limit {
                break;
            }
            if pending.next_if_eq(&id).is_some() {
                open.extend(self.open_execution(id)?);
            } else {
                let standing = standing::read(&value)?;
                open.push(Open { id, standing });
            }
        }
        for id in pending {
            if open.len() >= limit {
                break;
            }
            open.extend(self.open_execution(id)?);
        }
        open.truncate(limit);
        Ok(open)
    }

    /// An execution of the overlay, if it is open.
    fn open_execution(&self, id: Uuid) -> Result<Option<Open>, Error> {
        let _still = self.state.reading();
        let (summary, standing) = {
            let overlay = self.overlay();
            (pending_summary(&overlay, id), overlay.standing(id))
        };
        let mark = self.state.get(&keys::open(id))?;
        let is_open = match summary {
            Some(Some(summary)) => !Outline::of(&summary)?.has_ended(),
            Some(None) => false,
            None => mark.is_some(),
        };
        if !is_open {
            return Ok(None);
        }
        let value = standing.unwrap_or_else(|| mark.map(Bytes::from));
        let standing = value.map(|value| standing::read(&value)).transpose()?;
        Ok(Some(Open {
            id,
            standing: standing.flatten(),
        }))
    }
}

/// The newest summary of an execution in the overlay: `None` when it does not tell,
/// `Some(None)` when there is none.
fn pending_summary(overlay: &Overlay, id: Uuid) -> Option<Option<Bytes>> {
    let (layers, whole) = overlay.execution(id);
    let summary = layers.iter().rev().find_map(|layer| layer.summary.clone());
    summary.map(Some).or(whole.then_some(None))
}

fn add_events(events: &mut Vec<Event>, pack: &[u8], after: u64, limit: usize) -> Result<(), Error> {
    let pack: Events = record::decode(pack, "a pack of events")?;
    let wanted = pack.events.into_iter().filter(|e| e.sequence > after);
    events.extend(wanted.take(limit - events.len()));
    Ok(())
}

/// The least id of a millisecond since 1970.
fn id_at(milliseconds: u64) -> u128 {
    let most = u128::MAX >> ID_TIME_SHIFT;
    u128::from(milliseconds).min(most) << ID_TIME_SHIFT
}

/// Milliseconds since 1970, rounded up; 0 for what is earlier.
fn milliseconds(time: &Timestamp) -> u64 {
    let seconds = u64::try_from(time.seconds).unwrap_or(0);
    let nanos = u64::try_from(time.nanos).unwrap_or(0);
    seconds
        .saturating_mul(1000)
        .saturating_add(nanos.div_ceil(1_000_000))
}
