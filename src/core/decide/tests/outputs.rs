//! What steps are given and give: input, output, save, set, gates, schemas, goal.

use super::*;

fn one(policies: &str) -> String {
    format!("mode: SEQUENCE\nsteps:\n  - {{ id: a, agent: x, {policies} }}\n")
}

#[test]
fn a_whole_number_stays_whole_through_expressions_and_text() {
    let yaml = one("input: { twice: '{{ input.n * 2 }}', text: 'Order {{ input.n }}' }");
    let case = given(&yaml, json!({"n": 21}));
    assert_eq!(case.input("a"), json!({"twice": 42, "text": "Order 21"}));
}

#[test]
fn output_and_save_are_made_from_what_the_agent_gave() {
    let mut case = given(
        &one("output: '{{ output.charge }}', save: { total: '{{ output.total }}' }"),
        json!(null),
    );
    case.complete("a", json!({"charge": "c1", "total": 42}));
    assert_eq!(case.output(), json!("c1"));
    assert_eq!(case.vars(), json!({"total": 42}));
}

#[test]
fn variables_begin_from_the_input_and_set_writes_them() {
    let case = given(
        "
variables: { currency: EUR, n: '{{ input.n }}' }
mode: SEQUENCE
steps:
  - { id: a, set: { n: '{{ vars.n + 1 }}' } }
  - { id: b, set: { n: '{{ vars.n + 1 }}', seen: '{{ previous.n }}' } }
output: '{{ vars }}'
",
        json!({"n": 1}),
    );
    assert_eq!(case.output(), json!({"currency": "EUR", "n": 3, "seen": 2}));
}

#[test]
fn a_template_without_a_value_fails_the_step_and_is_not_tried_again() {
    let mut case = given(
        &one("retry: { max_attempts: 5 }, output: '{{ output.missing }}'"),
        json!(null),
    );
    case.complete("a", json!({"there": 1}));
    assert_eq!(case.state(), ExecutionState::Failed);
    let (class, message, step) = case.error();
    assert_eq!((class, step), ("expression", "a"));
    assert!(
        message.contains("output.missing") && message.contains("missing"),
        "{message}"
    );
}

#[test]
fn division_by_zero_fails_the_step() {
    let case = given(&one("input: '{{ 10 / input.n }}'"), json!({"n": 0}));
    let (class, message, _) = case.error();
    assert_eq!(class, "expression");
    assert!(message.to_lowercase().contains("zero"), "{message}");
}

#[test]
fn every_gate_checks_what_it_says() {
    let passes_and_breaks = [
        ("{ not_empty: true }", json!("x"), json!(" ")),
        ("{ not_empty: true }", json!([0]), json!({})),
        ("{ json: true }", json!("{\"a\": 1}"), json!("{a")),
        (
            "{ json_schema: { type: object, required: [a] } }",
            json!({"a": 1}),
            json!({"b": 1}),
        ),
        ("{ regex: '^a+$' }", json!("aaa"), json!("ab")),
        ("{ regex: '^a+$' }", json!("a"), json!(1)),
        (
            "{ cel: output.score > 0.5 }",
            json!({"score": 1}),
            json!({"score": 0}),
        ),
        ("{ length: { min: 2, max: 3 } }", json!("äö"), json!("ä")),
        (
            "{ length: { min: 2, max: 3 } }",
            json!([1, 2, 3]),
            json!([1, 2, 3, 4]),
        ),
        ("{ range: { min: 1, max: 2 } }", json!(1.5), json!(2.5)),
        (
            "{ range: { of: output.n, max: 2 } }",
            json!({"n": 2}),
            json!({"n": 3}),
        ),
    ];
    for (gate, good, bad) in passes_and_breaks {
        let yaml = one(&format!("gates: {{ after: [ {gate} ] }}"));
        let mut case = given(&yaml, json!(null));
        case.complete("a", good.clone());
        assert_eq!(case.output(), good, "{gate}");
        let mut case = given(&yaml, json!(null));
        case.complete("a", bad.clone());
        assert_eq!(case.state(), ExecutionState::Failed, "{gate} {bad}");
        assert_eq!(case.error().0, "invalid_output", "{gate}");
    }
}

#[test]
fn a_gate_before_refuses_the_input() {
    let yaml = one("gates: { before: [ { not_empty: true, message: 'nothing of {{ input }}' } ] }");
    let case = given(&yaml, json!(""));
    assert_eq!(case.error(), ("validation", "nothing of ", "a"));
    assert!(case.waiting().is_empty());
}

