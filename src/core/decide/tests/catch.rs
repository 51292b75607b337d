//! Failures that are caught: steps that run instead, what they see, what becomes of the step.

use super::*;
use crate::proto::event;

#[test]
fn the_steps_of_a_catch_run_instead_and_their_output_is_the_steps() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - id: pay
    agent: bank
    output: '{{ output.charge }}'
    save: { charge: '{{ output.charge }}' }
    catch:
      - { classes: [timeout], steps: [ { id: late, agent: x } ] }
      - { classes: [declined], steps: [ { id: note, agent: x }, { id: offer, agent: x } ] }
      - { steps: [ { id: any, agent: x } ] }
  - { id: next, agent: x }
",
        json!({"amount": 5}),
    );
    case.fail("pay", "declined");
    assert_eq!(case.step("pay"), StepState::Running);
    assert_eq!(case.waiting(), ["pay/catch[1]/note"], "the first that fits");
    assert_eq!(
        case.input("pay/catch[1]/note"),
        json!({"amount": 5}),
        "`previous` is what the step was given"
    );
    case.complete("pay/catch[1]/note", json!("noted"));
    assert_eq!(case.input("pay/catch[1]/offer"), json!("noted"));
    case.complete("pay/catch[1]/offer", json!("voucher"));
    assert_eq!(case.step("pay"), StepState::Completed);
    assert_eq!(case.output_of("pay"), json!("voucher"), "as it is");
    assert_eq!(case.vars(), json!({}), "nothing is saved");
    assert_eq!(case.input("next"), json!("voucher"));
    case.complete("next", json!(1));
    assert_eq!(case.output(), json!(1));
}

#[test]
fn a_catch_sees_the_error_in_its_condition_and_in_its_steps() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - id: a
    agent: x
    retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }
    catch:
      - when: error.attempt > 1 && error.class == 'own'
        steps:
          - id: group
            block: { steps: [ { id: deep, agent: x, input: '{{ error }}' } ] }
",
        json!(null),
    );
    case.fail("a", "own");
    assert_eq!(case.step("a"), StepState::Retrying, "retries come first");
    case.after(1).fail("a", "own");
    assert_eq!(
        case.input("a/catch[0]/group/deep"),
        json!({"class": "own", "message": "a says no", "step": "a", "attempt": 2})
    );
}

#[test]
fn what_no_catch_takes_fails_the_step() {
    let mut case = given(
        "
steps:
  - id: a
    agent: x
    catch:
      - { classes: [timeout], steps: [ { id: b, agent: x } ] }
      - { when: error.message.contains('never'), steps: [ { id: b, agent: x } ] }
",
        json!(null),
    );
    case.fail("a", "own");
    assert_eq!(case.error(), ("own", "a says no", "a"));
}

#[test]
fn a_catch_that_fails_fails_the_step_with_its_own_error() {
    let mut case = given(
        "
steps:
  - id: a
    agent: x
    on_error: CONTINUE
    catch:
      - steps: [ { id: b, agent: x }, { id: c, agent: x } ]
      - steps: [ { id: never, agent: x } ]
",
        json!(null),
    );
    case.fail("a", "own").fail("a/catch[0]/b", "other");
    assert_eq!(case.step("a"), StepState::Failed);
    assert_eq!(case.step_error("a"), ("other", "a/catch[0]/b says no"));
    assert_eq!(case.output(), json!({"a": null}), "it is not caught again");
}

#[test]
fn an_empty_catch_gives_null() {
    let mut case = given(
        "steps: [ { id: a, agent: x, catch: [ { classes: [own] } ] } ]",
        json!(null),
    );
    case.fail("a", "own");
    assert_eq!(case.step("a"), StepState::Completed);
    assert_eq!(case.output(), json!({"a": null}));
}

#[test]
fn a_step_that_fails_before_it_begins_is_caught_too() {
    let mut case = given(
        "
steps:
  - id: a
    agent: x
    input: '{{ input.missing.member }}'
    catch: [ { classes: [expression], steps: [ { id: b, agent: x } ] } ]
",
        json!({}),
    );
    assert_eq!(case.waiting(), ["a/catch[0]/b"]);
    case.complete("a/catch[0]/b", json!(2));
    assert_eq!(case.output(), json!({"a": 2}));
}

