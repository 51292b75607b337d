//! Waits: as long as they say, also over a restart; and the schemas of steps, over the API.

use serde_json::json;
use tutti::{
    core::time::Time,
    proto::{event::Kind, execution::State, step_execution::State as StepState},
};

use crate::{
    loops::events,
    support::{TestServer, json_of},
};

#[tokio::test]
async fn a_wait_goes_on_over_a_restart_and_is_never_over_early() {
    let mut server = TestServer::start().await;
    let source = "
name: later
mode: SEQUENCE
steps:
  - { id: pause, wait: { duration: '{{ input.pause }}' } }
  - { id: past, wait: { time: '2001-01-01T00:00:00Z' } }
  - { id: long, block: { join: { successes: 1, cancel_rest: true }, mode: PARALLEL, steps: [
      { id: year, wait: { time: '2199-01-01T00:00:00Z' } }, { id: short, wait: { first_of: [ { time: '2198-01-01T00:00:00Z' }, { duration: 20ms } ] } } ] } }
output: '{{ steps.past.output }}'
";
    server.register(source).await;
    let id = server.begin("later", json!({"pause": "1200ms"})).await;
    let execution = server.get(&id).await;
    let pause = &execution.steps[0];
    assert_eq!((&*pause.kind, pause.state()), ("wait", StepState::Running));
    let due = events(&server, &id)
        .await
        .into_iter()
        .find_map(|e| match e.kind {
            Some(Kind::WaitBegun(begun)) => begun.due_time,
            _ => None,
        });
    let due = due.unwrap();
    assert_eq!(pause.waiting_for, due.to_string());
    server.restart().await;
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Completed, "{:?}", execution.error);
    assert_eq!(json_of(&execution.output), json!({"pause": "1200ms"}));
    let end = execution.steps[0].end_time.unwrap();
    assert!(Time::from(end) >= Time::from(due), "{end} is before {due}");
    let year = execution.steps.iter().find(|s| s.path == "long/year");
    assert_eq!(year.unwrap().state(), StepState::Cancelled);
}

#[tokio::test]
async fn a_step_is_held_to_its_schemas() {
    let server = TestServer::start().await;
    let source = "
name: typed
steps:
  - id: a
    agent: worker
    input_schema: { type: object, required: [topic] }
    output_schema: { type: object, required: [items], properties: { items: { type: array, minItems: 1 } } }
";
    server.register(source).await;
    let id = server.begin("typed", json!({"title": 1})).await;
    let error = server.ended(&id).await.error.unwrap();
    assert_eq!((&*error.class, &*error.step), ("validation", "a"));
    assert!(
        error.message.contains("input_schema at ''"),
        "{}",
        error.message
    );
    let id = server.begin("typed", json!({"topic": 1})).await;
    let task = server.poll("worker").await;
    server.complete(&task, json!({"items": []})).await.unwrap();
    // The worker may not know that it was heard.
    server.complete(&task, json!({"items": []})).await.unwrap();
    let error = server.ended(&id).await.error.unwrap();
    assert_eq!(error.class, "validation");
    assert!(
        error.message.contains("output_schema at '/items'"),
        "{}",
        error.message
    );
}
