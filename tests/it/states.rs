//! State machines: the states as they change, over a restart, and what is wrong with one.

use serde_json::{Value as Json, json};
use tutti::proto::{
    ValidateWorkflowRequest, block::Mode, event::Kind, execution::State,
    step_execution::State as StepState,
};

use crate::{
    loops::events,
    support::{TestServer, json_of},
};

const REVIEW: &str = "
name: review
mode: STATES
max_transitions: 4
steps:
  - id: write
    agent: writer
    next: [ { to: check } ]
  - id: check
    agent: checker
    next:
      - { when: output.good, to: print, input: { text: '{{ steps.write.output }}' } }
      - { when: output.score > 0, to: write, input: { notes: '{{ output.notes }}' } }
  - { id: print, agent: printer }
  - { id: shelve, agent: nobody }
";

async fn step(server: &TestServer, agent: &str, output: Json) -> Json {
    let task = server.poll(agent).await;
    server.complete(&task, output).await.unwrap();
    json_of(&task.input)
}

#[tokio::test]
async fn a_state_machine_goes_on_after_a_restart_in_the_state_it_was_in() {
    let mut server = TestServer::start().await;
    server.register(REVIEW).await;
    let id = server.begin("review", json!({"topic": "wind"})).await;
    assert_eq!(
        step(&server, "writer", json!("draft")).await,
        json!({"topic": "wind"})
    );
    let refused = json!({"good": false, "score": 1, "notes": "longer"});
    assert_eq!(step(&server, "checker", refused).await, json!("draft"));
    server.restart().await;
    assert_eq!(
        step(&server, "writer", json!("text")).await,
        json!({"notes": "longer"})
    );
    step(&server, "checker", json!({"good": true})).await;
    assert_eq!(
        step(&server, "printer", json!("printed")).await,
        json!({"text": "text"})
    );
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Completed);
    assert_eq!(json_of(&execution.output), json!("printed"));
    let shown: Vec<_> = execution
        .steps
        .iter()
        .map(|s| (&*s.path, s.state()))
        .collect();
    let states = [
        ("write", StepState::Completed),
        ("check", StepState::Completed),
        ("print", StepState::Completed),
        ("shelve", StepState::Skipped),
    ];
    assert_eq!(shown, states);
    let all = events(&server, &id).await;
    let changes = all.iter().filter_map(|event| match &event.kind {
        Some(Kind::StateChanged(e)) => Some(format!("{}>{}", e.from, e.to)),
        _ => None,
    });
    let changes: Vec<String> = changes.collect();
    let expected = [
        ">write",
        "write>check",
        "check>write",
        "write>check",
        "check>print",
    ];
    assert_eq!(changes, expected);
    let written = all.iter().filter(|e| e.step == "write");
    assert_eq!(
        written.count(),
        6,
        "both runs: scheduled, started, completed"
    );
}

#[tokio::test]
async fn a_machine_without_a_way_on_or_with_too_many_fails_with_its_class() {
    let server = TestServer::start().await;
    server.register(REVIEW).await;
    let id = server.begin("review", json!(1)).await;
    step(&server, "writer", json!("draft")).await;
    step(&server, "checker", json!({"good": false, "score": 0})).await;
    let error = server.ended(&id).await.error.unwrap();
    assert_eq!((&*error.class, &*error.step), ("no_transition", "check"));
    let id = server.begin("review", json!(1)).await;
    for _ in 0..3 {
        step(&server, "writer", json!("draft")).await;
        let checked = json!({"good": false, "score": 1, "notes": ""});
        if server.get(&id).await.state() == State::Running {
            step(&server, "checker", checked).await;
        }
    }
    let error = server.ended(&id).await.error.unwrap();
    assert_eq!((&*error.class, &*error.step), ("limit", "write"));
}

#[tokio::test]
async fn what_is_wrong_with_a_machine_is_found_and_its_ways_are_shown() {
    let server = TestServer::start().await;
    let validate = async |source: &str| {
        let request = ValidateWorkflowRequest {
            source: source.into(),
            ..Default::default()
        };
        let answer = server.workflows().validate_workflow(request).await;
        answer.unwrap().into_inner()
    };
    let source = "name: x
mode: STATES
initial: frist
steps:
  - { id: first, agent: x, next: [ { to: second } ] }
  - id: second
    block:
      mode: STATES
      steps:
        - { id: a, agent: x, depends_on: [b], next: [ { to: b } ] }
        - { id: b, agent: x, next: [ { to: a }, { to: b } ] }
        - { id: c, agent: x }
  - { id: third, block: { steps: [ { id: d, agent: x, next: [ { to: d } ] } ] } }
";
    let findings = validate(source).await.findings;
    let found: Vec<_> = findings
        .iter()
        .map(|f| (f.line, &*f.rule, &*f.path))
        .collect();
    let expected = [
        (3, "unknown-step", "initial"),
        (10, "conflict", "steps[1].block.steps[0].depends_on"),
        (10, "never-ending", "steps[1].block.steps[0].next"),
        (11, "never-ending", "steps[1].block.steps[1].next"),
        (11, "dead-transition", "steps[1].block.steps[1].next[1]"),
        (12, "unreachable-state", "steps[1].block.steps[2]"),
        (13, "conflict", "steps[2].block.steps[0].next"),
    ];
    assert_eq!(found, expected);
    assert_eq!(findings[0].hint, "did you mean `first`?");
    let answer = validate(REVIEW).await;
    assert!(answer.valid, "{:?}", answer.findings);
    let nodes = answer.graph.unwrap().nodes;
    assert!(nodes[0].initial);
    let ways: Vec<_> = nodes[1]
        .next
        .iter()
        .map(|w| (&*w.to, &*w.condition))
        .collect();
    assert_eq!(
        ways,
        [("print", "output.good"), ("write", "output.score > 0")]
    );
    assert_eq!(nodes[1].mode(), Mode::Unspecified);
}
