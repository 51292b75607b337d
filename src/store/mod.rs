//! What is kept: a small, domain-level trait and its implementations. Knows nothing of who
//! calls it; the engine's commit thread is the only writer.

use prost_types::Timestamp;
use uuid::Uuid;

use crate::{
    core::{decide::CacheKey, execution::Standing},
    proto::{Agent, Event, Execution, ExecutionFilter, Retention, WorkflowVersion},
};

pub mod audit;
mod check;
#[cfg(test)]
pub(crate) mod conformance;
mod error;
mod filter;
pub mod memory;
pub mod sled;
mod staged;
mod upkeep;

pub use audit::{Broken, Link, Verification};
pub use error::Error;
pub use filter::passes;
pub use staged::{Attempt, Staged};
pub use upkeep::{Compacted, Pressure, Snapshot};

/// Keeps definitions, agents, executions and their events.
///
/// All methods block and may be called from any thread. Reads see every group whose commit
/// has returned.
///
/// A commit has two halves. `stage` does what needs no order: it encodes writes and makes
/// durable what lies beside the journal; any number of threads do, also while a commit is
/// being synced. `commit_staged` puts what is staged into one order and makes it durable; only
/// then does a read see any of it.
pub trait Store: Send + Sync + 'static {
    /// Makes writes ready to be committed, all or none. May take long where they are large.
    ///
    /// # Errors
    /// `Error::Inconsistent` when they contradict each other and `Error::TooLarge`, of which
    /// nothing is written; `Error::Io` or `Error::Damaged`, as for a commit.
    fn stage(&self, writes: Vec<Write>) -> Result<Staged, Error>;

    /// As `stage`, but gives the writes back when files must be written for them.
    ///
    /// # Errors
    /// As `stage`.
    fn stage_at_once(&self, writes: Vec<Write>) -> Result<Attempt, Error> {
        self.stage(writes).map(Attempt::Staged)
    }

    /// Makes what is staged durable as one group, all or none, in order; durable when it
    /// returns.
    ///
    /// # Errors
    /// `Error::Inconsistent` when it does not follow from what is kept and `Error::TooLarge`,
    /// of which nothing is written; `Error::Io` or `Error::Damaged`: the store is then unusable
    /// and every further commit fails; the process must stop.
    fn commit_staged(&self, group: Vec<Staged>) -> Result<(), Error>;

    /// Stages writes and commits them as a group of their own.
    ///
    /// # Errors
    /// Those of both.
    fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        let staged = self.stage(writes)?;
        self.commit_staged(vec![staged])
    }

    /// Events of an execution with a sequence greater than `after`, in order, at most `limit`.
    fn events(&self, id: Uuid, after: u64, limit: usize) -> Result<Vec<Event>, Error>;

    /// As `events`, but no further event once those given have more than `bytes_max` bytes of
    /// payloads that are kept apart. There may be more behind `next`.
    fn events_within(
        &self,
        id: Uuid,
        after: u64,
        limit: usize,
        _bytes_max: u64,
    ) -> Result<Page<Event, u64>, Error> {
        let items = self.events(id, after, limit)?;
        let last = items.last().map(|event| event.sequence);
        let next = last.filter(|_| items.len() == limit);
        Ok(Page { items, next })
    }

    /// The last summary written for an execution.
    fn execution(&self, id: Uuid) -> Result<Option<Execution>, Error>;

    /// Summaries of a namespace that pass the filter, the newest first, after `cursor`.
    fn executions(
        &self,
        namespace: &str,
        filter: &ExecutionFilter,
        cursor: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Execution, Uuid>, Error>;

    /// Executions that have not ended, with an id greater than `after`, in order of creation,
    /// at most `limit`.
    fn open_executions(&self, after: Option<Uuid>, limit: usize) -> Result<Vec<Open>, Error>;

    /// What a start under this request id gave.
    fn request(&self, namespace: &str, request_id: &str) -> Result<Option<RequestRecord>, Error>;

    /// Requests by namespace and request id, after one of them, in order.
    fn requests(
        &self,
        after: Option<RequestName>,
        limit: usize,
    ) -> Result<Vec<(RequestName, RequestRecord)>, Error>;

    /// Where the output lies that is kept under a key, expired or not.
    fn output(&self, key: &CacheKey) -> Result<Option<OutputRecord>, Error>;

    /// Where outputs lie that are kept, by key, after one of them, in order.
    fn outputs(
        &self,
        after: Option<CacheKey>,
        limit: usize,
    ) -> Result<Vec<(CacheKey, OutputRecord)>, Error>;

    /// Namespace and name of each workflow that has executions, after one of them, in order.
    fn executed_workflows(
        &self,
        after: Option<(String, String)>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Error>;

    /// All that was said about how long executions are kept, by namespace and workflow.
    fn retentions(&self) -> Result<Vec<Retention>, Error>;

    /// One version of a workflow; `None` names the newest.
    fn workflow(
        &self,
        namespace: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<WorkflowVersion>, Error>;

    /// All versions of a workflow, ascending. Empty when there is none.
    fn workflow_versions(&self, namespace: &str, name: &str)
    -> Result<Vec<WorkflowVersion>, Error>;

    /// The newest version of each workflow with a name greater than `after`, by name.
    fn workflows(
        &self,
        namespace: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<WorkflowVersion>, Error>;

    /// All agents of all namespaces: namespace and agent, in order. Read once, at start.
    fn agents(&self) -> Result<Vec<(String, Agent)>, Error>;

    /// Checks the hash chain of an execution's events, as `audit` says; `None` when there is no
    /// such execution. What is broken is told in the answer.
    ///
    /// # Errors
    /// `Error::Io`; `Error::Damaged` for what is broken outside of the execution.
    fn verify_execution(&self, id: Uuid) -> Result<Option<Verification>, Error>;

    /// Checks the chains of the executions of all namespaces with an id greater than `after`, in
    /// order, at most `limit` of them.
    ///
    /// # Errors
    /// As `verify_execution`.
    fn verify_executions(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Verification, Uuid>, Error>;

    /// Rewrites what is kept so that what was deleted takes no space any more. Blocks until
    /// that is done and durable, and may take long; commits and reads go on meanwhile. One runs
    /// at a time: another one waits.
    ///
    /// # Errors
    /// `Error::Io`, `Error::Damaged`: as for a commit, the store is then unusable.
    /// `Error::Unsupported`.
    fn compact(&self) -> Result<Compacted, Error>;

    /// Writes a whole copy of the store as it stands at one commit, checksummed, into `sink`.
    /// Blocks until that is done; commits and reads go on meanwhile.
    ///
    /// # Errors
    /// `Error::Io` of the store or of the sink, after which the copy is worth nothing and the
    /// store goes on; `Error::Damaged`; `Error::Unsupported`.
    fn snapshot(&self, sink: &mut dyn std::io::Write) -> Result<Snapshot, Error>;

    /// How full the memory is that holds what was committed and is not in its final place yet.
    /// While it is full, new executions should be refused: what was accepted is always taken.
    fn pressure(&self) -> Pressure;

    /// Calls `tell` with the reason, once, when the store fails in the background: it is then
    /// as unusable as after a failed commit.
    fn on_failure(&self, tell: Box<dyn FnOnce(String) + Send>);

    /// How much more it can keep, in bytes; `None`: no bound that it knows of.
    fn free_bytes(&self) -> Result<Option<u64>, Error>;

    /// Its name and format, for GetServerInfo.
    fn info(&self) -> Info;

    /// Brings everything to rest before the process ends. The store stays readable.
    fn close(&self) -> Result<(), Error>;
}

/// One write of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Appends events to an execution.
    Append {
        /// The execution.
        id: Uuid,
        /// Not empty; the first sequence follows the last one kept, or is 1.
        events: Vec<Event>,
        /// The execution's new summary, when what lists show has changed: always with the
        /// first event and when the state changes. Without steps, payloads and variables.
        summary: Option<Box<Execution>>,
    },
    /// Keeps where an open execution stands that only waits. Its next event makes it void; of
    /// one that has ended nothing is kept.
    Stand {
        /// The execution.
        id: Uuid,
        /// The sequence of its last event.
        sequence: u64,
        /// Where it stands since.
        standing: Standing,
        /// Its new summary, when what lists show has changed since the last one.
        summary: Option<Box<Execution>>,
    },
    /// Forgets an ended execution, its events and its summary.
    DeleteExecution {
        /// The execution.
        id: Uuid,
    },
    /// Keeps what a start under a request id gave.
    PutRequest {
        /// The namespace.
        namespace: String,
        /// The request id.
        request_id: String,
        /// What it gave.
        record: RequestRecord,
    },
    /// Forgets what a start under a request id gave.
    DeleteRequest {
        /// The namespace.
        namespace: String,
        /// The request id.
        request_id: String,
    },
    /// Keeps where the output of a step lies, for others that do the same work.
    PutOutput {
        /// What identifies the work.
        key: CacheKey,
        /// Where it lies.
        record: OutputRecord,
    },
    /// Forgets where an output lies.
    DeleteOutput {
        /// What identifies the work.
        key: CacheKey,
    },
    /// Keeps how long executions are kept, in place of what was said for the same workflow.
    PutRetention {
        /// What was said.
        retention: Box<Retention>,
    },
    /// Forgets what was said for a workflow, or for a namespace.
    DeleteRetention {
        /// The namespace.
        namespace: String,
        /// The workflow; empty for the namespace.
        workflow: String,
    },
    /// Keeps a version of a workflow.
    PutWorkflow {
        /// The namespace.
        namespace: String,
        /// The version, whole.
        workflow: Box<WorkflowVersion>,
    },
    /// Forgets one version of a workflow.
    DeleteWorkflow {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
        /// The version.
        version: u32,
    },
    /// Keeps an agent, replacing what was known of it.
    PutAgent {
        /// The namespace.
        namespace: String,
        /// The agent.
        agent: Box<Agent>,
    },
    /// Forgets an agent.
    DeleteAgent {
        /// The namespace.
        namespace: String,
        /// Its id.
        id: String,
    },
}

/// An execution that has not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    /// The execution.
    pub id: Uuid,
    /// Where it stands, when that was kept after its last event.
    pub standing: Option<Standing>,
}
/// A namespace and a request id in it.
pub type RequestName = (String, String);

/// What a start under a request id gave.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRecord {
    /// The execution started.
    pub execution_id: Uuid,
    /// A hash of the request's body, to tell another request under the same id.
    pub body_hash: u64,
    /// When it was started.
    pub create_time: Timestamp,
}

/// Where the output of a step lies.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputRecord {
    /// The execution that gave it.
    pub execution_id: Uuid,
    /// The sequence of the event that tells it.
    pub sequence: u64,
    /// From when it is not given any more.
    pub expire_time: Timestamp,
}

/// A page and where the next one begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T, C> {
    /// The items.
    pub items: Vec<T>,
    /// Give this to get the next page; `None` on the last.
    pub next: Option<C>,
}

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// `sled` or `memory`.
    pub name: &'static str,
    /// The version of its format on disk; 0 for none.
    pub format: u32,
}
