//! The process is killed (SIGKILL) again and again; nothing acknowledged is lost.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value as Json, json};
use tutti::{
    core::value,
    proto::{
        Event, RegisterWorkflowRequest, StartExecutionRequest, WatchExecutionRequest, event,
        execution_service_client::ExecutionServiceClient,
        workflow_service_client::WorkflowServiceClient,
    },
};
use tutti_client::{TaskContext, TaskError, Worker};

const STEPS: usize = 30;
const KILLS: u64 = 20;

pub struct Process {
    child: Child,
    pub address: String,
}

impl Process {
    pub fn start(data: &Path, listen: &str) -> Self {
        Self::with(data, listen, &[])
    }

    /// As `start`, with more arguments.
    pub fn with(data: &Path, listen: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tutti"))
            .args(["serve", "--listen", listen, "--data"])
            .arg(data)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("{line:?}"));
        Self {
            address: address.to_owned(),
            child,
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_at_twenty_moments_loses_nothing_and_runs_no_finished_step_again() {
    loses_nothing(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_one_that_keeps_two_waiting_executions_in_memory() {
    loses_nothing(&["--limit", "resident_executions_max=2"]).await;
}

async fn loses_nothing(arguments: &[&str]) {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::with(data.path(), "127.0.0.1:0", arguments);
    let address = server.address.clone();
    let url = format!("http://{address}");
    let calls: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
    let worker = tokio::spawn(serve_agents(url.clone(), Arc::clone(&calls)));
    register(&url).await;

    let mut started = Vec::new();
    for round in 0..KILLS {
        started.push(start(&url, round).await);
        // The moment differs with how far the work has come, not with a fixed wait.
        let before: usize = calls.lock().unwrap().values().sum();
        let wanted = before + 1 + usize::try_from(round * 7 % 23).unwrap();
        while calls.lock().unwrap().values().sum::<usize>() < wanted {
            tokio::task::yield_now().await;
        }
        server.kill();
        server = Process::with(data.path(), &address, arguments);
    }

    for id in &started {
        let events = events_until_end(&url, id).await;
        let completed = matches!(
            events.last().unwrap().kind,
            Some(event::Kind::ExecutionCompleted(_))
        );
        assert!(completed, "{id}: {:?}", events.last());
        let sequences: Vec<u64> = events.iter().map(|e| e.sequence).collect();
        let gap_free: Vec<u64> = (1..=events.len() as u64).collect();
        assert_eq!(sequences, gap_free, "{id}: each event exactly once");
        let mut done: HashMap<&str, usize> = HashMap::new();
        for event in &events {
            match &event.kind {
                Some(event::Kind::StepCompleted(_)) => *done.entry(&event.step).or_default() += 1,
                Some(event::Kind::StepScheduled(_) | event::Kind::StepStarted(_)) => {
                    assert!(
                        !done.contains_key(event.step.as_str()),
                        "{id}: {} again",
                        event.step
                    );
                }
                _ => {}
            }
        }
        assert_eq!(done.len(), STEPS, "{id}");
        assert!(done.values().all(|n| *n == 1), "{id}: {done:?}");
    }
    worker.abort();
}

async fn serve_agents(url: String, calls: Arc<Mutex<HashMap<String, usize>>>) {
    let work = move |ctx: TaskContext, input: serde_json::Value| {
        let key = ctx.idempotency_key().to_owned();
        *calls.lock().unwrap().entry(key).or_default() += 1;
        async move {
            let said = format!("{} after {input}", ctx.step());
            Ok::<_, TaskError>(json!(said.len()))
        }
    };
    let worker = Worker::builder(url)
        .agent("work", work)
        .max_concurrency(4)
        .build()
        .unwrap();
    let _ = worker.run(std::future::pending()).await;
}

async fn register(url: &str) {
    let mut source = String::from("name: long\nmode: SEQUENCE\nsteps:\n");
    for n in 0..STEPS {
        source += &format!(
            "  - {{ id: s{n}, agent: work, retry: {{ max_attempts: 50, initial_delay: 0.01s }} }}\n"
        );
    }
    let mut client = WorkflowServiceClient::connect(url.to_owned())
        .await
        .unwrap();
    let request = RegisterWorkflowRequest {
        source,
        ..Default::default()
    };
    client.register_workflow(request).await.unwrap();
}

async fn start(url: &str, round: u64) -> String {
    let mut client = ExecutionServiceClient::connect(url.to_owned())
        .await
        .unwrap();
    let request = StartExecutionRequest {
        workflow: "long".into(),
        request_id: format!("round-{round}"),
        ..Default::default()
    };
    let answer = client.start_execution(request).await.unwrap();
    answer.into_inner().execution_id
}

/// Registers a definition and starts it; the execution's id.
pub async fn begin(url: &str, source: &str, input: Json) -> String {
    let request = RegisterWorkflowRequest {
        source: source.into(),
        ..Default::default()
    };
    let mut workflows = WorkflowServiceClient::connect(url.to_owned())
        .await
        .unwrap();
    let registered = workflows.register_workflow(request).await.unwrap();
    let request = StartExecutionRequest {
        workflow: registered.into_inner().name,
        input: Some(value::from_json(&input)),
        ..Default::default()
    };
    let mut executions = ExecutionServiceClient::connect(url.to_owned())
        .await
        .unwrap();
    let answer = executions.start_execution(request).await.unwrap();
    answer.into_inner().execution_id
}

/// All events of an execution, once it has ended.
pub async fn events_until_end(url: &str, id: &str) -> Vec<Event> {
    let mut client = ExecutionServiceClient::connect(url.to_owned())
        .await
        .unwrap();
    let request = WatchExecutionRequest {
        execution_id: id.into(),
        ..Default::default()
    };
    let mut watch = client.watch_execution(request).await.unwrap().into_inner();
    let mut events = Vec::new();
    let to_the_end = async {
        while let Some(message) = watch.message().await.unwrap() {
            events.extend(message.event);
        }
    };
    tokio::time::timeout(Duration::from_secs(120), to_the_end)
        .await
        .expect("it ends");
    events
}

/// Runs a workflow to its end on a server that is killed when `reached`, which the worker that
/// `serve` begins counts up, has come to a quarter, a third and half of `all`. How often each
/// step completed, and the output.
pub async fn run_under_kills<S: Future<Output = ()> + Send + 'static>(
    (workflow, input): (&str, Json),
    serve: impl FnOnce(String, Arc<AtomicUsize>) -> S,
    all: usize,
) -> (HashMap<String, usize>, Json) {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path(), "127.0.0.1:0");
    let address = server.address.clone();
    let url = format!("http://{address}");
    let reached = Arc::new(AtomicUsize::new(0));
    let worker = tokio::spawn(serve(url.clone(), Arc::clone(&reached)));
    let id = begin(&url, workflow, input).await;
    for share in [4, 3, 2] {
        while reached.load(Ordering::Relaxed) < all / share {
            tokio::task::yield_now().await;
        }
        server.kill();
        server = Process::start(data.path(), &address);
    }
    let events = events_until_end(&url, &id).await;
    worker.abort();
    let mut results = HashMap::new();
    for event in &events {
        if let Some(event::Kind::StepCompleted(_)) = &event.kind {
            *results.entry(event.step.clone()).or_default() += 1;
        }
    }
    let Some(event::Kind::ExecutionCompleted(completed)) = &events.last().unwrap().kind else {
        panic!("{:?}", events.last());
    };
    let output = completed.output.as_ref().map(value::to_json).unwrap();
    (results, output)
}
