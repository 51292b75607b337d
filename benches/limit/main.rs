//! `tutti bench steps` beside its limit: gRPC and a journal with no engine, measured in turn in
//! one run on one machine, so that the ratio means something where the numbers do not.
//!
//! `TUTTI_BENCH_SECONDS` (default 5) is how long a cell takes, `TUTTI_BENCH_ROUNDS` (default 3)
//! how often each is measured; medians are shown. With `TUTTI_BENCH_JSON` set to a file, the
//! medians are written there too, an object a line.

#![allow(missing_docs, clippy::unwrap_used)]

mod journal;
mod server;

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

const CONCURRENCY: [u64; 4] = [1, 16, 64, 256];
const FIGURES: [&str; 3] = ["workflows_per_second", "p50_ms", "p99_ms"];

fn main() {
    if let Ok(directory) = std::env::var("TUTTI_BENCH_LIMIT_SERVER") {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(server::serve(directory.as_ref()));
    }
    let (seconds, rounds) = (
        setting("TUTTI_BENCH_SECONDS", 5),
        setting("TUTTI_BENCH_ROUNDS", 3),
    );
    println!("3-step durable workflows, 200-byte payloads, medians of {rounds} x {seconds} s");
    println!(
        "{:>8} {:>12} {:>12} {:>6} {:>8} {:>8} {:>8} {:>8}",
        "at once", "tutti wf/s", "limit wf/s", "ratio", "p50 ms", "limit", "p99 ms", "limit"
    );
    let mut lines = Vec::new();
    for concurrency in CONCURRENCY {
        let (tutti, limit) = cell(concurrency, seconds, rounds);
        let of = |name: &str| (tutti[name], limit[name]);
        let ((rate, top), (p50, least), (p99, least99)) =
            (of(FIGURES[0]), of(FIGURES[1]), of(FIGURES[2]));
        println!(
            "{concurrency:>8} {rate:>12.0} {top:>12.0} {:>6.2} {p50:>8.2} {least:>8.2} {p99:>8.2} {least99:>8.2}",
            rate / top
        );
        lines.push(
            json!({ "concurrency": concurrency, "tutti": tutti, "limit": limit }).to_string(),
        );
    }
    if let Ok(file) = std::env::var("TUTTI_BENCH_JSON") {
        std::fs::write(file, lines.join("\n") + "\n").unwrap();
    }
}

type Figures = BTreeMap<&'static str, f64>;

/// Both in turn, as often as asked; the medians of each.
fn cell(concurrency: u64, seconds: u64, rounds: u64) -> (Figures, Figures) {
    let (mut tutti, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        tutti.push(steps(concurrency, seconds, &[]));
        let (_server, address) = limit_server();
        limit.push(steps(concurrency, seconds, &["--connect", &address]));
    }
    (medians(&tutti), medians(&limit))
}

fn medians(cells: &[Value]) -> Figures {
    let median = |name: &'static str| {
        let mut values: Vec<f64> = cells.iter().map(|c| c[name].as_f64().unwrap()).collect();
        values.sort_by(f64::total_cmp);
        (name, values[values.len() / 2])
    };
    FIGURES.into_iter().map(median).collect()
}

/// One cell by `tutti bench steps`.
fn steps(concurrency: u64, seconds: u64, more: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_tutti"))
        .args(["bench", "steps", "--output", "json", "--concurrency"])
        .arg(concurrency.to_string())
        .arg("--seconds")
        .arg(seconds.to_string())
        .args(more)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "tutti bench failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

struct Killed(Child, #[allow(dead_code)] tempfile::TempDir);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn limit_server() -> (Killed, String) {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Command::new(std::env::current_exe().unwrap())
        .env("TUTTI_BENCH_LIMIT_SERVER", directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim()
        .strip_prefix("listening on ")
        .unwrap()
        .to_owned();
    (Killed(server, directory), address)
}

fn setting(name: &str, default: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.and_then(|v| v.parse().ok()).unwrap_or(default)
}
