//! The process is killed (SIGKILL) in the middle of a map: every item has exactly one result.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value as Json, json};
use tutti::{
    core::value,
    proto::{
        Event, RegisterWorkflowRequest, StartExecutionRequest, WatchExecutionRequest, event::Kind,
        execution_service_client::ExecutionServiceClient,
        workflow_service_client::WorkflowServiceClient,
    },
};
use tutti_client::{TaskContext, TaskError, Worker};

use crate::killed::Process;

const ITEMS: usize = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_a_map_counts_one_result_for_every_item() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path(), "127.0.0.1:0");
    let address = server.address.clone();
    let url = format!("http://{address}");
    let calls = Arc::new(AtomicUsize::new(0));
    let worker = tokio::spawn(serve(url.clone(), Arc::clone(&calls)));
    let id = begin(&url).await;
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

async fn begin(url: &str) -> String {
    let source = "
name: map
steps:
  - id: map
    each:
      items: input
      steps: [ { id: one, agent: increment, retry: { max_attempts: 20, initial_delay: 0.01s } } ]
";
    let request = RegisterWorkflowRequest {
        source: source.into(),
        ..Default::default()
    };
    let mut workflows = WorkflowServiceClient::connect(url.to_owned())
        .await
        .unwrap();
    workflows.register_workflow(request).await.unwrap();
    let items: Vec<usize> = (0..ITEMS).collect();
    let request = StartExecutionRequest {
        workflow: "map".into(),
        input: Some(value::from_json(&json!(items))),
        ..Default::default()
    };
    let mut executions = ExecutionServiceClient::connect(url.to_owned())
        .await
        .unwrap();
    let answer = executions.start_execution(request).await.unwrap();
    answer.into_inner().execution_id
}

async fn events_until_end(url: &str, id: &str) -> Vec<Event> {
    let mut client = ExecutionServiceClient::connect(url.to_owned())
        .await
        .unwrap();
    let request = WatchExecutionRequest {
        execution_id: id.into(),
        ..Default::default()
    };
    let mut watch = client.watch_execution(request).await.unwrap().into_inner();
    let mut events = Vec::new();
    while let Some(message) = watch.message().await.unwrap() {
        events.extend(message.event);
    }
    events
}
