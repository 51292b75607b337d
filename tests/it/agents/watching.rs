//! WatchAgents: all of them first, then each as it changes.

use serde_json::json;
use tokio::time::timeout;
use tonic::{Code, Streaming};
use tutti::proto::{
    Agent, DeregisterAgentRequest, WatchAgentsRequest, WatchAgentsResponse, agent::State,
};

use super::{agent, put, set_state};
use crate::{
    support::{PATIENCE, TestServer},
    workers::raw::RawWorker,
};

pub async fn watch(server: &TestServer) -> Streaming<WatchAgentsResponse> {
    let mut agents = server.agents();
    let watch = agents.watch_agents(WatchAgentsRequest::default()).await;
    watch.unwrap().into_inner()
}

/// The next change that fits; those before it may have been told as one.
pub async fn until(
    watch: &mut Streaming<WatchAgentsResponse>,
    fits: impl Fn(&WatchAgentsResponse, &Agent) -> bool,
) -> Agent {
    let found = async {
        loop {
            let message = watch.message().await.unwrap().expect("the watch goes on");
            let agent = message.agent.clone().unwrap();
            if fits(&message, &agent) {
                return agent;
            }
        }
    };
    timeout(PATIENCE, found).await.expect("the change is told")
}

#[tokio::test]
async fn a_watch_tells_all_agents_first_and_then_each_change() {
    let server = TestServer::start().await;
    put(&server, agent("a", &["first"])).await;
    put(&server, agent("b", &[])).await;
    let mut watch = watch(&server).await;
    let mut known = Vec::new();
    for _ in 0..2 {
        let message = watch.message().await.unwrap().unwrap();
        assert!(!message.deregistered);
        known.push(message.agent.unwrap().id);
    }
    assert_eq!(known, ["a", "b"]);

    put(&server, agent("c", &[])).await;
    until(&mut watch, |_, agent| agent.id == "c").await;
    put(&server, agent("a", &["second"])).await;
    until(&mut watch, |_, agent| {
        agent.id == "a" && agent.skills == ["second"]
    })
    .await;
    set_state(&server, "b", State::Disabled).await;
    until(&mut watch, |_, agent| {
        agent.id == "b" && agent.state() == State::Disabled
    })
    .await;
    let request = DeregisterAgentRequest {
        id: "c".into(),
        ..Default::default()
    };
    server.agents().deregister_agent(request).await.unwrap();
    until(&mut watch, |message, agent| {
        message.deregistered && agent.id == "c"
    })
    .await;
}

#[tokio::test]
async fn a_watch_tells_workers_and_load() {
    let server = TestServer::start().await;
    server
        .register("name: one\nsteps: [ { id: a, agent: x } ]")
        .await;
    let mut watch = watch(&server).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    until(&mut watch, |_, agent| agent.workers == 1).await;
    server.begin("one", json!(1)).await;
    let task = worker.hold().await;
    until(&mut watch, |_, agent| agent.running_tasks == 1).await;
    server.begin("one", json!(2)).await;
    until(&mut watch, |_, agent| agent.waiting_tasks == 1).await;
    worker.complete(&task.token, json!("done"));
    until(&mut watch, |_, agent| agent.running_tasks == 0).await;
    drop(worker);
    until(&mut watch, |_, agent| agent.workers == 0).await;
}

#[tokio::test]
async fn a_watch_ends_with_the_server() {
    let mut server = TestServer::start().await;
    put(&server, agent("a", &[])).await;
    let mut watch = watch(&server).await;
    watch.message().await.unwrap().unwrap();
    let ended = async { watch.message().await.unwrap_err() };
    let ((), ended) = tokio::join!(server.stop(), ended);
    assert_eq!(ended.code(), Code::Unavailable);
}
