//! Three-step durable workflows over the public API: server, worker and client are processes
//! of their own, on the loopback, with the default (durable) store.
//!
//! `cargo bench` prints workflows/s and latencies at concurrency 1, 16, 64 and 256; each cell
//! takes `TUTTI_BENCH_SECONDS` (default 5) after a warm-up of one. `TUTTI_BENCH_PAYLOAD` sets
//! the payload in bytes (default 200).

#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tutti::proto::{
    RegisterWorkflowRequest, RunExecutionRequest, execution::State,
    execution_service_client::ExecutionServiceClient,
    workflow_service_client::WorkflowServiceClient,
};
use tutti_client::Worker;

const CONCURRENCY: [usize; 4] = [1, 16, 64, 256];
const WORKFLOW: &str = r#"
name: three-steps
mode: SEQUENCE
steps:
  - { id: first, agent: echo }
  - { id: second, agent: echo }
  - { id: third, agent: echo }
"#;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match std::env::var("TUTTI_BENCH_ROLE").as_deref() {
        Ok("worker") => runtime.block_on(worker(&std::env::var("TUTTI_BENCH_ADDRESS").unwrap())),
        _ => runtime.block_on(bench()),
    }
}

/// Serves the agent `echo` until its standard input closes.
async fn worker(address: &str) {
    let worker = Worker::builder(address)
        .agent_fn("echo", Ok)
        .max_concurrency(1024)
        .build()
        .unwrap();
    let closed = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        let _ = std::io::stdin().read_line(&mut line);
    });
    worker.run(async { drop(closed.await) }).await.unwrap();
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn bench() {
    let data = tempfile::tempdir().unwrap();
    let (_server, address) = serve(data.path());
    let _worker = Killed(
        Command::new(std::env::current_exe().unwrap())
            .env("TUTTI_BENCH_ROLE", "worker")
            .env("TUTTI_BENCH_ADDRESS", &address)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    register(&address).await;
    let seconds = setting("TUTTI_BENCH_SECONDS", 5);
    let payload = setting("TUTTI_BENCH_PAYLOAD", 200);
    println!("3-step durable workflows, {payload}-byte payloads, {seconds} s a cell");
    println!(
        "{:>12} {:>12} {:>9} {:>9} {:>8}",
        "concurrency", "workflows/s", "p50 ms", "p99 ms", "errors"
    );
    for concurrency in CONCURRENCY {
        measure(&address, concurrency, Duration::from_secs(1), payload).await;
        let cell = measure(&address, concurrency, Duration::from_secs(seconds), payload).await;
        println!(
            "{concurrency:>12} {:>12.0} {:>9.2} {:>9.2} {:>8}",
            cell.per_second, cell.p50_ms, cell.p99_ms, cell.errors
        );
    }
}

fn setting(name: &str, default: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.and_then(|v| v.parse().ok()).unwrap_or(default)
}

fn serve(data: &std::path::Path) -> (Killed, String) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_tutti"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(server.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap();
    (Killed(server), format!("http://{address}"))
}

async fn register(address: &str) {
    let mut workflows = WorkflowServiceClient::connect(address.to_owned())
        .await
        .unwrap();
    let request = RegisterWorkflowRequest {
        source: WORKFLOW.into(),
        ..RegisterWorkflowRequest::default()
    };
    workflows.register_workflow(request).await.unwrap();
}

struct Cell {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    errors: usize,
}

async fn measure(address: &str, concurrency: usize, span: Duration, payload: u64) -> Cell {
    // A few connections, as several client processes would have.
    let mut clients = Vec::new();
    for _ in 0..concurrency.min(4) {
        clients.push(
            ExecutionServiceClient::connect(address.to_owned())
                .await
                .unwrap(),
        );
    }
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..concurrency)
        .map(|n| {
            let client = clients[n % clients.len()].clone();
            tokio::spawn(run_one_after_the_other(client, Arc::clone(&stop), payload))
        })
        .collect();
    tokio::time::sleep(span).await;
    stop.store(true, Ordering::Relaxed);
    let mut latencies = Vec::new();
    let mut errors = 0;
    for task in tasks {
        let (times, failed) = task.await.unwrap();
        latencies.extend(times);
        errors += failed;
    }
    let took = begun.elapsed();
    latencies.sort_unstable();
    let at = |share: f64| {
        let place = ((latencies.len() as f64 * share) as usize).min(latencies.len().max(1) - 1);
        latencies
            .get(place)
            .map_or(f64::NAN, |d| d.as_secs_f64() * 1e3)
    };
    Cell {
        per_second: latencies.len() as f64 / took.as_secs_f64(),
        p50_ms: at(0.50),
        p99_ms: at(0.99),
        errors,
    }
}

async fn run_one_after_the_other(
    mut client: ExecutionServiceClient<tonic::transport::Channel>,
    stop: Arc<AtomicBool>,
    payload: u64,
) -> (Vec<Duration>, usize) {
    let text = "x".repeat(usize::try_from(payload).unwrap());
    let (mut times, mut errors) = (Vec::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        let request = RunExecutionRequest {
            workflow: "three-steps".into(),
            input: Some(tutti::core::value::string(text.clone())),
            ..RunExecutionRequest::default()
        };
        let begun = Instant::now();
        let done = client.run_execution(request).await;
        let completed = done.is_ok_and(|answer| {
            let execution = answer.into_inner().execution;
            execution.is_some_and(|e| e.state() == State::Completed)
        });
        if completed {
            times.push(begun.elapsed());
        } else {
            errors += 1;
        }
    }
    (times, errors)
}
