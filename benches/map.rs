//! A map over many items through the public API: server, worker and client are processes of
//! their own, on the loopback, with the default (durable) store.
//!
//! `cargo bench --bench map` prints items/s, the processor time of each process per item, and
//! by how much the server's memory grew. `TUTTI_BENCH_ITEMS` sets how many items (default
//! 100000), `TUTTI_BENCH_PARALLEL` how many are in progress at once (default 1000).

#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use tutti::{
    core::value,
    proto::{
        RegisterWorkflowRequest, RunExecutionRequest, execution::State,
        execution_service_client::ExecutionServiceClient,
        workflow_service_client::WorkflowServiceClient,
    },
};
use tutti_client::Worker;

/// Room for the items of one input, and for what they give.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

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
        .max_concurrency(2048)
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
    let items = setting("TUTTI_BENCH_ITEMS", 100_000);
    let parallel = setting("TUTTI_BENCH_PARALLEL", 1_000);
    let data = tempfile::tempdir().unwrap();
    let (server, address) = serve(data.path());
    let worker = Killed(
        Command::new(std::env::current_exe().unwrap())
            .env("TUTTI_BENCH_ROLE", "worker")
            .env("TUTTI_BENCH_ADDRESS", &address)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    register(&address, parallel).await;
    map(&address, 1_000).await;
    let processes = [("server", server.0.id()), ("worker", worker.0.id())];
    let before = processes.map(|(_, pid)| cpu_micros(pid));
    let memory = memory_kib(server.0.id(), "VmRSS:");
    let begun = Instant::now();
    map(&address, items).await;
    let took = begun.elapsed().as_secs_f64();
    let per_item = |micros: u64| micros as f64 / items as f64;
    println!("map of {items} items, {parallel} at once");
    println!("{:>24} {:>12.0}", "items/s", items as f64 / took);
    for ((name, pid), before) in processes.into_iter().zip(before) {
        let label = format!("{name} CPU us/item");
        println!("{label:>24} {:>12.1}", per_item(cpu_micros(pid) - before));
    }
    let peak = memory_kib(server.0.id(), "VmHWM:");
    println!(
        "{:>24} {:>12}",
        "server grew by MiB",
        peak.saturating_sub(memory) / 1024
    );
}

fn setting(name: &str, default: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.and_then(|v| v.parse().ok()).unwrap_or(default)
}

fn serve(data: &Path) -> (Killed, String) {
    let limit = |name: &str| format!("{name}={MESSAGE_BYTES_MAX}");
    let mut server = Command::new(env!("CARGO_BIN_EXE_tutti"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(["--limit", &limit("message_bytes_max")])
        .args(["--limit", &limit("payload_bytes_max")])
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

async fn register(address: &str, parallel: u64) {
    let channel = address.to_owned();
    let mut workflows = WorkflowServiceClient::connect(channel).await.unwrap();
    let request = RegisterWorkflowRequest {
        source: format!(
            "
name: map
steps:
  - id: map
    each: {{ items: input, max_parallel: {parallel}, steps: [ {{ id: one, agent: echo }} ] }}
"
        ),
        ..RegisterWorkflowRequest::default()
    };
    workflows.register_workflow(request).await.unwrap();
}

async fn map(address: &str, items: u64) {
    let channel = address.to_owned();
    let executions = ExecutionServiceClient::connect(channel).await.unwrap();
    let mut executions = executions.max_decoding_message_size(MESSAGE_BYTES_MAX);
    let items = (0..items).map(|n| value::number(n as f64));
    let request = RunExecutionRequest {
        workflow: "map".into(),
        input: Some(value::list(items.collect())),
        ..RunExecutionRequest::default()
    };
    let answer = executions.run_execution(request).await.unwrap();
    let execution = answer.into_inner().execution.unwrap();
    assert_eq!(execution.state(), State::Completed, "{:?}", execution.error);
}

/// The processor time that a process has used, in microseconds.
fn cpu_micros(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |place: usize| fields[place].parse::<u64>().unwrap();
    // utime and stime, in hundredths of a second.
    (ticks(11) + ticks(12)) * 10_000
}

fn memory_kib(pid: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
