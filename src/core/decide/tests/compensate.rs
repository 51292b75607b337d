//! What completed is undone: sagas, and the whole under `on_failure: COMPENSATE`.

use super::*;
use crate::proto::event;

const TRIP: &str = "
mode: SEQUENCE
steps:
  - id: trip
    saga:
      steps:
        - { id: flight, agent: book, compensation: { agent: unbook, input: { ticket: '{{ result.ticket }}', by: '{{ input.by }}' } } }
        - { id: note, agent: x }
        - { id: hotel, agent: book, compensation: { agent: unbook } }
        - { id: car, agent: book, compensation: { agent: unbook } }
";

fn booked(yaml: &str) -> Case {
    let mut case = given(yaml, json!({"by": "me"}));
    case.complete("trip/flight", json!({"ticket": 7}))
        .complete("trip/note", json!("noted"))
        .complete("trip/hotel", json!("room 3"));
    case
}

/// Steps that events of this kind are about, in order.
fn about(case: &Case, wanted: fn(&event::Kind) -> bool) -> Vec<&str> {
    let events = case.events.iter();
    let wanted = events.filter(|e| e.kind.as_ref().is_some_and(wanted));
    wanted.map(|e| e.step.as_str()).collect()
}

#[test]
fn a_saga_that_fails_undoes_what_completed_the_newest_first() {
    let mut case = booked(TRIP);
    case.fail("trip/car", "own");
    assert_eq!(case.step("trip"), StepState::Running);
    assert_eq!(
        case.waiting(),
        ["trip/hotel/compensation"],
        "one after the other"
    );
    assert_eq!(
        case.input("trip/hotel/compensation"),
        json!("room 3"),
        "without an input it is given the result"
    );
    case.complete("trip/hotel/compensation", json!(null));
    assert_eq!(case.step("trip/hotel"), StepState::Compensated);
    assert_eq!(
        case.input("trip/flight/compensation"),
        json!({"ticket": 7, "by": "me"})
    );
    assert_eq!(case.state(), ExecutionState::Running);
    case.complete("trip/flight/compensation", json!("money back"));
    assert_eq!(case.step("trip/flight"), StepState::Compensated);
    assert_eq!(case.step("trip/note"), StepState::Completed);
    assert_eq!(case.step("trip"), StepState::Failed);
    assert_eq!(case.error(), ("own", "trip/car says no", "trip/car"));
    let undone = about(&case, |k| matches!(k, event::Kind::StepCompensated(_)));
    assert_eq!(undone, ["trip/hotel", "trip/flight"]);
}

#[test]
fn a_saga_that_completes_undoes_nothing() {
    let mut case = booked(TRIP);
    case.complete("trip/car", json!("red"));
    assert_eq!(case.output(), json!("red"), "the last step that ran");
}

#[test]
fn a_compensation_that_fails_is_told_and_the_others_still_run() {
    let mut case = booked(&TRIP.replace(
        "id: hotel, agent: book, compensation: { agent: unbook }",
        "id: hotel, agent: book, compensation: { agent: unbook, retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 } }",
    ));
    case.fail("trip/car", "own");
    case.fail("trip/hotel/compensation", "unavailable");
    assert_eq!(case.step("trip/hotel/compensation"), StepState::Retrying);
    case.after(1).fail("trip/hotel/compensation", "unavailable");
    assert_eq!(case.step("trip/hotel/compensation"), StepState::Failed);
    assert_eq!(case.step("trip/hotel"), StepState::Completed, "not undone");
    case.complete("trip/flight/compensation", json!(null));
    let failed = about(&case, |k| matches!(k, event::Kind::CompensationFailed(_)));
    assert_eq!(failed, ["trip/hotel"]);
    let words = "trip/car says no; trip/hotel/compensation failed: trip/hotel/compensation says no";
    assert_eq!(case.error(), ("own", words, "trip/car"));
}

