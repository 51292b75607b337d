//! The least that a durable orchestrator does, with no engine at all: answers RunExecution by
//! three tasks to a worker, one after another, each result synced to the journal before the
//! next task is sent. No definitions, no state, no recovery.

use std::{
    collections::HashMap,
    convert::Infallible,
    path::Path,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use prost::Message as _;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};
use tokio_stream::{
    StreamExt as _,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tonic::{
    Request, Response, Status, Streaming, body::Body, codegen::http, server::Grpc,
    server::NamedService,
};
use tonic_prost::ProstCodec;
use tower::Service;
use tutti::proto::{
    Execution, RegisterWorkflowRequest, RegisterWorkflowResponse, ResultAck, RunExecutionRequest,
    RunExecutionResponse, Task, TaskResult, Tasks, Welcome, WorkRequest, WorkResponse,
    execution::State,
    result_ack::{Ack, Outcome},
    work_request, work_response,
};

use crate::journal::Journal;

const STEPS: u64 = 3;
const TASKS_MAX: usize = 4096;
const MESSAGES_MAX: usize = 64;
const BATCH_MAX: usize = 256;

type Value = Option<prost_types::Value>;

/// What all calls share.
struct Shared {
    journal: Journal,
    tasks: mpsc::Sender<Task>,
    /// Taken by the first worker.
    waiting: Mutex<Option<mpsc::Receiver<Task>>>,
    results: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    next: AtomicU64,
}

/// Serves until the process ends; says where on stdout.
pub async fn serve(directory: &Path) {
    let (tasks, waiting) = mpsc::channel(TASKS_MAX);
    let shared = Arc::new(Shared {
        journal: Journal::open(&directory.join("journal")).expect("the directory is writable"),
        tasks,
        waiting: Mutex::new(Some(waiting)),
        results: Mutex::default(),
        next: AtomicU64::new(1),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    println!("listening on {address}");
    let incoming = TcpListenerStream::new(listener).map(|stream| {
        let stream = stream?;
        stream.set_nodelay(true)?;
        Ok::<_, std::io::Error>(stream)
    });
    let served = tonic::transport::Server::builder()
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(16 << 20)
        .add_service(Executions(Api(Arc::clone(&shared))))
        .add_service(Workflows(Api(Arc::clone(&shared))))
        .add_service(Workers(Api(shared)))
        .serve_with_incoming(incoming);
    served.await.expect("serving does not fail");
}

impl Shared {
    /// Three steps: each task is sent once what led to it is durable.
    async fn run(&self, request: RunExecutionRequest) -> RunExecutionResponse {
        self.journal.append(request.encode_to_vec()).await;
        let id = uuid::Uuid::now_v7().to_string();
        let mut value: Value = request.input;
        for step in 1..=STEPS {
            value = self.step(&id, step, value).await;
            let result = TaskResult {
                output: value.clone(),
                ..TaskResult::default()
            };
            self.journal.append(result.encode_to_vec()).await;
        }
        let execution = Execution {
            execution_id: id.clone(),
            state: State::Completed.into(),
            output: value,
            ..Execution::default()
        };
        RunExecutionResponse {
            execution_id: id,
            execution: Some(execution),
        }
    }

    async fn step(&self, id: &str, step: u64, input: Value) -> Value {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (result, done) = oneshot::channel();
        self.results
            .lock()
            .expect("no panics")
            .insert(number, result);
        let task = Task {
            token: number.to_string(),
            execution_id: id.to_owned(),
            step: format!("step-{step}"),
            agent: "bench-echo".into(),
            attempt: 1,
            input,
            ..Task::default()
        };
        assert!(self.tasks.send(task).await.is_ok(), "the worker is there");
        done.await.expect("the worker answers")
    }

    fn completed(&self, result: TaskResult) -> Ack {
        let number: Option<u64> = result.token.parse().ok();
        let waiting = number.and_then(|n| self.results.lock().expect("no panics").remove(&n));
        if let Some(waiting) = waiting {
            let _ = waiting.send(result.output);
        }
        Ack {
            token: result.token,
            outcome: Outcome::Recorded.into(),
            ..Ack::default()
        }
    }

    /// Takes results and acknowledges them, and sends tasks as many at a time as there are.
    fn work(self: &Arc<Self>, requests: Streaming<WorkRequest>) -> ReceiverStream<Answer> {
        let (messages, answers) = mpsc::channel(MESSAGES_MAX);
        let waiting = self.waiting.lock().expect("no panics").take();
        tokio::spawn(hand_out(waiting, messages.clone()));
        tokio::spawn(take_results(Arc::clone(self), requests, messages));
        ReceiverStream::new(answers)
    }
}

type Answer = Result<WorkResponse, Status>;

async fn hand_out(waiting: Option<mpsc::Receiver<Task>>, messages: mpsc::Sender<Answer>) {
    let span = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    let welcome = Welcome {
        heartbeat_interval: span(10),
        lease_timeout: span(60),
        message_bytes_max: 4 << 20,
        ..Welcome::default()
    };
    let _ = messages
        .send(answer(work_response::Message::Welcome(welcome)))
        .await;
    let Some(mut waiting) = waiting else { return };
    let mut tasks = Vec::new();
    while waiting.recv_many(&mut tasks, BATCH_MAX).await > 0 {
        let tasks = Tasks {
            tasks: std::mem::take(&mut tasks),
        };
        if messages
            .send(answer(work_response::Message::Tasks(tasks)))
            .await
            .is_err()
        {
            return;
        }
    }
}

async fn take_results(
    shared: Arc<Shared>,
    mut requests: Streaming<WorkRequest>,
    messages: mpsc::Sender<Answer>,
) {
    while let Ok(Some(request)) = requests.message().await {
        if let Some(work_request::Message::Complete(complete)) = request.message {
            let acks = complete
                .results
                .into_iter()
                .map(|r| shared.completed(r))
                .collect();
            let acks = work_response::Message::ResultAck(ResultAck { acks });
            if messages.send(answer(acks)).await.is_err() {
                return;
            }
        }
    }
}

fn answer(message: work_response::Message) -> Answer {
    Ok(WorkResponse {
        message: Some(message),
    })
}

/// The calls that there are, by their path.
#[derive(Clone)]
struct Api(Arc<Shared>);

macro_rules! service {
    ($service:ident, $name:literal) => {
        #[derive(Clone)]
        struct $service(Api);

        impl NamedService for $service {
            const NAME: &'static str = $name;
        }

        impl Service<http::Request<Body>> for $service {
            type Response = http::Response<Body>;
            type Error = Infallible;
            type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<Body>) -> Self::Future {
                let api = self.0.clone();
                Box::pin(async move { Ok(api.answer(request).await) })
            }
        }
    };
}

service!(Executions, "tutti.v1.ExecutionService");
service!(Workflows, "tutti.v1.WorkflowService");
service!(Workers, "tutti.v1.WorkerService");

impl Api {
    async fn answer(self, request: http::Request<Body>) -> http::Response<Body> {
        match request.uri().path() {
            "/tutti.v1.ExecutionService/RunExecution" => {
                Grpc::new(ProstCodec::default())
                    .unary(Run(self.0), request)
                    .await
            }
            "/tutti.v1.WorkerService/Work" => {
                Grpc::new(ProstCodec::default())
                    .streaming(Work(self.0), request)
                    .await
            }
            "/tutti.v1.WorkflowService/RegisterWorkflow" => {
                Grpc::new(ProstCodec::default())
                    .unary(Register, request)
                    .await
            }
            path => Status::unimplemented(path.to_owned()).into_http(),
        }
    }
}

type Answered<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;

struct Run(Arc<Shared>);

impl tonic::server::UnaryService<RunExecutionRequest> for Run {
    type Response = RunExecutionResponse;
    type Future = Answered<RunExecutionResponse>;

    fn call(&mut self, request: Request<RunExecutionRequest>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { Ok(Response::new(shared.run(request.into_inner()).await)) })
    }
}

struct Register;

impl tonic::server::UnaryService<RegisterWorkflowRequest> for Register {
    type Response = RegisterWorkflowResponse;
    type Future = Answered<RegisterWorkflowResponse>;

    fn call(&mut self, _: Request<RegisterWorkflowRequest>) -> Self::Future {
        Box::pin(async { Ok(Response::new(RegisterWorkflowResponse::default())) })
    }
}

struct Work(Arc<Shared>);

impl tonic::server::StreamingService<WorkRequest> for Work {
    type Response = WorkResponse;
    type ResponseStream = ReceiverStream<Answer>;
    type Future = Answered<Self::ResponseStream>;

    fn call(&mut self, request: Request<Streaming<WorkRequest>>) -> Self::Future {
        let stream = self.0.work(request.into_inner());
        Box::pin(async { Ok(Response::new(stream)) })
    }
}
