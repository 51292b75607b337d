//! Which steps begin when: modes, conditions, limits, joins, switches.

use super::*;

const THREE: &str = "
steps:
  - { id: a, agent: x }
  - { id: b, agent: x }
  - { id: c, agent: x }
";

#[test]
fn a_sequence_runs_one_step_after_the_other_and_gives_the_last_output() {
    let mut case = given(&format!("mode: SEQUENCE\n{THREE}"), json!("in"));
    assert_eq!(case.waiting(), ["a"]);
    assert_eq!(case.input("a"), json!("in"), "the first is given the input");
    case.complete("a", json!(1));
    assert_eq!(case.waiting(), ["b"]);
    assert_eq!(
        case.input("b"),
        json!(1),
        "the next one is given what the one before gave"
    );
    case.complete("b", json!(2)).complete("c", json!(3));
    assert_eq!(case.output(), json!(3));
}

#[test]
fn a_sequence_runs_by_order() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - { id: late, order: 20, agent: x }
  - { id: early, order: 10, agent: x }
",
        json!(null),
    );
    assert_eq!(case.waiting(), ["early"]);
    case.complete("early", json!(1));
    assert_eq!(case.waiting(), ["late"]);
    case.complete("late", json!(2));
    assert_eq!(case.output(), json!(2));
}

#[test]
fn parallel_steps_begin_at_once_and_give_an_object() {
    let mut case = given(THREE, json!({"k": 1}));
    assert_eq!(case.waiting(), ["a", "b", "c"]);
    assert_eq!(case.input("c"), json!({"k": 1}), "each is given the input");
    case.complete("b", json!(2))
        .complete("a", json!(1))
        .complete("c", json!(3));
    assert_eq!(case.output(), json!({"a": 1, "b": 2, "c": 3}));
}

#[test]
fn a_graph_runs_by_what_steps_name_and_read() {
    let mut case = given(
        "
steps:
  - { id: a, agent: x }
  - { id: b, agent: x, depends_on: [a] }
  - { id: c, agent: x, input: '{{ steps.a.output }}' }
  - { id: d, agent: x, input: { b: '{{ steps.b.output }}', c: '{{ steps.c.output }}' } }
",
        json!(null),
    );
    assert_eq!(case.waiting(), ["a"]);
    case.complete("a", json!(1));
    assert_eq!(case.waiting(), ["b", "c"]);
    case.complete("c", json!(3));
    assert_eq!(case.waiting(), ["b"]);
    case.complete("b", json!(2));
    assert_eq!(case.input("d"), json!({"b": 2, "c": 3}));
}

#[test]
fn a_step_whose_condition_is_false_is_skipped_and_its_dependants_run() {
    let mut case = given(
        "
steps:
  - { id: a, agent: x, when: input.wanted }
  - { id: b, agent: x, depends_on: [a], input: { of: '{{ steps.a.output }}', state: '{{ steps.a.state }}' } }
",
        json!({"wanted": false}),
    );
    assert_eq!(case.step("a"), StepState::Skipped);
    assert_eq!(case.input("b"), json!({"of": null, "state": "SKIPPED"}));
    case.complete("b", json!(1));
    assert_eq!(case.output(), json!({"a": null, "b": 1}));
}

#[test]
fn no_more_calls_are_in_progress_than_the_workflow_allows() {
    let mut case = given(&format!("max_parallel_steps: 2\n{THREE}"), json!(null));
    assert_eq!(case.waiting(), ["a", "b"]);
    assert_eq!(case.step("c"), StepState::Pending);
    case.complete("b", json!(1));
    assert_eq!(case.waiting(), ["a", "c"]);
}

#[test]
fn no_more_children_are_in_progress_than_the_block_allows() {
    let mut case = given(
        "
steps:
  - id: many
    block:
      mode: PARALLEL
      max_parallel: 1
      steps: [ { id: a, agent: x }, { id: b, agent: x } ]
  - { id: beside, agent: x }
",
        json!(null),
    );
    assert_eq!(case.waiting(), ["beside", "many/a"]);
    case.complete("many/a", json!(1));
    assert_eq!(case.waiting(), ["beside", "many/b"]);
}

const JOINED: &str = "
steps:
  - id: votes
    block:
      mode: PARALLEL
      join: JOIN
      steps: [ { id: a, agent: x }, { id: b, agent: x }, { id: c, agent: x } ]
";

