//! `tutti chat`: turns over a real server.

use serde_json::json;
use tutti::proto::{ExecutionFilter, ListExecutionsRequest, execution::State};

use super::{at, fed};
use crate::support::{TestServer, json_of};

const EXAMPLE: &str = "examples/chat.yaml";

#[tokio::test]
async fn each_line_is_a_turn_with_all_that_was_said_before() {
    let server = TestServer::start().await;
    let said = fed(&server, &["chat", EXAMPLE], "Hello\n\nAnd now?\n").await;
    let said = said.exits(0);
    assert_eq!(
        said.out,
        "You said “Hello”.\nYou said “And now?”. First you said “Hello”.\n"
    );
    assert_eq!(said.err, "");
}

#[tokio::test]
async fn messages_are_given_as_options_and_answers_as_json_and_turns_are_found_by_their_label() {
    let server = TestServer::start().await;
    let args = [
        "chat",
        EXAMPLE,
        "-m",
        "One\nline",
        "-m",
        "Two",
        "-o",
        "json",
    ];
    let said = at(&server, &args).await.exits(0);
    let answers: Vec<serde_json::Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), 2);
    assert_eq!(
        answers[0],
        json!({"role": "assistant", "content": "You said “One\nline”."})
    );

    let request = ListExecutionsRequest {
        filter: Some(ExecutionFilter {
            labels: [("chat".to_owned(), String::new())].into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let listed = server.executions().list_executions(request).await.unwrap();
    let turns = listed.into_inner().executions;
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[0].labels["chat"], turns[1].labels["chat"]);

    let last = server.get(&turns[0].execution_id).await;
    let args = [
        "chat",
        EXAMPLE,
        "--after",
        &last.execution_id,
        "-m",
        "Three",
    ];
    let said = at(&server, &args).await.exits(0);
    assert_eq!(said.out, "You said “Three”. First you said “One\nline”.\n");
    let messages = json_of(&last.input)["messages"].as_array().unwrap().len();
    assert_eq!((last.state(), messages), (State::Completed, 3));
}

#[tokio::test]
async fn a_turn_that_fails_or_gives_no_message_is_said_with_its_execution() {
    let server = TestServer::start().await;
    server
        .register("name: number\nsteps: [ { id: a, set: { n: 1 } } ]")
        .await;
    let said = at(&server, &["chat", "number", "-m", "x"]).await.exits(1);
    assert!(
        said.err
            .contains("gave no message: let the workflow have `output:"),
        "{}",
        said.err
    );

    let typed = "
name: typed
output_schema: { type: object, required: [role, content] }
steps: [ { id: a, set: { n: 1 } } ]
";
    server.register(typed).await;
    let said = at(&server, &["chat", "typed", "-m", "x"]).await.exits(1);
    assert!(
        said.err.contains("ended as FAILED: validation"),
        "{}",
        said.err
    );

    let said = at(&server, &["chat", "nobody", "-m", "x"]).await.exits(2);
    assert!(
        said.err.contains("workflow nobody not found"),
        "{}",
        said.err
    );
}