#[test]
fn a_saga_is_undone_before_it_is_attempted_again() {
    let mut case = booked(&format!(
        "{TRIP}    retry: {{ max_attempts: 2, initial_delay: 5s, jitter: 0 }}\n"
    ));
    case.fail("trip/car", "own");
    case.complete("trip/hotel/compensation", json!(null))
        .complete("trip/flight/compensation", json!(null));
    assert_eq!(case.step("trip"), StepState::Retrying);
    case.after(5);
    assert_eq!(case.waiting(), ["trip/flight"]);
    assert_eq!(case.step("trip/hotel"), StepState::Pending, "all anew");
}

#[test]
fn a_saga_that_is_undone_can_be_caught() {
    let mut case = booked(&format!(
        "{TRIP}    catch: [ {{ steps: [ {{ id: sorry, agent: x, input: '{{{{ error.step }}}}' }} ] }} ]\n"
    ));
    case.fail("trip/car", "own");
    case.complete("trip/hotel/compensation", json!(null))
        .complete("trip/flight/compensation", json!(null));
    assert_eq!(case.input("trip/catch[0]/sorry"), json!("trip/car"));
    case.complete("trip/catch[0]/sorry", json!("sorry"));
    assert_eq!(case.output(), json!("sorry"));
}

#[test]
fn a_saga_out_of_time_is_undone_without_hurry() {
    let mut case = booked(&format!("{TRIP}    timeout: 10s\n    total_timeout: 12s\n"));
    case.after(10);
    assert_eq!(case.step("trip/car"), StepState::Cancelled);
    case.after(60);
    case.complete("trip/hotel/compensation", json!(null))
        .complete("trip/flight/compensation", json!(null));
    assert_eq!(case.error().0, "timeout");
}

#[test]
fn the_whole_undoes_what_completed_when_it_fails() {
    let mut case = given(
        "
on_failure: COMPENSATE
retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }
mode: SEQUENCE
steps:
  - { id: a, agent: x, compensation: { agent: undo } }
  - id: group
    block:
      mode: PARALLEL
      steps:
        - { id: b, agent: x, compensation: { agent: undo, input: '{{ steps.a.output }}' } }
        - { id: c, agent: x, compensation: { agent: undo } }
  - id: own
    compensation: { agent: undo }
    block: { steps: [ { id: inner, agent: x, compensation: { agent: undo } } ] }
  - { id: last, agent: x }
",
        json!(null),
    );
    case.complete("a", json!("A"))
        .complete("group/c", json!("C"))
        .complete("group/b", json!("B"))
        .complete("own/inner", json!("I"))
        .fail("last", "own");
    assert_eq!(case.state(), ExecutionState::Waiting, "retries come first");
    case.after(1).fail("last", "own");
    assert_eq!(case.state(), ExecutionState::Compensating);
    assert_eq!(
        case.waiting(),
        ["own/compensation"],
        "for a block that has its own, that alone"
    );
    case.complete("own/compensation", json!(null));
    assert_eq!(case.input("group/b/compensation"), json!("A"));
    case.complete("group/b/compensation", json!(null))
        .complete("group/c/compensation", json!(null))
        .complete("a/compensation", json!(null));
    assert_eq!(case.state(), ExecutionState::Failed);
    assert_eq!(case.error(), ("own", "last says no", "last"));
}

#[test]
fn the_whole_out_of_time_undoes_what_completed() {
    let mut case = given(
        "
on_failure: COMPENSATE
timeout: 10s
mode: SEQUENCE
steps:
  - { id: a, agent: x, compensation: { agent: undo, timeout: 5s } }
  - { id: b, agent: x }
",
        json!(null),
    );
    case.complete("a", json!(1)).after(10);
    assert_eq!(case.state(), ExecutionState::Compensating);
    case.accept("a/compensation");
    case.after(5);
    assert_eq!(case.state(), ExecutionState::TimedOut);
    assert!(
        case.error().1.contains("a/compensation failed"),
        "{:?}",
        case.error()
    );
}

#[test]
fn without_on_failure_nothing_is_undone() {
    let mut case = given(
        "
mode: SEQUENCE
steps: [ { id: a, agent: x, compensation: { agent: undo } }, { id: b, agent: x } ]
",
        json!(null),
    );
    case.complete("a", json!(1)).fail("b", "own");
    assert_eq!(case.state(), ExecutionState::Failed);
}

