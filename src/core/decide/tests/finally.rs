//! Steps run at the end whatever the outcome.

use super::*;

const CLEANED: &str = "
timeout: 10s
mode: SEQUENCE
steps: [ { id: a, agent: x }, { id: b, agent: x } ]
finally:
  - { id: clean, agent: x, input: { state: '{{ execution.state }}', error: '{{ execution.error }}', a: '{{ steps.a.output }}' } }
  - { id: tell, agent: x }
";

fn finished(case: &mut Case) {
    case.complete("finally/clean", json!("clean"))
        .complete("finally/tell", json!(null));
}

#[test]
fn it_runs_when_all_went_well() {
    let mut case = given(CLEANED, json!(null));
    case.complete("a", json!(1)).complete("b", json!(2));
    assert_eq!(case.state(), ExecutionState::Running);
    assert_eq!(
        case.input("finally/clean"),
        json!({"state": "COMPLETED", "error": null, "a": 1})
    );
    case.complete("finally/clean", json!("clean"));
    assert_eq!(case.input("finally/tell"), json!("clean"));
    case.complete("finally/tell", json!(null));
    assert_eq!(case.output(), json!(2), "the output is that of the steps");
}

#[test]
fn it_runs_when_the_execution_failed() {
    let mut case = given(CLEANED, json!(null));
    case.complete("a", json!(1)).fail("b", "own");
    let error = json!({"class": "own", "message": "b says no", "step": "b"});
    assert_eq!(
        case.input("finally/clean"),
        json!({"state": "FAILED", "error": error, "a": 1})
    );
    finished(&mut case);
    assert_eq!(case.state(), ExecutionState::Failed);
    assert_eq!(case.error(), ("own", "b says no", "b"));
}

#[test]
fn it_runs_when_the_execution_is_cancelled_and_a_cancel_comes_once() {
    let mut case = given(CLEANED, json!(null));
    let cancel = || Command::Cancel {
        reason: "enough".into(),
    };
    case.when(cancel()).unwrap();
    assert_eq!(case.step("a"), StepState::Cancelled);
    assert_eq!(
        case.input("finally/clean"),
        json!({"state": "CANCELLED", "error": null, "a": null})
    );
    assert_eq!(
        case.when(cancel()),
        Err(Rejection::Ended(ExecutionState::Cancelled)),
        "what it ends as is known"
    );
    finished(&mut case);
    assert_eq!(case.state(), ExecutionState::Cancelled);
    assert_eq!(case.error(), ("cancelled", "enough", ""));
}

#[test]
fn it_runs_when_the_execution_is_out_of_time() {
    let mut case = given(CLEANED, json!(null));
    case.after(10);
    assert_eq!(case.input("finally/clean")["state"], json!("TIMED_OUT"));
    finished(&mut case);
    assert_eq!(case.state(), ExecutionState::TimedOut);
}

#[test]
fn it_runs_after_what_completed_is_undone() {
    let mut case = given(
        "
on_failure: COMPENSATE
mode: SEQUENCE
steps: [ { id: a, agent: x, compensation: { agent: undo } }, { id: b, agent: x } ]
finally: [ { id: clean, agent: x } ]
",
        json!(null),
    );
    case.complete("a", json!(1)).fail("b", "own");
    assert_eq!(case.waiting(), ["a/compensation"]);
    case.complete("a/compensation", json!(null));
    assert_eq!(case.waiting(), ["finally/clean"]);
    case.complete("finally/clean", json!(null));
    assert_eq!(case.state(), ExecutionState::Failed);
}

#[test]
fn its_own_failure_changes_nothing_but_is_seen() {
    let mut case = given(CLEANED, json!(null));
    case.complete("a", json!(1))
        .complete("b", json!(2))
        .fail("finally/clean", "own");
    assert_eq!(case.output(), json!(2));
    assert_eq!(case.step("finally"), StepState::Failed);
    assert_eq!(case.step_error("finally"), ("own", "finally/clean says no"));
}

#[test]
fn it_has_a_time_of_its_own() {
    let mut case = given(CLEANED, json!(null));
    case.after(10).after(599);
    assert_eq!(case.waiting(), ["finally/clean"]);
    case.after(1);
    assert_eq!(case.state(), ExecutionState::TimedOut);
    assert_eq!(
        case.step_error("finally"),
        ("timeout", "all attempts took longer than 600s")
    );
}

#[test]
fn a_termination_leaves_it_out() {
    let mut case = given(CLEANED, json!(null));
    let terminate = || Command::Terminate {
        reason: "now".into(),
    };
    case.when(terminate()).unwrap();
    assert_eq!(case.state(), ExecutionState::Cancelled);
    let mut case = given(CLEANED, json!(null));
    case.after(10).when(terminate()).unwrap();
    assert_eq!(
        case.state(),
        ExecutionState::Cancelled,
        "also of one that runs"
    );
    assert!(case.waiting().is_empty());
}
