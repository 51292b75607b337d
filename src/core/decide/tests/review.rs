//! Agents that judge and repair what gates check: calls of their own beside the step.

use super::*;
use crate::proto::event;

const JUDGED: &str = "
mode: SEQUENCE
steps:
  - id: write
    agent: writer
    retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }
    timeout: 20s
    gates: { after: [ { length: { min: 2 } }, { judge: { agent: judge, criteria: 'As {{ input.as }}', threshold: 0.8 } } ] }
    save: { text: '{{ output }}' }
  - { id: next, agent: x }
";

const CALL: &str = "write/gates.after[1].judge";

fn written(yaml: &str) -> Case {
    let mut case = given(yaml, json!({"as": "told"}));
    case.complete("write", json!("once upon"));
    case
}

fn count(case: &Case, wanted: fn(&event::Kind) -> bool) -> usize {
    let events = case.events.iter();
    events
        .filter(|e| e.kind.as_ref().is_some_and(wanted))
        .count()
}

#[test]
fn a_judge_is_asked_and_the_output_counts_once_it_passes() {
    let mut case = written(JUDGED);
    assert_eq!(case.step("write"), StepState::Running);
    assert_eq!(case.waiting(), [CALL]);
    assert_eq!(
        case.input(CALL),
        json!({"output": "once upon", "criteria": "As told"})
    );
    assert_eq!(case.vars(), json!({}), "nothing is saved yet");
    assert_eq!(case.execution.calls_in_progress(), 1, "the judge's");
    case.complete(CALL, json!({"score": 0.8, "reason": "fine"}));
    assert_eq!(case.step("write"), StepState::Completed);
    assert_eq!(case.output_of("write"), json!("once upon"));
    assert_eq!(case.vars(), json!({"text": "once upon"}));
    assert_eq!(case.waiting(), ["next"]);
}

#[test]
fn a_score_below_the_threshold_fails_the_step_with_the_reason() {
    let mut case = written(JUDGED);
    case.complete(CALL, json!({"score": 0.5, "reason": "dull"}));
    let words = "the judge gives 0.5, less than 0.8: dull";
    assert_eq!(case.error(), ("invalid_output", words, "write"));
}

#[test]
fn what_needs_no_agent_is_checked_first() {
    let mut case = given(JUDGED, json!({"as": "told"}));
    case.complete("write", json!("1"));
    assert_eq!(case.error().0, "invalid_output");
    assert!(case.execution.find(CALL).is_none(), "nobody was asked");
}

#[test]
fn a_judge_that_fails_fails_the_step_with_its_class_and_no_attempt_repeats_it() {
    let mut case = written(JUDGED);
    case.fail(CALL, "unavailable");
    assert_eq!(case.step("write"), StepState::Failed);
    assert_eq!((case.error().0, case.error().2), ("unavailable", CALL));
}

#[test]
fn a_judge_is_asked_again_where_it_says_so() {
    let yaml = JUDGED.replace(
        "agent: judge,",
        "agent: judge, timeout: 3s, retry: { max_attempts: 3, initial_delay: 1s, multiplier: 1, jitter: 0 },",
    );
    let mut case = written(&yaml);
    case.accept(CALL);
    case.after(3);
    assert_eq!(case.step(CALL), StepState::Retrying, "out of its own time");
    case.after(1).complete(CALL, json!("good!"));
    assert_eq!(case.step(CALL), StepState::Retrying);
    let (class, words) = case.step_error(CALL);
    assert_eq!(class, "invalid_output");
    assert!(words.contains("no number `score`"), "{words}");
    case.after(1).complete(CALL, json!({"score": 1}));
    assert_eq!(case.step("write"), StepState::Completed);
}

#[test]
fn an_answer_that_is_no_judgement_fails_the_call() {
    for answer in [
        json!(0.9),
        json!({"score": "0.9"}),
        json!({"score": 1, "reason": {}}),
    ] {
        let mut case = written(JUDGED);
        case.complete(CALL, answer.clone());
        assert_eq!(case.error().0, "invalid_output", "{answer}");
        assert_eq!(case.error().2, CALL);
    }
}

#[test]
fn a_judge_may_have_the_attempt_repeated_or_only_take_note() {
    let mut case = written(&JUDGED.replace("0.8 } }", "0.8 }, on_violation: RETRY }"));
    case.complete(CALL, json!({"score": 0.1}));
    assert_eq!(case.step("write"), StepState::Retrying);
    assert_eq!(case.execution.calls_in_progress(), 1, "its room is kept");
    case.after(1).complete("write", json!("better"));
    assert_eq!(case.input(CALL)["output"], json!("better"), "asked anew");
    case.complete(CALL, json!({"score": 0.9}));
    assert_eq!(case.output_of("write"), json!("better"));

    let mut case = written(&JUDGED.replace("0.8 } }", "0.8 }, on_violation: CONTINUE }"));
    case.complete(CALL, json!({"score": 0.1}));
    assert_eq!(case.step("write"), StepState::Completed);
    let noted = |k: &event::Kind| matches!(k, event::Kind::GateViolated(_));
    assert_eq!(count(&case, noted), 1);
}

