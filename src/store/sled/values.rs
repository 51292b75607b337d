//! What the store is asked of requests, workflows and agents, answered from the overlay and the
//! state below it.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    super::{Error, OutputRecord, RequestRecord},
    chunks,
    kept::Kept,
    keys, record,
};
use crate::{
    core::decide::CacheKey,
    proto::{Agent, WorkflowVersion},
};

/// What the overlay knows of the values in a range: `None` where one is forgotten.
type Known = BTreeMap<Vec<u8>, Option<Bytes>>;

impl Kept {
    pub(super) fn request(
        &self,
        namespace: &str,
        request_id: &str,
    ) -> Result<Option<RequestRecord>, Error> {
        let key = keys::request(namespace, request_id);
        let Some(value) = self.short_value(&key)? else {
            return Ok(None);
        };
        let record: record::RequestRecord = record::decode(&value, "a request's record")?;
        record.try_into().map(Some)
    }

    pub(super) fn output(&self, key: &CacheKey) -> Result<Option<OutputRecord>, Error> {
        let Some(value) = self.short_value(&keys::output(key))? else {
            return Ok(None);
        };
        let record: record::OutputRecord = record::decode(&value, "an output's place")?;
        record.try_into().map(Some)
    }

    /// A value that is never in parts.
    fn short_value(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let known = self.overlay().value(key);
        if let Some(known) = known {
            return Ok(known);
        }
        let _still = self.state.reading();
        let known = self.overlay().value(key);
        match known {
            Some(known) => Ok(known),
            None => Ok(self.state.get(key)?.map(Bytes::from)),
        }
    }

    pub(super) fn workflow(
        &self,
        namespace: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<WorkflowVersion>, Error> {
        let from = match version {
            Some(version) => keys::workflow(namespace, name, version),
            None => keys::workflow_versions(namespace, name),
        };
        let until = match version {
            Some(version) => keys::behind_version(namespace, name, version),
            None => keys::behind_text(from.clone()),
        };
        let _still = self.state.reading();
        let known = self.overlay().values(&from, &until);
        let newest = self.last_value(&known, &from, &until)?;
        newest.map(|value| workflow_of(&value)).transpose()
    }

    pub(super) fn workflow_versions(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        let from = keys::workflow_versions(namespace, name);
        let values = self.values(from.clone(), keys::behind_text(from))?;
        values.values().map(|value| workflow_of(value)).collect()
    }

    pub(super) fn workflows(
        &self,
        namespace: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        let end = keys::behind_text(keys::workflows(namespace));
        let mut from = keys::behind_text(keys::workflow_versions(namespace, after));
        let _still = self.state.reading();
        let known = self.overlay().values(&from, &end);
        let mut newest = Vec::new();
        while newest.len() < limit {
            let Some(version) = self.first_key(&known, &from, &end)? else {
                break;
            };
            let versions = keys::versions_prefix(&version).to_vec();
            from = keys::behind_text(versions.clone());
            if let Some(value) = self.last_value(&known, &versions, &from)? {
                newest.push(workflow_of(&value)?);
            }
        }
        Ok(newest)
    }

    pub(super) fn agents(&self) -> Result<Vec<(String, Agent)>, Error> {
        let mut agents = Vec::new();
        for (key, value) in self.values(keys::AGENTS_ALL.to_vec(), keys::agents_end())? {
            if let Some(namespace) = keys::agent_namespace(&key) {
                agents.push((namespace, record::decode(&value, "an agent")?));
            }
        }
        Ok(agents)
    }

    /// All values in a range of keys.
    pub(super) fn values(
        &self,
        from: Vec<u8>,
        until: Vec<u8>,
    ) -> Result<BTreeMap<Vec<u8>, Bytes>, Error> {
        let _still = self.state.reading();
        let known = self.overlay().values(&from, &until);
        let mut values = BTreeMap::new();
        for key in self.state.range(from, until) {
            let key = key?;
            if let Some(key) = chunks::first_part(&key)
                && !known.contains_key(key)
                && let Some(value) = self.state.value(key)?
            {
                values.insert(key.to_vec(), value.into());
            }
        }
        let known = known.into_iter();
        values.extend(known.filter_map(|(key, value)| Some((key, value?))));
        Ok(values)
    }

    /// The least key of a value in a range.
    pub(super) fn first_key(
        &self,
        known: &Known,
        from: &[u8],
        until: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        let pending = known.range(from.to_vec()..until.to_vec());
        let pending = pending
            .filter(|(_, value)| value.is_some())
            .map(|(key, _)| key);
        let mut first = pending.min().cloned();
        for key in self.state.range(from.to_vec(), until.to_vec()) {
            let key = key?;
            let key = chunks::value_key(&key);
            if !known.contains_key(key) {
                first = Some(first.map_or(key.to_vec(), |first| first.min(key.to_vec())));
                break;
            }
        }
        Ok(first)
    }

    /// The value with the greatest key in a range.
    fn last_value(&self, known: &Known, from: &[u8], until: &[u8]) -> Result<Option<Bytes>, Error> {
        let pending = known.range(from.to_vec()..until.to_vec());
        let pending = pending
            .rev()
            .find_map(|(key, value)| Some((key, value.clone()?)));
        for key in self.state.range(from.to_vec(), until.to_vec()).rev() {
            let key = key?;
            let key = chunks::value_key(&key);
            if !known.contains_key(key) {
                return match pending {
                    Some((newer, value)) if newer.as_slice() > key => Ok(Some(value)),
                    _ => Ok(self.state.value(key)?.map(Bytes::from)),
                };
            }
        }
        Ok(pending.map(|(_, value)| value))
    }
}

fn workflow_of(value: &[u8]) -> Result<WorkflowVersion, Error> {
    record::decode(value, "a workflow")
}
