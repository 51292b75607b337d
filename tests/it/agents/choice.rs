//! Which agent and worker a task goes to: by id, by skill and labels, in turn or by load, and
//! never beyond an agent's limit.

use serde_json::json;
use tutti::proto::{Agent, agent::State, step_execution::State as StepState};

use super::{agent, put, set_state, worker_of};
use crate::{support::TestServer, workers::raw::RawWorker};

const PAINT: &str = "name: paint\nsteps: [ { id: a, call: { skill: painting } } ]";
const BALANCED: &str = "
name: balanced
steps: [ { id: a, call: { skill: painting, select: LEAST_LOADED } } ]
";

/// A worker with room that serves agents who paint.
async fn painters(server: &TestServer, worker: &str, agents: &[&str]) -> RawWorker {
    worker_of("painting", server, worker, agents).await
}

async fn begin(server: &TestServer, workflow: &str) -> String {
    let id = server.begin(workflow, json!(1)).await;
    server.get(&id).await;
    id
}

#[tokio::test]
async fn a_step_by_id_goes_to_that_agent_only() {
    let server = TestServer::start().await;
    server
        .register("name: one\nsteps: [ { id: a, agent: y } ]")
        .await;
    let mut x = RawWorker::ready(&server.url(), "x", "x", 9).await;
    let mut y = RawWorker::ready(&server.url(), "y", "y", 9).await;
    for _ in 0..3 {
        begin(&server, "one").await;
        assert_eq!(y.take().await.agent, "y");
    }
    x.settled().await;
}

#[tokio::test]
async fn a_step_by_skill_goes_to_an_agent_that_has_it() {
    let server = TestServer::start().await;
    server.register(PAINT).await;
    let mut writer = RawWorker::ready(&server.url(), "writer", "writer", 9).await;
    let id = begin(&server, "paint").await;
    let mut painter = painters(&server, "painter", &["bob"]).await;
    let task = painter.take().await;
    assert_eq!((task.agent.as_str(), &*task.skill), ("bob", "painting"));
    painter.settled().await;
    let step = server.get(&id).await.steps.remove(0);
    assert_eq!(step.state(), StepState::Running);
    assert_eq!((&*step.agent, &*step.skill), ("bob", "painting"));
    writer.settled().await;
}

#[tokio::test]
async fn labels_narrow_the_agents_with_a_skill() {
    let server = TestServer::start().await;
    server
        .register(
            "
name: labelled
steps: [ { id: a, call: { skill: painting, labels: { gpu: '1', zone: b } } } ]
",
        )
        .await;
    for (id, labels) in [
        ("none", vec![]),
        ("one", vec![("gpu", "1")]),
        ("other", vec![("gpu", "1"), ("zone", "a")]),
        ("fits", vec![("gpu", "1"), ("zone", "b"), ("more", "")]),
    ] {
        let labels = labels.into_iter().map(|(k, v)| (k.into(), v.into()));
        put(
            &server,
            Agent {
                labels: labels.collect(),
                ..agent(id, &["painting"])
            },
        )
        .await;
    }
    let mut worker = painters(&server, "w", &["none", "one", "other", "fits"]).await;
    for _ in 0..3 {
        begin(&server, "labelled").await;
        assert_eq!(worker.take().await.agent, "fits");
    }
}

#[tokio::test]
async fn round_robin_gives_each_agent_its_turn() {
    let server = TestServer::start().await;
    server.register(PAINT).await;
    let mut worker = painters(&server, "w", &["a", "b", "c"]).await;
    let mut turns = Vec::new();
    for _ in 0..6 {
        begin(&server, "paint").await;
        turns.push(worker.take().await.agent);
    }
    let (first, second) = turns.split_at(3);
    assert_eq!(first, second, "the turns repeat");
    let mut each = first.to_vec();
    each.sort();
    assert_eq!(each, ["a", "b", "c"]);
}

#[tokio::test]
async fn least_loaded_goes_to_whom_has_the_fewest_tasks() {
    let server = TestServer::start().await;
    server.register(BALANCED).await;
    server
        .register("name: own\nsteps: [ { id: a, agent: a } ]")
        .await;
    let mut worker = painters(&server, "w", &["a", "b"]).await;
    for _ in 0..2 {
        begin(&server, "own").await;
        worker.hold().await;
    }
    let mut balanced = Vec::new();
    for _ in 0..2 {
        begin(&server, "balanced").await;
        balanced.push(worker.hold().await);
    }
    let agents: Vec<_> = balanced.iter().map(|t| t.agent.as_str()).collect();
    assert_eq!(agents, ["b", "b"], "a has two tasks");
    for task in balanced {
        worker.complete(&task.token, json!("done"));
        worker.acked().await;
    }
    begin(&server, "balanced").await;
    assert_eq!(worker.hold().await.agent, "b", "b has none again");
}

#[tokio::test]
async fn a_skill_does_not_find_agents_that_are_not_active() {
    let server = TestServer::start().await;
    server.register(PAINT).await;
    let mut worker = painters(&server, "w", &["a", "b", "c"]).await;
    set_state(&server, "a", State::Disabled).await;
    set_state(&server, "b", State::Draining).await;
    for _ in 0..3 {
        begin(&server, "paint").await;
        assert_eq!(worker.take().await.agent, "c");
    }
}

#[tokio::test]
async fn a_skill_that_an_agent_has_no_more_does_not_find_it() {
    let server = TestServer::start().await;
    server.register(PAINT).await;
    let mut worker = painters(&server, "w", &["a", "b"]).await;
    put(&server, agent("a", &["sculpting"])).await;
    for _ in 0..2 {
        begin(&server, "paint").await;
        assert_eq!(worker.take().await.agent, "b");
    }
    put(&server, agent("b", &[])).await;
    let id = begin(&server, "paint").await;
    assert_eq!(
        server.get(&id).await.steps[0].waiting_for,
        "no registered agent has skill 'painting'"
    );
    put(&server, agent("a", &["painting"])).await;
    assert_eq!(worker.take().await.agent, "a", "handed out at once");
}

#[tokio::test]
async fn the_limit_of_an_agent_holds_over_all_its_workers() {
    let server = TestServer::start().await;
    server
        .register("name: one\nsteps: [ { id: a, agent: x } ]")
        .await;
    let limited = |max_concurrency| Agent {
        max_concurrency,
        ..agent("x", &[])
    };
    put(&server, limited(2)).await;
    let mut one = RawWorker::ready(&server.url(), "one", "x", 9).await;
    one.settled().await;
    let mut other = RawWorker::ready(&server.url(), "other", "x", 9).await;
    other.settled().await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(begin(&server, "one").await);
    }
    let first = one.take().await;
    other.take().await;
    one.settled().await;
    other.settled().await;

    one.complete(&first.token, json!("done"));
    one.acked().await;
    let third = one.take().await;
    assert_eq!(third.execution_id, ids[2]);
    one.settled().await;
    other.settled().await;

    put(&server, limited(3)).await;
    assert_eq!(other.take().await.execution_id, ids[3], "room for one more");
    one.settled().await;
    other.settled().await;

    put(&server, limited(0)).await;
    let rest = [one.take().await, other.take().await];
    assert_eq!(rest.map(|task| task.execution_id), ids[4..], "no limit");
}
