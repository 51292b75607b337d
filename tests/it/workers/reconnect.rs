//! A lost stream is not a dead worker: what it had accepted is still its own when it comes
//! back under its name, to the same server or to the next.

use std::time::Duration;

use serde_json::json;
use tutti::proto::{
    Agent, CancelExecutionRequest, RegisterAgentRequest, execution::State, result_ack::Outcome,
    step_execution::State as StepState, work_response::Message as Down,
};

use super::{
    ONE, TWICE,
    raw::{RawWorker, hello, holding},
};
use crate::support::{TestServer, json_of};

/// A server where nothing runs out within a test.
async fn server() -> TestServer {
    let server = TestServer::with(|config| {
        config.limits.lease_timeout = Duration::from_secs(3600);
        config.limits.accept_timeout = Duration::from_secs(3600);
    })
    .await;
    server.register(ONE).await;
    server.register(TWICE).await;
    server
}

#[tokio::test]
async fn a_cut_stream_gives_back_what_was_not_accepted_and_keeps_what_was() {
    let server = server().await;
    let kept = server.begin("one", json!(1)).await;
    let given_back = server.begin("one", json!(2)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 2).await;
    worker.take().await;
    worker.offered().await;
    worker.settled().await;
    drop(worker);

    let mut other = RawWorker::ready(&server.url(), "other", "x", 9).await;
    let task = other.take().await;
    assert_eq!((task.execution_id, task.attempt), (given_back, 1));
    other.settled().await;
    let step = server.get(&kept).await.steps.remove(0);
    assert_eq!(
        (step.state(), step.worker_id.as_str(), step.attempt),
        (StepState::Running, "w", 1)
    );
}