#[test]
fn a_cancel_undoes_nothing_and_ends_an_undoing() {
    let whole = "
on_failure: COMPENSATE
mode: SEQUENCE
steps:
  - { id: a, agent: x, compensation: { agent: undo } }
  - { id: b, agent: x, compensation: { agent: undo } }
  - { id: c, agent: x }
";
    let cancel = || Command::Cancel {
        reason: "enough".into(),
    };
    let mut case = given(whole, json!(null));
    case.complete("a", json!(1)).when(cancel()).unwrap();
    assert_eq!(case.state(), ExecutionState::Cancelled);
    let mut case = given(whole, json!(null));
    case.complete("a", json!(1))
        .complete("b", json!(1))
        .fail("c", "own");
    case.accept("b/compensation");
    case.when(cancel()).unwrap();
    assert_eq!(case.state(), ExecutionState::Cancelled);
    assert_eq!(case.step("b/compensation"), StepState::Cancelled);
    assert_eq!(case.execution.calls_in_progress(), 0);
    assert_eq!(case.execution.next_due(), None);
}

#[test]
fn a_step_that_was_caught_is_not_undone_but_what_ran_instead_is() {
    let mut case = given(
        "
on_failure: COMPENSATE
mode: SEQUENCE
steps:
  - id: a
    agent: x
    compensation: { agent: undo }
    catch: [ { steps: [ { id: other, agent: x, compensation: { agent: undo } } ] } ]
  - { id: b, agent: x }
",
        json!(null),
    );
    case.fail("a", "own")
        .complete("a/catch[0]/other", json!(1))
        .fail("b", "own");
    assert_eq!(case.waiting(), ["a/catch[0]/other/compensation"]);
    case.complete("a/catch[0]/other/compensation", json!(null));
    assert_eq!(case.state(), ExecutionState::Failed);
}

#[test]
fn what_an_undone_saga_undid_is_not_undone_again() {
    let mut case = booked(&format!("on_failure: COMPENSATE\n{TRIP}"));
    case.fail("trip/car", "own");
    case.complete("trip/hotel/compensation", json!(null))
        .fail("trip/flight/compensation", "own");
    assert_eq!(case.state(), ExecutionState::Failed);
}

#[test]
fn the_whole_attempted_again_begins_an_undone_saga_anew() {
    let mut case = booked(&format!(
        "retry: {{ max_attempts: 2, initial_delay: 1s, jitter: 0 }}\n{TRIP}"
    ));
    case.fail("trip/car", "own");
    case.complete("trip/hotel/compensation", json!(null))
        .complete("trip/flight/compensation", json!(null))
        .after(1);
    assert_eq!(case.waiting(), ["trip/flight"]);
}

#[test]
fn a_saga_in_an_iteration_undoes_what_that_iteration_did_and_its_failure_can_be_caught() {
    let mut case = given(
        "
steps:
  - id: again
    loop:
      max_iterations: 2
      steps:
        - id: trip
          saga:
            steps:
              - { id: flight, agent: book, compensation: { agent: unbook } }
              - { id: car, agent: book }
    catch: [ { steps: [ { id: call, agent: phone, input: '{{ error.class }}' } ] } ]
",
        json!(null),
    );
    case.complete("again[1]/trip/flight", json!(1))
        .complete("again[1]/trip/car", json!(1))
        .complete("again[2]/trip/flight", json!(2))
        .fail("again[2]/trip/car", "own");
    assert_eq!(case.waiting(), ["again[2]/trip/flight/compensation"]);
    case.complete("again[2]/trip/flight/compensation", json!(null));
    assert_eq!(case.step("again[1]/trip/flight"), StepState::Completed);
    let waiting: Vec<String> = case.waiting().iter().map(ToString::to_string).collect();
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(case.input(&waiting[0]), json!("own"));
    case.complete(&waiting[0], json!("sorry"));
    assert_eq!(case.output(), json!({"again": "sorry"}));
}
