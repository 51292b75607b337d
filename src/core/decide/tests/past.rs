//! Earlier runs of steps that ran again: each that completed is undone, the newest first.

use super::*;
use crate::proto::event;

/// What was undone, in order, with what the call that undid it was given.
fn undone(case: &mut Case) -> Vec<(String, Json)> {
    let mut undone = Vec::new();
    while let Some(call) = case.waiting().first().map(|c| (*c).to_owned()) {
        let Some(step) = call.strip_suffix("/compensation") else {
            break;
        };
        undone.push((step.to_owned(), case.input(&call)));
        case.complete(&call, json!(null));
    }
    undone
}

fn told(case: &Case) -> Vec<&str> {
    let told = case
        .events
        .iter()
        .filter(|e| matches!(e.kind, Some(event::Kind::StepCompensated(_))));
    told.map(|e| e.step.as_str()).collect()
}

fn expected(steps: &[(&str, i64)]) -> Vec<(String, Json)> {
    let steps = steps.iter();
    steps
        .map(|(step, id)| ((*step).to_owned(), json!(id)))
        .collect()
}

const ORDERS: &str = "
mode: STATES
on_failure: COMPENSATE
steps:
  - { id: pay, agent: bank, compensation: { agent: refund }, next: [ { to: ship } ] }
  - id: ship
    agent: post
    compensation: { agent: recall }
    next: [ { when: output < 30, to: pay }, { to: done } ]
  - { id: done, agent: x }
";

#[test]
fn each_run_of_a_state_is_undone_the_newest_first() {
    let mut case = given(ORDERS, json!(null));
    for round in 1..=3 {
        case.complete("pay", json!(round));
        case.complete("ship", json!(round * 10));
    }
    assert_eq!(case.waiting(), ["done"]);
    assert_eq!(case.output_of("pay#1"), json!(1));
    case.fail("done", "own");
    assert_eq!(case.state(), ExecutionState::Compensating);
    let expected = expected(&[
        ("ship", 30),
        ("pay", 3),
        ("ship#2", 20),
        ("pay#2", 2),
        ("ship#1", 10),
        ("pay#1", 1),
    ]);
    assert_eq!(undone(&mut case), expected);
    let steps = ["ship", "pay", "ship#2", "pay#2", "ship#1", "pay#1"];
    assert_eq!(told(&case), steps);
    assert_eq!(case.state(), ExecutionState::Failed);
    for step in steps {
        assert_eq!(case.step(step), StepState::Compensated, "{step}");
    }
}

#[test]
fn a_run_that_cannot_be_undone_is_told_and_those_before_it_are_undone() {
    let mut case = given(ORDERS, json!(null));
    for round in [1, 3] {
        case.complete("pay", json!(round));
        case.complete("ship", json!(round * 10));
    }
    case.fail("done", "own").fail("ship/compensation", "lost");
    case.complete("pay/compensation", json!(null));
    case.fail("ship#1/compensation", "lost");
    assert_eq!(undone(&mut case), expected(&[("pay#1", 1)]));
    assert_eq!(case.step("ship#1"), StepState::Completed);
    let words = "done says no; ship/compensation failed: ship/compensation says no; \
                 ship#1/compensation failed: ship#1/compensation says no";
    assert_eq!(case.error(), ("own", words, "done"));
}

#[test]
fn what_nobody_undoes_or_nothing_undoes_is_not_kept() {
    for yaml in [
        ORDERS.replace("on_failure: COMPENSATE\n", ""),
        ORDERS
            .replace(", compensation: { agent: refund }", "")
            .replace("    compensation: { agent: recall }\n", ""),
    ] {
        let mut case = given(&yaml, json!(null));
        case.complete("pay", json!(1)).complete("ship", json!(10));
        case.complete("pay", json!(2));
        assert_eq!(case.execution.find("pay#1"), None);
    }
}

/// Whether what a step's attempt does was done before, by the dispatch of the attempt.
fn again(case: &Case, step: &str) -> Option<u64> {
    let run = case.execution.find(step).unwrap();
    case.execution.dispatch_of(run).unwrap().again
}