#[test]
fn a_block_is_caught_with_all_that_is_in_it_at_an_end() {
    let mut case = given(
        "
steps:
  - id: group
    block: { mode: PARALLEL, steps: [ { id: a, agent: x }, { id: b, agent: x }, { id: c, agent: x } ], max_parallel: 2 }
    catch: [ { steps: [ { id: instead, agent: x, input: '{{ error.step }}' } ] } ]
",
        json!(null),
    );
    case.accept("group/b");
    case.fail("group/a", "own");
    assert_eq!(case.step("group/b"), StepState::Cancelled);
    assert_eq!(case.waiting(), ["group/catch[0]/instead"], "c never begins");
    assert_eq!(case.input("group/catch[0]/instead"), json!("group/a"));
    case.complete("group/catch[0]/instead", json!(3));
    assert_eq!(case.output(), json!({"group": 3}));
}

#[test]
fn a_late_result_of_what_was_caught_does_not_count() {
    let mut case = given(
        "steps: [ { id: a, agent: x, timeout: 5s, catch: [ { steps: [ { id: b, agent: x } ] } ] } ]",
        json!(null),
    );
    let lease = case.accept("a");
    let late = case.completion("a", lease, json!("late"));
    case.after(5);
    assert_eq!(case.waiting(), ["a/catch[0]/b"]);
    assert_eq!(case.when(late), Err(Rejection::Stale));
    let again = Command::Fail {
        task: case.task("a"),
        lease,
        class: "timeout".into(),
        message: String::new(),
        retry_after: None,
        usage: None,
    };
    assert_eq!(
        case.when(again),
        Ok(()),
        "what was counted is answered alike"
    );
    assert_eq!(case.step("a"), StepState::Running);
}

#[test]
fn a_catch_holds_no_room_for_the_call_that_failed() {
    let mut case = given(
        "
max_parallel_steps: 1
steps: [ { id: a, agent: x, catch: [ { steps: [ { id: b, agent: x } ] } ] } ]
",
        json!(null),
    );
    case.fail("a", "own");
    assert_eq!(case.waiting(), ["a/catch[0]/b"]);
    assert_eq!(case.execution.calls_in_progress(), 1);
}

#[test]
fn a_cancel_reaches_the_steps_of_a_catch() {
    let mut case = given(
        "steps: [ { id: a, agent: x, catch: [ { steps: [ { id: b, agent: x } ] } ] } ]",
        json!(null),
    );
    case.fail("a", "own");
    let task = case.task("a/catch[0]/b");
    case.when(Command::Cancel {
        reason: "enough".into(),
    })
    .unwrap();
    assert_eq!(case.state(), ExecutionState::Cancelled);
    assert_eq!(case.step("a/catch[0]/b"), StepState::Cancelled);
    assert_eq!(case.step("a"), StepState::Cancelled);
    let withdrawn = |e: &&Effect| matches!(e, Effect::Withdraw { .. });
    let withdrawn: Vec<_> = case.effects.iter().filter(withdrawn).collect();
    assert!(
        matches!(withdrawn.as_slice(), [Effect::Withdraw { task: t, .. }] if *t == task),
        "only what is in progress is taken back: {withdrawn:?}"
    );
}

#[test]
fn the_whole_attempted_again_begins_a_caught_step_anew() {
    let mut case = given(
        "
retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }
steps: [ { id: a, agent: x, catch: [ { steps: [ { id: b, agent: x } ] } ] } ]
",
        json!(null),
    );
    case.fail("a", "own").fail("a/catch[0]/b", "own").after(1);
    assert_eq!(case.waiting(), ["a"]);
    case.fail("a", "own");
    assert_eq!(case.waiting(), ["a/catch[0]/b"], "and is caught again");
}

#[test]
fn what_was_caught_is_an_event() {
    let mut case = given(
        "steps: [ { id: a, agent: x, catch: [ { steps: [ { id: b, agent: x } ] } ] } ]",
        json!(null),
    );
    case.fail("a", "own");
    let caught = case.events.iter().find_map(|e| match &e.kind {
        Some(event::Kind::StepCaught(caught)) => Some((e.step.as_str(), caught)),
        _ => None,
    });
    let (step, caught) = caught.unwrap();
    assert_eq!((step, caught.index, caught.attempt), ("a", 0, 1));
    assert_eq!(caught.error.as_ref().unwrap().class, "own");
}
