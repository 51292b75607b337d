//! What a step that no worker has says it waits for, and how long it does.

use serde_json::json;
use tutti::proto::{
    Agent, RegisterAgentRequest, SetAgentStateRequest, agent, execution::State,
    step_execution::State as StepState,
};

use super::{
    ONE,
    raw::{RawWorker, hello},
};
use crate::support::TestServer;

async fn put(server: &TestServer, agent: Agent) {
    let request = RegisterAgentRequest {
        agent: Some(agent),
        ..Default::default()
    };
    server.agents().register_agent(request).await.unwrap();
}

async fn set_state(server: &TestServer, id: &str, state: agent::State) {
    let request = SetAgentStateRequest {
        id: id.into(),
        state: state.into(),
        ..Default::default()
    };
    server.agents().set_agent_state(request).await.unwrap();
}

/// What the first step of an execution waits for.
async fn reason(server: &TestServer, id: &str) -> String {
    let step = server.get(id).await.steps.remove(0);
    assert_eq!(step.state(), StepState::Waiting);
    step.waiting_for
}

#[tokio::test]
async fn a_step_for_an_agent_says_what_it_waits_for() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    assert_eq!(reason(&server, &id).await, "agent 'x' is not registered");
    put(
        &server,
        Agent {
            id: "x".into(),
            max_concurrency: 1,
            ..Default::default()
        },
    )
    .await;
    assert_eq!(reason(&server, &id).await, "no worker serves agent 'x'");
    set_state(&server, "x", agent::State::Draining).await;
    assert_eq!(reason(&server, &id).await, "agent 'x' is draining");
    set_state(&server, "x", agent::State::Disabled).await;
    assert_eq!(reason(&server, &id).await, "agent 'x' is disabled");
    let mut worker = RawWorker::connect(&server.url(), hello("w", &["x"])).await;
    assert_eq!(reason(&server, &id).await, "agent 'x' is disabled");
    set_state(&server, "x", agent::State::Active).await;
    assert_eq!(
        reason(&server, &id).await,
        "all workers of agent 'x' are busy"
    );
    worker.credit(2);
    let task = worker.offered().await;
    assert_eq!(reason(&server, &id).await, "offered to worker w");
    worker.accept(&[&task]);

    let next = server.begin("one", json!(2)).await;
    let last = server.begin("one", json!(3)).await;
    let limit = "agent 'x' has as many tasks as its limit of 1 allows";
    assert_eq!(reason(&server, &next).await, limit);
    assert_eq!(
        reason(&server, &last).await,
        format!("{limit} (1 task before it)")
    );
    worker.complete(&task.token, json!("done"));
    worker.acked().await;
    assert_eq!(worker.take().await.execution_id, next);
}

#[tokio::test]
async fn a_step_for_a_skill_says_what_it_waits_for() {
    let server = TestServer::start().await;
    server
        .register(
            "
name: skilled
steps: [ { id: a, call: { skill: painting, labels: { gpu: '1', zone: b } } } ]
",
        )
        .await;
    let id = server.begin("skilled", json!(1)).await;
    assert_eq!(
        reason(&server, &id).await,
        "no registered agent has skill 'painting'"
    );
    let painter = |labels: &[(&str, &str)]| Agent {
        id: "painter".into(),
        skills: vec!["painting".into()],
        labels: labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Default::default()
    };
    put(&server, painter(&[("gpu", "1")])).await;
    assert_eq!(
        reason(&server, &id).await,
        "no active agent with skill 'painting' has the labels gpu=1, zone=b"
    );
    put(&server, painter(&[("gpu", "1"), ("zone", "b")])).await;
    assert_eq!(
        reason(&server, &id).await,
        "no worker serves an agent with skill 'painting'"
    );
    let mut worker = RawWorker::connect(&server.url(), hello("w", &["painter"])).await;
    assert_eq!(
        reason(&server, &id).await,
        "all workers of agents with skill 'painting' are busy"
    );
    worker.credit(1);
    assert_eq!(worker.take().await.agent, "painter");

    server
        .register("name: any\nsteps: [ { id: a, call: { skill: painting } } ]")
        .await;
    set_state(&server, "painter", agent::State::Disabled).await;
    let id = server.begin("any", json!(1)).await;
    assert_eq!(
        reason(&server, &id).await,
        "no active agent has skill 'painting'"
    );
}

#[tokio::test]
async fn waiting_ends_with_the_queue_timeout() {
    let server = TestServer::start().await;
    server
        .register("name: brief\nsteps: [ { id: a, agent: x, queue_timeout: 0.05s } ]")
        .await;
    let id = server.begin("brief", json!(1)).await;
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Failed);
    let error = execution.error.unwrap();
    assert_eq!((error.class.as_str(), &*error.step), ("timeout", "a"));
    assert!(!error.message.is_empty());

    server
        .register("name: patient\nsteps: [ { id: a, agent: x, queue_timeout: 1h } ]")
        .await;
    let patient = server.begin("patient", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    assert_eq!(
        worker.take().await.execution_id,
        patient,
        "what has timed out is in no queue"
    );
    worker.settled().await;
}
