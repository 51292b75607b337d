//! Loops: when they go on, what their steps see, how they end.

use super::*;
use crate::core::limits::ENDED_FRAMES_MAX;

const DRAFTS: &str = "
steps:
  - id: polish
    loop:
      until: last.score >= 8
      max_iterations: 3
      steps:
        - { id: draft, agent: writer, input: { round: '{{ iteration }}', last: '{{ last }}' } }
        - { id: review, agent: reviewer }
  - { id: send, agent: mail, depends_on: [polish], input: '{{ [steps.polish.iterations, steps.polish.exit, steps.polish.output] }}' }
";

#[test]
fn a_loop_goes_on_until_its_condition_is_true_and_gives_the_last_output() {
    let mut case = given(DRAFTS, json!("topic"));
    assert_eq!(case.waiting(), ["polish[1]/draft"]);
    assert_eq!(
        case.input("polish[1]/draft"),
        json!({"round": 1, "last": null})
    );
    case.complete("polish[1]/draft", json!("a"));
    assert_eq!(
        case.input("polish[1]/review"),
        json!("a"),
        "what the step before gave"
    );
    case.complete("polish[1]/review", json!({"score": 5}));
    assert_eq!(
        case.input("polish[2]/draft"),
        json!({"round": 2, "last": {"score": 5}})
    );
    case.complete("polish[2]/draft", json!("b"))
        .complete("polish[2]/review", json!({"score": 9}));
    assert_eq!(case.output_of("polish[1]"), json!({"score": 5}));
    assert_eq!(case.input("send"), json!([2, "CONDITION", {"score": 9}]));
}

#[test]
fn a_loop_that_reaches_its_bound_completes_and_says_so() {
    let mut case = given(DRAFTS, json!(null));
    for round in 1..=3 {
        case.complete(&format!("polish[{round}]/draft"), json!("x"))
            .complete(&format!("polish[{round}]/review"), json!({"score": round}));
    }
    assert_eq!(
        case.input("send"),
        json!([3, "MAX_ITERATIONS", {"score": 3}])
    );
}

#[test]
fn a_while_is_asked_before_each_iteration_and_the_first_step_is_given_what_the_loop_was() {
    let mut case = given(
        "
variables: { left: 2 }
steps:
  - id: countdown
    input: { from: '{{ input }}' }
    loop:
      while: vars.left > 0
      steps:
        - { id: work, agent: x }
        - { id: less, set: { left: '{{ vars.left - 1 }}' } }
",
        json!(7),
    );
    assert_eq!(case.input("countdown[1]/work"), json!({"from": 7}));
    case.complete("countdown[1]/work", json!(1));
    assert_eq!(case.input("countdown[2]/work"), json!({"from": 7}));
    case.complete("countdown[2]/work", json!(2));
    assert_eq!(case.output(), json!({"countdown": {"left": 0}}));
}

#[test]
fn a_loop_that_is_never_wanted_gives_null() {
    let mut case = given(
        "steps: [ { id: l, loop: { while: input > 1, steps: [ { id: a, agent: x } ] } } ]",
        json!(1),
    );
    assert_eq!(case.output(), json!({"l": null}));
    let until_inner = "steps: [ { id: l, loop: { until: 'steps.a.output == 2', steps: [ { id: a, agent: x } ] } } ]";
    case = given(until_inner, json!(1));
    case.complete("l[1]/a", json!(1))
        .complete("l[2]/a", json!(2));
    assert_eq!(
        case.output(),
        json!({"l": 2}),
        "until sees the steps within"
    );
}

#[test]
fn a_failure_within_fails_the_loop_and_a_retry_begins_it_anew() {
    let mut case = given(
        "
steps:
  - id: l
    retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }
    loop: { max_iterations: 2, steps: [ { id: a, agent: x }, { id: b, agent: x } ] }
",
        json!(null),
    );
    case.complete("l[1]/a", json!(1))
        .complete("l[1]/b", json!(1));
    case.fail("l[2]/a", "unavailable");
    assert_eq!(case.step("l"), StepState::Retrying);
    assert_eq!(case.step("l[2]"), StepState::Failed);
    case.after(1);
    assert_eq!(case.waiting(), ["l[1]/a"]);
    case.complete("l[1]/a", json!(1))
        .complete("l[1]/b", json!(1));
    case.fail("l[2]/a", "unavailable");
    assert_eq!(case.error().0, "unavailable");
    assert_eq!(case.error().2, "l[2]/a");
}

