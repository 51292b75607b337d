//! A worker spoken by hand: what goes up its stream and what comes down, message by message.

use std::{collections::VecDeque, time::Duration};

use serde_json::Value as Json;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Status, Streaming, transport::Channel};
use tutti::{
    core::value,
    proto::{
        Accept, Agent, Cancel, Complete, Credit, Draining, Error, Fail, Heartbeat, Hello, Ping,
        Task, TaskChunk, TaskFailure, TaskResult, Welcome, WorkRequest, WorkResponse,
        result_ack::{Ack, Outcome},
        work_request::Message as Up,
        work_response::Message as Down,
        worker_service_client::WorkerServiceClient,
    },
};

use crate::support::PATIENCE;

pub struct RawWorker {
    pub welcome: Welcome,
    up: mpsc::UnboundedSender<WorkRequest>,
    down: Streaming<WorkResponse>,
    /// Tasks that came and were not yet asked for.
    tasks: VecDeque<Task>,
    /// Acks that came and were not yet asked for.
    acks: VecDeque<Ack>,
    nonce: u64,
}

/// Who a worker is that serves these agents.
pub fn hello(worker: &str, agents: &[&str]) -> Hello {
    let named = |id: &&str| Agent {
        id: (*id).into(),
        ..Default::default()
    };
    Hello {
        worker_id: worker.into(),
        agents: agents.iter().map(named).collect(),
        ..Default::default()
    }
}

/// The same worker, come back with these tasks.
pub fn holding(hello: Hello, tasks: &[&Task]) -> Hello {
    Hello {
        held_tokens: tokens(tasks),
        ..hello
    }
}

/// Opens a stream whose first messages are these.
pub async fn open(
    url: &str,
    first: impl IntoIterator<Item = Up>,
) -> (mpsc::UnboundedSender<WorkRequest>, Streaming<WorkResponse>) {
    let (up, sent) = mpsc::unbounded_channel();
    for message in first {
        up.send(request(message)).unwrap();
    }
    let channel: Channel = Channel::from_shared(url.to_owned()).unwrap().connect_lazy();
    let mut service = WorkerServiceClient::new(channel);
    let down = service.work(UnboundedReceiverStream::new(sent)).await;
    (up, down.unwrap().into_inner())
}

impl RawWorker {
    /// Connects and is welcome.
    pub async fn connect(url: &str, hello: Hello) -> Self {
        Self::try_connect(url, hello).await.unwrap()
    }

    /// Connects; an error is the server's answer to Hello.
    pub async fn try_connect(url: &str, hello: Hello) -> Result<Self, Status> {
        let (up, mut down) = open(url, [Up::Hello(hello)]).await;
        let first = timeout(PATIENCE, down.message()).await;
        let first = first.expect("an answer to Hello")?;
        let Some(Down::Welcome(welcome)) = first.and_then(|m| m.message) else {
            panic!("the first message down is Welcome");
        };
        Ok(Self {
            welcome,
            up,
            down,
            tasks: VecDeque::new(),
            acks: VecDeque::new(),
            nonce: 0,
        })
    }

    /// Connects a worker of one agent that takes this many tasks.
    pub async fn ready(url: &str, worker: &str, agent: &str, credits: u32) -> Self {
        let worker = Self::connect(url, hello(worker, &[agent])).await;
        worker.credit(credits);
        worker
    }

    pub fn send(&self, message: Up) {
        self.send_raw(request(message));
    }

    pub fn send_raw(&self, request: WorkRequest) {
        self.up.send(request).expect("the stream up is open");
    }

    pub fn credit(&self, tasks: u32) {
        self.send(Up::Credit(Credit { tasks }));
    }

    pub fn accept(&self, tasks: &[&Task]) {
        let tokens = tokens(tasks);
        self.send(Up::Accept(Accept { tokens }));
    }

