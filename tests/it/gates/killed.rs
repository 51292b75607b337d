//! The process is killed (SIGKILL) while agents judge and repair: no finished call is repeated.

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
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path(), "127.0.0.1:0");
    let address = server.address.clone();
    let url = format!("http://{address}");
    let judged = Arc::new(AtomicUsize::new(0));
    let worker = tokio::spawn(serve(url.clone(), Arc::clone(&judged)));
    let id = begin(&url, WORKFLOW, json!(null)).await;
    for share in [4, 3, 2] {
        while judged.load(Ordering::Relaxed) < ROUNDS / share {
            tokio::task::yield_now().await;
        }
        server.kill();
        server = Process::start(data.path(), &address);
    }
    let events = events_until_end(&url, &id).await;
    let mut results: HashMap<&str, usize> = HashMap::new();
    for event in &events {
        if let Some(Kind::StepCompleted(_)) = &event.kind {
            *results.entry(&event.step).or_default() += 1;
        }
    }
    for round in 1..=ROUNDS {
        for call in ["", "/gates.after[0].repair", "/gates.after[1].judge"] {
            let path = format!("l[{round}]/write{call}");
            assert_eq!(results.get(path.as_str()), Some(&1), "{path}");
        }
    }
    let Some(Kind::ExecutionCompleted(completed)) = &events.last().unwrap().kind else {
        panic!("{:?}", events.last());
    };
    let output = completed.output.as_ref().map(value::to_json).unwrap();
    assert_eq!(output, json!({"l": ROUNDS + 1_000}));
    worker.abort();
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
