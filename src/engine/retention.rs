//! How long ended executions and request ids are kept: what was said about it, and the pass
//! that removes what is over, in the background and a bounded number at a time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::join_all;
use prost_types::Timestamp;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Error, Handle, clock, handle::blocking, shard::Message};
use crate::{
    core::time::{Time, span},
    proto::{Execution, ExecutionFilter, Retention, execution::State},
    store::{self, Store, Write},
};

/// How often what is over is looked for.
const PASS_INTERVAL: Duration = Duration::from_secs(60);
/// Request ids and outputs kept for others are looked through in every one of this many passes.
const PASSES_PER_REQUESTS: u32 = 60;
/// The most rules of all namespaces.
const RULES_MAX: usize = 10_000;
/// How many executions, workflows or request ids are read at once.
const READ_MAX: usize = 1000;
/// How many executions are being removed at once.
const REMOVED_AT_ONCE_MAX: usize = 256;
/// The most executions of one workflow that one pass removes.
const REMOVED_PER_PASS_MAX: usize = 1_000_000;

/// Records of a kind by key, or why they cannot be read.
type Records<K, R> = Result<Vec<(K, R)>, store::Error>;

/// What a pass removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Executions, with their events.
    pub executions: u64,
    /// Request ids.
    pub request_ids: u64,
    /// Outputs of steps that were kept for others.
    pub outputs: u64,
}

/// The rules in force: the workflow's own, else its namespace's, else the server's.
#[derive(Debug)]
struct Rules {
    said: BTreeMap<(String, String), Retention>,
    server: Retention,
}

impl Rules {
    fn of(&self, namespace: &str, workflow: &str) -> &Retention {
        let said = |workflow: &str| self.said.get(&(namespace.to_owned(), workflow.to_owned()));
        said(workflow).or_else(|| said("")).unwrap_or(&self.server)
    }
}

impl Handle {
    /// Says how long ended executions are kept; durable when it returns.
    ///
    /// # Errors
    /// `Exhausted` when there are too many rules; `Unavailable`.
    pub async fn set_retention(&self, retention: Retention) -> Result<Retention, Error> {
        let _alone = self.inner.retention.lock().await;
        let rules = self.rules().await?;
        let name = (retention.namespace.clone(), retention.workflow.clone());
        if rules.said.len() >= RULES_MAX && !rules.said.contains_key(&name) {
            return Err(Error::Exhausted {
                subject: "retention".into(),
                message: format!("there are {RULES_MAX} retention rules, which is the limit"),
                retry_after: None,
            });
        }
        let retention = Retention {
            update_time: Some(clock::now().into()),
            ..retention
        };
        let write = Write::PutRetention {
            retention: Box::new(retention.clone()),
        };
        self.commit(vec![write]).await?;
        Ok(retention)
    }

    /// What was said for a namespace and its workflows, in order, and the server's default.
    ///
    /// # Errors
    /// `DataLoss`.
    pub async fn retention(&self, namespace: &str) -> Result<(Vec<Retention>, Retention), Error> {
        let rules = self.rules().await?;
        let said = rules.said.into_values();
        let said = said.filter(|rule| rule.namespace == namespace).collect();
        Ok((said, rules.server))
    }

    /// Takes back what was said; false when there was nothing.
    ///
    /// # Errors
    /// `DataLoss`, `Unavailable`.
    pub async fn delete_retention(&self, namespace: &str, workflow: &str) -> Result<bool, Error> {
        let _alone = self.inner.retention.lock().await;
        let name = (namespace.to_owned(), workflow.to_owned());
        if !self.rules().await?.said.contains_key(&name) {
            return Ok(false);
        }
        let (namespace, workflow) = name;
        let write = Write::DeleteRetention {
            namespace,
            workflow,
        };
        self.commit(vec![write]).await?;
        Ok(true)
    }

    /// Removes what is over now; durable when it returns.
    ///
    /// # Errors
    /// `DataLoss`, `Unavailable`.
    pub async fn apply_retention(&self) -> Result<Removed, Error> {
        self.remove_over(clock::now(), true).await
    }

