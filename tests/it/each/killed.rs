//! The process is killed (SIGKILL) in the middle of a map: every item has exactly one result.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value as Json, json};
use tutti::{core::value, proto::event::Kind};
use tutti_client::{TaskContext, TaskError, Worker};

use crate::killed::{Process, begin, events_until_end};

const ITEMS: usize = 2_000;

const MAP: &str = "
name: map
steps:
  - id: map
    each:
      items: input
      steps: [ { id: one, agent: increment, retry: { max_attempts: 20, initial_delay: 0.01s } } ]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_a_map_counts_one_result_for_every_item() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path(), "127.0.0.1:0");
    let address = server.address.clone();
    let url = format!("http://{address}");
    let calls = Arc::new(AtomicUsize::new(0));
    let worker = tokio::spawn(serve(url.clone(), Arc::clone(&calls)));
    let items: Vec<usize> = (0..ITEMS).collect();
    let id = begin(&url, MAP, json!(items)).await;
    for share in [5, 3, 2] {
        let wanted = ITEMS / share;
        while calls.load(Ordering::Relaxed) < wanted {
            tokio::task::yield_now().await;
        }
        server.kill();
        server = Process::start(data.path(), &address);
    }
    let events = events_until_end(&url, &id).await;
    let sequences: Vec<u64> = events.iter().map(|e| e.sequence).collect();
    let gap_free: Vec<u64> = (1..=events.len() as u64).collect();
    assert_eq!(sequences, gap_free);
    let mut results: HashMap<&str, usize> = HashMap::new();
    for event in &events {
        if let Some(Kind::StepCompleted(_)) = &event.kind {
            *results.entry(&event.step).or_default() += 1;
        }
    }
    let all = (0..ITEMS).flat_map(|n| [format!("map[{n}]"), format!("map[{n}]/one")]);
    for path in all {
        assert_eq!(results.get(path.as_str()), Some(&1), "{path}");
    }
    let Some(Kind::ExecutionCompleted(completed)) = &events.last().unwrap().kind else {
        panic!("{:?}", events.last());
    };
    let expected: Vec<usize> = (0..ITEMS).map(|n| n + 1).collect();
    let output = completed.output.as_ref().map(value::to_json).unwrap();
    assert_eq!(output, json!({"map": expected}));
    worker.abort();
}

async fn serve(url: String, calls: Arc<AtomicUsize>) {
    let work = move |_: TaskContext, input: Json| {
        calls.fetch_add(1, Ordering::Relaxed);
        async move { Ok::<_, TaskError>(json!(input.as_u64().unwrap_or(0) + 1)) }
    };
    let worker = Worker::builder(url)
        .agent("increment", work)
        .max_concurrency(32)
        .build()
        .unwrap();
    let _ = worker.run(std::future::pending()).await;
}
