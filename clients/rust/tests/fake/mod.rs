//! A server whose every word is scripted by the test: WorkerService and the watch of
//! ExecutionService on a port of their own.
#![allow(dead_code, clippy::unwrap_used)] // Each test file uses its part of it.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Status, Streaming, transport::Server};
use tutti_client::{
    json,
    proto::{
        self, Welcome, WorkRequest, WorkResponse, execution_service_server::ExecutionServiceServer,
        work_request, work_response, worker_service_server::WorkerServiceServer,
    },
};

mod services;

/// Long enough for any machine: only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something that must come.
pub async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, event)
        .await
        .unwrap_or_else(|_| panic!("{what} never came"))
}

/// The server, and the streams that come to it.
pub struct Fake {
    pub address: String,
    sessions: mpsc::UnboundedReceiver<Session>,
    watches: mpsc::UnboundedReceiver<Watched>,
    runs: mpsc::UnboundedReceiver<Run>,
}

/// One stream of a worker.
pub struct Session {
    up: Streaming<WorkRequest>,
    down: mpsc::UnboundedSender<Result<WorkResponse, Status>>,
}

/// One call of WatchExecution: what it asked, and where the answers go.
pub struct Watched {
    pub request: proto::WatchExecutionRequest,
    pub down: mpsc::Sender<Result<proto::WatchExecutionResponse, Status>>,
}

/// One call of RunExecution: what it asked, and where the answer goes.
pub struct Run {
    pub request: proto::RunExecutionRequest,
    pub answer: oneshot::Sender<Result<proto::RunExecutionResponse, Status>>,
}

impl Fake {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let (new_session, sessions) = mpsc::unbounded_channel();
        let (new_watch, watches) = mpsc::unbounded_channel();
        let (new_run, runs) = mpsc::unbounded_channel();
        let workers = services::Workers(new_session);
        let executions = services::Executions { new_watch, new_run };
        let serving = Server::builder()
            .add_service(WorkerServiceServer::new(workers))
            .add_service(ExecutionServiceServer::new(executions))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        Self {
            address: address.to_string(),
            sessions,
            watches,
            runs,
        }
    }

    /// The next stream of a worker.
    pub async fn session(&mut self) -> Session {
        soon("a stream", self.sessions.recv()).await.unwrap()
    }

    /// The next stream of a worker, greeted; with the Hello it said.
    pub async fn welcomed(&mut self) -> (Session, proto::Hello) {
        let mut session = self.session().await;
        let hello = session.hello().await;
        session.welcome(Welcome::default());
        (session, hello)
    }

    /// The next call of WatchExecution.
    pub async fn watch(&mut self) -> Watched {
        soon("a watch", self.watches.recv()).await.unwrap()
    }

    /// The next call of RunExecution.
    pub async fn run(&mut self) -> Run {
        soon("a run", self.runs.recv()).await.unwrap()
    }
}

impl Session {
    pub async fn hello(&mut self) -> proto::Hello {
        match self.next().await {
            work_request::Message::Hello(hello) => hello,
            other => panic!("not Hello: {other:?}"),
        }
    }

    /// The next message of the worker.
    pub async fn next(&mut self) -> work_request::Message {
        let message = soon("a message", self.up.message()).await;
        message
            .unwrap()
            .expect("the stream is open")
            .message
            .unwrap()
    }

    /// The first message that `pick` takes; others on the way are passed over.
    pub async fn until<T>(&mut self, pick: impl Fn(work_request::Message) -> Option<T>) -> T {
        loop {
            if let Some(found) = pick(self.next().await) {
                return found;
            }
        }
    }

    pub async fn results(&mut self) -> Vec<proto::TaskResult> {
        self.until(|message| match message {
            work_request::Message::Complete(complete) => Some(complete.results),
            _ => None,
        })
        .await
    }

    pub async fn failures(&mut self) -> Vec<proto::TaskFailure> {
        self.until(|message| match message {
            work_request::Message::Fail(fail) => Some(fail.failures),
            _ => None,
        })
        .await
    }

    /// Waits for the worker's end of the stream.
    pub async fn ended(mut self) {
        while soon("the end", self.up.message()).await.unwrap().is_some() {}
    }

    pub fn send(&self, message: work_response::Message) {
        let message = Some(message);
        self.down.send(Ok(WorkResponse { message })).unwrap();
    }

    pub fn welcome(&self, welcome: Welcome) {
        self.send(work_response::Message::Welcome(welcome));
    }

    /// Hands out tasks of one agent, their tokens given, their input the token.
    pub fn hand_out(&self, agent: &str, tokens: &[&str]) {
        let tasks = tokens.iter().map(|token| task(agent, token)).collect();
        self.send(work_response::Message::Tasks(proto::Tasks { tasks }));
    }

    pub fn ack(&self, token: &str, outcome: proto::result_ack::Outcome) {
        let ack = proto::result_ack::Ack {
            token: token.into(),
            outcome: outcome.into(),
            message: String::new(),
        };
        let acks = vec![ack];
        self.send(work_response::Message::ResultAck(proto::ResultAck { acks }));
    }

    pub fn cancel(&self, token: &str) {
        self.send(work_response::Message::Cancel(proto::Cancel {
            tokens: vec![token.into()],
            reason: "no longer wanted".into(),
        }));
    }

    /// Refuses the worker.
    pub fn refuse(self, why: &str) {
        self.down.send(Err(Status::invalid_argument(why))).unwrap();
    }

    /// Cuts the stream.
    pub fn cut(self) {
        self.down.send(Err(Status::unavailable("cut"))).unwrap();
    }
}

fn task(agent: &str, token: &str) -> proto::Task {
    proto::Task {
        token: token.into(),
        execution_id: "an execution".into(),
        step: "a/step".into(),
        agent: agent.into(),
        attempt: 2,
        input: Some(json::from_json(token.into())),
        idempotency_key: "a key".into(),
        ..Default::default()
    }
}