#[test]
fn a_judge_takes_as_long_as_an_attempt_may_and_all_of_it_the_total() {
    let mut case = written(JUDGED);
    case.accept(CALL);
    case.after(20);
    assert_eq!(case.error().0, "timeout");
    assert_eq!(case.error().2, CALL);

    let yaml = JUDGED.replace("timeout: 20s", "total_timeout: 30s");
    let mut case = given(&yaml, json!({"as": "told"}));
    case.after(10).complete("write", json!("once"));
    case.accept(CALL);
    case.after(20);
    assert_eq!(case.step(CALL), StepState::Cancelled);
    let words = "all attempts took longer than 30s";
    assert_eq!(case.error(), ("timeout", words, "write"));
}

#[test]
fn a_result_under_review_said_again_is_answered_alike() {
    let mut case = given(JUDGED, json!({"as": "told"}));
    let lease = case.accept("write");
    let done = case.completion("write", lease, json!("once"));
    case.when(done.clone()).unwrap();
    case.when(done.clone()).unwrap();
    assert_eq!(case.waiting(), [CALL]);
    case.fail(CALL, "own");
    assert_eq!(case.when(done), Ok(()));
}

#[test]
fn a_cancel_reaches_the_judge() {
    let mut case = written(JUDGED);
    case.accept(CALL);
    let task = case.task(CALL);
    case.when(Command::Cancel {
        reason: "no".into(),
    })
    .unwrap();
    assert_eq!(case.state(), ExecutionState::Cancelled);
    assert_eq!(case.step("write"), StepState::Cancelled);
    let taken_back = |e: &Effect| matches!(e, Effect::Withdraw { task: t, .. } if *t == task);
    assert!(case.effects.iter().any(taken_back));
}

#[test]
fn a_judge_that_waits_for_room_is_not_asked_once_its_step_has_ended() {
    let mut case = given(
        "
max_parallel_steps: 1
mode: PARALLEL
steps:
  - { id: a, agent: x, total_timeout: 10s, on_error: CONTINUE, gates: { after: [ { judge: { agent: j } } ] } }
  - { id: b, agent: x }
finally: [ { id: f, agent: x } ]
",
        json!(null),
    );
    let lease = case.accept("a");
    case.when(Command::Pause {
        reason: "wait".into(),
    })
    .unwrap();
    let done = case.completion("a", lease, json!(1));
    case.when(done).unwrap();
    assert_eq!(case.step("a/gates.after[0].judge"), StepState::Pending);
    case.when(Command::Cancel {
        reason: "no".into(),
    })
    .unwrap();
    assert_eq!(case.waiting(), ["finally/f"]);
    case.complete("finally/f", json!(null));
    assert_eq!(case.state(), ExecutionState::Cancelled);
}

const REPAIRED: &str = "
steps:
  - id: write
    agent: writer
    gates:
      after:
        - { length: { min: 4 }, on_violation: REPAIR, repair: { agent: fixer, attempts: 2 } }
        - { regex: '^[a-z]+$', message: 'small letters only', on_violation: REPAIR, repair: { agent: fixer } }
        - { judge: { agent: judge } }
    output: '{{ output }}!'
";

const FIX: &str = "write/gates.after[0].repair";
const JUDGE: &str = "write/gates.after[2].judge";

#[test]
fn what_violates_gates_is_repaired_and_checked_by_all_of_them_again() {
    let mut case = given(REPAIRED, json!(null));
    case.complete("write", json!("A"));
    assert_eq!(
        case.input(FIX),
        json!({"output": "A", "violations": ["the length is 1, less than 4", "small letters only"]})
    );
    case.complete(FIX, json!("abc"));
    assert_eq!(case.waiting(), [FIX], "a second repair");
    assert_eq!(
        case.input(FIX),
        json!({"output": "abc", "violations": ["the length is 3, less than 4"]})
    );
    case.complete(FIX, json!("abcd"));
    assert_eq!(case.input(JUDGE)["output"], json!("abcd"));
    case.complete(JUDGE, json!({"score": 1}));
    assert_eq!(case.output(), json!({"write": "abcd!"}));
}

#[test]
fn repairs_are_bounded_for_each_gate() {
    let mut case = given(REPAIRED, json!(null));
    case.complete("write", json!("A"))
        .complete(FIX, json!("B"))
        .complete(FIX, json!("C"));
    let words = "the length is 1, less than 4";
    assert_eq!(case.error(), ("invalid_output", words, "write"));
    let asked = |k: &event::Kind| matches!(k, event::Kind::AuxiliaryBegun(_));
    assert_eq!(count(&case, asked), 2);
}

