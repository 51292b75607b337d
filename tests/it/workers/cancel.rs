//! What is no longer wanted is taken back: out of the queue, and from its worker, which is told
//! at once down its stream.

use std::time::Duration;

use serde_json::json;
use tutti::proto::{
    CancelExecutionRequest, HeartbeatTaskRequest, TerminateExecutionRequest, execution::State,
    result_ack::Outcome, step_execution::State as StepState,
};

use super::{ONE, raw::RawWorker};
use crate::support::TestServer;

async fn cancel(server: &TestServer, id: &str) {
    let request = CancelExecutionRequest {
        execution_id: id.into(),
        reason: "not needed".into(),
        ..Default::default()
    };
    server.executions().cancel_execution(request).await.unwrap();
}

#[tokio::test]
async fn a_cancel_reaches_the_worker_that_does_the_task() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    let task = worker.hold().await;
    cancel(&server, &id).await;
    let cancel = worker.cancelled().await;
    assert_eq!(cancel.tokens, [task.token.as_str()]);
    assert!(!cancel.reason.is_empty());
    worker.complete(&task.token, json!("for nothing"));
    assert_eq!(worker.acked().await, (task.token, Outcome::Stale));
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Cancelled);
    assert_eq!(execution.steps[0].state(), StepState::Cancelled);
    assert!(execution.steps[0].output.is_none());
}

#[tokio::test]
async fn a_terminate_reaches_the_worker_too() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    let task = worker.hold().await;
    let request = TerminateExecutionRequest {
        execution_id: id,
        ..Default::default()
    };
    let terminated = server.executions().terminate_execution(request).await;
    terminated.unwrap();
    assert_eq!(worker.cancelled().await.tokens, [task.token]);
}

#[tokio::test]
async fn an_offer_not_yet_accepted_is_taken_back_as_well() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    let task = worker.offered().await;
    cancel(&server, &id).await;
    assert_eq!(worker.cancelled().await.tokens, [task.token.as_str()]);
    worker.accept(&[&task]);
    assert_eq!(worker.cancelled().await.tokens, [task.token]);
    let execution = server.ended(&id).await;
    assert_eq!(execution.steps[0].worker_id, "");
}

#[tokio::test]
async fn a_task_cancelled_in_the_queue_is_never_handed_out() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let gone = server.begin("one", json!(1)).await;
    let stays = server.begin("one", json!(2)).await;
    cancel(&server, &gone).await;
    server.ended(&gone).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    assert_eq!(worker.take().await.execution_id, stays);
    worker.settled().await;
}

#[tokio::test]
async fn an_attempt_over_its_timeout_is_cancelled_at_its_worker() {
    let server = TestServer::start().await;
    server
        .register("name: short\nsteps: [ { id: a, agent: x, timeout: 0.05s } ]")
        .await;
    let id = server.begin("short", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    let task = worker.take().await;
    assert_eq!(worker.cancelled().await.tokens, [task.token.as_str()]);
    let execution = server.ended(&id).await;
    assert_eq!(execution.error.unwrap().class, "timeout");
    worker.complete(&task.token, json!("late"));
    assert_eq!(worker.acked().await.1, Outcome::Stale);
}

#[tokio::test]
async fn the_losers_of_a_join_are_cancelled_at_their_workers() {
    let server = TestServer::start().await;
    server
        .register(
            "
name: race
steps:
  - id: race
    block:
      mode: PARALLEL
      join: { successes: 1, cancel_rest: true }
      steps: [ { id: a, agent: x }, { id: b, agent: x } ]
",
        )
        .await;
    let id = server.begin("race", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 2).await;
    let winner = worker.take().await;
    let loser = worker.hold().await;
    worker.complete(&winner.token, json!("first"));
    let told = [worker.next().await, worker.next().await];
    let cancelled = told.iter().find_map(|message| match message {
        tutti::proto::work_response::Message::Cancel(cancel) => Some(cancel),
        _ => None,
    });
    assert_eq!(cancelled.expect("a Cancel").tokens, [loser.token]);
    assert_eq!(server.ended(&id).await.state(), State::Completed);
}

#[tokio::test]
async fn who_polls_learns_of_a_cancel_by_heartbeat() {
    let server = TestServer::with(|config| {
        config.limits.lease_timeout = Duration::from_secs(3600);
    })
    .await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    let task = server.poll("x").await;
    let heartbeat = async || {
        let token = task.token.clone();
        let request = HeartbeatTaskRequest { token };
        let answer = server.workers().heartbeat_task(request).await;
        answer.unwrap().into_inner().cancelled
    };
    assert!(!heartbeat().await);
    cancel(&server, &id).await;
    assert!(heartbeat().await);
    let stale = server.complete(&task, json!("late")).await.unwrap_err();
    assert_eq!(stale.code(), tonic::Code::FailedPrecondition);
    assert!(server.get(&id).await.steps[0].output.is_none());
}
