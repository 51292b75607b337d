//! Results count once, and only under the lease that holds the task.

use super::*;

const ONE: &str = "mode: SEQUENCE\nsteps: [ { id: a, agent: x, retry: { initial_delay: 1s, jitter: 0 } }, { id: b, agent: x } ]";

#[test]
fn a_result_under_another_lease_changes_nothing() {
    let mut case = given(ONE, json!(null));
    let lease = case.accept("a");
    let before = case.execution.clone();
    for wrong in [0, lease + 1] {
        let command = case.completion("a", wrong, json!(1));
        assert_eq!(case.when(command), Err(Rejection::Stale));
    }
    assert!(case.execution == before);
}

#[test]
fn a_result_before_the_acceptance_changes_nothing() {
    let mut case = given(ONE, json!(null));
    let command = case.completion("a", 1, json!(1));
    assert_eq!(case.when(command), Err(Rejection::Stale));
}

#[test]
fn a_result_said_again_is_answered_alike_and_counts_once() {
    let mut case = given(ONE, json!(null));
    let lease = case.accept("a");
    let command = case.completion("a", lease, json!(1));
    case.when(command.clone()).unwrap();
    let events = case.events.len();
    case.when(command).unwrap();
    assert_eq!(case.events.len(), events);
}

#[test]
fn a_result_said_again_after_the_end_is_answered_alike() {
    let mut case = given("steps: [ { id: a, agent: x } ]", json!(null));
    let lease = case.accept("a");
    let command = case.completion("a", lease, json!(1));
    case.when(command.clone()).unwrap();
    assert_eq!(case.state(), ExecutionState::Completed);
    case.when(command).unwrap();
    let other = case.completion("a", lease + 1, json!(1));
    assert_eq!(case.when(other), Err(Rejection::Stale));
}

#[test]
fn a_late_result_of_an_attempt_that_was_given_up_is_refused() {
    let mut case = given(ONE, json!(null));
    let lease = case.accept("a");
    let task = case.task("a");
    let late = case.completion("a", lease, json!(1));
    case.when(Command::Fail {
        task,
        lease,
        class: "unavailable".into(),
        message: "lease lost".into(),
        retry_after: None,
        usage: None,
    })
    .unwrap();
    case.after(1);
    assert_eq!(case.attempt("a"), 2);
    assert_eq!(case.when(late), Err(Rejection::Stale));
}

/// Says that the attempt of `a` failed with this class.
fn failure(case: &Case, lease: u64, class: &str) -> Command {
    Command::Fail {
        task: case.task("a"),
        lease,
        class: class.into(),
        message: "no".into(),
        retry_after: None,
        usage: None,
    }
}

#[test]
fn a_late_result_of_an_attempt_that_ended_otherwise_is_refused() {
    for retry in ["", ", retry: { initial_delay: 1s }"] {
        let yaml = format!("steps: [ {{ id: a, agent: x, timeout: 5s{retry} }} ]");
        let mut case = given(&yaml, json!(null));
        let lease = case.accept("a");
        case.after(5);
        assert_ne!(case.step("a"), StepState::Running);
        let late = case.completion("a", lease, json!(1));
        assert_eq!(case.when(late), Err(Rejection::Stale));
        let late = failure(&case, lease, "agent_error");
        assert_eq!(case.when(late), Err(Rejection::Stale));
    }
}

#[test]
fn a_failure_said_again_is_answered_alike_and_another_word_is_refused() {
    for retry in ["", ", retry: { initial_delay: 1s }"] {
        let yaml = format!("steps: [ {{ id: a, agent: x{retry} }} ]");
        let mut case = given(&yaml, json!(null));
        let lease = case.accept("a");
        case.when(failure(&case, lease, "own")).unwrap();
        let events = case.events.len();
        case.when(failure(&case, lease, "own")).unwrap();
        let other = failure(&case, lease, "other");
        assert_eq!(case.when(other), Err(Rejection::Stale));
        let other = case.completion("a", lease, json!(1));
        assert_eq!(case.when(other), Err(Rejection::Stale));
        assert_eq!(case.events.len(), events);
    }
}

#[test]
fn an_output_that_fails_its_attempt_is_answered_alike_when_said_again() {
    for rest in [
        "gates: { after: [ { not_empty: true } ] }",
        "output: '{{ output.missing.deeper }}'",
    ] {
        let yaml = format!("steps: [ {{ id: a, agent: x, {rest} }} ]");
        let mut case = given(&yaml, json!(null));
        let lease = case.accept("a");
        let command = case.completion("a", lease, json!(""));
        case.when(command.clone()).unwrap();
        assert_eq!(case.step("a"), StepState::Failed);
        case.when(command).unwrap();
    }
}

