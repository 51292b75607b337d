//! Agents: registered, found, changed, forgotten, watched; and which of them a task goes to.

mod choice;
mod readiness;
mod registry;
mod schema;
mod sticky;
mod watching;

use tutti::proto::{Agent, Hello, RegisterAgentRequest, SetAgentStateRequest, agent};

use crate::{
    support::TestServer,
    workers::raw::{RawWorker, hello},
};

/// An agent of this id with these skills.
fn agent(id: &str, skills: &[&str]) -> Agent {
    Agent {
        id: id.into(),
        skills: skills.iter().map(|skill| (*skill).into()).collect(),
        ..Default::default()
    }
}

/// A worker with room that serves these agents, each with one skill.
async fn worker_of(skill: &str, server: &TestServer, worker: &str, agents: &[&str]) -> RawWorker {
    let agents = agents.iter().map(|id| agent(id, &[skill])).collect();
    let hello = Hello {
        agents,
        ..hello(worker, &[])
    };
    let worker = RawWorker::connect(&server.url(), hello).await;
    worker.credit(100);
    worker
}

/// Registers an agent; as it is then known, and whether it was not before.
async fn put(server: &TestServer, agent: Agent) -> (Agent, bool) {
    let request = RegisterAgentRequest {
        agent: Some(agent),
        ..Default::default()
    };
    let answer = server.agents().register_agent(request).await.unwrap();
    let answer = answer.into_inner();
    (answer.agent.unwrap(), answer.created)
}

async fn set_state(server: &TestServer, id: &str, state: agent::State) -> Agent {
    let request = SetAgentStateRequest {
        id: id.into(),
        state: state.into(),
        ..Default::default()
    };
    let answer = server.agents().set_agent_state(request).await.unwrap();
    answer.into_inner().agent.unwrap()
}