#[test]
fn a_judge_may_have_the_output_repaired() {
    let yaml = REPAIRED.replace(
        "judge: { agent: judge } }",
        "judge: { agent: judge }, on_violation: REPAIR, repair: { agent: fixer } }",
    );
    let mut case = given(&yaml, json!(null));
    case.complete("write", json!("abcd"))
        .complete(JUDGE, json!({"score": 0.2, "reason": "dull"}));
    let fix = "write/gates.after[2].repair";
    assert_eq!(
        case.input(fix)["violations"],
        json!(["the judge gives 0.2, less than 0.5: dull"])
    );
    case.complete(fix, json!("lively"));
    assert_eq!(case.waiting(), [JUDGE], "the repaired output is judged too");
    case.complete(JUDGE, json!({"score": 0.2}));
    assert_eq!(case.error().0, "invalid_output");
}

#[test]
fn an_input_is_judged_and_repaired_before_the_step_begins() {
    let mut case = given(
        "
max_parallel_steps: 1
steps:
  - id: a
    agent: x
    input: ab
    total_timeout: 60s
    gates:
      before:
        - { length: { min: 3 }, on_violation: REPAIR, repair: { agent: fixer } }
        - { judge: { agent: judge, criteria: long } }
",
        json!(null),
    );
    let (fix, judge) = ("a/gates.before[0].repair", "a/gates.before[1].judge");
    assert_eq!(case.input(fix)["input"], json!("ab"));
    assert_eq!(case.step("a"), StepState::Running);
    case.after(10).complete(fix, json!("abc"));
    assert_eq!(
        case.input(judge),
        json!({"input": "abc", "criteria": "long"})
    );
    case.complete(judge, json!({"score": 1}));
    assert_eq!(case.waiting(), ["a"]);
    assert_eq!(case.input("a"), json!("abc"));
    assert_eq!(case.execution.calls_in_progress(), 1);
    case.accept("a");
    case.after(50);
    assert_eq!(case.error().0, "timeout", "all of it counts");
}

#[test]
fn an_input_that_a_judge_refuses_fails_the_step_with_class_validation() {
    let mut case = given(
        "steps: [ { id: a, agent: x, on_error: CONTINUE, gates: { before: [ { judge: { agent: judge } } ] } } ]",
        json!(1),
    );
    case.complete("a/gates.before[0].judge", json!({"score": 0}));
    assert_eq!(case.step_error("a").0, "validation");
    assert_eq!(case.attempt("a"), 0);
    assert_eq!(case.output(), json!({"a": null}));
}

#[test]
fn blocks_sets_and_the_goal_are_judged_too() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - id: group
    block: { mode: PARALLEL, steps: [ { id: a, agent: x } ] }
    gates: { after: [ { judge: { agent: judge } } ] }
  - id: note
    set: { n: 1 }
    gates: { after: [ { judge: { agent: judge } } ] }
goal:
  - { judge: { agent: judge, criteria: all }, on_violation: REPAIR, repair: { agent: fixer } }
finally: [ { id: clean, agent: x } ]
",
        json!(null),
    );
    let yes = json!({"score": 1});
    case.complete("group/a", json!(7));
    assert_eq!(
        case.input("group/gates.after[0].judge")["output"],
        json!({"a": 7})
    );
    case.complete("group/gates.after[0].judge", yes.clone());
    assert_eq!(case.step("note"), StepState::Running);
    assert_eq!(case.vars(), json!({}));
    case.complete("note/gates.after[0].judge", yes.clone());
    assert_eq!(case.vars(), json!({"n": 1}));
    assert_eq!(
        case.input("goal[0].judge"),
        json!({"output": {"n": 1}, "criteria": "all"})
    );
    case.complete("goal[0].judge", json!({"score": 0}))
        .complete("goal[0].repair", json!("mended"))
        .complete("goal[0].judge", yes)
        .complete("finally/clean", json!(null));
    assert_eq!(case.output(), json!("mended"));
}

#[test]
fn a_goal_that_a_judge_misses_has_the_whole_attempted_again() {
    let mut case = given(
        "
retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }
steps: [ { id: a, agent: x } ]
goal: [ { judge: { agent: judge }, on_violation: RETRY } ]
",
        json!(null),
    );
    case.complete("a", json!(1))
        .complete("goal[0].judge", json!({"score": 0}));
    assert_eq!(case.state(), ExecutionState::Waiting);
    case.after(1)
        .complete("goal[0].judge", json!({"score": 0, "reason": "no"}));
    let words = "the goal is missed: the judge gives 0, less than 0.5: no";
    assert_eq!(case.error().1, words);
}

#[test]
fn a_failure_by_a_judge_can_be_caught() {
    let yaml = JUDGED.replace(
        "    save:",
        "    catch: [ { classes: [invalid_output], steps: [ { id: c, agent: x } ] } ]\n    save:",
    );
    let mut case = written(&yaml);
    case.complete(CALL, json!({"score": 0}))
        .complete("write/catch[0]/c", json!("instead"));
    assert_eq!(case.output_of("write"), json!("instead"));
}
