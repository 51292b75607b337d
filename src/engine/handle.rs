//! What the api asks of the engine about executions: a cheap-to-clone handle.

use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::{RwLock, Semaphore, oneshot};
use uuid::Uuid;

use super::{
    Error, Watch, WatchAll,
    admission::Admission,
    clock,
    recovery::not_found,
    shard::{self, Mailbox, Message, Parts},
    start::shard_of,
};
use crate::{
    core::{
        decide::Command,
        execution::{Listed, Query, into_view, list, tell_time},
        limits::Limits,
        plan::{self, Compiled},
        value::Struct,
    },
    proto::{Chunk, Event, Execution, ExecutionFilter, Finding, Retention, Workflow},
    store::Page,
};

/// The most starts that wait for their answer at once; more wait for room.
const STARTS_IN_FLIGHT_MAX: usize = 10_000;
/// The most bytes of inputs of starts that wait for their answer, in KiB; more wait for room.
pub(super) const STARTS_IN_FLIGHT_KIB_MAX: u32 = 256 << 10;

/// The engine, to those who call it.
#[derive(Clone)]
pub struct Handle {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub parts: Parts,
    pub shards: Vec<Mailbox>,
    /// Where starts wait while the store falls behind.
    pub admission: Admission,
    pub starts: Arc<Semaphore>,
    /// In KiB of their inputs.
    pub starts_kib: Arc<Semaphore>,
    /// Held shared by starts, alone by what changes definitions: no start takes up a version
    /// that is being deleted, no two registrations take the same number.
    pub definitions: Arc<RwLock<()>>,
    /// Held by what changes agents.
    pub agents: tokio::sync::Mutex<()>,
    /// Held by what changes how long executions are kept.
    pub retention: tokio::sync::Mutex<()>,
    /// Held by who removes what is kept no longer.
    pub retention_pass: tokio::sync::Mutex<()>,
    /// How long ended executions are kept where nothing else is said.
    pub retention_default: Retention,
    /// Held while a backup is made.
    pub backup: Arc<tokio::sync::Mutex<()>>,
}

/// A registered workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    /// Its version.
    pub version: u32,
    /// False when this content was registered before.
    pub created: bool,
}

impl Handle {
    pub(super) fn new(parts: Parts, shards: Vec<Mailbox>, retention_default: Retention) -> Self {
        Self {
            inner: Arc::new(Inner {
                parts,
                shards,
                admission: Admission::default(),
                starts: Arc::new(Semaphore::new(STARTS_IN_FLIGHT_MAX)),
                starts_kib: Arc::new(Semaphore::new(STARTS_IN_FLIGHT_KIB_MAX as usize)),
                definitions: Arc::default(),
                agents: tokio::sync::Mutex::new(()),
                retention: tokio::sync::Mutex::new(()),
                retention_pass: tokio::sync::Mutex::new(()),
                retention_default,
                backup: Arc::default(),
            }),
        }
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.inner.parts.limits
    }

    /// Compiles a definition without registering it.
    ///
    /// # Errors
    /// Every finding, warnings too.
    pub fn validate(&self, workflow: &Workflow) -> Result<Compiled, Vec<Finding>> {
        plan::compile(workflow, self.limits())
    }

