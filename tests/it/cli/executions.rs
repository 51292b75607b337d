//! Executions on the command line: run, start, watch, get, list, events, cancel, agents.

use serde_json::json;
use tutti_client::{TaskContext, TaskError, Worker};

use super::{GREET, at, fed, file};
use crate::support::TestServer;

const REFUSE: &str = "
name: refuse
input_schema: { properties: { n: { type: number } } }
steps:
  - { id: no, agent: refuser, retry: { max_attempts: 1 } }
";

/// A server with both workflows registered, and a worker that echoes or refuses.
async fn served() -> (TestServer, tokio::task::JoinHandle<()>) {
    let server = TestServer::start().await;
    server.register(GREET).await;
    server.register(REFUSE).await;
    let refuse = |_: TaskContext, _: serde_json::Value| async {
        Err::<serde_json::Value, _>(TaskError::new("refused", "not today"))
    };
    let worker = Worker::builder(server.url())
        .agent_fn("greeter", Ok)
        .agent("refuser", refuse)
        .build();
    let run = worker.unwrap().run(std::future::pending());
    (server, tokio::spawn(async move { drop(run.await) }))
}

#[tokio::test]
async fn run_takes_a_file_or_a_name_and_the_input_as_text_file_or_stdin() {
    let (server, worker) = served().await;
    let directory = tempfile::tempdir().unwrap();
    let greet = file(directory.path(), "greet.yaml", GREET);
    let input = r#"{"name": "Ada", "n": 41}"#;
    let input_file = file(directory.path(), "input.json", input);
    let at_file = format!("@{input_file}");
    let expected = json!({"text": "Hello Ada", "n": 42});
    for args in [
        &["run", "greet", "--input", input] as &[&str],
        &["run", "greet@1", "--input", &at_file],
        &["run", &greet, "--input", input],
        &["run", "greet", "--set", "name=Ada", "--set", "n:=41"],
    ] {
        let said = at(&server, args).await.exits(0);
        assert_eq!(said.json(), expected, "{args:?}");
        assert!(said.err.contains("hello"), "progress: {}", said.err);
    }
    let said = fed(&server, &["run", "greet", "--input", "-"], input).await;
    assert_eq!(said.exits(0).json(), expected);
    let said = at(&server, &["run", "greet", "--input", input, "-o", "json"]).await;
    let execution = said.exits(0).json();
    assert_eq!(execution["state"], "COMPLETED");
    assert_eq!(execution["output"], expected);
    assert_eq!(execution["progress_percent"], 100);
    worker.abort();
}

#[tokio::test]
async fn the_exit_code_tells_how_a_run_ended() {
    let (server, worker) = served().await;
    let said = at(&server, &["run", "refuse"]).await.exits(1);
    assert_eq!(said.out, "");
    let last = said.err.lines().last().unwrap();
    assert!(last.starts_with("error: ") && last.contains("failed in step no"));
    assert!(last.ends_with("refused: not today"), "{last}");
    let said = at(&server, &["run", "refuse", "-o", "json"]).await.exits(1);
    assert_eq!(said.json()["error"]["class"], "refused");

    let said = at(&server, &["run", "refuse", "--set", "n=one"])
        .await
        .exits(2);
    assert!(said.one_line().contains("input/n"), "{}", said.err);
    let said = at(&server, &["run", "nothing"]).await.exits(2);
    let line = said.one_line();
    assert!(line.contains("nothing not found"), "{line}");
    assert!(line.contains("`tutti workflows`"), "{line}");
    let said = fed(&server, &["run", "-"], "name: a\nsteps: [ { id: 1 } ]").await;
    assert!(said.exits(2).err.contains("<stdin>:2:16: error["));
    worker.abort();
}

#[tokio::test]
async fn an_execution_is_started_watched_and_looked_at() {
    let (server, worker) = served().await;
    let input = r#"{"name": "Ada", "n": 1}"#;
    let start = [
        "start",
        "greet",
        "--input",
        input,
        "--label",
        "team=a",
        "--request-id",
        "r1",
    ];
    let id = at(&server, &start).await.exits(0).out.trim().to_owned();
    let again = at(&server, &start).await.exits(0).out;
    assert_eq!(again.trim(), id, "the same request");
    at(&server, &["watch", &id]).await.exits(0);

    let events = at(&server, &["watch", &id, "-o", "json"])
        .await
        .exits(0)
        .out;
    let sequences: Vec<u64> = events
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|event| event["sequence"].as_u64().unwrap())
        .collect();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>());
    let last = sequences.len().to_string();
    let said = at(&server, &["watch", &id, "--after", &last, "-o", "json"]).await;
    assert_eq!(said.exits(0).out, "", "it has seen all");
    let said = at(&server, &["events", &id, "-o", "json"]).await.exits(0);
    assert_eq!(
        said.json()["events"].as_array().unwrap().len(),
        sequences.len()
    );
    let table = at(&server, &["events", &id]).await.exits(0).out;
    assert_eq!(table.lines().count(), 1 + sequences.len(), "{table}");

    let said = at(&server, &["get", &id]).await.exits(0).out;
    assert!(said.contains("state         COMPLETED"), "{said}");
    assert!(said.contains("labels        team=a"), "{said}");
    let said = at(&server, &["get", &id, "-o", "json"]).await.exits(0);
    assert_eq!(said.json()["steps"][0]["output"]["n"], 2);
    worker.abort();
}

