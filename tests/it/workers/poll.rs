//! The same tasks by single calls: poll, complete, fail, heartbeat.

use std::time::Duration;

use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tutti::proto::{
    CompleteTaskRequest, FailTaskRequest, GetAgentRequest, HeartbeatTaskRequest, PollTasksRequest,
    Task, Usage, execution::State, result_ack::Outcome, step_execution::State as StepState,
};

use super::{ONE, TWICE, bad_fields, raw::RawWorker, reason};
use crate::support::{PATIENCE, TestServer, json_of, seconds};

fn request(max_tasks: i32, wait: Duration) -> PollTasksRequest {
    PollTasksRequest {
        worker_id: "p".into(),
        agents: vec!["x".into()],
        max_tasks,
        wait_timeout: Some(wait.try_into().unwrap()),
        ..Default::default()
    }
}

async fn poll(server: &TestServer, request: PollTasksRequest) -> Vec<Task> {
    let answer = server.workers().poll_tasks(request).await;
    answer.unwrap().into_inner().tasks
}

fn stale(refused: &Status) {
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(reason(refused), "STALE_TOKEN");
    let details = refused.get_error_details();
    let violations = &details.precondition_failure().unwrap().violations;
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].r#type, "TOKEN");
}

#[tokio::test]
async fn a_poll_that_finds_nothing_in_time_is_empty() {
    let server = TestServer::start().await;
    assert_eq!(poll(&server, request(1, Duration::ZERO)).await, []);
    let left_out = PollTasksRequest {
        wait_timeout: None,
        ..request(1, Duration::ZERO)
    };
    assert_eq!(poll(&server, left_out).await, []);
    let short = request(1, Duration::from_millis(20));
    assert_eq!(poll(&server, short).await, []);

    let mut hurried = tonic::Request::new(request(1, PATIENCE));
    hurried.set_timeout(Duration::from_secs(2));
    let answer = server.workers().poll_tasks(hurried).await;
    let tasks = answer.expect("an answer before the deadline").into_inner();
    assert_eq!(tasks.tasks, []);
}

#[tokio::test]
async fn a_poll_that_waits_gets_the_task_when_it_comes_to_be() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let waiting = poll(&server, request(1, PATIENCE));
    let begun = async {
        until_served_by(&server, 1).await;
        server.begin("one", json!(1)).await
    };
    let (tasks, id) = tokio::join!(waiting, begun);
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].execution_id, id);
    let step = server.get(&id).await.steps.remove(0);
    assert_eq!(
        (step.state(), step.worker_id.as_str()),
        (StepState::Running, "p"),
        "accepted by being taken"
    );
}

#[tokio::test]
async fn a_poll_that_went_away_takes_no_task() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let gone = tokio::spawn({
        let mut workers = server.workers();
        async move { workers.poll_tasks(request(1, PATIENCE)).await.map(drop) }
    });
    until_served_by(&server, 1).await;
    gone.abort();
    until_served_by(&server, 0).await;
    let id = server.begin("one", json!(1)).await;
    let task = server.poll("x").await;
    assert_eq!((task.execution_id, task.attempt), (id, 1));
}

/// Waits until so many workers serve the agent; a poll that waits is one.
async fn until_served_by(server: &TestServer, workers: u32) {
    loop {
        let request = GetAgentRequest {
            id: "x".into(),
            ..Default::default()
        };
        let answer = server.agents().get_agent(request).await;
        if answer.is_ok_and(|a| a.into_inner().agent.unwrap().workers == workers) {
            return;
        }
    }
}

#[tokio::test]
async fn a_poll_takes_up_to_as_many_as_it_asks_for_in_the_order_of_the_queue() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(server.begin("one", json!(n)).await);
        server.get(&ids[n]).await;
    }
    let taken = async |most| -> Vec<String> {
        let tasks = poll(&server, request(most, PATIENCE)).await;
        tasks.into_iter().map(|task| task.execution_id).collect()
    };
    assert_eq!(taken(0).await, ids[..1], "0 is one");
    assert_eq!(taken(2).await, ids[1..3]);
    assert_eq!(taken(100).await, ids[3..]);
}

#[tokio::test]
async fn one_queue_is_behind_streams_and_polls() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(server.begin("one", json!(n)).await);
        server.get(&ids[n]).await;
    }
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    let mut taken = vec![worker.take().await];
    taken.extend(poll(&server, request(1, PATIENCE)).await);
    worker.credit(1);
    taken.push(worker.take().await);
    taken.extend(poll(&server, request(1, PATIENCE)).await);
    let taken: Vec<_> = taken.into_iter().map(|task| task.execution_id).collect();
    assert_eq!(taken, ids);

    let token = poll_one(&server).await.token;
    worker.complete(&token, json!("polled, said by stream"));
    assert_eq!(worker.acked().await, (token, Outcome::Recorded));
}

async fn poll_one(server: &TestServer) -> Task {
    server.begin("one", json!(1)).await;
    server.poll("x").await
}