    /// An execution as it stands, with steps and payloads.
    ///
    /// # Errors
    /// `NotFound`, `DataLoss`, `Unavailable`.
    pub async fn execution(&self, namespace: &str, id: Uuid) -> Result<Execution, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(id, Message::View { id, reply })?;
        let live = answer.await.map_err(|_| Error::Unavailable)?;
        let found = match live {
            Some(view) => view,
            None => {
                let parts = self.inner.parts.clone();
                blocking(move || {
                    let most = parts.limits.execution_steps_shown_max;
                    let execution = shard::read(&parts, id)?;
                    let waiting_for = parts.waiting_for(id);
                    Ok(into_view(execution, clock::now(), most, &waiting_for))
                })
                .await?
            }
        };
        in_namespace(namespace, id, found)
    }

    /// Steps of an execution as it stands.
    ///
    /// # Errors
    /// As `execution`.
    pub async fn steps(&self, namespace: &str, id: Uuid, query: Query) -> Result<Listed, Error> {
        self.summary(namespace, id).await?;
        let (reply, answer) = oneshot::channel();
        let asked = Box::new(query.clone());
        self.send(
            id,
            Message::Steps {
                id,
                query: asked,
                reply,
            },
        )?;
        if let Some(listed) = answer.await.map_err(|_| Error::Unavailable)? {
            return Ok(listed);
        }
        let parts = self.inner.parts.clone();
        blocking(move || {
            let execution = shard::read(&parts, id)?;
            let waiting_for = parts.waiting_for(id);
            Ok(list(&execution, &query, &waiting_for))
        })
        .await
    }

    /// Executions that pass the filter, the newest first.
    ///
    /// # Errors
    /// `DataLoss`.
    pub async fn executions(
        &self,
        namespace: &str,
        filter: ExecutionFilter,
        cursor: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Execution, Uuid>, Error> {
        let (store, namespace) = (Arc::clone(&self.inner.parts.store), namespace.to_owned());
        let page = blocking(move || Ok(store.executions(&namespace, &filter, cursor, limit)?));
        let mut page = page.await?;
        let open = page.items.iter_mut().filter(|e| e.end_time.is_none());
        join_all(open.map(|execution| self.bring_up_to_date(execution))).await;
        Ok(page)
    }

    /// Says how far an open execution is now: what is kept for lists tells how far it was when
    /// its state changed last. One that is in another state by now is left as it was found.
    async fn bring_up_to_date(&self, kept: &mut Execution) {
        let Ok(id) = kept.execution_id.parse() else {
            return;
        };
        let (reply, answer) = oneshot::channel();
        let now = match self.send(id, Message::Outline { id, reply }) {
            Ok(()) => answer.await.ok().flatten(),
            Err(_) => None,
        };
        match now {
            Some(now) if now.state == kept.state => *kept = now,
            Some(_) => {}
            // It is not in memory: what is kept is up to date but for the clock.
            None => tell_time(kept, clock::now()),
        }
    }

    /// Events with a sequence greater than `after`, at most `limit`, and no more once they
    /// have more than `bytes_max` bytes of large payloads.
    ///
    /// # Errors
    /// `NotFound`, `DataLoss`.
    pub async fn events(
        &self,
        namespace: &str,
        id: Uuid,
        after: u64,
        limit: usize,
        bytes_max: usize,
    ) -> Result<Page<Event, u64>, Error> {
        self.summary(namespace, id).await?;
        let store = Arc::clone(&self.inner.parts.store);
        blocking(move || Ok(store.events_within(id, after, limit, bytes_max as u64)?)).await
    }

    /// Follows an execution from after a sequence.
    ///
    /// # Errors
    /// `NotFound`, `OutOfRange`, `DataLoss`.
    pub async fn watch(&self, namespace: &str, id: Uuid, after: u64) -> Result<Watch, Error> {
        // Followed before anything is read: what becomes durable from here on is told.
        let parts = &self.inner.parts;
        let watch = Watch::new(Arc::clone(&parts.store), parts.progress.clone(), id, after);
        self.summary(namespace, id).await?;
        if after == 0 {
            return Ok(watch);
        }
        let store = Arc::clone(&parts.store);
        let known = blocking(move || Ok(store.events(id, after - 1, 1)?)).await?;
        match known.first() {
            Some(seen) => Ok(watch.seen_to(seen)),
            None => {
                let last = self.execution(namespace, id).await?.last_sequence;
                if after > last {
                    return Err(Error::OutOfRange { after, last });
                }
                Ok(watch)
            }
        }
    }

    /// Follows the executions of a namespace, those that match now first.
    ///
    /// # Errors
    /// None now; what goes wrong comes with the items.
    pub async fn watch_all(
        &self,
        namespace: &str,
        filter: ExecutionFilter,
    ) -> Result<WatchAll, Error> {
        let parts = &self.inner.parts;
        let store = Arc::clone(&parts.store);
        Ok(WatchAll::new(store, &parts.progress, namespace, filter))
    }

    /// Asks an execution to end. Idempotent while the ending is not told.
    ///
    /// # Errors
    /// `NotFound`, `State`, `Unavailable`.
    pub async fn cancel(
        &self,
        namespace: &str,
        id: Uuid,
        reason: String,
    ) -> Result<Execution, Error> {
        self.ask(namespace, id, Command::Cancel { reason }).await
    }

    /// Ends an execution now.
    ///
    /// # Errors
    /// `NotFound`, `State`, `Unavailable`.
    pub async fn terminate(
        &self,
        namespace: &str,
        id: Uuid,
        reason: String,
    ) -> Result<Execution, Error> {
        self.ask(namespace, id, Command::Terminate { reason }).await
    }

    /// Holds an execution. Idempotent.
    ///
    /// # Errors
    /// `NotFound`, `State`, `Unavailable`.
    pub async fn pause(
        &self,
        namespace: &str,
        id: Uuid,
        reason: String,
    ) -> Result<Execution, Error> {
        self.ask(namespace, id, Command::Pause { reason }).await
    }

    /// Lets an execution go on that is held, with these in `vars`.
    ///
    /// # Errors
    /// `NotFound`, `State`, `Unavailable`.
    pub async fn resume(
        &self,
        namespace: &str,
        id: Uuid,
        reason: String,
        variables: Struct,
    ) -> Result<Execution, Error> {
        let command = Command::Resume { reason, variables };
        self.ask(namespace, id, command).await
    }

    async fn ask(&self, namespace: &str, id: Uuid, command: Command) -> Result<Execution, Error> {
        self.summary(namespace, id).await?;
        self.command(id, command)?.await?;
        self.execution(namespace, id).await
    }

    /// Forgets an ended execution.
    ///
    /// # Errors
    /// `NotFound`, `State`, `Unavailable`.
    pub async fn delete(&self, namespace: &str, id: Uuid) -> Result<(), Error> {
        self.summary(namespace, id).await?;
        let (reply, answer) = oneshot::channel();
        self.send(id, Message::Delete { id, reply })?;
        answer.await.map_err(|_| Error::Unavailable)?
    }

    /// Hands provisional output to those who watch.
    pub(super) fn chunk(&self, id: Uuid, chunk: Chunk) {
        let item = super::progress::Item::Chunk(Arc::new(chunk));
        self.inner.parts.progress.tell(id, item);
    }

    /// Sends a command at once; the future ends when what follows is durable.
    pub(super) fn command(
        &self,
        id: Uuid,
        command: Command,
    ) -> Result<impl Future<Output = Result<(), Error>> + Send + use<>, Error> {
        let (reply, answer) = oneshot::channel();
        let message = Message::Command { id, command, reply };
        self.send(id, message)?;
        Ok(async move { answer.await.map_err(|_| Error::Unavailable)? })
    }

    /// What lists show of an execution.
    async fn summary(&self, namespace: &str, id: Uuid) -> Result<Execution, Error> {
        let store = Arc::clone(&self.inner.parts.store);
        let found = blocking(move || Ok(store.execution(id)?)).await?;
        in_namespace(namespace, id, found.ok_or_else(|| not_found(id))?)
    }

    pub(super) fn stop(&self) {
        self.inner.starts.close();
        self.inner.starts_kib.close();
        for shard in &self.inner.shards {
            let _ = shard.send(Message::Stop);
        }
        self.inner.parts.progress.stop();
    }

    pub(super) fn send(&self, id: Uuid, message: Message) -> Result<(), Error> {
        let shards = &self.inner.shards;
        let sent = shards[shard_of(id, shards.len())].send(message);
        sent.map_err(|_| Error::Unavailable)
    }
}

fn in_namespace(namespace: &str, id: Uuid, found: Execution) -> Result<Execution, Error> {
    if found.namespace == namespace {
        Ok(found)
    } else {
        Err(not_found(id))
    }
}

/// Runs what reads the store where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.map_err(|e| Error::Internal(e.to_string()))?
}
