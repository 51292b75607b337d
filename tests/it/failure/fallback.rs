//! Who is called next when an agent fails: through restarts, with every attempt visible.

use super::*;
use tutti::proto::{
    Agent, Breaker, RegisterAgentRequest, ResetCircuitRequest, agent::Circuit, event::Kind,
};

fn agent(id: &str, skills: &[&str]) -> Agent {
    Agent {
        id: id.into(),
        skills: skills.iter().map(|skill| (*skill).into()).collect(),
        ..Agent::default()
    }
}

async fn put(server: &TestServer, agent: Agent) {
    let request = RegisterAgentRequest {
        agent: Some(agent),
        ..Default::default()
    };
    server.agents().register_agent(request).await.unwrap();
}

async fn register(server: &TestServer, id: &str, skills: &[&str]) {
    put(server, agent(id, skills)).await;
}

const TRANSLATE: &str = "
name: translate
agents: { backup: { skill: translation } }
steps:
  - id: text
    call: { agent: best, fallback: [ { agent: '{{ input.second }}' }, { agent: backup } ] }
output: { text: '{{ steps.text.output }}' }
";

#[tokio::test]
async fn an_open_circuit_calls_the_next_agent_and_a_reset_closes_it() {
    let server = TestServer::start().await;
    let breaker = Some(Breaker {
        failures: 1,
        ..Breaker::default()
    });
    put(
        &server,
        Agent {
            breaker,
            ..agent("best", &[])
        },
    )
    .await;
    register(&server, "cheap", &[]).await;
    server.register(TRANSLATE).await;
    let first = server.begin("translate", json!({"second": "cheap"})).await;
    fail(&server, "best", "text", "own").await;
    complete(&server, "cheap", "text", json!("salut")).await;
    server.ended(&first).await;
    let second = server.begin("translate", json!({"second": "cheap"})).await;
    let task = server.poll("cheap").await;
    assert_eq!(task.attempt, 2, "the best was not asked");
    server.complete(&task, json!("bonjour")).await.unwrap();
    let text = server.ended(&second).await.steps.remove(0);
    assert_eq!(
        (text.agent.as_str(), text.state()),
        ("cheap", StepState::Completed)
    );

    let request = ResetCircuitRequest {
        id: "best".into(),
        ..Default::default()
    };
    let reset = server.agents().reset_circuit(request).await.unwrap();
    assert_eq!(reset.into_inner().agent.unwrap().circuit(), Circuit::Closed);
    let third = server.begin("translate", json!({"second": "nobody"})).await;
    fail(&server, "best", "text", "own").await;
    let text = &server.get(&third).await.steps[0];
    assert_eq!(
        (text.skill.as_str(), text.attempt),
        ("translation", 3),
        "nobody is refused"
    );
}

#[tokio::test]
async fn who_left_memory_while_it_waited_falls_back_like_anyone() {
    let mut server = TestServer::with(|config| {
        config.shards = std::num::NonZeroUsize::MIN;
        config.limits.resident_executions_max = 1;
    })
    .await;
    let breaker = Some(Breaker {
        failures: 1,
        ..Breaker::default()
    });
    let best = Agent {
        breaker,
        ..agent("best", &[])
    };
    put(&server, best).await;
    register(&server, "cheap", &[]).await;
    server.register(TRANSLATE).await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(server.begin("translate", json!({"second": "cheap"})).await);
    }
    server.restart().await;
    fail(&server, "best", "text", "own").await;
    for _ in 0..10 {
        complete(&server, "cheap", "text", json!("salut")).await;
    }
    for id in &ids {
        let text = server.ended(id).await.steps.remove(0);
        assert_eq!((text.agent.as_str(), text.attempt), ("cheap", 2));
    }
}

#[tokio::test]
async fn each_failure_calls_the_next_agent_across_restarts() {
    let mut server = TestServer::start().await;
    server.register(TRANSLATE).await;
    register(&server, "best", &[]).await;
    register(&server, "cheap", &[]).await;
    let id = server.begin("translate", json!({"second": "cheap"})).await;
    fail(&server, "best", "text", "auth").await;
    server.restart().await;
    let waiting = server.get(&id).await;
    let text = step(&waiting, "text");
    assert_eq!((text.agent.as_str(), text.attempt), ("cheap", 2));
    assert_eq!(text.error.as_ref().unwrap().class, "auth");
    fail(&server, "cheap", "text", "rate_limited").await;
    server.restart().await;
    register(&server, "last", &["translation"]).await;
    let task = server.poll("last").await;
    assert_eq!((task.attempt, task.skill.as_str()), (3, "translation"));
    assert_eq!(json_of(&task.input), json!({"second": "cheap"}));
    server.complete(&task, json!("bonjour")).await.unwrap();
    let execution = server.ended(&id).await;
    assert_eq!(json_of(&execution.output), json!({"text": "bonjour"}));
    let text = step(&execution, "text");
    assert_eq!((text.agent.as_str(), text.max_attempts), ("last", 3));
    let events = events(&server, &id).await;
    let told = events.iter().filter_map(|e| match e.kind.as_ref()? {
        Kind::CallFellBack(e) => Some((e.index, e.error.as_ref()?.class.clone())),
        _ => None,
    });
    let told = told.collect::<Vec<_>>();
    assert_eq!(
        told,
        [(0, "auth".to_owned()), (1, "rate_limited".to_owned())]
    );
}
