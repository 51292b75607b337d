//! Who is called next when an agent fails: through restarts, with every attempt visible.

use super::*;
use tutti::proto::{Agent, RegisterAgentRequest, event::Kind};

const TRANSLATE: &str = "
name: translate
agents: { backup: { skill: translation } }
steps:
  - id: text
    call: { agent: best, fallback: [ { agent: '{{ input.second }}' }, { agent: backup } ] }
output: { text: '{{ steps.text.output }}' }
";

#[tokio::test]
async fn each_failure_calls_the_next_agent_across_restarts() {
    let mut server = TestServer::start().await;
    server.register(TRANSLATE).await;
    let id = server.begin("translate", json!({"second": "cheap"})).await;
    fail(&server, "best", "text", "auth").await;
    server.restart().await;
    let waiting = server.get(&id).await;
    let text = step(&waiting, "text");
    assert_eq!((text.agent.as_str(), text.attempt), ("cheap", 2));
    assert_eq!(text.error.as_ref().unwrap().class, "auth");
    fail(&server, "cheap", "text", "rate_limited").await;
    server.restart().await;
    let agent = Agent {
        id: "last".into(),
        skills: vec!["translation".into()],
        ..Agent::default()
    };
    let request = RegisterAgentRequest {
        agent: Some(agent),
        ..Default::default()
    };
    server.agents().register_agent(request).await.unwrap();
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
