//! What the store is asked, answered from the state.

use prost_types::Timestamp;
use uuid::Uuid;

use super::{
    super::{Error, Open, Page, RequestRecord, filter},
    chunks, keys,
    record::{self, Events},
    standing,
    state::State,
};
use crate::proto::{Agent, Event, Execution, ExecutionFilter, WorkflowVersion};

/// How far the time in an execution's id may be from its creation time, in milliseconds: the
/// id is drawn when the start comes in, the time is taken when it is accepted.
const ID_TIME_SLACK_MS: u64 = 60_000;
/// The bits behind the time in a UUID of version 7.
const ID_TIME_SHIFT: u32 = 80;

impl State {
    pub(super) fn events(&self, id: Uuid, after: u64, limit: usize) -> Result<Vec<Event>, Error> {
        let from = keys::events(id, after.saturating_add(1));
        let until = keys::events(id, u64::MAX);
        let mut events = Vec::new();
        for key in self.range(from, until) {
            if events.len() >= limit {
                break;
            }
            let key = key?;
            let Some(key) = chunks::first_part(&key) else {
                continue;
            };
            // Gone when the execution was deleted meanwhile.
            let Some(pack) = self.value(key)? else { break };
            let pack: Events = record::decode(&pack, "a pack of events")?;
            let wanted = pack.events.into_iter().filter(|e| e.sequence > after);
            events.extend(wanted.take(limit - events.len()));
        }
        let text = id.to_string();
        for event in &mut events {
            event.execution_id.clone_from(&text);
        }
        Ok(events)
    }

    pub(super) fn execution(&self, id: Uuid) -> Result<Option<Execution>, Error> {
        let summary = self.value(&keys::summary(id))?;
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
        for key in self.candidates(namespace, filter, cursor).rev() {
            let Some(id) = keys::id_at_end(&key?) else {
                continue;
            };
            let Some(summary) = self.execution(id)? else {
                continue;
            };
            if !filter::passes(filter, &summary) {
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

    /// The index keys that may fit a filter: of one workflow if it names one, and of the ids
    /// whose time can lie in its range.
    fn candidates(
        &self,
        namespace: &str,
        filter: &ExecutionFilter,
        cursor: Option<Uuid>,
    ) -> impl DoubleEndedIterator<Item = Result<sled::IVec, Error>> {
        let index = if filter.workflow.is_empty() {
            keys::namespace_index(namespace)
        } else {
            keys::workflow_index(namespace, &filter.workflow)
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
        self.range(
            keys::with_id(index.clone(), Uuid::from_u128(from)),
            keys::with_id(index, Uuid::from_u128(until)),
        )
    }

    /// The ids of all executions from one on, in order.
    pub(super) fn ids(&self, from: Uuid) -> impl Iterator<Item = Result<Uuid, Error>> {
        let keys = self.range(keys::summary(from), keys::summaries_end());
        keys.filter_map(|key| {
            let id = key.map(|key| chunks::first_part(&key).and_then(keys::id_at_end));
            id.transpose()
        })
    }

    pub(super) fn open_executions(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Open>, Error> {
        // A key is behind another that it begins with.
        let from = after.map_or_else(
            || keys::OPEN_ALL.to_vec(),
            |id| [keys::open(id), vec![0]].concat(),
        );
        let mut open = Vec::new();
        for entry in self.entries(from, keys::OPEN_END.to_vec()).take(limit) {
            let (key, value) = entry?;
            if let Some(id) = keys::id_at_end(&key) {
                let standing = standing::read(&value)?;
                open.push(Open { id, standing });
            }
        }
        Ok(open)
    }

    pub(super) fn request(
        &self,
        namespace: &str,
        request_id: &str,
    ) -> Result<Option<RequestRecord>, Error> {
        let Some(value) = self.get(&keys::request(namespace, request_id))? else {
            return Ok(None);
        };
        let record: record::RequestRecord = record::decode(&value, "a request's record")?;
        record.try_into().map(Some)
    }

    pub(super) fn workflow(
        &self,
        namespace: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<WorkflowVersion>, Error> {
        match version {
            Some(version) => self.workflow_at(&keys::workflow(namespace, name, version)),
            None => self.newest(&keys::workflow_versions(namespace, name)),
        }
    }

    pub(super) fn workflow_versions(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        let mut versions = Vec::new();
        for key in self.keys(&keys::workflow_versions(namespace, name)) {
            let key = key?;
            if let Some(key) = chunks::first_part(&key) {
                versions.extend(self.workflow_at(key)?);
            }
        }
        Ok(versions)
    }

    pub(super) fn workflows(
        &self,
        namespace: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        let end = keys::behind_text(keys::workflows(namespace));
        let mut from = keys::behind_text(keys::workflow_versions(namespace, after));
        let mut newest = Vec::new();
        while newest.len() < limit {
            let Some(key) = self.range(from, end.clone()).next() else {
                break;
            };
            let key = key?;
            let version = chunks::value_key(&key);
            let versions = keys::versions_prefix(version);
            newest.extend(self.newest(versions)?);
            from = keys::behind_text(versions.to_vec());
        }
        Ok(newest)
    }

    /// The newest of the versions with a prefix.
    fn newest(&self, versions: &[u8]) -> Result<Option<WorkflowVersion>, Error> {
        let end = keys::behind_text(versions.to_vec());
        match self.range(versions.to_vec(), end).next_back() {
            Some(key) => self.workflow_at(chunks::value_key(&key?)),
            None => Ok(None),
        }
    }

    fn workflow_at(&self, key: &[u8]) -> Result<Option<WorkflowVersion>, Error> {
        let value = self.value(key)?;
        value
            .map(|value| record::decode(&value, "a workflow"))
            .transpose()
    }

    pub(super) fn agents(&self) -> Result<Vec<(String, Agent)>, Error> {
        let mut agents = Vec::new();
        for key in self.keys(keys::AGENTS_ALL) {
            let key = key?;
            let Some(key) = chunks::first_part(&key) else {
                continue;
            };
            let namespace = keys::agent_namespace(key);
            if let (Some(namespace), Some(value)) = (namespace, self.value(key)?) {
                agents.push((namespace, record::decode(&value, "an agent")?));
            }
        }
        Ok(agents)
    }
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
