//! Executions that are held, by a failure or by someone, and go on; marks and ways back.

use super::*;

const PARKED: &str = "
mode: SEQUENCE
steps:
  - id: a
    agent: x
    on_error: PARK
    input: { n: '{{ vars.?n.orValue(0) }}' }
    retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }
  - { id: b, agent: x }
";

fn resume() -> Command {
    resume_with(json!({}))
}

fn resume_with(variables: Json) -> Command {
    let Some(value::Kind::StructValue(variables)) = value::from_json(&variables).kind else {
        panic!("variables are an object");
    };
    Command::Resume {
        reason: "fixed".into(),
        variables,
    }
}

fn pause() -> Command {
    Command::Pause {
        reason: "wait".into(),
    }
}

#[test]
fn a_failure_holds_the_execution_until_it_is_resumed() {
    let mut case = given(PARKED, json!(null));
    case.fail("a", "own").after(1).fail("a", "own");
    assert_eq!(case.state(), ExecutionState::Paused);
    assert_eq!(case.error(), ("own", "a says no", "a"));
    assert_eq!(case.step("a"), StepState::Retrying);
    assert_eq!(case.execution.calls_in_progress(), 0);
    assert_eq!(case.execution.next_due(), None);
    case.after(86_400);
    case.when(resume()).unwrap();
    assert_eq!(case.state(), ExecutionState::Running);
    assert!(case.execution.error.is_none());
    assert_eq!((case.step("a"), case.attempt("a")), (StepState::Waiting, 3));
    case.fail("a", "own");
    assert_eq!(
        case.state(),
        ExecutionState::Running,
        "its retries begin anew"
    );
    case.after(1).fail("a", "own");
    assert_eq!(case.state(), ExecutionState::Paused, "and it is held again");
    case.when(resume()).unwrap();
    case.complete("a", json!(1)).complete("b", json!(2));
    assert_eq!(case.output(), json!(2));
}

#[test]
fn what_runs_beside_a_held_step_ends_and_nothing_begins() {
    let mut case = given(
        "
steps:
  - { id: a, agent: x, on_error: PARK }
  - { id: b, agent: x }
  - { id: c, agent: x, depends_on: [b] }
",
        json!(null),
    );
    let lease = case.accept("b");
    case.fail("a", "own");
    let done = case.completion("b", lease, json!(2));
    case.when(done).unwrap();
    assert_eq!(case.step("b"), StepState::Completed);
    assert!(case.waiting().is_empty(), "c does not begin");
    case.when(resume()).unwrap();
    assert_eq!(case.waiting(), ["a", "c"]);
}

#[test]
fn a_step_that_failed_before_it_began_is_evaluated_anew() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - id: group
    on_error: PARK
    block:
      mode: SEQUENCE
      steps: [ { id: a, agent: x }, { id: b, agent: x, input: '{{ steps.a.output.member }}' } ]
",
        json!(null),
    );
    case.complete("group/a", json!({}));
    assert_eq!(case.state(), ExecutionState::Paused);
    assert_eq!(case.error().0, "expression");
    case.when(resume()).unwrap();
    assert_eq!(case.waiting(), ["group/a"], "a block runs again whole");
    case.complete("group/a", json!({"member": 5}));
    assert_eq!(case.input("group/b"), json!(5));
}

#[test]
fn the_whole_is_held_when_it_fails_and_goes_on_with_what_did_not_complete() {
    let mut case = given(
        "
on_failure: PARK
mode: GRAPH
steps:
  - { id: a, agent: x }
  - { id: b, agent: x }
  - { id: c, agent: x, depends_on: [a, b] }
finally: [ { id: clean, agent: x } ]
",
        json!(null),
    );
    case.complete("a", json!(1)).fail("b", "own");
    assert_eq!(case.state(), ExecutionState::Paused);
    assert_eq!(case.step("c"), StepState::Pending);
    assert_eq!(case.error(), ("own", "b says no", "b"));
    case.after(100);
    case.when(resume()).unwrap();
    assert_eq!(case.waiting(), ["b"], "what completed is kept");
    case.complete("b", json!(2)).complete("c", json!(3));
    assert_eq!(case.waiting(), ["finally/clean"]);
}

#[test]
fn time_does_not_count_while_it_is_held() {
    let mut case = given(
        "
timeout: 100s
steps:
  - id: group
    timeout: 50s
    block: { mode: SEQUENCE, steps: [ { id: a, agent: x, timeout: 20s, on_error: PARK }, { id: b, agent: x, total_timeout: 10s } ] }
",
        json!(null),
    );
    case.accept("group/a");
    case.when(pause()).unwrap();
    case.after(20);
    assert_eq!(
        case.error(),
        ("timeout", "the attempt took longer than 20s", "group/a"),
        "that of a worker's attempt does"
    );
    case.after(1_000).when(resume()).unwrap();
    case.complete("group/a", json!(1)).after(9);
    case.when(pause()).unwrap();
    case.after(1_000);
    assert_eq!(case.step("group/b"), StepState::Waiting);
    case.when(resume()).unwrap();
    case.after(1);
    assert_eq!(case.error().0, "timeout");
}

