//! Attempts: retries of steps, of blocks and of the whole, timeouts, and what goes on after.

use super::*;

#[test]
fn a_set_that_violates_its_gate_has_only_so_many_attempts() {
    let mut case = given(
        "steps: [ { id: a, set: { n: 1 }, retry: { max_attempts: 3, initial_delay: 1s, jitter: 0 },
           gates: { after: [ { cel: value.n > 1, on_violation: RETRY } ] } } ]",
        json!(null),
    );
    assert_eq!(case.step("a"), StepState::Retrying);
    case.after(1).after(10);
    assert_eq!(case.state(), ExecutionState::Failed);
}

#[test]
fn a_failed_attempt_is_repeated_after_its_wait() {
    let mut case = given(
        "
mode: SEQUENCE
steps: [ { id: a, agent: x, retry: { max_attempts: 3, initial_delay: 2s, multiplier: 2, jitter: 0 } } ]
",
        json!(5),
    );
    case.fail("a", "unavailable");
    assert_eq!(case.step("a"), StepState::Retrying);
    case.after(1);
    assert_eq!(case.step("a"), StepState::Retrying, "not before its time");
    case.after(1);
    assert_eq!((case.step("a"), case.attempt("a")), (StepState::Waiting, 2));
    assert_eq!(case.input("a"), json!(5), "the same input");
    case.fail("a", "unavailable").after(3);
    assert_eq!(case.step("a"), StepState::Retrying);
    case.after(1).fail("a", "unavailable");
    assert_eq!(case.state(), ExecutionState::Failed);
    assert_eq!(case.error(), ("unavailable", "a says no", "a"));
}

#[test]
fn without_a_policy_there_is_one_attempt() {
    let mut case = given("steps: [ { id: a, agent: x } ]", json!(null));
    case.fail("a", "unavailable");
    assert_eq!(case.state(), ExecutionState::Failed);
}

#[test]
fn a_wait_asked_for_by_the_agent_is_kept() {
    let mut case = given(
        "steps: [ { id: a, agent: x, retry: { initial_delay: 1s, jitter: 0 } } ]",
        json!(null),
    );
    let lease = case.accept("a");
    let task = case.task("a");
    case.when(Command::Fail {
        task,
        lease,
        class: "rate_limited".into(),
        message: String::new(),
        retry_after: Some(Duration::from_secs(30)),
        usage: None,
    })
    .unwrap();
    case.after(29);
    assert_eq!(case.step("a"), StepState::Retrying);
    case.after(1);
    assert_eq!(case.step("a"), StepState::Waiting);
}

#[test]
fn a_class_that_is_final_is_not_repeated() {
    let mut case = given(
        "steps: [ { id: a, agent: x, retry: { max_attempts: 5 } } ]",
        json!(null),
    );
    case.fail("a", "validation");
    assert_eq!(case.state(), ExecutionState::Failed);
}

#[test]
fn a_tolerated_failure_lets_the_rest_go_on() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - { id: a, agent: x, on_error: CONTINUE }
  - { id: b, agent: x, input: { state: '{{ steps.a.state }}', class: '{{ steps.a.error.class }}', out: '{{ previous }}' } }
",
        json!(null),
    );
    case.fail("a", "own");
    assert_eq!(case.step("a"), StepState::Failed);
    assert_eq!(
        case.input("b"),
        json!({"state": "FAILED", "class": "own", "out": null})
    );
    case.complete("b", json!(1));
    assert_eq!(case.output(), json!(1));
}

#[test]
fn a_failure_cancels_the_siblings_that_still_run() {
    let mut case = given(
        "steps: [ { id: a, agent: x }, { id: b, agent: x } ]",
        json!(null),
    );
    case.accept("b");
    let task = case.task("b");
    case.fail("a", "own");
    assert_eq!(case.step("b"), StepState::Cancelled);
    let withdrawn = case.effects.iter().any(
        |e| matches!(e, Effect::Withdraw { task: t, reason, .. } if *t == task && reason.contains("a failed")),
    );
    assert!(withdrawn, "the worker is told: {:?}", case.effects);
}

#[test]
fn an_attempt_runs_out_of_time_from_its_acceptance() {
    let mut case = given("steps: [ { id: a, agent: x, timeout: 10s } ]", json!(null));
    case.after(60);
    assert_eq!(case.step("a"), StepState::Waiting, "waiting does not count");
    case.accept("a");
    case.after(9);
    assert_eq!(case.step("a"), StepState::Running);
    case.after(1);
    assert_eq!(
        case.error(),
        ("timeout", "the attempt took longer than 10s", "a")
    );
}

#[test]
fn waiting_for_a_worker_has_its_own_timeout() {
    let mut case = given(
        "steps: [ { id: a, agent: x, queue_timeout: 10s } ]",
        json!(null),
    );
    case.after(10);
    assert_eq!(
        case.error(),
        ("timeout", "no worker accepted the task within 10s", "a")
    );
    let mut case = given(
        "steps: [ { id: a, agent: x, queue_timeout: 10s } ]",
        json!(null),
    );
    case.accept("a");
    case.after(100);
    assert_eq!(
        case.step("a"),
        StepState::Running,
        "it ends with the acceptance"
    );
}

