//! What agents say of their input and output is held against every task and result.

use serde_json::{Value as Json, json};
use tutti::{
    core::value,
    proto::{Agent, execution::State, result_ack::Outcome},
};

use super::{agent, put};
use crate::{
    support::{TestServer, json_of},
    workers::raw::RawWorker,
};

const ONE: &str = "
name: one
mode: SEQUENCE
steps: [ { id: a, agent: x, retry: { max_attempts: 2, initial_delay: 0.001s } } ]
";
const SKILLED: &str = "name: skilled\nsteps: [ { id: a, call: { skill: adding } } ]";

fn numbers() -> Json {
    json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "number"}}})
}

fn picky(input: Json, output: Json) -> Agent {
    Agent {
        input_schema: Some(value::from_json(&input)),
        output_schema: Some(value::from_json(&output)),
        ..agent("x", &["adding"])
    }
}

async fn server() -> TestServer {
    let server = TestServer::start().await;
    server.register(ONE).await;
    server.register(SKILLED).await;
    server
}

#[tokio::test]
async fn an_input_that_breaks_the_agents_schema_fails_as_validation_without_being_handed_out() {
    let server = server().await;
    put(&server, picky(numbers(), json!(true))).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let id = server.begin("one", json!({"n": "seven"})).await;
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Failed);
    assert_eq!(execution.steps[0].attempt, 1, "not retried");
    let error = execution.error.unwrap();
    assert_eq!((error.class.as_str(), &*error.step), ("validation", "a"));
    assert!(error.message.contains("/n"), "{}", error.message);
    worker.settled().await;

    let id = server.begin("one", json!({"n": 7})).await;
    assert_eq!(worker.take().await.execution_id, id);
}

#[tokio::test]
async fn so_it_is_without_a_worker_and_by_skill() {
    let server = server().await;
    put(&server, picky(numbers(), json!(true))).await;
    let id = server.begin("one", json!("no object")).await;
    assert_eq!(server.ended(&id).await.error.unwrap().class, "validation");

    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let id = server.begin("skilled", json!("no object")).await;
    assert_eq!(server.ended(&id).await.error.unwrap().class, "validation");
    worker.settled().await;
}

#[tokio::test]
async fn a_task_that_waits_is_held_against_the_schema_that_its_agent_gets_meanwhile() {
    let server = server().await;
    let id = server.begin("one", json!("no object")).await;
    server.get(&id).await;
    put(&server, picky(numbers(), json!(true))).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    assert_eq!(server.ended(&id).await.error.unwrap().class, "validation");
    worker.settled().await;
}

#[tokio::test]
async fn an_output_that_breaks_the_agents_schema_fails_as_invalid_output_and_is_retried() {
    let server = server().await;
    put(&server, picky(json!(true), numbers())).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let id = server.begin("one", json!(1)).await;
    let first = worker.take().await;
    worker.complete(&first.token, json!({"n": "seven"}));
    assert_eq!(
        worker.acked().await,
        (first.token, Outcome::Recorded),
        "the result counts: it failed the attempt"
    );
    let second = worker.hold().await;
    assert_eq!(second.attempt, 2);
    let error = server.get(&id).await.steps[0].error.clone().unwrap();
    assert_eq!(error.class, "invalid_output");
    assert!(error.message.contains("/n"), "{}", error.message);
    worker.complete(&second.token, json!({"n": 7}));
    worker.acked().await;
    let execution = server.ended(&id).await;
    assert_eq!(json_of(&execution.output), json!({"n": 7}));
}

#[tokio::test]
async fn so_it_is_by_single_call() {
    let server = server().await;
    put(&server, picky(json!(true), numbers())).await;
    let id = server.begin("skilled", json!(1)).await;
    let task = server.poll("x").await;
    server.complete(&task, json!("no object")).await.unwrap();
    let error = server.ended(&id).await.error.unwrap();
    assert_eq!(
        (error.class.as_str(), &*error.step),
        ("invalid_output", "a")
    );
}