    pub fn heartbeat(&self, tasks: &[&Task]) {
        let tokens = tokens(tasks);
        self.send(Up::Heartbeat(Heartbeat { tokens }));
    }

    pub fn chunk(&self, token: &str, data: Json) {
        self.send(Up::Chunk(TaskChunk {
            token: token.into(),
            data: Some(value::from_json(&data)),
        }));
    }

    pub fn complete(&self, token: &str, output: Json) {
        let result = TaskResult {
            token: token.into(),
            output: Some(value::from_json(&output)),
            usage: None,
        };
        self.send(Up::Complete(Complete {
            results: vec![result],
        }));
    }

    pub fn fail(&self, token: &str, class: &str, retry_after: Option<Duration>) {
        let failure = TaskFailure {
            token: token.into(),
            error: Some(Error {
                class: class.into(),
                message: "the agent says no".into(),
                step: String::new(),
            }),
            retry_after: retry_after.map(|wait| wait.try_into().unwrap()),
            usage: None,
        };
        self.send(Up::Fail(Fail {
            failures: vec![failure],
        }));
    }

    pub fn draining(&self) {
        self.send(Up::Draining(Draining {}));
    }

    /// Ends the stream up.
    pub fn hang_up(&mut self) {
        self.up = mpsc::unbounded_channel().0;
    }

    /// The next message down.
    pub async fn next(&mut self) -> Down {
        self.try_next().await.unwrap().expect("the stream goes on")
    }

    /// The next message down; `None` when the server has ended the stream, or why it did.
    pub async fn try_next(&mut self) -> Result<Option<Down>, Status> {
        let next = timeout(PATIENCE, self.down.message()).await;
        let next = next.expect("a message in time")?;
        Ok(next.map(|m| m.message.expect("a message of a known kind")))
    }

    /// The next task offered.
    pub async fn offered(&mut self) -> Task {
        while self.tasks.is_empty() {
            self.receive().await;
        }
        self.tasks.pop_front().unwrap()
    }

    /// The next task, accepted.
    pub async fn take(&mut self) -> Task {
        let task = self.offered().await;
        self.accept(&[&task]);
        task
    }

    /// The next task, accepted, and the engine told of it.
    pub async fn hold(&mut self) -> Task {
        let task = self.take().await;
        self.settled().await;
        task
    }

    /// What became of the next result: its token and the outcome.
    pub async fn acked(&mut self) -> (String, Outcome) {
        let ack = self.ack().await;
        (ack.token.clone(), ack.outcome())
    }

    pub async fn ack(&mut self) -> Ack {
        while self.acks.is_empty() {
            self.receive().await;
        }
        self.acks.pop_front().unwrap()
    }

    /// Takes in tasks or acks: which of them come first is not said. Nothing else may come.
    async fn receive(&mut self) {
        match self.next().await {
            Down::Tasks(tasks) => self.tasks.extend(tasks.tasks),
            Down::ResultAck(acks) => self.acks.extend(acks.acks),
            other => panic!("instead of a task or an ack came {other:?}"),
        }
    }

    pub async fn cancelled(&mut self) -> Cancel {
        match self.next().await {
            Down::Cancel(cancel) => cancel,
            other => panic!("instead of Cancel came {other:?}"),
        }
    }

    /// Waits until the server has handled what was sent so far. Messages down are in order:
    /// what it sent before is here then, and there must be none.
    pub async fn settled(&mut self) {
        self.nonce += 1;
        let ping = Ping { nonce: self.nonce };
        self.send(Up::Ping(ping));
        assert!(self.tasks.is_empty() && self.acks.is_empty());
        assert_eq!(self.next().await, Down::Ping(ping));
    }
}

fn request(message: Up) -> WorkRequest {
    WorkRequest {
        message: Some(message),
    }
}

fn tokens(tasks: &[&Task]) -> Vec<String> {
    tasks.iter().map(|task| task.token.clone()).collect()
}
