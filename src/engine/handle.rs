//! What the api asks of the engine: a cheap-to-clone handle.

use std::collections::HashMap;

use tokio::time::Instant;
use uuid::Uuid;

use super::Error;
use crate::{
    core::{limits::Limits, plan::Compiled, value::Value},
    proto::{
        Agent, Chunk, Event, Execution, ExecutionFilter, Finding, Workflow, WorkflowVersion, agent,
    },
    store::Page,
};

/// The engine, to those who call it.
#[derive(Clone)]
pub struct Handle {}

/// What to start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Start {
    /// The namespace; never empty.
    pub namespace: String,
    /// The name of a registered workflow; empty with `definition`.
    pub workflow: String,
    /// The version; 0: the newest.
    pub version: u32,
    /// A definition to run without registering it.
    pub definition: Option<Workflow>,
    /// The input; `None` is null.
    pub input: Option<Value>,
    /// Makes the start idempotent; may be empty.
    pub request_id: String,
    /// Labels for the execution.
    pub labels: HashMap<String, String>,
}

/// A registered workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    /// Its version.
    pub version: u32,
    /// False when this content was registered before.
    pub created: bool,
    /// What is likely not meant.
    pub warnings: Vec<Finding>,
}

/// What a watch gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Watched {
    /// The next event.
    Event(Box<Event>),
    /// Provisional output.
    Chunk(Chunk),
}

/// A watch of one execution.
pub struct Watch {}

impl Watch {
    /// The next item; `None` after the execution's last event. Cancel safe.
    ///
    /// # Errors
    /// `DataLoss`, `NotFound` (deleted meanwhile), `Unavailable` (shutting down).
    pub async fn next(&mut self) -> Option<Result<Watched, Error>> {
        unimplemented!()
    }
}

/// A watch of the executions of a namespace.
pub struct WatchAll {}

impl WatchAll {
    /// The next execution that changed, without steps and payloads. Cancel safe.
    ///
    /// # Errors
    /// `DataLoss`, `Unavailable` (shutting down).
    pub async fn next(&mut self) -> Option<Result<Execution, Error>> {
        unimplemented!()
    }
}

impl Handle {
    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        unimplemented!()
    }

    /// Starts an execution; durable when it returns.
    pub async fn start(&self, _start: Start) -> Result<Uuid, Error> {
        unimplemented!()
    }

    /// An execution as it stands, with steps and payloads.
    pub async fn execution(&self, _namespace: &str, _id: Uuid) -> Result<Execution, Error> {
        unimplemented!()
    }

    /// The execution once it has ended, or as it stands at `until`.
    pub async fn ended(
        &self,
        _namespace: &str,
        _id: Uuid,
        _until: Option<Instant>,
    ) -> Result<Execution, Error> {
        unimplemented!()
    }

    /// Executions that pass the filter, the newest first.
    pub async fn executions(
        &self,
        _namespace: &str,
        _filter: ExecutionFilter,
        _cursor: Option<Uuid>,
        _limit: usize,
    ) -> Result<Page<Execution, Uuid>, Error> {
        unimplemented!()
    }

    /// Events with a sequence greater than `after`, at most `limit`.
    pub async fn events(
        &self,
        _namespace: &str,
        _id: Uuid,
        _after: u64,
        _limit: usize,
    ) -> Result<Vec<Event>, Error> {
        unimplemented!()
    }

    /// Follows an execution from after a sequence.
    pub async fn watch(&self, _namespace: &str, _id: Uuid, _after: u64) -> Result<Watch, Error> {
        unimplemented!()
    }

    /// Follows the executions of a namespace, those that match now first.
    pub async fn watch_all(
        &self,
        _namespace: &str,
        _filter: ExecutionFilter,
    ) -> Result<WatchAll, Error> {
        unimplemented!()
    }

    /// Asks an execution to end.
    pub async fn cancel(
        &self,
        _namespace: &str,
        _id: Uuid,
        _reason: String,
    ) -> Result<Execution, Error> {
        unimplemented!()
    }

    /// Ends an execution now.
    pub async fn terminate(
        &self,
        _namespace: &str,
        _id: Uuid,
        _reason: String,
    ) -> Result<Execution, Error> {
        unimplemented!()
    }

    /// Forgets an ended execution.
    pub async fn delete(&self, _namespace: &str, _id: Uuid) -> Result<(), Error> {
        unimplemented!()
    }

    /// Registers a definition.
    pub async fn register_workflow(
        &self,
        _namespace: &str,
        _workflow: Workflow,
    ) -> Result<Registered, Error> {
        unimplemented!()
    }

    /// Compiles a definition without registering it.
    pub fn validate(&self, _workflow: &Workflow) -> Result<Compiled, Vec<Finding>> {
        unimplemented!()
    }

    /// One version of a workflow; `None`: the newest.
    pub async fn workflow(
        &self,
        _namespace: &str,
        _name: &str,
        _version: Option<u32>,
    ) -> Result<WorkflowVersion, Error> {
        unimplemented!()
    }

    /// All versions of a workflow, ascending; `NotFound` when there is none.
    pub async fn workflow_versions(
        &self,
        _namespace: &str,
        _name: &str,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        unimplemented!()
    }

    /// The newest version of each workflow with a name greater than `after`.
    pub async fn workflows(
        &self,
        _namespace: &str,
        _after: &str,
        _limit: usize,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        unimplemented!()
    }

    /// Forgets one version (`None`: all) unless an open execution is pinned to it; how many.
    pub async fn delete_workflow(
        &self,
        _namespace: &str,
        _name: &str,
        _version: Option<u32>,
    ) -> Result<u32, Error> {
        unimplemented!()
    }

    /// Keeps an agent (already checked) and makes it known to the hub; true when it is new.
    /// `create_time` and, for a known one, `state` stay as they were.
    pub async fn register_agent(&self, _namespace: &str, _agent: Agent) -> Result<bool, Error> {
        unimplemented!()
    }

    /// Forgets an agent.
    pub async fn deregister_agent(&self, _namespace: &str, _id: &str) -> Result<(), Error> {
        unimplemented!()
    }

    /// Says whether an agent is given tasks.
    pub async fn set_agent_state(
        &self,
        _namespace: &str,
        _id: &str,
        _state: agent::State,
    ) -> Result<(), Error> {
        unimplemented!()
    }
}
