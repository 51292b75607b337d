//! Blocks of states: which state follows, what it is given, and how the block ends.

use super::*;
use crate::proto::{StateChanged, event};

const RESEARCH: &str = "
mode: STATES
steps:
- id: plan
  agent: p
  next:
  - { when: size(output.items) > 0, to: find, input: '{{ output.items }}' }
  - { to: none }
- id: find
  agent: f
  save: { rounds: '{{ has(vars.rounds) ? vars.rounds + 1 : 1 }}' }
  next:
  - { when: output == null && vars.rounds < 3, to: plan, input: { again: '{{ vars.rounds }}' } }
  - { when: output != null, to: report }
- { id: report, agent: r, input: { from: '{{ previous }}', first: '{{ steps.plan.output.items }}' } }
- { id: none, set: { found: '{{ 0 }}' } }
";

impl Case {
    /// From, to and input of every change of state.
    fn changes(&self) -> Vec<(String, String, Json)> {
        let changed = |event: &Event| match &event.kind {
            Some(event::Kind::StateChanged(StateChanged { from, to, input })) => {
                let input = input.as_ref().map_or(Json::Null, value::to_json);
                Some((from.clone(), to.clone(), input))
            }
            _ => None,
        };
        self.events.iter().filter_map(changed).collect()
    }

    fn ways(&self) -> Vec<String> {
        let changes = self.changes().into_iter();
        changes
            .map(|(from, to, _)| format!("{from}>{to}"))
            .collect()
    }
}

#[test]
fn the_first_transition_that_fits_leads_on_and_the_last_state_gives_the_output() {
    let mut case = given(RESEARCH, json!("topic"));
    assert_eq!(case.waiting(), ["plan"]);
    assert_eq!(case.input("plan"), json!("topic"));
    case.complete("plan", json!({"items": [1, 2]}));
    assert_eq!(case.input("find"), json!([1, 2]));
    case.complete("find", json!("found"));
    let given = json!({"from": "found", "first": [1, 2]});
    assert_eq!(case.input("report"), given);
    assert_eq!(
        case.complete("report", json!("done")).output(),
        json!("done")
    );
    let expected = [
        ("", "plan", json!("topic")),
        ("plan", "find", json!([1, 2])),
        ("find", "report", json!("found")),
    ];
    let expected = expected.map(|(from, to, input)| (from.to_owned(), to.to_owned(), input));
    assert_eq!(case.changes(), expected);
}

#[test]
fn a_state_entered_again_runs_anew_under_its_path() {
    let mut case = given(RESEARCH, json!("topic"));
    case.complete("plan", json!({"items": [1]}));
    let task = case.task("plan");
    case.complete("find", json!(null));
    assert_eq!(case.input("plan"), json!({"again": 1}));
    assert_ne!(case.task("plan"), task);
    assert_eq!(case.output_of("plan"), Json::Null);
    // What its first run gave is answered alike when it is said again.
    let again = Command::Complete {
        task,
        lease: 1,
        output: value::null(),
        usage: None,
    };
    assert_eq!(case.when(again), Ok(()));
    case.complete("plan", json!({"items": []}));
    assert_eq!(case.output(), json!({"found": 0}));
    assert_eq!(
        case.ways(),
        [">plan", "plan>find", "find>plan", "plan>none"]
    );
}

#[test]
fn where_no_transition_fits_the_block_fails() {
    let mut case = given(RESEARCH, json!(1));
    for _ in 0..3 {
        case.complete("plan", json!({"items": [1]}))
            .complete("find", json!(null));
    }
    assert_eq!(case.state(), ExecutionState::Failed);
    let words = "none of the 2 transitions from `find` fits";
    assert_eq!(case.error(), ("no_transition", words, "find"));
    assert_eq!(case.step("find"), StepState::Completed);
}

#[test]
fn more_changes_than_there_may_be_fail_the_block() {
    let yaml = "
mode: STATES
max_transitions: 2
steps:
- { id: a, agent: x, next: [ { when: output == 'end', to: b }, { to: a } ] }
- { id: b, agent: x }
";
    let mut case = given(yaml, json!(1));
    case.complete("a", json!(1))
        .complete("a", json!(2))
        .complete("a", json!(3));
    let words = "the state has changed 2 times, max_transitions is 2";
    assert_eq!(case.error(), ("limit", words, "a"));
    let mut case = given(yaml, json!(1));
    case.complete("a", json!(1)).complete("a", json!("end"));
    assert_eq!(case.complete("b", json!(7)).output(), json!(7));
}

