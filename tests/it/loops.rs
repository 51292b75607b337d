//! Steps that run more than once: every iteration visible, none repeated after a restart.

use serde_json::json;
use tutti::proto::{
    Event, ListEventsRequest, ValidateWorkflowRequest,
    event::Kind,
    execution::State,
    step_execution::{Exit, State as StepState},
};

use crate::support::{TestServer, json_of};

const POLISH: &str = "
name: polish
steps:
  - id: polish
    loop:
      until: last.score >= 8
      max_iterations: 20
      steps:
        - { id: draft, agent: writer, input: { round: '{{ iteration }}', review: '{{ last }}' } }
        - { id: review, agent: reviewer }
  - { id: tell, set: { rounds: '{{ steps.polish.iterations }}', exit: '{{ steps.polish.exit }}' }, depends_on: [polish] }
output: '{{ vars }}'
";

pub async fn events(server: &TestServer, id: &str) -> Vec<Event> {
    let request = ListEventsRequest {
        execution_id: id.into(),
        page_size: 1000,
        ..Default::default()
    };
    let answer = server.executions().list_events(request).await;
    answer.unwrap().into_inner().events
}

#[tokio::test]
async fn a_loop_goes_on_after_a_restart_with_the_iteration_it_was_in() {
    let mut server = TestServer::start().await;
    server.register(POLISH).await;
    let id = server.begin("polish", json!(null)).await;
    for round in 1..=12 {
        let draft = server.poll("writer").await;
        assert_eq!(draft.step, format!("polish[{round}]/draft"));
        server.complete(&draft, json!(round)).await.unwrap();
        if round == 11 {
            server.restart().await;
        }
        let review = server.poll("reviewer").await;
        assert_eq!(json_of(&review.input), json!(round));
        let score = if round == 12 { 9 } else { 1 };
        let review_of = json!({"score": score, "of": round});
        server.complete(&review, review_of).await.unwrap();
    }
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Completed);
    assert_eq!(
        json_of(&execution.output),
        json!({"rounds": 12, "exit": "CONDITION"})
    );
    let step = |path: &str| execution.steps.iter().find(|s| s.path == path);
    let polish = step("polish").unwrap();
    assert_eq!((polish.kind.as_str(), polish.iterations), ("loop", 12));
    assert_eq!(polish.exit(), Exit::Condition);
    assert_eq!(step("polish[12]").unwrap().state(), StepState::Completed);
    assert_eq!(
        step("polish[12]/draft").unwrap().state(),
        StepState::Completed
    );
    assert!(step("polish[1]").is_none(), "its end is long ago");
    let all = events(&server, &id).await;
    let begun = all
        .iter()
        .filter(|e| matches!(e.kind, Some(Kind::IterationBegun(_))));
    assert_eq!(begun.count(), 12);
    let done = all.iter().filter(|e| e.step == "polish[1]/draft");
    assert_eq!(done.count(), 3, "scheduled, started and completed, once");
}

#[tokio::test]
async fn what_is_wrong_with_a_loop_is_found() {
    let server = TestServer::start().await;
    let source = "name: x
steps:
  - id: l
    loop:
      while: itration < 3
      until: steps.b.output == 1
      max_iterations: 100000
      steps: [ { id: a, agent: x, input: '{{ lst }}' } ]
  - { id: m, loop: { stepz: [] } }
  - { id: n, agent: x, input: '{{ iteration }}' }
";
    let request = ValidateWorkflowRequest {
        source: source.into(),
        ..Default::default()
    };
    let answer = server.workflows().validate_workflow(request).await;
    let findings = answer.unwrap().into_inner().findings;
    let found: Vec<_> = findings
        .iter()
        .map(|f| (f.line, f.rule.as_str(), f.path.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (5, "unknown-variable", "steps[0].loop.while"),
            (6, "unknown-step", "steps[0].loop.until"),
            (7, "limit", "steps[0].loop.max_iterations"),
            (8, "unknown-variable", "steps[0].loop.steps[0].input"),
            (9, "required", "steps[1].loop.steps"),
            (9, "unknown-field", "steps[1].loop.stepz"),
            (10, "unknown-variable", "steps[2].input"),
        ]
    );
}