#[tokio::test]
async fn bad_requests_name_every_bad_field() {
    let server = TestServer::start().await;
    let mut workers = server.workers();
    let bad = PollTasksRequest {
        max_tasks: -1,
        wait_timeout: Some(seconds(61)),
        agents: vec!["not good".into()],
        ..Default::default()
    };
    let refused = workers.poll_tasks(bad).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let mut fields = bad_fields(&refused);
    fields.sort();
    assert_eq!(
        fields,
        ["agents[0]", "max_tasks", "wait_timeout", "worker_id"]
    );
    let none = PollTasksRequest {
        worker_id: "p".into(),
        ..Default::default()
    };
    let refused = workers.poll_tasks(none).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["agents"]);

    let usage = Some(Usage {
        cost: f64::NAN,
        ..Default::default()
    });
    let complete = CompleteTaskRequest {
        usage,
        ..Default::default()
    };
    let refused = workers.complete_task(complete).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["token", "usage.cost"]);
    let fail = FailTaskRequest {
        retry_after: Some(seconds(-1)),
        usage,
        ..Default::default()
    };
    let refused = workers.fail_task(fail).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["token", "retry_after", "usage.cost"]);
    let heartbeat = HeartbeatTaskRequest::default();
    let refused = workers.heartbeat_task(heartbeat).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["token"]);
}

#[tokio::test]
async fn a_result_is_there_when_the_call_returns_and_repeating_it_is_safe() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    let task = server.poll("x").await;
    let complete = CompleteTaskRequest {
        token: task.token.clone(),
        output: task.input.clone(),
        usage: Some(Usage {
            input_tokens: 5,
            output_tokens: 6,
            cost: 0.25,
        }),
    };
    server.workers().complete_task(complete).await.unwrap();
    let execution = server.get(&id).await;
    assert_eq!(execution.state(), State::Completed);
    let usage = execution.steps[0].usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (5, 6));

    server.complete(&task, json!("another")).await.unwrap();
    let again = server.get(&id).await;
    assert_eq!(json_of(&again.output), json!(1), "the first one counts");
    assert_eq!(again.last_sequence, execution.last_sequence);
}

#[tokio::test]
async fn a_token_that_holds_nothing_is_refused_and_nothing_changes() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    let task = server.poll("x").await;
    let before = server.get(&id).await.last_sequence;
    let mut near = task.token.clone();
    let last = if near.pop() == Some('0') { '1' } else { '0' };
    near.push(last);
    for token in ["made-up".into(), "0".repeat(64), "f".repeat(64), near] {
        let forged = Task {
            token: token.clone(),
            ..Default::default()
        };
        let refused = server.complete(&forged, json!("forged")).await;
        stale(&refused.unwrap_err());
        stale(&server.fail(&forged, "forged").await.unwrap_err());
        let request = HeartbeatTaskRequest { token };
        let refused = server.workers().heartbeat_task(request).await;
        stale(&refused.unwrap_err());
    }
    assert_eq!(server.get(&id).await.last_sequence, before);
    server.complete(&task, json!("own")).await.unwrap();
    assert_eq!(json_of(&server.get(&id).await.output), json!("own"));
}

#[tokio::test]
async fn the_token_of_an_earlier_attempt_is_refused() {
    let server = TestServer::start().await;
    server.register(TWICE).await;
    let id = server.begin("twice", json!(1)).await;
    let first = server.poll("x").await;
    server.fail(&first, "unavailable").await.unwrap();
    let second = server.poll("x").await;
    assert_eq!(second.attempt, 2);
    let refused = server.complete(&first, json!("late")).await;
    stale(&refused.unwrap_err());
    stale(&server.fail(&first, "late").await.unwrap_err());
    assert_eq!(server.get(&id).await.steps[0].state(), StepState::Running);
    server.complete(&second, json!("in time")).await.unwrap();
    assert_eq!(json_of(&server.get(&id).await.output), json!("in time"));
}

#[tokio::test]
async fn an_output_over_the_limit_is_refused_and_fails_the_step() {
    let server = TestServer::with(|config| config.limits.payload_bytes_max = 1 << 10).await;
    server.register(TWICE).await;
    let id = server.begin("twice", json!(1)).await;
    let task = server.poll("x").await;
    let large = json!("x".repeat(2 << 10));
    let refused = server.complete(&task, large).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let details = refused.get_error_details();
    let violations = &details.quota_failure().unwrap().violations;
    assert_eq!(violations[0].subject, "output");
    assert!(violations[0].description.contains("payload_bytes_max"));
    assert!(
        details.retry_info().is_none(),
        "repeating it would not help"
    );
    let execution = server.get(&id).await;
    assert_eq!(execution.state(), State::Failed);
    assert_eq!(execution.steps[0].attempt, 1, "not retried");
    assert_eq!(execution.error.unwrap().class, "limit");
}

#[tokio::test]
async fn a_failure_is_recorded_and_the_next_attempt_waits_as_long_as_it_says() {
    let server = TestServer::start().await;
    server.register(TWICE).await;
    let id = server.begin("twice", json!(1)).await;
    let task = server.poll("x").await;
    let fail = FailTaskRequest {
        token: task.token.clone(),
        retry_after: Some(seconds(3600)),
        ..Default::default()
    };
    let mut workers = server.workers();
    workers.fail_task(fail.clone()).await.unwrap();
    let execution = server.get(&id).await;
    let step = &execution.steps[0];
    assert_eq!(step.state(), StepState::Retrying);
    assert_eq!(step.error.as_ref().unwrap().class, "agent_error");
    let created = execution.create_time.unwrap().seconds;
    assert!(step.next_attempt_time.unwrap().seconds >= created + 3600);
    workers.fail_task(fail).await.unwrap();
    let again = server.get(&id).await;
    assert_eq!(again.last_sequence, execution.last_sequence);
}
