//! Ends from outside: timeouts of the whole, cancel, terminate, and what comes too late.

use super::*;
use crate::proto::event::Kind;

#[test]
fn an_execution_runs_out_of_time() {
    let mut case = given("timeout: 30s\nsteps: [ { id: a, agent: x } ]", json!(null));
    case.accept("a");
    case.after(30);
    assert_eq!(case.state(), ExecutionState::TimedOut);
    assert_eq!(
        case.error(),
        ("timeout", "the execution took longer than 30s", "")
    );
    assert_eq!(case.step("a"), StepState::Cancelled);
    assert_eq!(case.execution.next_due(), None);
}

#[test]
fn a_cancel_tells_workers_and_ends() {
    let mut case = given(
        "steps: [ { id: a, agent: x }, { id: b, agent: x } ]",
        json!(null),
    );
    case.accept("a");
    let reason = "changed my mind".to_owned();
    case.when(Command::Cancel { reason }).unwrap();
    assert_eq!(case.state(), ExecutionState::Cancelled);
    assert_eq!(case.error(), ("cancelled", "changed my mind", ""));
    let withdrawn = case
        .effects
        .iter()
        .filter(|e| matches!(e, Effect::Withdraw { .. }));
    assert_eq!(withdrawn.count(), 2, "from the worker and from the queue");
    let asked = case
        .events
        .iter()
        .any(|e| matches!(e.kind, Some(Kind::ExecutionCancelRequested(_))));
    assert!(asked);
}

#[test]
fn a_terminate_is_told_as_such() {
    let mut case = given("steps: [ { id: a, agent: x } ]", json!(null));
    case.when(Command::Terminate {
        reason: "now".into(),
    })
    .unwrap();
    let Some(Kind::ExecutionCancelled(end)) = &case.events.last().unwrap().kind else {
        panic!("{:?}", case.events.last());
    };
    assert!(end.terminated);
}

#[test]
fn a_completed_execution_cannot_be_cancelled() {
    let mut case = given("steps: [ { id: a, agent: x } ]", json!(null));
    case.complete("a", json!(1));
    for command in [
        Command::Cancel {
            reason: String::new(),
        },
        Command::Terminate {
            reason: String::new(),
        },
    ] {
        assert_eq!(
            case.when(command),
            Err(Rejection::Ended(ExecutionState::Completed))
        );
    }
}

#[test]
fn too_many_events_end_the_execution() {
    let mut case = given(
        "mode: SEQUENCE\nsteps: [ { id: a, agent: x }, { id: b, agent: x }, { id: c, agent: x } ]",
        json!(null),
    );
    case.limits.execution_events_max = 4;
    case.complete("a", json!(1));
    assert_eq!(
        case.error(),
        ("limit", "the execution has more than 4 events", "")
    );
}
