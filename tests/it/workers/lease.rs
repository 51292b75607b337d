//! Leases and offers run out by the clock, and by nothing else.

use std::time::Duration;

use serde_json::json;
use tonic::Code;
use tutti::proto::{
    HeartbeatTaskRequest, execution::State, result_ack::Outcome, step_execution::State as StepState,
};

use super::{ONE, TWICE, clock::Clock, raw::RawWorker, reason};
use crate::support::{TestServer, json_of};

const LEASE: Duration = Duration::from_secs(9);
const ACCEPT: Duration = Duration::from_secs(5);
const JUST_BEFORE: Duration = Duration::from_millis(100);

async fn server() -> TestServer {
    let server = TestServer::with(|config| {
        config.limits.lease_timeout = LEASE;
        config.limits.accept_timeout = ACCEPT;
    })
    .await;
    server.register(ONE).await;
    server.register(TWICE).await;
    server
}

#[tokio::test]
async fn a_heartbeat_keeps_a_lease_and_its_absence_loses_it() {
    let server = server().await;
    let clock = Clock::stop();
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    let task = worker.hold().await;
    for _ in 0..5 {
        clock.pass(LEASE - JUST_BEFORE).await;
        worker.heartbeat(&[&task]);
        worker.settled().await;
    }
    assert_eq!(server.get(&id).await.steps[0].state(), StepState::Running);

    clock.pass(LEASE - JUST_BEFORE).await;
    worker.settled().await;
    assert_eq!(
        server.get(&id).await.steps[0].state(),
        StepState::Running,
        "it has not run out yet"
    );
    clock.pass(JUST_BEFORE * 2).await;
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Failed);
    let error = execution.error.unwrap();
    assert_eq!(error.class, "unavailable");
    assert!(error.message.contains("'w'"), "{}", error.message);
}

#[tokio::test]
async fn a_lost_lease_is_another_attempt_and_the_late_worker_is_told() {
    let server = server().await;
    let clock = Clock::stop();
    let id = server.begin("one", json!(1)).await;
    let mut late = RawWorker::ready(&server.url(), "late", "x", 1).await;
    let task = late.hold().await;
    clock.pass(LEASE * 2).await;
    assert_eq!(server.ended(&id).await.state(), State::Failed);

    let cancel = late.cancelled().await;
    assert_eq!(cancel.tokens, [task.token.as_str()]);
    assert_eq!(cancel.reason, "its lease ran out");
    late.heartbeat(&[&task]);
    assert_eq!(late.cancelled().await.tokens, [task.token.as_str()]);
    late.complete(&task.token, json!("too late"));
    assert_eq!(late.acked().await, (task.token, Outcome::Stale));
    assert!(server.get(&id).await.output.is_none());
}

#[tokio::test]
async fn heartbeats_keep_only_the_tasks_they_name() {
    let server = server().await;
    let clock = Clock::stop();
    let ids = [
        server.begin("one", json!(1)).await,
        server.begin("one", json!(2)).await,
    ];
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 2).await;
    let kept = worker.take().await;
    let dropped = worker.hold().await;
    assert_eq!(kept.execution_id, ids[0]);
    clock.pass(LEASE / 2).await;
    worker.heartbeat(&[&kept]);
    worker.settled().await;
    clock.pass(LEASE - JUST_BEFORE).await;
    assert_eq!(worker.cancelled().await.tokens, [dropped.token]);
    assert_eq!(server.ended(&ids[1]).await.state(), State::Failed);
    worker.complete(&kept.token, json!("kept"));
    assert_eq!(worker.acked().await.1, Outcome::Recorded);
    assert_eq!(server.ended(&ids[0]).await.state(), State::Completed);
}

