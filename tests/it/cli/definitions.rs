//! Definitions on the command line: validate, register, graph, workflows, diff.

use super::{GREET, alone, at, fed, file};
use crate::support::TestServer;

const FAULTY: &str = "name: faulty
steps:
  - id: a
    agnet: x
  - id: b
    agent: y
    when: inptu.n > 1
";

#[tokio::test]
async fn validate_needs_no_server_and_exits_with_0_for_a_sound_file() {
    let directory = tempfile::tempdir().unwrap();
    let greet = file(directory.path(), "greet.yaml", GREET);
    let said = alone(&["validate", &greet]).await.exits(0);
    let expected = format!("{greet}: greet is valid: 1 step, at most 1 call to agents\n");
    assert_eq!((said.out, said.err), (expected, String::new()));
}

#[tokio::test]
async fn validate_tells_every_finding_with_file_line_and_column_and_exits_with_2() {
    let directory = tempfile::tempdir().unwrap();
    let faulty = file(directory.path(), "faulty.yaml", FAULTY);
    let said = alone(&["validate", &faulty]).await.exits(2);
    assert_eq!(said.out, "");
    let lines: Vec<_> = said.err.lines().collect();
    let [first, second] = lines[..] else {
        panic!("{lines:?}")
    };
    let place = format!("{faulty}:4:5: error[unknown-field] steps[0].agnet: ");
    assert!(first.starts_with(&place), "{first}");
    assert!(first.ends_with("(did you mean `agent`?)"), "{first}");
    let place = format!("{faulty}:7:11: error[unknown-variable] steps[1].when: ");
    assert!(second.starts_with(&place), "{second}");

    let said = alone(&["validate", &faulty, "-o", "json"]).await.exits(2);
    let answer = said.json();
    assert_eq!(answer["valid"], false);
    assert_eq!(answer["findings"][1]["line"], 7);
    assert_eq!(answer["findings"][1]["severity"], "ERROR");
}

#[tokio::test]
async fn validate_takes_stdin_and_json_and_names_a_file_that_is_missing() {
    let server = TestServer::start().await;
    let text = r#"{"name": "j", "steps": [{"id": "a", "set": {"x": 1}}]}"#;
    let said = fed(&server, &["validate", "-"], text).await.exits(0);
    assert!(said.out.starts_with("<stdin>: j is valid: 1 step"));
    let said = alone(&["validate", "no-such.yaml"]).await.exits(2);
    let line = said.one_line();
    assert!(
        line.starts_with("error: cannot read no-such.yaml"),
        "{line}"
    );
}

#[tokio::test]
async fn register_tells_the_version_and_whether_it_is_new() {
    let server = TestServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let greet = file(directory.path(), "greet.yaml", GREET);
    let faulty = file(directory.path(), "faulty.yaml", FAULTY);
    for expected in [
        "greet version 1 (registered)\n",
        "greet version 1 (unchanged)\n",
    ] {
        let said = at(&server, &["register", &greet]).await.exits(0);
        assert_eq!(said.out, expected);
    }
    let said = at(&server, &["register", &greet, "-o", "json"]).await;
    let answer = said.exits(0).json();
    assert_eq!(
        (&answer["version"], &answer["created"]),
        (&1.into(), &false.into())
    );

    let said = at(&server, &["register", &faulty]).await.exits(2);
    let places = [
        format!("{faulty}:4:5: error["),
        format!("{faulty}:7:11: error["),
    ];
    for (line, place) in said.err.lines().zip(&places) {
        assert!(line.starts_with(place), "{line}");
    }
    assert_eq!(said.err.lines().count(), 2, "{}", said.err);
    let list = at(&server, &["workflows", "-o", "json"]).await.exits(0);
    assert_eq!(list.json()["workflows"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn graph_draws_a_file_without_a_server_and_a_name_with_one() {
    let server = TestServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let greet = file(directory.path(), "greet.yaml", GREET);
    let drawn = alone(&["graph", &greet]).await.exits(0).out;
    assert!(
        drawn.starts_with("flowchart") && drawn.contains("greeter"),
        "{drawn}"
    );
    server.register(GREET).await;
    assert_eq!(at(&server, &["graph", "greet"]).await.exits(0).out, drawn);
    let said = at(&server, &["graph", "greet@1", "-o", "json"]).await;
    assert_eq!(said.exits(0).json()["nodes"][0]["path"], "hello");
}

#[tokio::test]
async fn workflows_and_their_differences_are_shown() {
    let server = TestServer::start().await;
    server.register(GREET).await;
    server.register(&GREET.replace("Hello", "Goodbye")).await;
    let table = at(&server, &["workflows"]).await.exits(0).out;
    let rows: Vec<_> = table.lines().collect();
    assert!(
        rows[0].starts_with("NAME") && rows[1].starts_with("greet"),
        "{table}"
    );
    assert_eq!(rows.len(), 2, "the newest of each name");
    let said = at(&server, &["workflows", "greet", "-o", "json"]).await;
    assert_eq!(said.exits(0).json()["workflows"][1]["version"], 2);
    let said = at(&server, &["diff", "greet"]).await.exits(0);
    let expected = "greet: version 1 to 2\n~ steps[hello].input.text\n    \
                    - \"Hello {{ input.name }}\"\n    + \"Goodbye {{ input.name }}\"\n";
    assert_eq!(said.out, expected);
    let said = at(&server, &["diff", "greet", "1", "1"]).await.exits(0);
    assert_eq!(said.out, "greet: versions 1 and 1 do not differ\n");
    let said = at(&server, &["diff", "greet", "1", "9"]).await.exits(2);
    assert!(said.one_line().contains("greet version 9 not found"));
}
