//! The process is killed (SIGKILL) while agents judge and repair: no finished call is repeated.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value as Json, json};
use tutti_client::{TaskContext, TaskError, Worker};

use crate::killed::run_under_kills;

const ROUNDS: usize = 40;

const WORKFLOW: &str = "
name: judged
steps:
  - id: l
    loop:
      max_iterations: 40
      steps:
        - id: write
          agent: writer
          input: '{{ iteration }}'
          retry: { max_attempts: 20, initial_delay: 0.01s }
          gates:
            after:
              - cel: value > 100
                on_violation: REPAIR
                repair: { agent: fixer, retry: { max_attempts: 20, initial_delay: 0.01s } }
              - judge: { agent: critic, retry: { max_attempts: 20, initial_delay: 0.01s } }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_while_agents_judge_and_repair_repeats_no_finished_call() {
    let (results, output) = run_under_kills((WORKFLOW, json!(null)), serve, ROUNDS).await;
    for round in 1..=ROUNDS {
        for call in ["", "/gates.after[0].repair", "/gates.after[1].judge"] {
            let path = format!("l[{round}]/write{call}");
            assert_eq!(results.get(path.as_str()), Some(&1), "{path}");
        }
    }
    assert_eq!(output, json!({"l": ROUNDS + 1_000}));
}

/// Serves a writer that gives too little, a fixer that adds to it, and a critic who is content.
async fn serve(url: String, judged: Arc<AtomicUsize>) {
    let fix = |_: TaskContext, asked: Json| async move {
        let given = asked["output"].as_u64().unwrap();
        Ok::<_, TaskError>(json!(given + 1_000))
    };
    let judge = move |_: TaskContext, asked: Json| {
        let round = asked["output"].as_u64().unwrap() - 1_000;
        judged.fetch_max(usize::try_from(round).unwrap(), Ordering::Relaxed);
        async move { Ok::<_, TaskError>(json!({"score": 1})) }
    };
    let worker = Worker::builder(url)
        .agent_fn("writer", Ok)
        .agent("fixer", fix)
        .agent("critic", judge)
        .build()
        .unwrap();
    let _ = worker.run(std::future::pending()).await;
}