#[test]
fn what_is_done_again_is_known_from_what_is_tried_again() {
    let retried =
        "compensation: { agent: refund }, retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }";
    let yaml = ORDERS.replace("compensation: { agent: refund }", retried);
    let mut case = given(&yaml, json!(null));
    assert_eq!(again(&case, "pay"), None);
    case.complete("pay", json!(1)).complete("ship", json!(10));
    let second = again(&case, "pay");
    assert!(second.is_some());
    case.fail("pay", "unavailable").after(1);
    assert_eq!(again(&case, "pay"), second, "another attempt of the same");
    case.complete("pay", json!(2)).complete("ship", json!(20));
    assert!(again(&case, "pay") > second);

    let mut case = given(NESTED, json!(null));
    case.complete("trip/book/try/seat", json!(1));
    case.complete("trip/book/try/meal", json!(10));
    assert!(again(&case, "trip/book/try/seat").is_some(), "the state is");

    let mut case = given(RETRIED, json!(null));
    case.complete("b/pay", json!(1))
        .fail("b/ship", "unavailable");
    case.after(1);
    assert!(
        again(&case, "b/pay").is_some(),
        "the first stands until it is undone"
    );
    case.complete("b/pay", json!(2));
    assert_eq!(again(&case, "b/ship"), None, "it had not been done");
}

const NESTED: &str = "
steps:
  - id: trip
    saga:
      steps:
        - id: book
          block:
            mode: STATES
            steps:
              - id: try
                block:
                  mode: SEQUENCE
                  steps:
                    - { id: seat, agent: s, compensation: { agent: unseat } }
                    - { id: meal, agent: m, compensation: { agent: unmeal } }
                next: [ { when: output < 20, to: try }, { to: end } ]
              - { id: end, set: { done: '{{ true }}' } }
        - { id: go, agent: g }
";

#[test]
fn steps_within_a_state_that_ran_again_are_undone_too() {
    let mut case = given(NESTED, json!(null));
    for round in 1..=2 {
        case.complete("trip/book/try/seat", json!(round));
        case.complete("trip/book/try/meal", json!(round * 10));
    }
    case.fail("trip/go", "own");
    let expected = expected(&[
        ("trip/book/try/meal", 20),
        ("trip/book/try/seat", 2),
        ("trip/book/try#1/meal", 10),
        ("trip/book/try#1/seat", 1),
    ]);
    assert_eq!(undone(&mut case), expected);
    assert_eq!(case.state(), ExecutionState::Failed);
    assert_eq!(case.step("trip"), StepState::Failed);
}

const RETRIED: &str = "
on_failure: COMPENSATE
mode: SEQUENCE
steps:
  - id: b
    retry: { max_attempts: 3, initial_delay: 1s, jitter: 0 }
    block:
      mode: SEQUENCE
      steps:
        - { id: pay, agent: bank, compensation: { agent: refund } }
        - { id: ship, agent: post }
  - { id: last, agent: x }
";

#[test]
fn what_completed_in_attempts_of_a_block_that_failed_is_undone_too() {
    let mut case = given(RETRIED, json!(null));
    case.complete("b/pay", json!(1))
        .fail("b/ship", "unavailable");
    case.after(1);
    case.complete("b/pay", json!(2))
        .complete("b/ship", json!(0));
    case.fail("last", "own");
    let expected = expected(&[("b/pay", 2), ("b/pay#1", 1)]);
    assert_eq!(undone(&mut case), expected);
}

#[test]
fn a_saga_that_is_tried_again_keeps_nothing_of_what_it_undid() {
    let yaml = RETRIED
        .replace("on_failure: COMPENSATE\n", "")
        .replace("    block:\n      mode: SEQUENCE\n", "    saga:\n");
    let mut case = given(&yaml, json!(null));
    case.complete("b/pay", json!(1))
        .fail("b/ship", "unavailable");
    assert_eq!(undone(&mut case), expected(&[("b/pay", 1)]));
    case.after(1);
    case.complete("b/pay", json!(2));
    assert_eq!(case.execution.find("b/pay#1"), None);
    case.fail("b/ship", "own");
    assert_eq!(undone(&mut case), expected(&[("b/pay", 2)]));
}
