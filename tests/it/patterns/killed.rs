//! The process is killed (SIGKILL) between and within turns: no finished turn is repeated.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value as Json, json};
use tutti_client::{TaskContext, TaskError, Worker};

use crate::killed::run_under_kills;

const TURNS: usize = 60;

const WORKFLOW: &str = "
name: react
steps:
  - id: r
    react:
      reason: { agent: thinker, retry: { max_attempts: 20, initial_delay: 0.01s } }
      tools: [ { agent: counter, retry: { max_attempts: 20, initial_delay: 0.01s } } ]
      max_iterations: 100
";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_while_an_agent_reasons_repeats_no_finished_turn() {
    let (results, output) = run_under_kills((WORKFLOW, json!("count")), serve, TURNS).await;
    for turn in 1..=TURNS {
        for step in ["reason", "tool/counter"] {
            let path = format!("r[{turn}]/{step}");
            assert_eq!(results.get(path.as_str()), Some(&1), "{path}");
        }
    }
    let sum: usize = (0..TURNS).sum();
    assert_eq!(
        output,
        json!({"r": {"answer": sum, "iterations": TURNS + 1}})
    );
}

/// Serves a reasoner that has numbers counted until there are enough, then adds them up.
async fn serve(url: String, turns: Arc<AtomicUsize>) {
    let reason = move |_: TaskContext, input: Json| {
        let seen = input["transcript"].as_array().unwrap();
        turns.fetch_max(seen.len(), Ordering::Relaxed);
        let sum: u64 = seen.iter().filter_map(|t| t["observation"].as_u64()).sum();
        let answer = match seen.len() {
            TURNS => json!({"answer": sum}),
            n => json!({"action": {"tool": "counter", "input": n}}),
        };
        async move { Ok::<_, TaskError>(answer) }
    };
    let worker = Worker::builder(url)
        .agent("thinker", reason)
        .agent_fn("counter", Ok)
        .build()
        .unwrap();
    let _ = worker.run(std::future::pending()).await;
}
