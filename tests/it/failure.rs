//! What happens on failure, over a real server: what is caught, undone, run at the end.

mod fallback;
mod undone;

use serde_json::json;
use tonic::Code;
use tutti::proto::{
    CancelExecutionRequest, Event, Execution, StepExecution, execution::State,
    step_execution::State as StepState,
};

use crate::support::{TestServer, json_of};

fn step<'a>(execution: &'a Execution, path: &str) -> &'a StepExecution {
    let mut steps = execution.steps.iter();
    let found = steps.find(|s| s.path == path);
    found.unwrap_or_else(|| panic!("no step {path} among {:#?}", execution.steps))
}

async fn cancel(server: &TestServer, id: &str) -> Result<(), tonic::Status> {
    let request = CancelExecutionRequest {
        execution_id: id.into(),
        reason: "enough".into(),
        ..Default::default()
    };
    server
        .executions()
        .cancel_execution(request)
        .await
        .map(drop)
}

/// Fails the next task of an agent, whose step must be this.
async fn fail(server: &TestServer, agent: &str, step: &str, class: &str) {
    let task = server.poll(agent).await;
    assert_eq!(task.step, step);
    server.fail(&task, class).await.unwrap();
}

/// Completes the next task of an agent, whose step must be this.
async fn complete(server: &TestServer, agent: &str, step: &str, output: serde_json::Value) {
    let task = server.poll(agent).await;
    assert_eq!(task.step, step);
    server.complete(&task, output).await.unwrap();
}

async fn events(server: &TestServer, id: &str) -> Vec<Event> {
    let request = tutti::proto::WatchExecutionRequest {
        execution_id: id.into(),
        ..Default::default()
    };
    let watch = server.executions().watch_execution(request).await.unwrap();
    let mut watch = watch.into_inner();
    let mut events = Vec::new();
    while let Some(next) = watch.message().await.unwrap() {
        events.extend(next.event);
    }
    events
}

#[tokio::test]
async fn a_failure_is_caught_across_a_restart() {
    let mut server = TestServer::start().await;
    server
        .register(
            "
name: caught
mode: SEQUENCE
steps:
  - id: price
    agent: service
    catch: [ { classes: [unavailable], steps: [ { id: archive, agent: archive, input: '{{ error.message }}' } ] } ]
  - { id: offer, agent: offers }
",
        )
        .await;
    let id = server.begin("caught", json!(1)).await;
    fail(&server, "service", "price", "unavailable").await;
    server.restart().await;
    let execution = server.get(&id).await;
    assert_eq!(step(&execution, "price").state(), StepState::Running);
    assert_eq!(step(&execution, "price/catch[0]").kind, "catch");
    let inner = step(&execution, "price/catch[0]/archive");
    assert_eq!(inner.state(), StepState::Waiting);
    assert_eq!(json_of(&inner.input), json!("the agent says no"));
    complete(&server, "archive", "price/catch[0]/archive", json!(9)).await;
    complete(&server, "offers", "offer", json!("offered")).await;
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Completed);
    assert_eq!(json_of(&step(&execution, "price").output), json!(9));
}

const TIDY: &str = "
name: tidy
mode: SEQUENCE
steps: [ { id: work, agent: worker } ]
finally: [ { id: clean, agent: cleaner, input: '{{ execution.state }}' } ]
";

#[tokio::test]
async fn finally_runs_when_the_execution_is_cancelled_and_once_only() {
    let mut server = TestServer::start().await;
    server.register(TIDY).await;
    let id = server.begin("tidy", json!(1)).await;
    cancel(&server, &id).await.unwrap();
    let refused = cancel(&server, &id).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    server.restart().await;
    let execution = server.get(&id).await;
    assert_eq!(execution.state(), State::Running, "it has not ended");
    let task = server.poll("cleaner").await;
    assert_eq!(task.step, "finally/clean");
    assert_eq!(json_of(&task.input), json!("CANCELLED"));
    server.fail(&task, "own").await.unwrap();
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Cancelled);
    assert_eq!(execution.error.as_ref().unwrap().message, "enough");
    assert_eq!(step(&execution, "finally").state(), StepState::Failed);
    assert_eq!(step(&execution, "finally").kind, "finally");
}

#[tokio::test]
async fn finally_is_bounded_by_the_servers_limit_and_left_out_by_a_termination() {
    let server = TestServer::with(|config| {
        config.limits.finally_timeout = std::time::Duration::from_millis(50);
    })
    .await;
    server.register(TIDY).await;
    let id = server.begin("tidy", json!(1)).await;
    complete(&server, "worker", "work", json!("done")).await;
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Completed);
    assert_eq!(json_of(&execution.output), json!("done"));
    let finally = step(&execution, "finally");
    assert_eq!(finally.error.as_ref().unwrap().class, "timeout");

    let id = server.begin("tidy", json!(1)).await;
    server.terminate(&id).await;
    let execution = server.ended(&id).await;
    assert!(
        execution
            .steps
            .iter()
            .all(|s| !s.path.starts_with("finally"))
    );
}