#[tokio::test]
async fn lists_are_tables_for_people_and_json_for_programs() {
    let (server, worker) = served().await;
    at(&server, &["run", "refuse"]).await.exits(1);
    at(
        &server,
        &["run", "greet", "--set", "name=a", "--set", "n:=1"],
    )
    .await
    .exits(0);
    let table = at(&server, &["list"]).await.exits(0).out;
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.len(), 3, "{table}");
    assert!(rows[0].starts_with("EXECUTION"), "{table}");
    assert!(
        rows[1].contains("greet v1") && rows[1].contains("100 %"),
        "{table}"
    );
    assert!(
        rows[2].contains("FAILED") && rows[2].contains("refused"),
        "{table}"
    );
    let said = at(&server, &["list", "--state", "failed", "-o", "json"]).await;
    let failed = said.exits(0).json();
    assert_eq!(failed["executions"].as_array().unwrap().len(), 1);
    assert_eq!(failed["executions"][0]["workflow"], "refuse");
    let said = at(&server, &["list", "--workflow", "other"]).await.exits(0);
    assert!(said.out.starts_with("no executions"), "{}", said.out);

    let table = at(&server, &["agents"]).await.exits(0).out;
    let agents: Vec<_> = table.lines().skip(1).map(|l| l.split(' ').next()).collect();
    assert_eq!(agents, [Some("greeter"), Some("refuser")]);
    let said = at(&server, &["agents", "-o", "json"]).await.exits(0);
    assert_eq!(said.json()["agents"][0]["workers"], 1);
    let said = at(&server, &["workers", "-o", "json"]).await.exits(0);
    assert_eq!(said.json()["workers"][0]["connected"], true);
    worker.abort();
}

#[tokio::test]
async fn a_list_tells_how_far_open_executions_are_and_failed_ones_came() {
    let server = TestServer::start().await;
    server
        .register(
            "name: four\nmode: SEQUENCE\nsteps: [ { id: a, agent: x }, { id: b, block: { steps: [ { id: c, agent: x }, { id: d, agent: x } ] } } ]",
        )
        .await;
    let id = server.begin("four", json!(null)).await;
    for progress in ["0 %", "25 %", "50 %"] {
        let table = at(&server, &["list"]).await.exits(0).out;
        assert!(table.contains(&format!("RUNNING  {progress} ")), "{table}");
        let said = at(&server, &["get", &id]).await.exits(0).out;
        assert!(
            said.contains(&format!("progress      {progress}\n")),
            "{said}"
        );
        let task = server.poll("x").await;
        match progress {
            "50 %" => server.fail(&task, "refused").await.unwrap(),
            _ => server.complete(&task, json!(1)).await.unwrap(),
        }
    }
    server.ended(&id).await;
    let table = at(&server, &["list"]).await.exits(0).out;
    assert!(
        table.contains("FAILED  100 %"),
        "both and the block: {table}"
    );
}

#[tokio::test]
async fn an_execution_is_cancelled_and_deleted() {
    let server = TestServer::start().await;
    server.register(GREET).await;
    let id = server.begin("greet", json!({"name": "Ada", "n": 1})).await;
    let said = at(&server, &["get", &id]).await.exits(0).out;
    assert!(said.contains("agent 'greeter' is not registered"), "{said}");
    let said = at(&server, &["delete", &id]).await.exits(2);
    assert!(said.one_line().contains("has not ended"), "{}", said.err);
    let said = at(&server, &["cancel", &id, "--reason", "ordered twice"]).await;
    assert_eq!(said.exits(0).out, format!("{id} CANCELLED\n"));
    let said = at(&server, &["watch", &id]).await.exits(1);
    let last = said.err.lines().last().unwrap();
    assert!(
        last.contains("was cancelled") && last.contains("ordered twice"),
        "{last}"
    );
    let said = at(&server, &["cancel", &id]).await.exits(2);
    assert!(
        said.one_line().contains("has ended (CANCELLED)"),
        "{}",
        said.err
    );
    let said = at(&server, &["delete", &id]).await.exits(0);
    assert_eq!(said.out, format!("{id} deleted\n"));
    let said = at(&server, &["get", &id]).await.exits(2);
    let line = said.one_line();
    assert!(
        line.contains("not found") && line.contains("`tutti list`"),
        "{line}"
    );
}

const PARKED: &str = "
name: parked
variables: { account: DE00 }
steps: [ { id: pay, agent: bank, input: '{{ vars.account }}', on_error: PARK } ]
";

#[tokio::test]
async fn an_execution_is_paused_parked_and_resumed_with_what_was_wrong() {
    let server = TestServer::start().await;
    server.register(PARKED).await;
    let id = server.begin("parked", json!(null)).await;
    let said = at(&server, &["pause", &id, "--reason", "lunch"]).await;
    assert_eq!(said.exits(0).out, format!("{id} PAUSED\n"));
    let said = at(&server, &["resume", &id]).await;
    assert_eq!(said.exits(0).out, format!("{id} RUNNING\n"));
    let pay = server.poll("bank").await;
    server.fail(&pay, "no_such_account").await.unwrap();
    let said = at(&server, &["list", "--state", "PAUSED"]).await;
    assert!(said.exits(0).out.contains(&id));
    let said = at(&server, &["events", &id]).await.exits(0).out;
    for word in [
        "execution_paused",
        "lunch",
        "execution_parked",
        "once resumed",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let said = at(&server, &["resume", &id, "--set", "account=DE02"]).await;
    assert_eq!(said.exits(0).out, format!("{id} RUNNING\n"));
    let pay = server.poll("bank").await;
    assert_eq!(crate::support::json_of(&pay.input), json!("DE02"));
    server.complete(&pay, json!(1)).await.unwrap();
    at(&server, &["watch", &id]).await.exits(0);
    let said = at(&server, &["resume", &id]).await.exits(2);
    let line = said.one_line();
    assert!(line.contains("has ended (COMPLETED)"), "{line}");
}