#[tokio::test]
async fn a_worker_that_comes_back_keeps_the_tasks_it_names() {
    let server = server().await;
    let id = server.begin("twice", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let task = worker.hold().await;
    drop(worker);

    let back = holding(hello("w", &["x"]), &[&task]);
    let mut worker = RawWorker::connect(&server.url(), back).await;
    assert_eq!(worker.welcome.adopted_tokens, [task.token.as_str()]);
    assert!(worker.welcome.lost_tokens.is_empty());
    worker.complete(&task.token, json!("held"));
    assert_eq!(worker.acked().await, (task.token, Outcome::Recorded));
    let execution = server.ended(&id).await;
    assert_eq!(json_of(&execution.output), json!("held"));
    assert_eq!(execution.steps[0].attempt, 1);
}

#[tokio::test]
async fn so_it_is_over_a_restart_of_the_server() {
    let mut server = server().await;
    let id = server.begin("twice", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let task = worker.hold().await;
    server.restart().await;

    let back = holding(hello("w", &["x"]), &[&task]);
    let mut worker = RawWorker::connect(&server.url(), back).await;
    assert_eq!(worker.welcome.adopted_tokens, [task.token.as_str()]);
    worker.credit(9);
    worker.settled().await;
    worker.complete(&task.token, json!("held"));
    assert_eq!(worker.acked().await, (task.token, Outcome::Recorded));
    let execution = server.ended(&id).await;
    assert_eq!(json_of(&execution.output), json!("held"));
    assert_eq!(execution.steps[0].attempt, 1);
}

#[tokio::test]
async fn a_worker_that_comes_back_without_naming_a_task_loses_it() {
    let server = server().await;
    let id = server.begin("twice", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let forgotten = worker.hold().await;
    drop(worker);

    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let again = worker.hold().await;
    assert_eq!((again.execution_id.as_str(), again.attempt), (&*id, 2));
    let step = server.get(&id).await.steps.remove(0);
    assert_eq!(step.error.unwrap().class, "unavailable");
    worker.complete(&forgotten.token, json!("late"));
    assert_eq!(worker.acked().await.1, Outcome::Stale);
    worker.complete(&again.token, json!("again"));
    assert_eq!(worker.acked().await.1, Outcome::Recorded);
    assert_eq!(json_of(&server.ended(&id).await.output), json!("again"));
}

#[tokio::test]
async fn so_it_is_over_a_restart_of_the_server_too() {
    let mut server = server().await;
    let id = server.begin("twice", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    worker.hold().await;
    server.restart().await;
    assert_eq!(server.get(&id).await.steps[0].worker_id, "w");
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    assert_eq!(worker.take().await.attempt, 2);
}

#[tokio::test]
async fn what_a_worker_names_and_does_not_hold_is_lost() {
    let server = server().await;
    server.begin("one", json!(1)).await;
    let mut owner = RawWorker::ready(&server.url(), "owner", "x", 1).await;
    let task = owner.hold().await;
    let mut thief = holding(hello("thief", &["x"]), &[&task]);
    thief.held_tokens.push("made-up".into());
    thief.held_tokens.push("f".repeat(64));
    let expected = thief.held_tokens.clone();
    let thief = RawWorker::connect(&server.url(), thief).await;
    assert!(thief.welcome.adopted_tokens.is_empty());
    assert_eq!(thief.welcome.lost_tokens, expected);
    owner.complete(&task.token, json!("own"));
    assert_eq!(owner.acked().await.1, Outcome::Recorded);
}

#[tokio::test]
async fn a_result_without_ack_is_said_again_on_the_next_stream_and_counts_once() {
    let server = server().await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let task = worker.hold().await;
    worker.complete(&task.token, json!("said"));
    server.ended(&id).await;
    drop(worker);

    let back = holding(hello("w", &["x"]), &[&task]);
    let mut worker = RawWorker::connect(&server.url(), back).await;
    worker.complete(&task.token, json!("said"));
    assert_eq!(worker.acked().await, (task.token, Outcome::Recorded));
    let execution = server.get(&id).await;
    assert_eq!(json_of(&execution.output), json!("said"));
}

#[tokio::test]
async fn a_worker_that_connects_anew_replaces_its_earlier_stream() {
    let server = server().await;
    let id = server.begin("one", json!(1)).await;
    let mut earlier = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let task = earlier.hold().await;
    let back = holding(hello("w", &["x"]), &[&task]);
    let mut worker = RawWorker::connect(&server.url(), back).await;
    assert_eq!(worker.welcome.adopted_tokens, [task.token.as_str()]);

    let Down::GoAway(go_away) = earlier.next().await else {
        panic!("the earlier stream is told to go away");
    };
    assert!(go_away.reason.contains("anew"), "{}", go_away.reason);
    assert_eq!(earlier.try_next().await.unwrap(), None);
    drop(earlier);
    worker.settled().await;
    worker.complete(&task.token, json!("done"));
    assert_eq!(worker.acked().await.1, Outcome::Recorded);
    assert_eq!(server.ended(&id).await.state(), State::Completed);
}

#[tokio::test]
async fn a_worker_learns_on_coming_back_what_was_cancelled_meanwhile() {
    let server = server().await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let task = worker.hold().await;
    drop(worker);
    let request = CancelExecutionRequest {
        execution_id: id,
        ..Default::default()
    };
    server.executions().cancel_execution(request).await.unwrap();
    let back = holding(hello("w", &["x"]), &[&task]);
    let worker = RawWorker::connect(&server.url(), back).await;
    assert_eq!(worker.welcome.lost_tokens, [task.token]);
    assert!(worker.welcome.adopted_tokens.is_empty());
}

#[tokio::test]
async fn an_offer_that_was_not_accepted_before_a_restart_is_made_again() {
    let mut server = server().await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let offered = worker.offered().await;
    server.restart().await;
    let mut worker = RawWorker::ready(&server.url(), "other", "x", 9).await;
    let again = worker.take().await;
    assert_eq!((again.execution_id, again.attempt), (id, 1));
    assert_ne!(again.token, offered.token);
}

#[tokio::test]
async fn tasks_held_over_a_restart_count_against_the_limit_of_their_agent() {
    let mut server = server().await;
    let request = RegisterAgentRequest {
        agent: Some(Agent {
            id: "x".into(),
            max_concurrency: 1,
            ..Default::default()
        }),
        ..Default::default()
    };
    server.agents().register_agent(request).await.unwrap();
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let task = worker.hold().await;
    let next = server.begin("one", json!(2)).await;
    server.restart().await;
    for id in [&id, &next] {
        server.get(id).await;
    }
    let mut other = RawWorker::ready(&server.url(), "other", "x", 9).await;
    other.settled().await;
    let back = holding(hello("w", &["x"]), &[&task]);
    let mut worker = RawWorker::connect(&server.url(), back).await;
    worker.complete(&task.token, json!("done"));
    assert_eq!(worker.acked().await.1, Outcome::Recorded);
    assert_eq!(other.take().await.execution_id, next);
}

#[tokio::test]
async fn a_worker_that_hangs_up_keeps_what_it_had_accepted() {
    let server = server().await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let task = worker.hold().await;
    worker.hang_up();
    assert_eq!(worker.try_next().await.unwrap(), None, "the stream ends");
    server.complete(&task, json!("by a call")).await.unwrap();
    assert_eq!(json_of(&server.get(&id).await.output), json!("by a call"));
}
