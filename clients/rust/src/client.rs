//! The client: a connection, its namespace, the services as generated, and the few calls
//! that take more than one of theirs.

use std::time::Duration;

use tonic::{Code, transport::Channel};

use crate::{
    Error, EventStream, Start, UpdateStream,
    endpoint::{MESSAGE_BYTES_MAX, Server},
    patience::Patience,
    proto::{
        self, agent_service_client::AgentServiceClient,
        execution_service_client::ExecutionServiceClient,
        system_service_client::SystemServiceClient, worker_service_client::WorkerServiceClient,
        workflow_service_client::WorkflowServiceClient,
    },
    watch::{self, Watch},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a server. Cheap to clone; all clones share the connection, which comes
/// back by itself after it broke.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
    namespace: String,
    patience: Duration,
}

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident: $service:ident),* $(,)?) => {
        $($(#[$doc])*
        pub fn $name(&self) -> $service<Channel> {
            $service::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
        })*
    };
}

impl Client {
    /// Connects to `address`: `host:port` or an `http://` URL.
    ///
    /// # Errors
    /// [`Error::Address`], and [`Error::Connect`] when there is no server within 5 s.
    pub async fn connect(address: &str) -> Result<Self, Error> {
        Ok(Self::over(Server::new(address)?.connect().await?))
    }

    /// A client that connects at its first call.
    ///
    /// # Errors
    /// [`Error::Address`].
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn connect_lazy(address: &str) -> Result<Self, Error> {
        Ok(Self::over(Server::new(address)?.connect_lazy()))
    }

    /// A client over a channel that was made elsewhere.
    pub fn over(channel: Channel) -> Self {
        Self {
            channel,
            namespace: String::new(),
            patience: PATIENCE,
        }
    }

