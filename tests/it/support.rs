//! A real server on a free port over a directory of its own, and hands to work it with.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::{Status, transport::Channel};
use tutti::{
    config::Config,
    core::value,
    proto::{
        self, CompleteTaskRequest, Error, Execution, FailTaskRequest, GetExecutionRequest,
        PollTasksRequest, RegisterWorkflowRequest, StartExecutionRequest, Task,
        agent_service_client::AgentServiceClient, execution_service_client::ExecutionServiceClient,
        system_service_client::SystemServiceClient, worker_service_client::WorkerServiceClient,
        workflow_service_client::WorkflowServiceClient,
    },
    server::Server,
};

/// How long anything that should happen may take before the test is failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct TestServer {
    pub address: SocketAddr,
    config: Config,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
    directory: Option<TempDir>,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A server whose configuration is changed first.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: directory.path().join("data").into(),
            shutdown_grace: Duration::from_secs(5),
            ..Config::default()
        };
        change(&mut config);
        let mut server = Self {
            address: config.listen,
            config,
            stop: None,
            task: None,
            directory: Some(directory),
        };
        server.serve().await;
        server
    }

    async fn serve(&mut self) {
        let server = Server::bind(self.config.clone()).await.unwrap();
        self.address = server.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        self.stop = Some(stop);
        self.task = Some(tokio::spawn(async move {
            let run = server.run(async { drop(stopped.await) });
            run.await.unwrap();
        }));
    }

    /// Stops in good order.
    pub async fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
        }
    }

    /// Stops and serves again over the same directory, at the same address.
    pub async fn restart(&mut self) {
        self.restart_with(|_| {}).await;
    }

    /// As `restart`, with another configuration.
    pub async fn restart_with(&mut self, change: impl FnOnce(&mut Config)) {
        self.stop().await;
        change(&mut self.config);
        self.config.listen = self.address;
        self.serve().await;
    }

    pub fn data(&self) -> PathBuf {
        self.directory.as_ref().unwrap().path().join("data")
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn channel(&self) -> Channel {
        Channel::from_shared(self.url()).unwrap().connect_lazy()
    }

    pub fn workflows(&self) -> WorkflowServiceClient<Channel> {
        WorkflowServiceClient::new(self.channel())
    }

    pub fn executions(&self) -> ExecutionServiceClient<Channel> {
        ExecutionServiceClient::new(self.channel())
    }

    pub fn agents(&self) -> AgentServiceClient<Channel> {
        AgentServiceClient::new(self.channel())
    }

    pub fn workers(&self) -> WorkerServiceClient<Channel> {
        WorkerServiceClient::new(self.channel())
    }

    pub fn system(&self) -> SystemServiceClient<Channel> {
        SystemServiceClient::new(self.channel())
    }

    /// Registers a definition; its version.
    pub async fn register(&self, source: &str) -> u32 {
        let request = RegisterWorkflowRequest {
            source: source.into(),
            ..Default::default()
        };
        let answer = self.workflows().register_workflow(request).await;
        answer.unwrap().into_inner().version
    }

    /// Starts the newest version of a workflow; the execution's id.
    pub async fn begin(&self, workflow: &str, input: Json) -> String {
        self.try_begin(start(workflow, input)).await.unwrap()
    }

    pub async fn try_begin(&self, request: StartExecutionRequest) -> Result<String, Status> {
        let answer = self.executions().start_execution(request).await?;
        Ok(answer.into_inner().execution_id)
    }

    pub async fn get(&self, id: &str) -> Execution {
        let request = GetExecutionRequest {
            execution_id: id.into(),
            ..Default::default()
        };
        let answer = self.executions().get_execution(request).await;
        answer.unwrap().into_inner().execution.unwrap()
    }

    /// Ends an execution now.
    pub async fn terminate(&self, id: &str) {
        let request = proto::TerminateExecutionRequest {
            execution_id: id.into(),
            ..Default::default()
        };
        let answer = self.executions().terminate_execution(request).await;
        answer.unwrap();
    }

    /// The execution once it has ended.
    pub async fn ended(&self, id: &str) -> Execution {
        let request = proto::WatchExecutionRequest {
            execution_id: id.into(),
            ..Default::default()
        };
        let mut watch = self
            .executions()
            .watch_execution(request)
            .await
            .unwrap()
            .into_inner();
        let drained = async { while watch.message().await.unwrap().is_some() {} };
        tokio::time::timeout(PATIENCE, drained)
            .await
            .expect("the execution ends");
        self.get(id).await
    }

    /// Takes one task of an agent by polling.
    pub async fn poll(&self, agent: &str) -> Task {
        let request = PollTasksRequest {
            worker_id: "test".into(),
            agents: vec![agent.into()],
            max_tasks: 1,
            wait_timeout: Some(seconds(30)),
            ..Default::default()
        };
        let answer = self.workers().poll_tasks(request).await.unwrap();
        answer.into_inner().tasks.pop().expect("a task in time")
    }

    pub async fn complete(&self, task: &Task, output: Json) -> Result<(), Status> {
        let request = CompleteTaskRequest {
            token: task.token.clone(),
            output: Some(value::from_json(&output)),
            usage: None,
        };
        self.workers().complete_task(request).await.map(drop)
    }

    pub async fn fail(&self, task: &Task, class: &str) -> Result<(), Status> {
        let request = FailTaskRequest {
            token: task.token.clone(),
            error: Some(Error {
                class: class.into(),
                message: "the agent says no".into(),
                step: String::new(),
            }),
            ..Default::default()
        };
        self.workers().fail_task(request).await.map(drop)
    }

    /// Serves agents that give back what they get, until the server's test ends.
    pub fn echo(&self, agents: &[&str]) -> JoinHandle<()> {
        let mut builder = tutti_client::Worker::builder(self.url());
        for agent in agents {
            builder = builder.agent_fn(*agent, Ok);
        }
        let worker = builder.build().unwrap();
        tokio::spawn(async move { drop(worker.run(std::future::pending()).await) })
    }
}

pub fn start(workflow: &str, input: Json) -> StartExecutionRequest {
    StartExecutionRequest {
        workflow: workflow.into(),
        input: Some(value::from_json(&input)),
        ..Default::default()
    }
}

pub fn seconds(seconds: i64) -> prost_types::Duration {
    prost_types::Duration { seconds, nanos: 0 }
}

/// The JSON of a value that is there.
pub fn json_of(value: &Option<prost_types::Value>) -> Json {
    value.as_ref().map_or(json!(null), value::to_json)
}
