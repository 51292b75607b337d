//! Watching the executions of a namespace: those that match first, then as they change.

use serde_json::json;
use tonic::Streaming;
use tutti::proto::{
    Execution, ExecutionFilter, WatchExecutionsRequest, WatchExecutionsResponse, execution::State,
};

use crate::support::{PATIENCE, TestServer, start};

const HELD: &str = "name: held\nsteps: [ { id: a, agent: nobody } ]";

async fn watch_all(
    server: &TestServer,
    filter: ExecutionFilter,
) -> Streaming<WatchExecutionsResponse> {
    let request = WatchExecutionsRequest {
        filter: Some(filter),
        ..Default::default()
    };
    let answer = server.executions().watch_executions(request).await;
    answer.unwrap().into_inner()
}

async fn next(stream: &mut Streaming<WatchExecutionsResponse>) -> Execution {
    let message = tokio::time::timeout(PATIENCE, stream.message()).await;
    let message = message.expect("a change in time").unwrap();
    message.expect("the watch goes on").execution.unwrap()
}

/// The first change of an execution to this state; what is told of others is passed over.
async fn told(
    stream: &mut Streaming<WatchExecutionsResponse>,
    id: &str,
    state: State,
) -> Execution {
    loop {
        let execution = next(stream).await;
        if execution.execution_id == id && execution.state() == state {
            return execution;
        }
    }
}

#[tokio::test]
async fn those_that_match_come_first_then_every_change() {
    let server = TestServer::start().await;
    server.register(HELD).await;
    let first = server.begin("held", json!({"large": "x"})).await;
    let second = server.begin("held", json!(null)).await;
    let mut stream = watch_all(&server, ExecutionFilter::default()).await;
    let existing = [next(&mut stream).await, next(&mut stream).await];
    let mut ids: Vec<_> = existing.iter().map(|e| e.execution_id.clone()).collect();
    ids.sort();
    assert_eq!(ids, [first.clone(), second], "ids sort by creation");
    let bare = |e: &Execution| e.steps.is_empty() && e.input.is_none();
    assert!(existing.iter().all(bare), "without steps and payloads");

    let third = server.begin("held", json!(null)).await;
    let execution = told(&mut stream, &third, State::Running).await;
    assert_eq!((&*execution.workflow, execution.version), ("held", 1));
    server.terminate(&first).await;
    let ended = told(&mut stream, &first, State::Cancelled).await;
    assert!(ended.end_time.is_some());
}

#[tokio::test]
async fn one_that_leaves_the_filter_is_told_once_more() {
    let server = TestServer::start().await;
    server.register(HELD).await;
    let leaving = server.begin("held", json!(null)).await;
    let running = ExecutionFilter {
        states: vec![State::Running.into()],
        ..Default::default()
    };
    let mut stream = watch_all(&server, running).await;
    told(&mut stream, &leaving, State::Running).await;
    server.terminate(&leaving).await;
    told(&mut stream, &leaving, State::Cancelled).await;

    let ended = server.begin("held", json!(null)).await;
    told(&mut stream, &ended, State::Running).await;
    server.terminate(&ended).await;
    told(&mut stream, &ended, State::Cancelled).await;
    let last = server.begin("held", json!(null)).await;
    assert_eq!(next(&mut stream).await.execution_id, last);
}

#[tokio::test]
async fn only_what_passes_the_filter_is_told() {
    let server = TestServer::start().await;
    server.register(HELD).await;
    server.register(&HELD.replace("held", "other")).await;
    let mut labelled = start("held", json!(null));
    labelled.labels.insert("tenant".into(), "acme".into());
    let of_acme = ExecutionFilter {
        workflow: "held".into(),
        labels: [("tenant".to_owned(), "acme".to_owned())].into(),
        ..Default::default()
    };
    server.begin("held", json!(null)).await;
    let existing = server.try_begin(labelled.clone()).await.unwrap();
    let mut stream = watch_all(&server, of_acme).await;
    assert_eq!(next(&mut stream).await.execution_id, existing);
    server.begin("held", json!(null)).await;
    server.begin("other", json!(null)).await;
    let mut elsewhere = labelled.clone();
    elsewhere.namespace = "elsewhere".into();
    elsewhere.workflow = String::new();
    elsewhere.definition = tutti::core::definition::parse(HELD).workflow;
    server.try_begin(elsewhere).await.unwrap();
    let new = server.try_begin(labelled).await.unwrap();
    assert_eq!(next(&mut stream).await.execution_id, new);
}
