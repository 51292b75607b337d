//! Checks the chains of executions.

use uuid::Uuid;

use super::{
    super::{Error, Page, Verification, audit::Chain},
    kept::Kept,
    keys,
    packs::Chained,
    read::PendingEvents,
    record,
};

impl Kept {
    pub(super) fn verify_execution(&self, id: Uuid) -> Result<Option<Verification>, Error> {
        let mut chain = Chain::new(id);
        let (pending, kept_last) = {
            let _still = self.state.reading();
            let pending = PendingEvents::of(&self.overlay(), id, 0);
            for pack in self.state.packs(id, 0, pending.from) {
                let (last, value) = pack?;
                let checked = match Chained::read(last, value) {
                    Ok(pack) => pack.check(&mut chain),
                    Err(Error::Damaged(reason)) => Err(reason),
                    Err(other) => return Err(other),
                };
                if let Err(reason) = checked {
                    return Ok(Some(chain.broken(reason)));
                }
            }
            let kept = match pending.packs.is_empty() {
                true => self.state.summary(id)?,
                false => None,
            };
            (pending, kept.map_or(0, |summary| summary.last_sequence))
        };
        for pack in pending.packs {
            for event in record::stored_events(&pack.events) {
                chain.add(&event?.1);
            }
        }
        if chain.due() == 1 {
            return Ok(None);
        }
        if chain.due() <= kept_last {
            return Ok(Some(chain.broken("it is missing")));
        }
        Ok(Some(chain.verified()))
    }

    pub(super) fn verify_executions(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Verification, Uuid>, Error> {
        let from = after.map_or(Uuid::nil(), keys::next_id);
        let mut page = Page {
            items: Vec::new(),
            next: None,
        };
        for id in self.ids(from) {
            let Some(verified) = self.verify_execution(id?)? else {
                continue;
            };
            if page.items.len() >= limit {
                page.next = page.items.last().map(|last: &Verification| last.id);
                break;
            }
            page.items.push(verified);
        }
        Ok(page)
    }
}
