//! Runs executions. Owns the shards that decide, the commit pipeline, the timers, the progress
//! hub and recovery. Called by the api through `Handle` and by the agents through `TaskSink`;
//! calls the store and the agents through their traits only.
//!
//! One way round: a command enters a shard's mailbox; the shard decides, appends the events to
//! its group and hands the group to the commit thread; when the group is durable the shard
//! releases what follows from it: dispatch, answers, progress.

mod admission;
mod children;
mod clock;
mod commit;
mod error;
mod handle;
mod lane;
mod plans;
mod progress;
mod recovery;
mod refusal;
mod release;
mod retention;
mod shard;
mod sink;
mod start;
#[cfg(test)]
mod tests;
mod upkeep;
mod watch;
mod workflows;

use std::{num::NonZeroUsize, sync::Arc};

pub use error::{Error, Violation};
pub use handle::{Handle, Registered};
pub use retention::Removed;
pub use start::Start;
use tokio::{
    sync::{mpsc, watch as cell},
    task::JoinHandle,
};
pub use upkeep::{Audit, Audited, Backup, Part, Scope};
pub use watch::{Watch, WatchAll, Watched};

use crate::{
    agents::{Dispatch, TaskSink},
    core::limits::Limits,
    proto::Retention,
    store::{self, Store},
};

/// How the engine is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many shards own executions; each is one task. Default: one a core.
    pub shards: NonZeroUsize,
    /// The bounds to keep to.
    pub limits: Limits,
    /// How long ended executions are kept where nothing else is said. Default: for ever.
    pub retention: Retention,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            shards: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            limits: Limits::default(),
            retention: Retention::default(),
        }
    }
}

/// A running engine.
pub struct Engine {
    handle: Handle,
    shards: Vec<JoinHandle<()>>,
    committer: commit::Committer,
    store: Arc<dyn Store>,
    failed: commit::Failed,
    retention: JoinHandle<()>,
}

impl Engine {
    /// Goes on with what is open in the store; much of it is taken up in the background.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn start(
        store: Arc<dyn Store>,
        dispatch: Arc<dyn Dispatch>,
        options: Options,
    ) -> Result<Self, store::Error> {
        let failed = commit::Failed::new(None);
        let stop = failed.clone();
        store.on_failure(Box::new(move |reason| {
            tracing::error!(reason, "the store failed: stopping");
            stop.send_replace(Some(reason));
        }));
        let (committer, commits) = commit::start(
            Arc::clone(&store),
            failed.clone(),
            options.limits.group_bytes_max.into(),
        );
        let progress = progress::Progress::default();
        let plans = plans::Plans::new(Arc::clone(&store));
        let parts = shard::Parts {
            store: Arc::clone(&store),
            dispatch: Arc::clone(&dispatch),
            commits: commits.clone(),
            progress: progress.clone(),
            plans: plans.clone(),
            peers: children::Peers::default(),
            limits: Arc::new(options.limits.clone()),
            open: Arc::default(),
        };
        recovery::load_agents(store.as_ref(), dispatch.as_ref())?;
        let count = options.shards.get();
        // Without a bound of their own: each call waits for the answer to its one message, a
        // worker has as many results under way as it has credits, and shards must not wait for
        // each other.
        let (mailboxes, receivers): (Vec<_>, Vec<_>) =
            (0..count).map(|_| mpsc::unbounded_channel()).unzip();
        parts.peers.connect(&mailboxes);
        let resident_max = options.limits.resident_executions_max / count;
        let shards = receivers
            .into_iter()
            .map(|messages| shard::spawn(parts.clone(), messages, resident_max, failed.clone()));
        let shards = shards.collect();
        recovery::take_up(parts.clone(), mailboxes.clone(), failed.clone()).await?;
        let handle = Handle::new(parts, mailboxes, options.retention);
        let retention = tokio::spawn(retention::run(handle.clone()));
        Ok(Self {
            retention,
            handle,
            shards,
            committer,
            store,
            failed,
        })
    }

    /// What the api asks of it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// What the agents tell it.
    pub fn sink(&self) -> Arc<dyn TaskSink> {
        Arc::new(sink::Sink::new(self.handle.clone()))
    }

    /// Becomes `Some` with the reason when the engine cannot go on, as after a failed write:
    /// the process must stop then.
    pub fn failure(&self) -> cell::Receiver<Option<String>> {
        self.failed.subscribe()
    }

    /// Stops taking commands, finishes what is being committed and closes the store.
    ///
    /// # Errors
    /// Those of closing the store.
    pub async fn shutdown(self) -> Result<(), store::Error> {
        self.retention.abort();
        self.handle.stop();
        for shard in self.shards {
            if let Err(error) = shard.await {
                tracing::error!(%error, "a shard ended badly");
            }
        }
        self.committer.join().await;
        self.store.close()
    }
}
