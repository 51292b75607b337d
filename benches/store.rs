//! What a commit of the store on disk costs: CPU for each execution of three steps, commits a
//! second, and the disk that the executions take at rest.
//!
//! `cargo bench --bench store` runs `TUTTI_BENCH_EXECUTIONS` (default 100,000) executions with
//! payloads of `TUTTI_BENCH_PAYLOAD` bytes (default 256), `TUTTI_BENCH_CONCURRENCY` (default
//! 256) at once, each of whose four transitions is part of one group commit.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{fs, path::Path, time::Instant};

use prost_types::{Timestamp, Value, value::Kind};
use tutti::{
    proto::{
        Event, Execution, ExecutionCompleted, ExecutionStarted, StepCompleted, StepScheduled,
        StepStarted, event, execution::State,
    },
    store::{
        Store as _, Write,
        sled::{Options, SledStore},
    },
};
use uuid::Uuid;

const NAMESPACE: &str = "default";
const WORKFLOW: &str = "three-steps";
const STEPS: [&str; 3] = ["first", "second", "third"];

fn main() {
    let executions = setting("TUTTI_BENCH_EXECUTIONS", 100_000);
    let concurrency = setting("TUTTI_BENCH_CONCURRENCY", 256);
    let bytes = setting("TUTTI_BENCH_PAYLOAD", 256);
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (store, _) = SledStore::open(directory.path(), Options::default()).unwrap();
    let (begin, cpu, mut commits) = (Instant::now(), cpu_seconds(), 0);
    for first in (0..executions).step_by(concurrency) {
        let last = executions.min(first + concurrency);
        let mut runs: Vec<_> = (first..last).map(|n| Run::new(n as u64, bytes)).collect();
        for transition in 0..=STEPS.len() {
            let group = runs.iter_mut().map(|run| run.write(transition)).collect();
            store.commit(group).unwrap();
            commits += 1;
        }
    }
    let (wall, used) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    store.close().unwrap();
    let closed = cpu_seconds() - cpu;
    drop(store);
    let each = |seconds: f64| seconds * 1e6 / executions as f64;
    println!("{executions} executions in {commits} commits, {wall:.1} s");
    println!(
        "CPU of each: {:.1} us, with closing {:.1} us",
        each(used),
        each(closed)
    );
    let at_rest = tree_bytes(&directory.path().join("state"));
    let all = tree_bytes(directory.path());
    let of_each = |bytes: u64| bytes / executions as u64;
    println!(
        "on disk at rest: {} bytes each, {} with the journal",
        of_each(at_rest),
        of_each(all)
    );
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn tree_bytes(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else {
        return fs::metadata(path).map_or(0, |found| found.len());
    };
    entries
        .map(|entry| tree_bytes(&entry.unwrap().path()))
        .sum()
}

/// One execution: its input, and what each step makes of it.
struct Run {
    id: Uuid,
    sequence: u64,
    payloads: Vec<Value>,
}

impl Run {
    fn new(n: u64, bytes: usize) -> Self {
        Self {
            id: Uuid::now_v7(),
            sequence: 0,
            payloads: (0..4).map(|k| noise(n * 4 + k, bytes)).collect(),
        }
    }

    /// What a transition appends: the start, or the result of a step and what follows.
    fn write(&mut self, transition: usize) -> Write {
        let payload = Some(self.payloads[transition].clone());
        let mut events = Vec::new();
        match transition {
            0 => {
                let started = ExecutionStarted {
                    namespace: NAMESPACE.into(),
                    workflow: WORKFLOW.into(),
                    version: 1,
                    input: payload.clone(),
                    ..ExecutionStarted::default()
                };
                events.push(self.event("", event::Kind::ExecutionStarted(started)));
            }
            _ => {
                let step = STEPS[transition - 1];
                let started = StepStarted {
                    worker_id: "worker-1".into(),
                    agent: "echo".into(),
                    ..StepStarted::default()
                };
                events.push(self.event(step, event::Kind::StepStarted(started)));
                let completed = StepCompleted {
                    attempt: 1,
                    output: payload.clone(),
                    ..StepCompleted::default()
                };
                events.push(self.event(step, event::Kind::StepCompleted(completed)));
            }
        }
        if let Some(next) = STEPS.get(transition) {
            let scheduled = StepScheduled {
                attempt: 1,
                input: payload,
                ..StepScheduled::default()
            };
            events.push(self.event(next, event::Kind::StepScheduled(scheduled)));
        } else {
            let completed = ExecutionCompleted { output: payload };
            events.push(self.event("", event::Kind::ExecutionCompleted(completed)));
        }
        let state = match transition {
            0 => Some(State::Running),
            3 => Some(State::Completed),
            _ => None,
        };
        Write::Append {
            id: self.id,
            events,
            summary: state.map(|state| Box::new(self.summary(state))),
        }
    }

    fn event(&mut self, step: &str, kind: event::Kind) -> Event {
        self.sequence += 1;
        Event {
            execution_id: self.id.to_string(),
            sequence: self.sequence,
            time: Some(now()),
            step: step.into(),
            kind: Some(kind),
        }
    }

    fn summary(&self, state: State) -> Execution {
        Execution {
            execution_id: self.id.to_string(),
            namespace: NAMESPACE.into(),
            workflow: WORKFLOW.into(),
            version: 1,
            state: state.into(),
            create_time: Some(now()),
            last_sequence: self.sequence,
            ..Execution::default()
        }
    }
}

fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

/// A text that does not compress.
fn noise(seed: u64, bytes: usize) -> Value {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + (state >> 58) as u8)
    };
    Value {
        kind: Some(Kind::StringValue((0..bytes).map(|_| next()).collect())),
    }
}