#[test]
fn an_expression_of_a_transition_that_fails_fails_the_block() {
    let yaml = "
mode: STATES
steps:
- { id: a, agent: x, next: [ { when: output.missing, to: b } ] }
- { id: b, agent: x }
";
    let mut case = given(yaml, json!(1));
    case.complete("a", json!({}));
    let (class, message, step) = case.error();
    assert_eq!((class, step), ("expression", "a"));
    assert!(message.starts_with("next[0].when: "), "{message}");
}

#[test]
fn a_skipped_state_and_a_tolerated_failure_lead_on_with_null() {
    let yaml = "
mode: STATES
initial: b
steps:
- { id: a, agent: x, on_error: CONTINUE, next: [ { when: steps.a.error.class == 'own', to: c } ] }
- { id: b, agent: x, when: '1 > 2', next: [ { when: output == null, to: a } ] }
- { id: c, agent: x }
";
    let mut case = given(yaml, json!(1));
    assert_eq!(case.step("b"), StepState::Skipped);
    assert_eq!(case.input("a"), Json::Null);
    case.fail("a", "own");
    assert_eq!(case.complete("c", json!("end")).output(), json!("end"));
}

const NESTED: &str = "
retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }
steps:
- id: machine
  block:
    mode: STATES
    steps:
    - { id: a, agent: x, next: [ { to: b, input: '{{ output + 1 }}' } ] }
    - { id: b, agent: x, next: [ { to: c } ] }
    - { id: c, agent: x }
";

#[test]
fn the_whole_again_goes_on_in_the_state_that_failed_with_what_it_was_given() {
    let mut case = given(NESTED, json!(1));
    case.complete("machine/a", json!(4))
        .fail("machine/b", "own")
        .after(1);
    assert_eq!(case.waiting(), ["machine/b"]);
    assert_eq!(case.input("machine/b"), json!(5));
    case.complete("machine/b", json!(6))
        .complete("machine/c", json!(7));
    assert_eq!(case.output(), json!({"machine": 7}));
}

#[test]
fn a_block_of_states_that_is_tried_again_begins_at_its_first_state() {
    let yaml = NESTED.replace(
        "  block:",
        "  retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }\n  block:",
    );
    let mut case = given(&yaml, json!(1));
    case.complete("machine/a", json!(4))
        .fail("machine/b", "own")
        .after(1);
    assert_eq!(case.waiting(), ["machine/a"]);
    assert_eq!(case.ways(), [">a", "a>b", ">a"]);
}

#[test]
fn a_whole_that_failed_between_two_states_asks_for_the_next_one_again() {
    let yaml = "
mode: STATES
retry: { max_attempts: 2, initial_delay: 1s, jitter: 0, retry_on: [no_transition] }
steps:
- { id: a, agent: x, next: [ { when: execution.attempt > 1, to: b } ] }
- { id: b, agent: x }
";
    let mut case = given(yaml, json!(1));
    case.complete("a", json!(4));
    assert_eq!(case.state(), ExecutionState::Waiting);
    case.after(1);
    assert_eq!(case.complete("b", json!(5)).output(), json!(5));
}

#[test]
fn states_that_were_never_entered_are_shown_as_skipped_at_the_end() {
    let mut case = given(RESEARCH, json!("topic"));
    let shown = |case: &Case| -> Vec<(String, String)> {
        let view = crate::core::execution::view(&case.execution, case.now, 100, &|_| None);
        let steps = view.steps.iter();
        steps
            .map(|s| (s.path.clone(), s.state().as_str_name().to_owned()))
            .collect()
    };
    assert_eq!(shown(&case)[3], ("none".into(), "PENDING".into()));
    case.complete("plan", json!({"items": [1]}))
        .complete("find", json!(1));
    case.complete("report", json!(1));
    assert_eq!(shown(&case)[3], ("none".into(), "SKIPPED".into()));
}

#[test]
fn a_cancelled_machine_enters_no_further_state() {
    let mut case = given(RESEARCH, json!("topic"));
    case.when(Command::Cancel {
        reason: "enough".into(),
    })
    .unwrap();
    assert_eq!(case.state(), ExecutionState::Cancelled);
    assert_eq!(case.step("plan"), StepState::Cancelled);
    assert_eq!(case.ways(), [">plan"]);
}