#[tokio::test]
async fn an_offer_not_accepted_goes_to_another_worker_and_burns_no_attempt() {
    let server = server().await;
    let clock = Clock::stop();
    let mut silent = RawWorker::ready(&server.url(), "silent", "x", 9).await;
    silent.settled().await;
    let mut other = RawWorker::ready(&server.url(), "other", "x", 9).await;
    other.settled().await;
    let id = server.begin("one", json!(1)).await;
    let offered = silent.offered().await;
    clock.pass(ACCEPT - JUST_BEFORE).await;
    other.settled().await;

    clock.pass(JUST_BEFORE * 2).await;
    let task = other.hold().await;
    assert_eq!(
        (task.execution_id.as_str(), task.attempt),
        (id.as_str(), 1),
        "the same attempt"
    );
    assert_ne!(task.token, offered.token);
    let step = server.get(&id).await.steps.remove(0);
    assert_eq!(
        (step.state(), step.attempt, step.worker_id.as_str()),
        (StepState::Running, 1, "other")
    );

    let cancel = silent.cancelled().await;
    assert_eq!(cancel.tokens, [offered.token.as_str()]);
    silent.accept(&[&offered]);
    assert_eq!(silent.cancelled().await.tokens, [offered.token.as_str()]);
    silent.complete(&offered.token, json!("not its own"));
    assert_eq!(silent.acked().await.1, Outcome::Stale);

    other.complete(&task.token, json!("done"));
    assert_eq!(other.acked().await.1, Outcome::Recorded);
    let execution = server.ended(&id).await;
    assert_eq!(json_of(&execution.output), json!("done"));
    assert_eq!(execution.steps[0].attempt, 1);
}

#[tokio::test]
async fn a_worker_that_let_an_offer_pass_gets_none_until_it_is_heard_of() {
    let server = server().await;
    let clock = Clock::stop();
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    worker.settled().await;
    let id = server.begin("one", json!(1)).await;
    let first = worker.offered().await;
    clock.pass(ACCEPT * 2).await;
    assert_eq!(worker.cancelled().await.tokens, [first.token]);
    let step = server.get(&id).await.steps.remove(0);
    assert_eq!(step.state(), StepState::Waiting);
    assert_eq!(step.waiting_for, "all workers of agent 'x' are busy");
    worker.heartbeat(&[]);
    let again = worker.take().await;
    assert_eq!((again.execution_id, again.attempt), (id, 1));
}

#[tokio::test]
async fn a_polled_task_is_kept_by_heartbeats_and_lost_without() {
    let server = server().await;
    let id = server.begin("one", json!(1)).await;
    let task = server.poll("x").await;
    let clock = Clock::stop();
    let heartbeat = async || {
        let token = task.token.clone();
        let request = HeartbeatTaskRequest { token };
        server.workers().heartbeat_task(request).await
    };
    for span in [LEASE / 2, LEASE - JUST_BEFORE, LEASE - JUST_BEFORE] {
        clock.pass(span).await;
        let answer = heartbeat().await.unwrap().into_inner();
        assert!(!answer.cancelled);
        let lease = answer.lease_timeout.unwrap();
        assert_eq!(Duration::try_from(lease).unwrap(), LEASE);
    }
    clock.pass(LEASE + JUST_BEFORE).await;
    let execution = server.ended(&id).await;
    assert_eq!(execution.error.unwrap().class, "unavailable");
    let stale = heartbeat().await.unwrap_err();
    assert_eq!(stale.code(), Code::FailedPrecondition);
    assert_eq!(reason(&stale), "STALE_TOKEN");
    let stale = server.complete(&task, json!("late")).await.unwrap_err();
    assert_eq!(stale.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_lease_begins_anew_when_the_server_does() {
    let mut server = server().await;
    let id = server.begin("one", json!(1)).await;
    let task = server.poll("x").await;
    // Before the restart: however long that takes, none of the new lease has passed.
    let clock = Clock::stop();
    server.restart().await;
    assert_eq!(server.get(&id).await.steps[0].state(), StepState::Running);
    clock.pass(LEASE / 2).await;
    let token = task.token;
    let request = HeartbeatTaskRequest { token };
    server.workers().heartbeat_task(request).await.unwrap();
    clock.pass(LEASE + JUST_BEFORE).await;
    let execution = server.ended(&id).await;
    assert_eq!(
        execution.error.unwrap().class,
        "unavailable",
        "a worker that does not come back after a restart is not waited for"
    );
}

#[tokio::test]
async fn heartbeats_go_on_counting_while_a_worker_drains() {
    let server = server().await;
    let clock = Clock::stop();
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    let task = worker.take().await;
    worker.draining();
    worker.settled().await;
    for _ in 0..3 {
        clock.pass(LEASE - JUST_BEFORE).await;
        worker.heartbeat(&[&task]);
        worker.settled().await;
    }
    worker.complete(&task.token, json!("done"));
    assert_eq!(worker.acked().await.1, Outcome::Recorded);
    assert_eq!(server.ended(&id).await.state(), State::Completed);
}
