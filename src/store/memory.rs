//! A store that keeps everything in memory, for tests and simulation: the plainest reading of
//! the contract. What it was told is lost with it.

mod kept;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{RwLock, RwLockReadGuard},
};

use uuid::Uuid;

use self::kept::Kept;
use super::{
    Compacted, Error, Info, Open, OutputRecord, Page, Pressure, RequestName, RequestRecord,
    Snapshot, Staged, Store, Verification, Write, check, filter,
};
use crate::{
    core::decide::CacheKey,
    proto::{Agent, Event, Execution, ExecutionFilter, Retention, WorkflowVersion},
};

const NAME: &str = "memory";

/// Keeps everything in memory. A commit is durable only as long as the value lives.
#[derive(Debug, Default)]
pub struct Memory {
    kept: RwLock<Kept>,
}

/// Writes that are staged.
struct Part {
    claims: Vec<check::Claim>,
    writes: Vec<Write>,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().expect("no change panics half-way")
    }
}

impl Store for Memory {
    fn stage(&self, writes: Vec<Write>) -> Result<Staged, Error> {
        let claims = check::claims(&writes)?;
        Ok(Staged::new(writes.len(), 0, Part { claims, writes }))
    }

    fn commit_staged(&self, group: Vec<Staged>) -> Result<(), Error> {
        let parts = group.into_iter().map(Staged::content::<Part>);
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let mut kept = self.kept.write().expect("no change panics half-way");
        let claims = parts.iter().flat_map(|part| &part.claims);
        check::follow(claims, |id| Ok(kept.last_sequence(id)))?;
        for write in parts.into_iter().flat_map(|part| part.writes) {
            kept.apply(write);
        }
        Ok(())
    }

    fn events(&self, id: Uuid, after: u64, limit: usize) -> Result<Vec<Event>, Error> {
        let kept = self.kept();
        let Some(run) = kept.executions.get(&id) else {
            return Ok(Vec::new());
        };
        // Sequences begin at 1 and have no gaps, so `after` is also how many to skip.
        let skip = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(run.events.iter().skip(skip).take(limit).cloned().collect())
    }

    fn execution(&self, id: Uuid) -> Result<Option<Execution>, Error> {
        let kept = self.kept();
        Ok(kept.executions.get(&id).map(|run| run.summary.clone()))
    }