#[test]
fn a_join_is_reached_by_enough_successes_and_cancels_the_rest() {
    let yaml = JOINED.replace("JOIN", "{ successes: 2, cancel_rest: true }");
    let mut case = given(&yaml, json!(null));
    case.fail("votes/a", "own").complete("votes/b", json!(2));
    assert_eq!(case.state(), ExecutionState::Running);
    let lease = case.accept("votes/c");
    let command = case.completion("votes/c", lease, json!(3));
    case.when(command).unwrap();
    assert_eq!(case.output(), json!({"votes": {"a": null, "b": 2, "c": 3}}));
    let yaml = JOINED.replace("JOIN", "{ successes: 1, cancel_rest: true }");
    let mut case = given(&yaml, json!(null));
    case.complete("votes/b", json!(2));
    assert_eq!(case.step("votes/a"), StepState::Cancelled);
    assert_eq!(
        case.output(),
        json!({"votes": {"a": null, "b": 2, "c": null}})
    );
}

#[test]
fn a_join_without_cancel_rest_waits_for_all() {
    let mut case = given(&JOINED.replace("JOIN", "{ share: 0.5 }"), json!(null));
    case.complete("votes/a", json!(1))
        .complete("votes/b", json!(2));
    assert_eq!(
        case.state(),
        ExecutionState::Running,
        "two of three are enough, one still runs"
    );
    case.fail("votes/c", "own");
    assert_eq!(case.output(), json!({"votes": {"a": 1, "b": 2, "c": null}}));
}

#[test]
fn a_join_fails_as_soon_as_it_cannot_be_reached() {
    let mut case = given(&JOINED.replace("JOIN", "{ successes: 2 }"), json!(null));
    case.fail("votes/a", "own").fail("votes/c", "own");
    assert_eq!(case.state(), ExecutionState::Failed);
    assert_eq!(case.step("votes/b"), StepState::Cancelled);
    let (class, message, step) = case.error();
    assert_eq!((class, step), ("own", "votes"));
    assert!(message.contains("0 of 3 steps completed"), "{message}");
    assert!(message.contains("2 must complete"), "{message}");
}

const ROUTED: &str = "
steps:
  - id: route
    switch:
      cases:
        - { when: input.n > 10, steps: [ { id: big, agent: x }, { id: then, agent: x } ] }
        - { when: input.n > 5, steps: [ { id: middle, agent: x } ] }
      otherwise: [ { id: small, set: { size: small } } ]
  - { id: after, agent: x, depends_on: [route] }
";

#[test]
fn a_switch_takes_the_first_case_that_fits_in_sequence() {
    let mut case = given(ROUTED, json!({"n": 20}));
    assert_eq!(case.waiting(), ["route/big"]);
    case.complete("route/big", json!(1));
    assert_eq!(case.input("route/then"), json!(1));
    case.complete("route/then", json!(2));
    assert_eq!(case.output_of("route"), json!(2));
    assert_eq!(case.waiting(), ["after"]);
}

#[test]
fn a_switch_takes_otherwise_when_no_case_fits_and_gives_null_without_it() {
    let case = given(ROUTED, json!({"n": 1}));
    assert_eq!(case.output_of("route"), json!({"size": "small"}));
    assert_eq!(case.vars(), json!({"size": "small"}));
    let without = ROUTED.replace(
        "      otherwise: [ { id: small, set: { size: small } } ]\n",
        "",
    );
    let case = given(&without, json!({"n": 1}));
    assert_eq!(case.step("route"), StepState::Completed);
    assert_eq!(case.output_of("route"), json!(null));
}

#[test]
fn a_condition_that_has_no_value_fails_the_step() {
    let case = given(ROUTED, json!({}));
    assert_eq!(case.state(), ExecutionState::Failed);
    let (class, message, step) = case.error();
    assert_eq!((class, step), ("expression", "route"));
    assert!(message.contains("input.n > 10"), "{message}");
}

#[test]
fn steps_of_one_order_run_together_after_those_of_the_next_lower() {
    let mut case = given(
        "
steps:
  - { id: a, agent: x, order: 1 }
  - { id: b, agent: x, order: 2 }
  - { id: c, agent: x, order: 2 }
  - { id: d, agent: x, order: 3 }
",
        json!(null),
    );
    assert_eq!(case.waiting(), ["a"]);
    case.complete("a", json!(1));
    assert_eq!(case.waiting(), ["b", "c"]);
    case.complete("b", json!(1)).complete("c", json!(1));
    assert_eq!(case.waiting(), ["d"]);
}
