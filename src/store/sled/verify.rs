//! Checks the chains of executions.

use prost::Message as _;
use uuid::Uuid;

use super::{
    super::{Error, Page, Verification, audit::Chain},
    kept::Kept,
    keys,
};

impl Kept {
    pub(super) fn verify_execution(&self, id: Uuid) -> Result<Option<Verification>, Error> {
        if self.execution(id)?.is_none() {
            return Ok(None);
        }
        let mut chain = Chain::new(id);
        for mut event in self.events(id, 0, usize::MAX)? {
            if event.sequence != chain.due() {
                return Ok(Some(chain.broken("it is missing")));
            }
            event.execution_id.clear();
            chain.add(&event.encode_to_vec());
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