#[test]
fn all_attempts_together_have_a_timeout() {
    let mut case = given(
        "steps: [ { id: a, agent: x, total_timeout: 10s, retry: { max_attempts: 9, initial_delay: 4s, multiplier: 1, jitter: 0 } } ]",
        json!(null),
    );
    case.fail("a", "own").after(4).fail("a", "own").after(4);
    assert_eq!((case.step("a"), case.attempt("a")), (StepState::Waiting, 3));
    case.after(2);
    assert_eq!(case.error().0, "timeout");
    assert!(case.waiting().is_empty());
}

#[test]
fn a_wait_past_the_total_timeout_is_not_begun() {
    let mut case = given(
        "steps: [ { id: a, agent: x, total_timeout: 5s, retry: { initial_delay: 6s, jitter: 0 } } ]",
        json!(null),
    );
    case.fail("a", "own");
    assert_eq!(
        case.error().0,
        "own",
        "why it failed, not that there was no time"
    );
}

#[test]
fn a_block_is_attempted_again_as_a_whole() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - id: group
    retry: { initial_delay: 1s, jitter: 0 }
    block: { mode: SEQUENCE, steps: [ { id: a, agent: x }, { id: b, agent: x } ] }
",
        json!(null),
    );
    case.complete("group/a", json!(1)).fail("group/b", "own");
    assert_eq!(case.step("group"), StepState::Retrying);
    case.after(1);
    assert_eq!(
        (case.step("group"), case.attempt("group")),
        (StepState::Running, 2)
    );
    assert_eq!(case.waiting(), ["group/a"], "its steps begin anew");
    case.complete("group/a", json!(1))
        .complete("group/b", json!(2));
    assert_eq!(case.output(), json!(2));
}

#[test]
fn a_block_runs_out_of_time_with_all_that_is_in_it() {
    let mut case = given(
        "
steps:
  - id: group
    timeout: 5s
    on_error: CONTINUE
    block: { mode: PARALLEL, steps: [ { id: a, agent: x }, { id: b, agent: x } ] }
",
        json!(null),
    );
    case.accept("group/a");
    case.after(5);
    assert_eq!(case.step("group"), StepState::Failed);
    assert_eq!(
        case.step_error("group"),
        ("timeout", "the attempt took longer than 5s")
    );
    assert_eq!(case.step("group/a"), StepState::Cancelled);
    assert_eq!(case.output(), json!({"group": null}));
}

#[test]
fn the_whole_is_attempted_again_and_completed_steps_are_kept() {
    let mut case = given(
        "
retry: { max_attempts: 2, initial_delay: 5s, jitter: 0 }
steps:
  - { id: a, agent: x }
  - id: group
    depends_on: [a]
    block: { mode: SEQUENCE, steps: [ { id: b, agent: x }, { id: c, agent: x } ] }
  - { id: d, agent: x, depends_on: [a] }
",
        json!(null),
    );
    case.complete("a", json!(1))
        .complete("group/b", json!(2))
        .fail("group/c", "own");
    assert_eq!(case.state(), ExecutionState::Waiting);
    assert_eq!(case.step("d"), StepState::Cancelled);
    case.after(5);
    assert_eq!(
        (case.state(), case.execution.attempt),
        (ExecutionState::Running, 2)
    );
    assert_eq!(
        case.waiting(),
        ["d", "group/c"],
        "only what had not completed"
    );
    assert_eq!(case.step("a"), StepState::Completed);
    assert_eq!(case.step("group/b"), StepState::Completed);
    case.complete("group/c", json!(3)).complete("d", json!(4));
    assert_eq!(case.output(), json!({"a": 1, "group": 3, "d": 4}));
}

#[test]
fn the_whole_fails_when_its_attempts_are_used_up() {
    let mut case = given(
        "
retry: { max_attempts: 2, initial_delay: 5s, jitter: 0 }
steps: [ { id: a, agent: x } ]
",
        json!(null),
    );
    case.fail("a", "own").after(5).fail("a", "own");
    assert_eq!(case.state(), ExecutionState::Failed);
}

#[test]
fn a_block_that_failed_by_its_own_gate_runs_again_whole() {
    let mut case = given(
        "
retry: { max_attempts: 2, initial_delay: 5s, jitter: 0 }
mode: SEQUENCE
steps:
  - id: group
    gates: { after: [ { cel: output > 1 } ] }
    block: { mode: SEQUENCE, steps: [ { id: a, agent: x } ] }
",
        json!(null),
    );
    case.complete("group/a", json!(1)).after(5);
    assert_eq!(case.waiting(), ["group/a"]);
    case.complete("group/a", json!(2));
    assert_eq!(case.output(), json!(2));
}