    fn executions(
        &self,
        namespace: &str,
        filter: &ExecutionFilter,
        cursor: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Execution, Uuid>, Error> {
        let kept = self.kept();
        let until = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let mut fitting = kept
            .executions
            .range((Bound::Unbounded, until))
            .rev()
            .filter(|(_, run)| {
                run.summary.namespace == namespace && filter::passes(filter, &run.summary)
            });
        let page: Vec<_> = fitting.by_ref().take(limit).collect();
        let next = match page.last() {
            Some((id, _)) if fitting.next().is_some() => Some(**id),
            _ => None,
        };
        Ok(Page {
            items: page
                .into_iter()
                .map(|(_, run)| run.summary.clone())
                .collect(),
            next,
        })
    }

    fn open_executions(&self, after: Option<Uuid>, limit: usize) -> Result<Vec<Open>, Error> {
        let kept = self.kept();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let open = kept
            .executions
            .range((from, Bound::Unbounded))
            .filter(|(_, run)| !filter::has_ended(&run.summary))
            .map(|(id, run)| Open {
                id: *id,
                standing: run.standing.clone(),
            });
        Ok(open.take(limit).collect())
    }

    fn request(&self, namespace: &str, request_id: &str) -> Result<Option<RequestRecord>, Error> {
        let key = (namespace.to_owned(), request_id.to_owned());
        Ok(self.kept().requests.get(&key).cloned())
    }

    fn output(&self, key: &CacheKey) -> Result<Option<OutputRecord>, Error> {
        Ok(self.kept().outputs.get(key).cloned())
    }

    fn outputs(
        &self,
        after: Option<CacheKey>,
        limit: usize,
    ) -> Result<Vec<(CacheKey, OutputRecord)>, Error> {
        let kept = self.kept();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let found = kept.outputs.range((from, Bound::Unbounded)).take(limit);
        Ok(found.map(|(key, record)| (*key, record.clone())).collect())
    }

    fn requests(
        &self,
        after: Option<RequestName>,
        limit: usize,
    ) -> Result<Vec<(RequestName, RequestRecord)>, Error> {
        let kept = self.kept();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let found = kept.requests.range((from, Bound::Unbounded)).take(limit);
        Ok(found
            .map(|(name, record)| (name.clone(), record.clone()))
            .collect())
    }

    fn executed_workflows(
        &self,
        after: Option<(String, String)>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Error> {
        let kept = self.kept();
        let runs = kept.executions.values();
        let names: BTreeSet<_> = runs
            .map(|run| (run.summary.namespace.clone(), run.summary.workflow.clone()))
            .filter(|name| after.as_ref().is_none_or(|after| name > after))
            .collect();
        Ok(names.into_iter().take(limit).collect())
    }

    fn retentions(&self) -> Result<Vec<Retention>, Error> {
        Ok(self.kept().retentions.values().cloned().collect())
    }

    fn workflow(
        &self,
        namespace: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<WorkflowVersion>, Error> {
        let kept = self.kept();
        let versions = kept.versions(namespace, name);
        Ok(match version {
            Some(version) => versions.into_iter().find(|w| w.version == version),
            None => versions.into_iter().last(),
        }
        .cloned())
    }

    fn workflow_versions(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        let kept = self.kept();
        Ok(kept
            .versions(namespace, name)
            .into_iter()
            .cloned()
            .collect())
    }

    fn workflows(
        &self,
        namespace: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        let kept = self.kept();
        let mut newest: BTreeMap<&str, &WorkflowVersion> = BTreeMap::new();
        for ((of, name, _), workflow) in &kept.workflows {
            if of == namespace && name.as_str() > after {
                newest.insert(name, workflow);
            }
        }
        Ok(newest.into_values().take(limit).cloned().collect())
    }

    fn agents(&self) -> Result<Vec<(String, Agent)>, Error> {
        let kept = self.kept();
        let agents = kept.agents.iter();
        Ok(agents
            .map(|((namespace, _), agent)| (namespace.clone(), agent.clone()))
            .collect())
    }

    fn verify_execution(&self, id: Uuid) -> Result<Option<Verification>, Error> {
        let kept = self.kept();
        Ok(kept.executions.get(&id).map(|run| run.verify(id)))
    }

    fn verify_executions(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Verification, Uuid>, Error> {
        let kept = self.kept();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = kept.executions.range((from, Bound::Unbounded));
        let runs = rest.by_ref().take(limit);
        let items: Vec<_> = runs.map(|(id, run)| run.verify(*id)).collect();
        let more = rest.next().is_some();
        let next = items.last().filter(|_| more).map(|last| last.id);
        Ok(Page { items, next })
    }

    fn compact(&self) -> Result<Compacted, Error> {
        Err(Error::Unsupported(NAME))
    }

    fn snapshot(&self, _sink: &mut dyn std::io::Write) -> Result<Snapshot, Error> {
        Err(Error::Unsupported(NAME))
    }

    fn pressure(&self) -> Pressure {
        Pressure::default()
    }

    fn on_failure(&self, _tell: Box<dyn FnOnce(String) + Send>) {}

    fn free_bytes(&self) -> Result<Option<u64>, Error> {
        Ok(None)
    }

    fn info(&self) -> Info {
        Info {
            name: NAME,
            format: 0,
        }
    }

    fn close(&self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::{Subject, suite};

    impl Subject for Memory {
        fn new() -> Self {
            Self::default()
        }

        fn store(&self) -> &dyn Store {
            self
        }

        fn reopened(self) -> Self {
            self
        }
    }

    suite!(Memory);
}