#[test]
fn a_task_is_accepted_once() {
    let mut case = given(ONE, json!(null));
    let task = case.task("a");
    let accept = |lease| Command::Accept {
        task,
        worker_id: "w".into(),
        agent: "x".into(),
        lease,
    };
    case.when(accept(5)).unwrap();
    case.when(accept(5)).unwrap();
    assert_eq!(case.when(accept(6)), Err(Rejection::Stale));
    let started = case
        .events
        .iter()
        .filter(|e| matches!(e.kind, Some(crate::proto::event::Kind::StepStarted(_))));
    assert_eq!(started.count(), 1);
}

#[test]
fn what_an_agent_used_is_added_up_over_attempts() {
    let mut case = given(ONE, json!(null));
    let usage = |tokens| {
        Some(crate::proto::Usage {
            input_tokens: tokens,
            output_tokens: 1,
            cost: 0.5,
        })
    };
    let (lease, task) = (case.accept("a"), case.task("a"));
    case.when(Command::Fail {
        task,
        lease,
        class: "own".into(),
        message: String::new(),
        retry_after: None,
        usage: usage(10),
    })
    .unwrap();
    case.after(1);
    let (lease, task) = (case.accept("a"), case.task("a"));
    case.when(Command::Complete {
        task,
        lease,
        output: value::null(),
        usage: usage(5),
    })
    .unwrap();
    let run = case.execution.run(case.execution.find("a").unwrap());
    let used = run.usage.unwrap();
    assert_eq!(
        (used.input_tokens, used.output_tokens, used.cost),
        (15, 2, 1.0)
    );
}

#[test]
fn a_result_said_again_is_answered_alike_when_the_step_around_it_has_begun_anew() {
    let mut case = given(
        "
steps:
  - id: both
    retry: { initial_delay: 1s, jitter: 0, max_attempts: 2 }
    block:
      mode: SEQUENCE
      steps: [ { id: a, agent: x }, { id: b, agent: x } ]
",
        json!(null),
    );
    let lease = case.accept("both/a");
    let again = case.completion("both/a", lease, json!(1));
    case.when(again.clone()).unwrap();
    case.fail("both/b", "unavailable").after(1);
    assert_eq!(case.waiting(), ["both/a"], "its first attempt was given up");
    let events = case.events.len();
    case.when(again).unwrap();
    assert_eq!(case.events.len(), events, "said again, it changes nothing");
    let other = Command::Complete {
        task: 3,
        lease: lease + 1,
        output: value::null(),
        usage: None,
    };
    assert_eq!(case.when(other), Err(Rejection::Stale));
}

#[test]
fn an_agent_named_by_an_expression_is_chosen_when_the_step_begins() {
    let yaml = "
mode: SEQUENCE
steps:
  - { id: pick, agent: chooser }
  - { id: do, agent: '{{ previous.who }}', retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 } }
  - { id: then, call: { agent: 'team-{{ steps.pick.output.team }}' }, input: 1 }
";
    let mut case = given(yaml, json!(null));
    case.complete("pick", json!({"who": "ada", "team": 7}));
    let dispatched = |case: &Case| match case.effects.last().unwrap() {
        Effect::Dispatch(task) => task.target.clone(),
        other => panic!("{other:?}"),
    };
    let agent = |name: &str| crate::core::plan::Target::Agent(name.into());
    assert_eq!(dispatched(&case), agent("ada"));
    case.fail("do", "unavailable").after(1);
    assert_eq!(dispatched(&case), agent("ada"));
    case.complete("do", json!(1));
    assert_eq!(dispatched(&case), agent("team-7"));
}

#[test]
fn an_expression_that_names_no_agent_fails_the_step() {
    let yaml = "steps: [ { id: do, agent: '{{ input.who }}' } ]";
    for (who, words) in [
        (
            json!({"who": 7}),
            "agent: `7` names neither an agent nor a skill",
        ),
        (
            json!({"who": ""}),
            "agent: `` names neither an agent nor a skill",
        ),
        (json!({}), "agent: no such key: who in `input.who`"),
    ] {
        let case = given(yaml, who);
        assert_eq!(case.step_error("do"), ("expression", words));
    }
}