#[test]
fn a_retry_of_the_whole_goes_on_with_the_iteration_that_failed() {
    let mut case = given(
        "
retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }
steps:
  - id: l
    loop: { max_iterations: 2, steps: [ { id: a, agent: x }, { id: b, agent: x } ] }
",
        json!(null),
    );
    case.complete("l[1]/a", json!(1))
        .complete("l[1]/b", json!(1));
    case.complete("l[2]/a", json!(1))
        .fail("l[2]/b", "unavailable");
    case.after(1);
    assert_eq!(case.waiting(), ["l[2]/b"]);
    case.complete("l[2]/b", json!("end"));
    assert_eq!(case.output(), json!({"l": "end"}));
}

#[test]
fn a_timeout_and_a_cancel_reach_the_steps_within() {
    let yaml = "steps: [ { id: l, timeout: 5s, loop: { steps: [ { id: a, agent: x } ] } } ]";
    let mut case = given(yaml, json!(null));
    case.accept("l[1]/a");
    case.after(5);
    assert_eq!(case.error().0, "timeout");
    assert_eq!(case.step("l[1]/a"), StepState::Cancelled);
    assert_eq!(case.step("l[1]"), StepState::Cancelled);
    let mut case = given(yaml, json!(null));
    case.when(Command::Cancel {
        reason: "no".into(),
    })
    .unwrap();
    assert_eq!(case.step("l[1]/a"), StepState::Cancelled);
    assert!(matches!(case.effects.last(), Some(Effect::Withdraw { .. })));
}

#[test]
fn loops_within_loops_have_names_of_their_own() {
    let mut case = given(
        "
steps:
  - id: outer
    loop:
      max_iterations: 2
      steps:
        - { id: n, set: { outer: '{{ iteration }}' } }
        - id: inner
          loop:
            max_iterations: 2
            steps: [ { id: a, agent: x, input: '{{ [vars.outer, iteration, last] }}' } ]
",
        json!(null),
    );
    let mut seen = Vec::new();
    for (path, output) in [("outer[1]/inner[1]/a", 1), ("outer[1]/inner[2]/a", 2)] {
        seen.push(case.input(path));
        case.complete(path, json!(output));
    }
    seen.push(case.input("outer[2]/inner[1]/a"));
    assert_eq!(
        seen,
        [json!([1, 1, null]), json!([1, 2, 1]), json!([2, 1, null])]
    );
}

#[test]
fn of_ended_iterations_only_the_last_are_kept_whole() {
    let mut case = given(
        "steps: [ { id: l, loop: { max_iterations: 100, steps: [ { id: a, agent: x } ] } } ]",
        json!(null),
    );
    let lease = case.accept("l[1]/a");
    let first = case.completion("l[1]/a", lease, json!(1));
    case.when(first.clone()).unwrap();
    for index in 2..=100 {
        case.complete(&format!("l[{index}]/a"), json!(index));
        let most = 2 + 2 * (ENDED_FRAMES_MAX + 1);
        assert!(
            case.execution.runs().count() <= most,
            "in iteration {index}"
        );
    }
    assert!(case.execution.find("l[92]").is_none() && case.execution.find("l[93]").is_some());
    assert_eq!(case.output(), json!({"l": 100}));
    let events = case.events.len();
    case.when(first).unwrap();
    assert_eq!(
        case.events.len(),
        events,
        "a result of an iteration long gone is known"
    );
}

#[test]
fn a_loop_without_calls_is_taken_in_parts() {
    let mut case = given(
        "
variables: { n: 0 }
steps:
  - id: l
    loop: { max_iterations: 3000, steps: [ { id: a, set: { n: '{{ vars.n + 1 }}' } } ] }
",
        json!(null),
    );
    assert_eq!(case.state(), ExecutionState::Running);
    while case.state() == ExecutionState::Running {
        let before = case.events.len();
        assert!(
            case.execution.could_begin(&case.limits),
            "it goes on by itself"
        );
        case.after(0);
        assert!(case.events.len() - before < 2_000);
    }
    assert_eq!(case.vars(), json!({"n": 3000}));
}
