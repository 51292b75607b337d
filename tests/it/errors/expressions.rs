//! Expressions that fail at run time: the step fails with class `expression`, once and for all.

use serde_json::json;
use tutti::proto::{ListEventsRequest, event};

use crate::support::TestServer;

#[tokio::test]
async fn an_expression_that_fails_at_run_time_fails_its_step_and_is_not_tried_again() {
    let server = TestServer::start().await;
    for (name, step, input, expression, reason) in [
        (
            "missing-key",
            "input: '{{ input.order.total }}'",
            json!({"order": {}}),
            "input.order.total",
            "no such key: total",
        ),
        (
            "division",
            "input: { share: 'a share of {{ 100 / input.n }}' }",
            json!({"n": 0}),
            "100 / input.n",
            "division by zero",
        ),
        (
            "condition",
            "when: input.n > 'one'",
            json!({"n": 1}),
            "input.n > 'one'",
            "does not apply to int and string",
        ),
        (
            "gate",
            "gates: { before: [ { cel: 'value.list[3] == 1' } ] }",
            json!({"list": [1]}),
            "value.list[3]",
            "index out of bounds: 3",
        ),
    ] {
        server
            .register(&format!(
                "name: {name}\nsteps: [ {{ id: a, agent: nobody, retry: {{ max_attempts: 5 }}, {step} }} ]"
            ))
            .await;
        let id = server.begin(name, input).await;
        let execution = server.ended(&id).await;
        let error = execution.error.unwrap();
        assert_eq!(
            (error.class.as_str(), error.step.as_str()),
            ("expression", "a")
        );
        for part in [expression, reason] {
            assert!(error.message.contains(part), "{name}: {}", error.message);
        }
        let again = events(&server, &id).await.into_iter().any(|kind| {
            matches!(
                kind,
                event::Kind::StepScheduled(_) | event::Kind::StepRetryScheduled(_)
            )
        });
        assert!(!again, "{name}: no attempt is made");
    }
}

#[tokio::test]
async fn an_expression_over_the_result_fails_the_attempt_that_gave_it_for_good() {
    let server = TestServer::start().await;
    for (name, step, place) in [
        ("over-output", "output: '{{ output.total / 0 }}'", "output:"),
        (
            "over-save",
            "save: { x: '{{ output.total / 0 }}' }",
            "save.x:",
        ),
        (
            "over-gate",
            "gates: { after: [ { cel: 'output.total / 0 > 1', on_violation: RETRY } ] }",
            "gates.after[0]:",
        ),
    ] {
        server
            .register(&format!(
                "name: {name}\nsteps: [ {{ id: a, agent: {name}, retry: {{ max_attempts: 5 }}, {step} }} ]"
            ))
            .await;
        let id = server.begin(name, json!(null)).await;
        let task = server.poll(name).await;
        server.complete(&task, json!({"total": 7})).await.unwrap();
        let execution = server.ended(&id).await;
        let error = execution.error.unwrap();
        assert_eq!(error.class, "expression");
        for part in [place, "output.total / 0", "division by zero"] {
            assert!(error.message.contains(part), "{name}: {}", error.message);
        }
        assert_eq!(execution.steps[0].attempt, 1);
    }
}

#[tokio::test]
async fn a_failed_expression_in_the_workflows_output_fails_the_execution() {
    let server = TestServer::start().await;
    server
        .register("name: out\nsteps: [ { id: a, set: { x: 1 } } ]\noutput: '{{ input.no.such }}'")
        .await;
    let id = server.begin("out", json!({})).await;
    let error = server.ended(&id).await.error.unwrap();
    assert_eq!(error.class, "expression");
    assert!(error.message.contains("input.no.such"), "{}", error.message);
}

async fn events(server: &TestServer, id: &str) -> Vec<event::Kind> {
    let request = ListEventsRequest {
        execution_id: id.into(),
        ..Default::default()
    };
    let answer = server.executions().list_events(request).await.unwrap();
    let events = answer.into_inner().events.into_iter();
    events.filter_map(|event| event.kind).collect()
}