#[test]
fn a_pause_on_request_lets_what_runs_end() {
    let mut case = given(
        "mode: SEQUENCE\nsteps: [ { id: a, agent: x, retry: { initial_delay: 5s, jitter: 0 } }, { id: b, agent: x } ]",
        json!(null),
    );
    case.when(pause()).unwrap();
    case.when(pause()).unwrap();
    assert_eq!(case.state(), ExecutionState::Paused);
    case.fail("a", "own").after(60);
    assert_eq!(case.step("a"), StepState::Retrying, "its retry waits too");
    case.when(resume()).unwrap();
    case.after(0).complete("a", json!(1));
    assert_eq!(case.waiting(), ["b"]);
    let refused = case.when(resume());
    assert_eq!(refused, Err(Rejection::NotPaused(ExecutionState::Running)));
}

#[test]
fn a_held_execution_can_be_cancelled() {
    let mut case = given(
        &format!("{PARKED}finally: [ {{ id: clean, agent: x }} ]\n"),
        json!(null),
    );
    case.fail("a", "own").after(1).fail("a", "own");
    case.when(Command::Cancel {
        reason: "no".into(),
    })
    .unwrap();
    assert_eq!(case.step("a"), StepState::Cancelled);
    case.complete("finally/clean", json!(null));
    assert_eq!(case.state(), ExecutionState::Cancelled);
    let ended = Err(Rejection::Ended(ExecutionState::Cancelled));
    assert_eq!(case.when(resume()), ended);
    assert_eq!(case.when(pause()), ended);
}

#[test]
fn what_can_be_caught_is_not_held() {
    let mut case = given(
        "steps: [ { id: a, agent: x, on_error: PARK, catch: [ { classes: [own] } ] } ]",
        json!(null),
    );
    case.fail("a", "own");
    assert_eq!(case.output(), json!({"a": null}));
}

#[test]
fn vars_go_back_to_a_mark() {
    let mut case = given(
        "
mode: SEQUENCE
variables: { tries: 0 }
steps:
  - { id: first, set: { a: 1 }, mark: clean }
  - { id: spoil, agent: x, save: { a: '{{ output }}', b: '{{ output }}' } }
  - { id: back, restore: { to: clean }, save: { tries: '{{ vars.tries + 1 }}' } }
  - { id: see, agent: x, input: '{{ vars }}' }
",
        json!(null),
    );
    case.complete("spoil", json!(9));
    assert_eq!(case.input("see"), json!({"a": 1, "tries": 1}));
    assert_eq!(case.output_of("back"), json!({"a": 1, "tries": 0}));
}

#[test]
fn a_mark_that_was_not_set_fails_the_way_back() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - { id: a, agent: x, on_error: CONTINUE, mark: point }
  - { id: back, restore: { to: point } }
",
        json!(null),
    );
    case.fail("a", "own");
    assert_eq!(
        case.error(),
        (
            "expression",
            "restore: the mark `point` has not been set",
            "back"
        )
    );
}

#[test]
fn what_was_wrong_is_set_right_when_it_is_resumed() {
    let mut case = given(PARKED, json!(null));
    case.fail("a", "own").after(1).fail("a", "own");
    assert_eq!(case.input("a"), json!({"n": 0}));
    case.when(resume_with(json!({"n": 7}))).unwrap();
    assert_eq!(case.input("a"), json!({"n": 7}), "the input is made anew");
    assert_eq!(case.vars(), json!({"n": 7}));
}

#[test]
fn a_judge_that_refuses_parks_and_its_gates_hold_when_the_step_runs_again() {
    let mut case = given(
        "steps: [ { id: a, agent: x, on_error: PARK, gates: { after: [ { judge: { agent: j } } ] } } ]",
        json!(null),
    );
    let judge = "a/gates.after[0].judge";
    case.complete("a", json!(1))
        .complete(judge, json!({"score": 0}));
    assert_eq!(case.state(), ExecutionState::Paused);
    case.when(resume()).unwrap();
    case.complete("a", json!(2))
        .complete(judge, json!({"score": 1}));
    assert_eq!(case.output(), json!({"a": 2}));
}

#[test]
fn a_goal_that_was_missed_is_looked_at_again() {
    let mut case = given(
        "
on_failure: PARK
steps: [ { id: a, agent: x } ]
output: '{{ vars }}'
goal: [ { cel: has(output.ok) } ]
",
        json!(null),
    );
    case.complete("a", json!(1));
    assert_eq!(case.state(), ExecutionState::Paused);
    case.when(resume_with(json!({"ok": true}))).unwrap();
    assert_eq!(case.output(), json!({"ok": true}));
}

#[test]
fn loops_and_collections_stand_still_and_go_on() {
    let mut case = given(
        "
mode: PARALLEL
steps:
  - { id: l, loop: { max_iterations: 2, steps: [ { id: a, agent: x } ] } }
  - { id: e, each: { items: '[1, 2]', max_parallel: 1, steps: [ { id: b, agent: x, on_error: PARK } ] } }
",
        json!(null),
    );
    let lease = case.accept("l[1]/a");
    case.fail("e[0]/b", "own");
    assert_eq!(case.state(), ExecutionState::Paused);
    let done = case.completion("l[1]/a", lease, json!(1));
    case.when(done).unwrap();
    assert!(case.waiting().is_empty());
    case.when(resume()).unwrap();
    let mut waiting = case.waiting();
    waiting.sort();
    assert_eq!(waiting, ["e[0]/b", "l[2]/a"]);
    case.complete("l[2]/a", json!(2))
        .complete("e[0]/b", json!(3))
        .complete("e[1]/b", json!(4));
    assert_eq!(case.output(), json!({"l": 2, "e": [3, 4]}));
}
