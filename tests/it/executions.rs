//! Executions from start to end: states, steps, progress, lists, idempotent starts.

use std::time::Duration;

use serde_json::json;
use tonic::{Code, Request};
use tutti::proto::{
    CancelExecutionRequest, DeleteExecutionRequest, ExecutionFilter, GetExecutionRequest,
    ListEventsRequest, ListExecutionsRequest, RunExecutionRequest, TerminateExecutionRequest,
    execution::State, step_execution::State as StepState,
};

use crate::{
    support::{TestServer, json_of, start},
    workers::clock::Clock,
};

const TWO: &str = "
name: two
labels: { team: a }
mode: SEQUENCE
steps:
  - { id: first, agent: one, name: The first }
  - { id: second, agent: two, input: { got: '{{ previous }}', n: '{{ input.n + 1 }}' } }
";

#[tokio::test]
async fn an_execution_shows_where_it_stands_at_every_moment() {
    let server = TestServer::start().await;
    server.register(TWO).await;
    let id = server.begin("two", json!({"n": 41})).await;
    let execution = server.get(&id).await;
    assert_eq!(execution.state(), State::Running);
    assert_eq!((execution.workflow.as_str(), execution.version), ("two", 1));
    assert_eq!(execution.labels["team"], "a");
    assert_eq!(execution.progress_percent, 0.0);
    let states: Vec<_> = execution
        .steps
        .iter()
        .map(|s| (s.path.as_str(), s.state()))
        .collect();
    assert_eq!(
        states,
        [
            ("first", StepState::Waiting),
            ("second", StepState::Pending)
        ]
    );
    assert_eq!(execution.steps[0].name, "The first");
    assert_eq!(
        execution.steps[0].waiting_for,
        "agent 'one' is not registered"
    );
    assert_eq!(execution.steps[1].waiting_for, "step first");

    let task = server.poll("one").await;
    assert_eq!(
        (task.execution_id.as_str(), task.step.as_str(), task.attempt),
        (id.as_str(), "first", 1)
    );
    assert_eq!(json_of(&task.input), json!({"n": 41}));
    assert_eq!(server.get(&id).await.steps[0].state(), StepState::Running);
    server.complete(&task, json!("one")).await.unwrap();
    let halfway = server.get(&id).await;
    assert_eq!(halfway.progress_percent, 50.0);
    assert!(halfway.average_step_time.is_some() && halfway.estimated_completion_time.is_some());

    let task = server.poll("two").await;
    assert_eq!(json_of(&task.input), json!({"got": "one", "n": 42}));
    server.complete(&task, json!({"done": true})).await.unwrap();
    let done = server.ended(&id).await;
    assert_eq!(done.state(), State::Completed);
    assert_eq!(json_of(&done.output), json!({"done": true}));
    assert_eq!(done.progress_percent, 100.0);
    assert!(done.end_time.is_some() && done.elapsed.is_some());
    assert!(
        done.steps
            .iter()
            .all(|s| s.state() == StepState::Completed && s.end_time.is_some())
    );
}

#[tokio::test]
async fn run_waits_for_the_end_and_gives_the_handle_when_time_is_up() {
    let server = TestServer::start().await;
    server.register(TWO).await;
    let request = || RunExecutionRequest {
        workflow: "two".into(),
        input: start("", json!({"n": 1})).input,
        ..Default::default()
    };
    let mut hurried = tonic::Request::new(request());
    hurried.set_timeout(std::time::Duration::from_millis(500));
    let answer = server
        .executions()
        .run_execution(hurried)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.execution.unwrap().state(), State::Running);
    assert!(!answer.execution_id.is_empty());

    let worker = server.echo(&["one", "two"]);
    let answer = server
        .executions()
        .run_execution(request())
        .await
        .unwrap()
        .into_inner();
    let execution = answer.execution.unwrap();
    assert_eq!(execution.state(), State::Completed);
    assert_eq!(json_of(&execution.output), json!({"got": {"n": 1}, "n": 2}));
    worker.abort();
}

#[tokio::test]
async fn a_start_under_the_same_request_id_is_one_start() {
    let mut server = TestServer::start().await;
    server.register(TWO).await;
    let mut request = start("two", json!({"n": 1}));
    request.request_id = "order-7".into();
    let first = server.try_begin(request.clone()).await.unwrap();
    assert_eq!(server.try_begin(request.clone()).await.unwrap(), first);
    server.restart().await;
    assert_eq!(
        server.try_begin(request.clone()).await.unwrap(),
        first,
        "over a restart too"
    );
    let mut other = start("two", json!({"n": 2}));
    other.request_id = "order-7".into();
    let refused = server.try_begin(other).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
}

