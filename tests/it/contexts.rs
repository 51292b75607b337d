//! What of the earlier steps an agent is handed on, over a real server and its restart.

use serde_json::json;
use tutti::proto::step_execution::State as StepState;

use crate::support::{TestServer, json_of};

#[tokio::test]
async fn a_context_is_summarised_once_and_handed_on_with_the_input_after_a_restart_too() {
    let mut server = TestServer::start().await;
    server
        .register(
            "
name: report
agents: { writer: { agent: w, context: { max_tokens: 4, overflow: SUMMARIZE, summarizer: { agent: short } } } }
mode: SEQUENCE
steps:
  - { id: research, agent: r }
  - { id: write, agent: writer, input: { topic: '{{ input }}' } }
",
        )
        .await;
    let id = server.begin("report", json!("rain")).await;
    let research = server.poll("r").await;
    assert!(research.context.is_none(), "it says nothing of a context");
    let found = json!("it rains, and rains, and rains");
    server.complete(&research, found).await.unwrap();
    let short = server.poll("short").await;
    assert_eq!(short.step, "write/context.summarizer");
    assert_eq!(
        json_of(&short.input),
        json!({
            "context": [{"from": "research", "value": "it rains, and rains, and rains"}],
            "max_tokens": 4,
        })
    );
    server.complete(&short, json!("it rains")).await.unwrap();
    server.restart().await;
    let write = server.poll("w").await;
    assert_eq!(json_of(&write.input), json!({"topic": "rain"}));
    assert_eq!(
        json_of(&write.context),
        json!([{"from": "summary", "value": "it rains"}])
    );
    let handed_on = json!([{"from": "summary", "value": "it rains"}]);
    let shown = server.get(&id).await.steps;
    let shown = shown.iter().find(|s| s.path == "write").unwrap();
    assert_eq!(json_of(&shown.context), handed_on, "while it runs");
    server.complete(&write, json!("wet")).await.unwrap();
    let execution = server.ended(&id).await;
    assert_eq!(json_of(&execution.output), json!("wet"));
    for step in &execution.steps {
        let shown = step.context.as_ref().map(|_| json_of(&step.context));
        assert_eq!(shown, (step.path == "write").then(|| handed_on.clone()));
    }
    let asked = execution.steps.iter().find(|s| s.path == short.step);
    let asked = asked.unwrap();
    assert_eq!(asked.kind, "summarizer");
    assert_eq!(asked.state(), StepState::Completed);
}

#[tokio::test]
async fn too_much_is_refused_with_class_limit() {
    let server = TestServer::start().await;
    server
        .register(
            "
name: much
mode: SEQUENCE
steps:
  - { id: a, agent: x }
  - { id: b, agent: y, context: { max_tokens: 1, overflow: FAIL } }
",
        )
        .await;
    let id = server.begin("much", json!(null)).await;
    let a = server.poll("x").await;
    server.complete(&a, json!("more than four")).await.unwrap();
    let error = server.ended(&id).await.error.unwrap();
    assert_eq!((error.class.as_str(), error.step.as_str()), ("limit", "b"));
}
