//! Which executions refer to which blobs, and the lists that upkeep asks for, answered from the
//! overlay and the state below it.

use std::collections::BTreeSet;

use bytes::Bytes;
use uuid::Uuid;

use super::{
    super::{Error, OutputRecord, RequestName, RequestRecord},
    blobs::Name,
    kept::Kept,
    keys, record,
    summary::Outline,
};
use crate::{core::decide::CacheKey, proto::Retention};

impl Kept {
    /// Whether the events of any execution refer to a blob.
    pub(super) fn is_named(&self, name: Name) -> Result<bool, Error> {
        let (from, until) = keys::blob_range(name.as_bytes());
        let _still = self.state.reading();
        let known = self.overlay().values(&from, &until);
        Ok(self.first_key(&known, &from, &until)?.is_some())
    }

    /// The blobs that the events of an execution refer to.
    pub(super) fn blobs_of(&self, id: Uuid) -> Result<BTreeSet<Name>, Error> {
        let (from, until) = keys::blobs_of_range(id);
        let marks = self.values(from, until)?;
        let names = marks.keys().filter_map(|key| keys::blob_name(key));
        Ok(names.filter_map(Name::from_slice).collect())
    }

    pub(super) fn retentions(&self) -> Result<Vec<Retention>, Error> {
        let (from, until) = keys::retentions();
        let said = self.values(from, until)?;
        said.values()
            .map(|said| record::decode(said, "a retention rule"))
            .collect()
    }

    pub(super) fn requests(
        &self,
        after: Option<RequestName>,
        limit: usize,
    ) -> Result<Vec<(RequestName, RequestRecord)>, Error> {
        let (mut from, until) = keys::requests();
        if let Some((namespace, request_id)) = after {
            from = keys::request(&namespace, &request_id);
            from.push(0);
        }
        let mut requests = Vec::new();
        for (key, value) in self.short_values(from, until, limit)? {
            if let Some(name) = keys::two_texts(&key) {
                let record: record::RequestRecord = record::decode(&value, "a request's record")?;
                requests.push((name, record.try_into()?));
            }
        }
        Ok(requests)
    }

    pub(super) fn outputs(
        &self,
        after: Option<CacheKey>,
        limit: usize,
    ) -> Result<Vec<(CacheKey, OutputRecord)>, Error> {
        let (mut from, until) = keys::outputs();
        if let Some(after) = after {
            from = keys::output(&after);
            from.push(0);
        }
        let mut outputs = Vec::new();
        for (key, value) in self.short_values(from, until, limit)? {
            if let Some(key) = keys::output_key(&key) {
                let record: record::OutputRecord = record::decode(&value, "an output's place")?;
                outputs.push((key, record.try_into()?));
            }
        }
        Ok(outputs)
    }

    /// Values in a range that are never in parts, in order, at most `limit`.
    fn short_values(
        &self,
        from: Vec<u8>,
        until: Vec<u8>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, Error> {
        let _still = self.state.reading();
        let mut found = self.overlay().values(&from, &until);
        let mut taken = 0;
        for key in self.state.range(from, until) {
            let key = key?.to_vec();
            if taken >= limit {
                // What the overlay holds beyond is left for the next page.
                found.split_off(&key);
                break;
            }
            if let std::collections::btree_map::Entry::Vacant(place) = found.entry(key) {
                let value = self.state.get(place.key())?;
                taken += usize::from(value.is_some());
                place.insert(value.map(Into::into));
            }
        }
        let found = found.into_iter();
        let found = found.filter_map(|(key, value)| Some((key, value?)));
        Ok(found.take(limit).collect())
    }

    pub(super) fn executed_workflows(
        &self,
        after: Option<(String, String)>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Error> {
        let (mut from, until) = keys::workflow_indexes();
        if let Some((namespace, workflow)) = &after {
            from = keys::behind_text(keys::workflow_index(namespace, workflow));
        }
        let _still = self.state.reading();
        let mut names = self.pending_workflows()?;
        names.retain(|name| after.as_ref().is_none_or(|after| name > after));
        for _ in 0..limit {
            let Some(key) = self.state.range(from, until.clone()).next() else {
                break;
            };
            let Some((namespace, workflow)) = keys::two_texts(&key?) else {
                break;
            };
            from = keys::behind_text(keys::workflow_index(&namespace, &workflow));
            names.insert((namespace, workflow));
        }
        Ok(names.into_iter().take(limit).collect())
    }

    /// The workflows of the executions that the overlay knows.
    fn pending_workflows(&self) -> Result<BTreeSet<(String, String)>, Error> {
        let overlay = self.overlay();
        let pending = overlay.layers().flat_map(|layer| layer.executions.values());
        let summaries = pending.filter_map(|pending| pending.summary.as_ref());
        let names = summaries.map(|summary| {
            let outline = Outline::of(summary)?;
            Ok((outline.namespace, outline.workflow))
        });
        names.collect()
    }
}