    /// Uses this namespace in the calls of this type; without it, the server's default.
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Lets `run`, `start` and watches wait this long for a server out of reach; 60 s unless
    /// set. Zero means that the first such error is returned.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The namespace; empty for the server's default.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    services! {
        /// Workflow definitions, as generated.
        workflows: WorkflowServiceClient,
        /// Executions, as generated.
        executions: ExecutionServiceClient,
        /// Agents, as generated.
        agents: AgentServiceClient,
        /// Tasks and workers, as generated. [`Worker`](crate::Worker) is the easy way.
        workers: WorkerServiceClient,
        /// The server itself, as generated.
        system: SystemServiceClient,
    }

    /// Registers the definition that `source` holds: the text of a YAML or JSON file.
    ///
    /// # Errors
    /// INVALID_ARGUMENT with every finding; nothing is registered then.
    pub async fn register(&self, source: &str) -> Result<proto::RegisterWorkflowResponse, Error> {
        let request = proto::RegisterWorkflowRequest {
            namespace: self.namespace.clone(),
            source: source.to_owned(),
            ..Default::default()
        };
        Ok(self
            .workflows()
            .register_workflow(request)
            .await?
            .into_inner())
    }

    /// Starts an execution; its id comes once that is durable. Repeated while the server is
    /// out of reach; nothing is started twice.
    ///
    /// # Errors
    /// Those of StartExecution.
    pub async fn start(&self, start: Start) -> Result<String, Error> {
        let request = start.into_request(&self.namespace);
        let mut patience = Patience::new(self.patience);
        loop {
            match self.executions().start_execution(request.clone()).await {
                Ok(response) => return Ok(response.into_inner().execution_id),
                Err(status) => patience.after(status).await?,
            }
        }
    }

    /// Starts an execution and waits for its end, however long that takes and however often
    /// the connection breaks; nothing is started twice.
    ///
    /// An execution that failed is returned, not an error: see its `state` and `error`.
    ///
    /// # Errors
    /// Those of StartExecution.
    pub async fn run(&self, start: Start) -> Result<proto::Execution, Error> {
        let request = start.into_run_request(&self.namespace);
        let mut patience = Patience::new(self.patience);
        loop {
            match self.executions().run_execution(request.clone()).await {
                Ok(response) => match response.into_inner().execution {
                    Some(execution) if has_ended(&execution) => return Ok(execution),
                    Some(_) => patience.reached(),
                    None => return Err(Error::Protocol("RunExecution without execution".into())),
                },
                Err(status) if status.code() == Code::DeadlineExceeded => {}
                Err(status) => patience.after(status).await?,
            }
        }
    }

    /// Returns an execution as it stands.
    ///
    /// # Errors
    /// NOT_FOUND.
    pub async fn get(&self, execution_id: &str) -> Result<proto::Execution, Error> {
        let request = proto::GetExecutionRequest {
            namespace: self.namespace.clone(),
            execution_id: execution_id.to_owned(),
        };
        let response = self.executions().get_execution(request).await?;
        let execution = response.into_inner().execution;
        execution.ok_or_else(|| Error::Protocol("GetExecution without execution".into()))
    }

    /// Asks an execution to end, and returns it as it stands then. `reason` is for those who
    /// look later; at most 1024 bytes.
    ///
    /// # Errors
    /// NOT_FOUND; FAILED_PRECONDITION when it has ended.
    pub async fn cancel(
        &self,
        execution_id: &str,
        reason: &str,
    ) -> Result<proto::Execution, Error> {
        let request = proto::CancelExecutionRequest {
            namespace: self.namespace.clone(),
            execution_id: execution_id.to_owned(),
            reason: reason.to_owned(),
        };
        let response = self.executions().cancel_execution(request).await?;
        let execution = response.into_inner().execution;
        execution.ok_or_else(|| Error::Protocol("CancelExecution without execution".into()))
    }

    /// Holds an execution, and returns it as it stands then: what is in progress goes on,
    /// nothing begins.
    ///
    /// # Errors
    /// NOT_FOUND; FAILED_PRECONDITION when it has ended.
    pub async fn pause(&self, execution_id: &str, reason: &str) -> Result<proto::Execution, Error> {
        let request = proto::PauseExecutionRequest {
            namespace: self.namespace.clone(),
            execution_id: execution_id.to_owned(),
            reason: reason.to_owned(),
        };
        let response = self.executions().pause_execution(request).await?;
        let execution = response.into_inner().execution;
        execution.ok_or_else(|| Error::Protocol("PauseExecution without execution".into()))
    }

    /// Lets an execution go on that is PAUSED, and returns it as it stands then: what failed is
    /// attempted again. `variables` are written into `vars` first.
    ///
    /// # Errors
    /// NOT_FOUND; FAILED_PRECONDITION when it is not PAUSED.
    pub async fn resume(
        &self,
        execution_id: &str,
        reason: &str,
        variables: Option<prost_types::Struct>,
    ) -> Result<proto::Execution, Error> {
        let request = proto::ResumeExecutionRequest {
            namespace: self.namespace.clone(),
            execution_id: execution_id.to_owned(),
            reason: reason.to_owned(),
            variables,
        };
        let response = self.executions().resume_execution(request).await?;
        let execution = response.into_inner().execution;
        execution.ok_or_else(|| Error::Protocol("ResumeExecution without execution".into()))
    }

    /// The events of an execution, those of the past included, to its last one. Broken
    /// connections are mended on the way: each event comes exactly once.
    pub fn watch(&self, execution_id: &str) -> EventStream {
        watch::events(self.updates(execution_id, 0))
    }

    /// As [`watch`](Self::watch), with only events of a sequence greater than `sequence`.
    pub fn watch_after(&self, execution_id: &str, sequence: u64) -> EventStream {
        watch::events(self.updates(execution_id, sequence))
    }

    /// As [`watch_after`](Self::watch_after), with the provisional output of steps between.
    pub fn updates(&self, execution_id: &str, sequence: u64) -> UpdateStream {
        Watch {
            service: self.executions(),
            namespace: self.namespace.clone(),
            execution_id: execution_id.to_owned(),
            sequence,
            patience: self.patience,
        }
        .updates()
    }
}

/// True once an execution can change no more.
fn has_ended(execution: &proto::Execution) -> bool {
    use proto::execution::State;
    matches!(
        execution.state(),
        State::Completed | State::Failed | State::Cancelled | State::TimedOut
    )
}
