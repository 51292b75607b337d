//! Workflows that start only when their agents are there.

use std::collections::BTreeSet;

use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tutti::proto::{StartExecutionRequest, agent::State, execution::State as ExecutionState};

use super::{
    agent, put, set_state,
    watching::{until, watch},
};
use crate::support::{TestServer, start};

const READY: &str = "
name: ready
readiness: REFUSE
agents: { clerk: { skill: filing } }
mode: SEQUENCE
steps:
  - { id: a, agent: one }
  - { id: b, call: { agent: two, fallback: [ { agent: one } ] }, queue_timeout: 0.01s }
  - { id: c, agent: clerk }
  - { id: d, agent: \"{{ input.any }}\" }
";

fn missing(refused: &Status) -> Vec<String> {
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "AGENTS_MISSING");
    assert!(details.retry_info().unwrap().retry_delay.is_some());
    let violations = &details.precondition_failure().unwrap().violations;
    violations.iter().map(|v| v.description.clone()).collect()
}

async fn try_start(server: &TestServer) -> Result<String, Status> {
    let request = StartExecutionRequest {
        request_id: "once".into(),
        ..start("ready", json!({"any": "one"}))
    };
    server.try_begin(request).await
}

#[tokio::test]
async fn a_start_is_refused_until_every_call_has_someone() {
    let server = TestServer::start().await;
    server.register(READY).await;
    let unregistered = "agent 'one' is not registered";
    assert_eq!(
        missing(&try_start(&server).await.unwrap_err()),
        [
            unregistered,
            "agent 'two' is not registered, agent 'one' is not registered",
            "no registered agent has skill 'filing'"
        ]
    );
    put(&server, agent("one", &[])).await;
    put(&server, agent("files", &["filing"])).await;
    assert_eq!(
        missing(&try_start(&server).await.unwrap_err()),
        [
            "agent 'two' is not registered, no worker serves agent 'one'",
            "no worker serves agent 'one'",
            "no worker serves an agent with skill 'filing'"
        ]
    );
    let mut agents = watch(&server).await;
    let echo = server.echo(&["one", "files"]);
    let mut served = BTreeSet::new();
    while served.len() < 2 {
        served.insert(until(&mut agents, |_, agent| agent.workers == 1).await.id);
    }
    set_state(&server, "files", State::Draining).await;
    assert_eq!(
        missing(&try_start(&server).await.unwrap_err()),
        ["no active agent has skill 'filing'"]
    );
    set_state(&server, "files", State::Active).await;
    let id = try_start(&server).await.unwrap();
    let ended = server.ended(&id).await;
    assert_eq!(ended.state(), ExecutionState::Completed);
    echo.abort();
    set_state(&server, "one", State::Disabled).await;
    assert_eq!(try_start(&server).await.unwrap(), id, "the same request");
}