#[test]
fn a_violated_gate_can_ask_for_another_attempt() {
    let yaml = one(
        "retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }, gates: { after: [ { cel: output > 1, on_violation: RETRY } ] }",
    );
    let mut case = given(&yaml, json!(null));
    case.complete("a", json!(1));
    assert_eq!(case.step("a"), StepState::Retrying);
    case.after(1).complete("a", json!(2));
    assert_eq!(case.output(), json!(2));
}

#[test]
fn a_violated_gate_can_be_recorded_and_passed() {
    let yaml = one("gates: { after: [ { cel: output > 1, on_violation: CONTINUE } ] }");
    let mut case = given(&yaml, json!(null));
    case.complete("a", json!(1));
    assert_eq!(case.output(), json!(1));
    let violated = case.events.iter().find_map(|e| match &e.kind {
        Some(crate::proto::event::Kind::GateViolated(v)) => Some(v.message.as_str()),
        _ => None,
    });
    assert_eq!(violated, Some("the condition is false"));
}

#[test]
fn input_that_breaks_the_schema_is_not_started() {
    let yaml = "
input_schema: { type: object, required: [id], properties: { items: { type: array, items: { type: string } } } }
steps: [ { id: a, agent: x } ]
";
    let refused = try_given(yaml, json!({"items": ["a", 1]})).err().unwrap();
    let Rejection::Input(violations) = refused else {
        panic!("{refused:?}");
    };
    let pointers: Vec<&str> = violations.iter().map(|v| v.pointer.as_str()).collect();
    assert_eq!(pointers.len(), 2);
    assert!(
        pointers.contains(&"/items/1") && pointers.contains(&""),
        "{pointers:?}"
    );
}

#[test]
fn output_that_breaks_the_schema_fails_the_execution() {
    let yaml = "
output_schema: { type: object }
mode: SEQUENCE
steps: [ { id: a, agent: x } ]
";
    let mut case = given(yaml, json!(null));
    case.complete("a", json!(1));
    assert_eq!(case.error().0, "validation");
}

#[test]
fn a_missed_goal_fails_the_execution() {
    let yaml = "
mode: SEQUENCE
goal: [ { cel: output.score > 5, message: 'only {{ output.score }}' } ]
steps: [ { id: a, agent: x } ]
";
    let mut case = given(yaml, json!(null));
    case.complete("a", json!({"score": 3}));
    assert_eq!(
        case.error(),
        ("invalid_output", "the goal is missed: only 3", "")
    );
    let mut case = given(yaml, json!(null));
    case.complete("a", json!({"score": 6}));
    assert_eq!(case.output(), json!({"score": 6}));
}

#[test]
fn the_reference_spellings_read_what_they_say() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - { id: extract, agent: x }
  - { id: check, agent: x, input: '{{previous_step_output}}' }
  - { id: sum, agent: x, input: 'Text: {{step_1_output}} Check: {{check_output}}' }
  - { id: audit, agent: x, input: { all: '{{all_step_outputs}}', now: $current, deep: $context.results.extract } }
",
        json!("doc"),
    );
    case.complete("extract", json!("text"));
    assert_eq!(case.input("check"), json!("text"));
    case.complete("check", json!(7));
    assert_eq!(case.input("sum"), json!("Text: text Check: 7"));
    case.complete("sum", json!("s"));
    assert_eq!(
        case.input("audit"),
        json!({"all": {"extract": "text", "check": 7, "sum": "s"}, "now": "s", "deep": "text"})
    );
}

#[test]
fn labels_of_the_start_win_over_those_of_the_workflow() {
    let case = given(
        "labels: { by: workflow, team: credit }\nsteps: [ { id: a, agent: x } ]",
        json!(null),
    );
    assert_eq!(case.execution.labels["by"], "start");
    assert_eq!(case.execution.labels["team"], "credit");
}

#[test]
fn an_output_over_the_limit_fails_the_step() {
    let mut case = given(&one("retry: { max_attempts: 3 }"), json!(null));
    case.limits.payload_bytes_max = 100;
    case.complete("a", json!("x".repeat(200)));
    let (class, message, _) = case.error();
    assert_eq!(class, "limit");
    assert!(message.contains("payload_bytes_max is 100"), "{message}");
}