    /// Removes what is over at `now`, one pass at a time.
    async fn remove_over(&self, now: Time, requests: bool) -> Result<Removed, Error> {
        let _alone = self.inner.retention_pass.lock().await;
        let mut removed = Removed::default();
        let rules = self.rules().await?;
        let mut after = None;
        loop {
            let store = Arc::clone(&self.inner.parts.store);
            let from = after.take();
            let names = blocking(move || Ok(store.executed_workflows(from, READ_MAX)?)).await?;
            for (namespace, workflow) in &names {
                let rule = rules.of(namespace, workflow);
                removed.executions += self.remove_of(namespace, workflow, rule, now).await?;
            }
            match names.into_iter().nth(READ_MAX - 1) {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        if requests {
            removed.request_ids = self.remove_requests(now).await?;
            removed.outputs = self.remove_outputs(now).await?;
        }
        if removed != Removed::default() {
            let Removed {
                executions,
                request_ids,
                outputs,
            } = removed;
            tracing::info!(
                executions,
                request_ids,
                outputs,
                "removed what is kept no longer"
            );
        }
        Ok(removed)
    }

    async fn remove_of(
        &self,
        namespace: &str,
        workflow: &str,
        rule: &Retention,
        now: Time,
    ) -> Result<u64, Error> {
        if rule.max_age.is_none() && rule.max_count == 0 {
            return Ok(0);
        }
        let store = Arc::clone(&self.inner.parts.store);
        let (space, name, rule) = (namespace.to_owned(), workflow.to_owned(), rule.clone());
        let over = blocking(move || over(store.as_ref(), &space, &name, &rule, now)).await?;
        let mut removed = 0;
        for together in over.chunks(REMOVED_AT_ONCE_MAX) {
            let removals = together.iter().map(|id| self.remove(*id));
            for done in join_all(removals).await {
                match done {
                    Ok(()) => removed += 1,
                    // Removed or begun anew meanwhile.
                    Err(Error::NotFound { .. } | Error::State { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        if removed > 0 {
            tracing::info!(
                namespace,
                workflow,
                executions = removed,
                "removed executions"
            );
        }
        Ok(removed)
    }

    async fn remove(&self, id: Uuid) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.send(id, Message::Delete { id, reply })?;
        answer.await.map_err(|_| Error::Unavailable)?
    }

    async fn remove_requests(&self, now: Time) -> Result<u64, Error> {
        let age_max = self.limits().request_id_timeout;
        self.remove_records(
            |store, after| store.requests(after, READ_MAX),
            |(namespace, request_id), record| {
                let over = Time::from(record.create_time).after(age_max) <= now;
                over.then(|| Write::DeleteRequest {
                    namespace: namespace.clone(),
                    request_id: request_id.clone(),
                })
            },
        )
        .await
    }

    async fn remove_outputs(&self, now: Time) -> Result<u64, Error> {
        self.remove_records(
            |store, after| store.outputs(after, READ_MAX),
            |key, record| {
                let over = Time::from(record.expire_time) <= now;
                over.then_some(Write::DeleteOutput { key: *key })
            },
        )
        .await
    }

    /// Goes through all records of a kind, page by page, and removes those that are over: how
    /// many. `read` gives the `READ_MAX` records behind a key.
    async fn remove_records<K: Send + 'static, R: Send + 'static>(
        &self,
        read: fn(&dyn Store, Option<K>) -> Records<K, R>,
        removal: impl Fn(&K, &R) -> Option<Write>,
    ) -> Result<u64, Error> {
        let (mut after, mut removed) = (None, 0);
        loop {
            let store = Arc::clone(&self.inner.parts.store);
            let from = after.take();
            let records = blocking(move || Ok(read(store.as_ref(), from)?)).await?;
            let over = records.iter();
            let writes: Vec<_> = over.filter_map(|(key, r)| removal(key, r)).collect();
            if !writes.is_empty() {
                removed += writes.len() as u64;
                self.commit(writes).await?;
            }
            match records.into_iter().nth(READ_MAX - 1) {
                Some((last, _)) => after = Some(last),
                None => return Ok(removed),
            }
        }
    }

    async fn rules(&self) -> Result<Rules, Error> {
        let store = Arc::clone(&self.inner.parts.store);
        let said = blocking(move || Ok(store.retentions()?)).await?;
        let said = said.into_iter().map(|rule| {
            let name = (rule.namespace.clone(), rule.workflow.clone());
            (name, rule)
        });
        Ok(Rules {
            said: said.collect(),
            server: self.inner.retention_default.clone(),
        })
    }
}

/// Removes what is over from time to time, until the engine stops.
pub(super) async fn run(handle: Handle) {
    let mut passes = tokio::time::interval(PASS_INTERVAL);
    passes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for pass in 0_u32.. {
        passes.tick().await;
        let requests = pass % PASSES_PER_REQUESTS == 0;
        match handle.remove_over(clock::now(), requests).await {
            Ok(_) => {}
            Err(Error::Unavailable) => return,
            Err(error) => tracing::error!(%error, "what is kept no longer could not be removed"),
        }
    }
}

/// The ended executions of a workflow that are over, the oldest first.
fn over(
    store: &dyn Store,
    namespace: &str,
    workflow: &str,
    rule: &Retention,
    now: Time,
) -> Result<Vec<Uuid>, Error> {
    let age_max = rule.max_age.as_ref().and_then(span);
    let mut filter = ExecutionFilter {
        workflow: workflow.to_owned(),
        states: ENDED.map(i32::from).to_vec(),
        ..ExecutionFilter::default()
    };
    if rule.max_count == 0 {
        // What was created later has not ended earlier.
        filter.create_time_until = age_max.map(|age| before(now, age));
    }
    let (mut over, mut kept, mut cursor) = (Vec::new(), 0, None);
    loop {
        let page = store.executions(namespace, &filter, cursor, READ_MAX)?;
        for execution in &page.items {
            let too_old = age_max.is_some_and(|age| is_over(execution, age, now));
            let too_many = rule.max_count > 0 && kept >= rule.max_count;
            if !(too_old || too_many) {
                kept += 1;
            } else if let Ok(id) = execution.execution_id.parse() {
                over.push(id);
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    over.reverse();
    over.truncate(REMOVED_PER_PASS_MAX);
    Ok(over)
}

const ENDED: [State; 4] = [
    State::Completed,
    State::Failed,
    State::Cancelled,
    State::TimedOut,
];

fn is_over(execution: &Execution, age_max: Duration, now: Time) -> bool {
    let end = execution.end_time.map(Time::from);
    end.is_some_and(|end| end.after(age_max) <= now)
}

/// The instant that was `age` ago, and the next one: bounds are exclusive.
fn before(now: Time, age: Duration) -> Timestamp {
    let age = i64::try_from(age.as_nanos()).unwrap_or(i64::MAX);
    Time::from_nanos(now.as_nanos().saturating_sub(age).saturating_add(1)).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use uuid::Builder;

    use super::*;
    use crate::store::memory::Memory;

    const DAY: i64 = 86_400;

    fn id(n: i64) -> Uuid {
        let bytes = [u8::try_from(n).unwrap(); 10];
        Builder::from_unix_timestamp_millis(u64::try_from(n * DAY).unwrap() * 1000, &bytes)
            .into_uuid()
    }

    fn day(n: i64) -> Timestamp {
        Timestamp {
            seconds: n * DAY,
            nanos: 0,
        }
    }

    /// Execution `n` was created on day `n` and ended a day later, or is open.
    fn executions(ended: &[i64], open: &[i64]) -> Memory {
        let store = Memory::new();
        let of = |n: i64, ended: bool| Write::Append {
            id: id(n),
            events: vec![crate::proto::Event {
                execution_id: id(n).to_string(),
                sequence: 1,
                ..Default::default()
            }],
            summary: Some(Box::new(Execution {
                execution_id: id(n).to_string(),
                namespace: "default".into(),
                workflow: "order".into(),
                state: if ended { State::Failed } else { State::Running }.into(),
                create_time: Some(day(n)),
                end_time: ended.then(|| day(n + 1)),
                ..Execution::default()
            })),
        };
        let ended = ended.iter().map(|n| of(*n, true));
        store
            .commit(ended.chain(open.iter().map(|n| of(*n, false))).collect())
            .unwrap();
        store
    }

    fn rule(days: Option<i64>, max_count: u64) -> Retention {
        Retention {
            max_age: days.map(|days| prost_types::Duration {
                seconds: days * DAY,
                nanos: 0,
            }),
            max_count,
            ..Retention::default()
        }
    }

    fn found(store: &Memory, rule: &Retention, today: i64) -> Vec<Uuid> {
        over(store, "default", "order", rule, Time::from(day(today))).unwrap()
    }

    #[test]
    fn what_ended_long_ago_goes_the_oldest_first_and_open_ones_stay() {
        let store = executions(&[1, 2, 4, 5], &[3]);
        assert_eq!(found(&store, &rule(Some(10), 0), 13), [id(1), id(2)]);
        assert!(found(&store, &rule(Some(10), 0), 11).is_empty());
        assert!(found(&store, &rule(None, 0), 99).is_empty());
    }

    #[test]
    fn of_too_many_the_newest_stay() {
        let store = executions(&[1, 2, 4, 5], &[3, 6]);
        assert_eq!(found(&store, &rule(None, 2), 7), [id(1), id(2)]);
        assert!(found(&store, &rule(None, 4), 7).is_empty());
        assert_eq!(
            found(&store, &rule(Some(2), 3), 7),
            [id(1), id(2), id(4)],
            "either is enough"
        );
    }

    #[test]
    fn the_workflows_rule_beats_the_namespaces_which_beats_the_servers() {
        let named = |namespace: &str, workflow: &str, count| Retention {
            namespace: namespace.into(),
            workflow: workflow.into(),
            ..rule(None, count)
        };
        let said = [named("a", "", 1), named("a", "order", 0)];
        let rules = Rules {
            said: said
                .map(|rule| ((rule.namespace.clone(), rule.workflow.clone()), rule))
                .into(),
            server: named("", "", 9),
        };
        assert_eq!(rules.of("a", "order").max_count, 0);
        assert_eq!(rules.of("a", "other").max_count, 1);
        assert_eq!(rules.of("b", "order").max_count, 9);
    }
}
