//! A worker of the client crate whose calls a test sees, and ends as it likes.

use serde_json::Value as Json;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tutti_client::{Error, TaskContext, TaskError, TaskOutput, Worker, worker::WorkerBuilder};

use crate::support::{PATIENCE, TestServer};

pub type Ending = Result<TaskOutput, TaskError>;

/// A call of the agent, which ends as the test says.
pub struct Call {
    pub context: TaskContext,
    pub input: Json,
    pub end: oneshot::Sender<Ending>,
}

impl Call {
    pub fn complete(self, output: Json) {
        let told = self.end.send(Ok(output.into()));
        assert!(told.is_ok(), "the handler is still there");
    }

    pub fn fail(self, error: TaskError) {
        let told = self.end.send(Err(error));
        assert!(told.is_ok(), "the handler is still there");
    }

    /// Waits until the handler was dropped.
    pub async fn dropped(&mut self) {
        let dropped = timeout(PATIENCE, self.end.closed()).await;
        dropped.expect("the handler is dropped");
    }
}

/// A worker of agent `x` named `w`, and the calls it makes.
pub struct Serving {
    pub calls: mpsc::UnboundedReceiver<Call>,
    stop: Option<oneshot::Sender<()>>,
    run: JoinHandle<Result<(), Error>>,
}

impl Serving {
    pub fn start(server: &TestServer) -> Self {
        Self::with(server, |builder| builder)
    }

    pub fn with(server: &TestServer, change: impl FnOnce(WorkerBuilder) -> WorkerBuilder) -> Self {
        let (called, calls) = mpsc::unbounded_channel();
        let handler = move |context: TaskContext, input| {
            let (end, ended) = oneshot::channel::<Ending>();
            let call = Call {
                context,
                input,
                end,
            };
            assert!(called.send(call).is_ok(), "the test waits for calls");
            async move { ended.await.expect("the test ends every call") }
        };
        let builder = Worker::builder(server.url()).worker_id("w");
        let worker = change(builder.agent("x", handler)).build().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        Self {
            calls,
            stop: Some(stop),
            run: tokio::spawn(worker.run(async { drop(stopped.await) })),
        }
    }

    pub async fn call(&mut self) -> Call {
        let call = timeout(PATIENCE, self.calls.recv()).await;
        call.expect("a call in time").expect("the worker runs")
    }

    /// Asks the worker to end.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits for the worker's end.
    pub async fn ended(&mut self) -> Result<(), Error> {
        let ended = timeout(PATIENCE, &mut self.run).await;
        ended.expect("the worker ends").unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.run.abort();
    }
}
