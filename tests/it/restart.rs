//! What was accepted goes on after the server was stopped: steps, retries, timers, leases.

use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt as _;
use tutti::{
    config::Config,
    proto::{execution::State, step_execution::State as StepState},
    server::Server,
};

use crate::support::{TestServer, json_of, start};

const STEPS: &str = "
name: steps
mode: SEQUENCE
steps:
  - { id: a, agent: one }
  - { id: b, agent: two }
";

#[tokio::test]
async fn finished_steps_are_not_run_again_and_the_rest_goes_on() {
    let mut server = TestServer::start().await;
    server.register(STEPS).await;
    let id = server.begin("steps", json!(1)).await;
    let task = server.poll("one").await;
    server.complete(&task, json!("kept")).await.unwrap();
    server.restart().await;
    let execution = server.get(&id).await;
    assert_eq!(execution.steps[0].state(), StepState::Completed);
    assert_eq!(execution.steps[1].state(), StepState::Waiting);
    let task = server.poll("two").await;
    assert_eq!(json_of(&task.input), json!("kept"));
    server.complete(&task, json!("done")).await.unwrap();
    assert_eq!(server.ended(&id).await.state(), State::Completed);
}

#[tokio::test]
async fn a_task_in_progress_is_still_its_workers() {
    let mut server = TestServer::start().await;
    server.register(STEPS).await;
    let id = server.begin("steps", json!(1)).await;
    let task = server.poll("one").await;
    server.restart().await;
    assert_eq!(server.get(&id).await.steps[0].state(), StepState::Running);
    server
        .complete(&task, json!("late but held"))
        .await
        .unwrap();
    let execution = server.get(&id).await;
    assert_eq!(json_of(&execution.steps[0].output), json!("late but held"));
    assert_eq!(execution.steps[0].attempt, 1);
}

#[tokio::test]
async fn a_result_said_before_the_restart_is_answered_alike_after_it() {
    let mut server = TestServer::start().await;
    server.register(STEPS).await;
    server.begin("steps", json!(1)).await;
    let task = server.poll("one").await;
    server.complete(&task, json!(1)).await.unwrap();
    server.restart().await;
    server.complete(&task, json!(1)).await.unwrap();
}

#[tokio::test]
async fn timers_that_came_due_meanwhile_fire() {
    let mut server = TestServer::start().await;
    server
        .register("name: waits\nsteps: [ { id: a, agent: x, queue_timeout: 0.2s } ]")
        .await;
    let id = server.begin("waits", json!(null)).await;
    server.restart().await;
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Failed);
    assert_eq!(execution.error.unwrap().class, "timeout");
}

#[tokio::test]
async fn an_inline_definition_goes_on_too() {
    let mut server = TestServer::start().await;
    let parsed = tutti::core::definition::parse(STEPS);
    let request = tutti::proto::StartExecutionRequest {
        definition: parsed.workflow,
        ..Default::default()
    };
    let id = server.try_begin(request).await.unwrap();
    server.restart().await;
    let worker = server.echo(&["one", "two"]);
    let execution = server.ended(&id).await;
    assert_eq!(
        (execution.state(), execution.version),
        (State::Completed, 0)
    );
    worker.abort();
}

#[tokio::test]
async fn a_directory_in_use_is_refused_with_the_way_out() {
    let server = TestServer::start().await;
    let second = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        data: server.data().into(),
        ..Config::default()
    };
    let refused = Server::bind(second).await.err().unwrap().to_string();
    assert!(
        refused.contains("in use") && refused.contains("--data"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_directory_of_a_newer_format_is_refused_with_the_way_out() {
    let mut server = TestServer::start().await;
    server.stop().await;
    std::fs::write(server.data().join("FORMAT"), "tutti data, format 99\n").unwrap();
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        data: server.data().into(),
        ..Config::default()
    };
    let refused = Server::bind(config).await.err().unwrap().to_string();
    assert!(
        refused.contains("99") && refused.contains("newer tutti"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_state_that_falls_behind_slows_starts_down_and_refuses_none() {
    let server = TestServer::with(|config| config.limits.pending_bytes_max = 1 << 10).await;
    server.register(STEPS).await;
    let large = json!("x".repeat(200_000));
    let mut accepted = Vec::new();
    // Each of them fills that memory; the next one waits until it is taken over.
    for _ in 0..20 {
        let id = server.try_begin(start("steps", large.clone())).await;
        accepted.push(id.unwrap());
    }
    let worker = server.echo(&["one", "two"]);
    for id in &accepted {
        assert_eq!(server.ended(id).await.state(), State::Completed);
    }
    worker.abort();
}

#[tokio::test]
async fn a_disk_that_is_all_but_full_refuses_starts_and_lets_accepted_work_go_on() {
    let mut server = TestServer::start().await;
    server.register(STEPS).await;
    let id = server.begin("steps", json!(1)).await;
    server
        .restart_with(|config| config.limits.disk_reserve_bytes = u64::MAX)
        .await;
    let request = start("steps", json!(1));
    let refused = server.try_begin(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let details = refused.get_error_details();
    let quota = &details.quota_failure().unwrap().violations[0];
    assert_eq!(quota.subject, "disk_reserve_bytes");
    assert!(details.retry_info().unwrap().retry_delay.is_some());
    let worker = server.echo(&["one", "two"]);
    assert_eq!(server.ended(&id).await.state(), State::Completed);
    worker.abort();
}