#[tokio::test]
async fn many_starts_under_one_request_id_at_once_are_one_start() {
    let server = TestServer::start().await;
    server.register(TWO).await;
    let mut request = start("two", json!({"n": 1}));
    request.request_id = "same".into();
    let starts = (0..20).map(|_| server.try_begin(request.clone()));
    let ids: std::collections::HashSet<String> = futures::future::join_all(starts)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn lists_are_filtered_and_paged_newest_first() {
    let server = TestServer::start().await;
    server.register(TWO).await;
    server
        .register("name: other\nsteps: [ { id: a, set: { x: 1 } } ]")
        .await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let mut request = start("two", json!({"n": n}));
        request.labels.insert("n".into(), n.to_string());
        ids.push(server.try_begin(request).await.unwrap());
    }
    let other = server.begin("other", json!(null)).await;
    server.ended(&other).await;
    let list = async |filter: ExecutionFilter, size: i32| {
        let mut found = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListExecutionsRequest {
                filter: Some(filter.clone()),
                page_size: size,
                page_token,
                ..Default::default()
            };
            let page = server
                .executions()
                .list_executions(request)
                .await
                .unwrap()
                .into_inner();
            assert!(page.executions.len() <= usize::try_from(size).unwrap());
            found.extend(page.executions.into_iter().map(|e| e.execution_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return found;
            }
        }
    };
    let newest_first: Vec<String> = ids.iter().rev().cloned().collect();
    let two = ExecutionFilter {
        workflow: "two".into(),
        ..Default::default()
    };
    assert_eq!(list(two, 2).await, newest_first);
    let ended = ExecutionFilter {
        states: vec![State::Completed.into()],
        ..Default::default()
    };
    assert_eq!(list(ended, 2).await, std::slice::from_ref(&other));
    let labelled = ExecutionFilter {
        labels: [("n".to_owned(), "3".to_owned())].into(),
        ..Default::default()
    };
    assert_eq!(list(labelled, 10).await, ids[3..4]);
    assert_eq!(list(ExecutionFilter::default(), 100).await.len(), 6);
}

#[tokio::test]
async fn events_are_paged_in_order_without_gaps() {
    let server = TestServer::start().await;
    server.register(TWO).await;
    let worker = server.echo(&["one", "two"]);
    let id = server.begin("two", json!({"n": 1})).await;
    let last = server.ended(&id).await.last_sequence;
    let mut sequences = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListEventsRequest {
            execution_id: id.clone(),
            page_size: 3,
            page_token,
            ..Default::default()
        };
        let page = server
            .executions()
            .list_events(request)
            .await
            .unwrap()
            .into_inner();
        sequences.extend(page.events.iter().map(|e| e.sequence));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(sequences, (1..=last).collect::<Vec<_>>());
    worker.abort();
}

#[tokio::test]
async fn a_cancel_ends_it_and_an_ended_one_cannot_be_cancelled() {
    let server = TestServer::start().await;
    server.register(TWO).await;
    let id = server.begin("two", json!({"n": 1})).await;
    let request = CancelExecutionRequest {
        execution_id: id.clone(),
        reason: "not needed".into(),
        ..Default::default()
    };
    let answer = server
        .executions()
        .cancel_execution(request.clone())
        .await
        .unwrap();
    let execution = answer.into_inner().execution.unwrap();
    assert_eq!(execution.state(), State::Cancelled);
    assert_eq!(execution.error.unwrap().message, "not needed");
    let refused = server
        .executions()
        .cancel_execution(request)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let request = TerminateExecutionRequest {
        execution_id: id,
        ..Default::default()
    };
    let refused = server
        .executions()
        .terminate_execution(request)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn an_ended_execution_can_be_deleted_an_open_one_not() {
    let server = TestServer::start().await;
    server.register(TWO).await;
    let id = server.begin("two", json!({"n": 1})).await;
    let request = DeleteExecutionRequest {
        execution_id: id.clone(),
        ..Default::default()
    };
    let refused = server
        .executions()
        .delete_execution(request.clone())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let terminate = TerminateExecutionRequest {
        execution_id: id.clone(),
        ..Default::default()
    };
    server
        .executions()
        .terminate_execution(terminate)
        .await
        .unwrap();
    server.executions().delete_execution(request).await.unwrap();
    let get = GetExecutionRequest {
        execution_id: id,
        ..Default::default()
    };
    let gone = server.executions().get_execution(get).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

#[tokio::test]
async fn another_namespace_does_not_see_it() {
    let server = TestServer::start().await;
    server.register(TWO).await;
    let id = server.begin("two", json!({"n": 1})).await;
    let get = GetExecutionRequest {
        execution_id: id,
        namespace: "elsewhere".into(),
    };
    let hidden = server.executions().get_execution(get).await.unwrap_err();
    assert_eq!(hidden.code(), Code::NotFound);
    let mut request = start("two", json!({"n": 1}));
    request.namespace = "elsewhere".into();
    assert_eq!(
        server.try_begin(request).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn a_run_that_outlasts_its_callers_deadline_returns_the_execution_as_it_stands() {
    let server = TestServer::start().await;
    server.register(TWO).await;
    let clock = Clock::stop();
    let mut request = Request::new(RunExecutionRequest {
        workflow: "two".into(),
        input: start("two", json!({"n": 1})).input,
        ..Default::default()
    });
    request.set_timeout(Duration::from_millis(400));
    let mut executions = server.executions();
    let running = tokio::spawn(async move { executions.run_execution(request).await });
    let task = server.poll("one").await;
    // A tenth is kept back for the answer, which takes none of the time that stands still.
    clock.pass(Duration::from_millis(370)).await;
    let answer = running.await.unwrap().expect("in time").into_inner();
    let execution = answer.execution.unwrap();
    assert_eq!(execution.execution_id, answer.execution_id);
    assert_eq!(execution.execution_id, task.execution_id);
    assert_eq!(execution.end_time, None);
    assert_eq!(execution.steps[0].state(), StepState::Running);
}
