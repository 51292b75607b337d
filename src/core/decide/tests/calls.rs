//! Who is called: roles of the workflow, whom an expression names, and who is called next.

use super::*;
use crate::{core::plan::Target, proto::event};

fn fell_back(case: &Case) -> Vec<(String, u32, String)> {
    let events = case.events.iter();
    let told = events.filter_map(|event| match event.kind.as_ref()? {
        event::Kind::CallFellBack(e) => {
            let class = e.error.as_ref().unwrap().class.clone();
            Some((event.step.clone(), e.index, class))
        }
        _ => None,
    });
    told.collect()
}

fn target(case: &Case, step: &str) -> Target {
    let run = case.execution.find(step).unwrap();
    case.execution.dispatch_of(run).unwrap().target
}

fn agent(id: &str) -> Target {
    Target::Agent(id.into())
}

fn skill(skill: &str, labels: &[(&str, &str)]) -> Target {
    let labels = labels.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    Target::Skill {
        skill: skill.into(),
        labels: labels.collect(),
        select: crate::core::plan::Select::default(),
    }
}

#[test]
fn a_step_names_a_role_where_it_would_name_an_agent() {
    let case = given(
        "
agents:
  writer: { skill: write, labels: { tone: dry } }
  critic: { agent: agent-7 }
mode: PARALLEL
steps:
  - { id: a, agent: writer }
  - { id: b, call: { agent: critic } }
  - { id: c, agent: \"{{ input }}\" }
  - { id: d, agent: other }
",
        json!("writer"),
    );
    let write = skill("write", &[("tone", "dry")]);
    assert_eq!(target(&case, "a"), write);
    assert_eq!(target(&case, "b"), agent("agent-7"));
    assert_eq!(
        target(&case, "c"),
        write,
        "also when an expression names it"
    );
    assert_eq!(target(&case, "d"), agent("other"));
    let told = case.events.iter().filter_map(|e| match e.kind.as_ref()? {
        event::Kind::StepScheduled(s) => {
            Some((s.agent.as_str(), s.skill.as_str(), s.role.as_str()))
        }
        _ => None,
    });
    let told = told.collect::<Vec<_>>();
    assert_eq!(
        told,
        [
            ("", "write", "writer"),
            ("agent-7", "", "critic"),
            ("", "write", "writer"),
            ("other", "", "")
        ]
    );
}

const CHAIN: &str = "
agents: { last: { skill: s, labels: { k: v } } }
steps:
  - id: a
    call: { agent: x, fallback: [ { agent: \"{{ input }}\" }, { agent: last } ] }
    retry: { max_attempts: 2, initial_delay: 5s, jitter: 0 }
    timeout: 10s
";

#[test]
fn a_failure_calls_the_next_at_once_with_the_same_input() {
    let mut case = given(CHAIN, json!("y"));
    assert_eq!(target(&case, "a"), agent("x"));
    case.fail("a", "auth");
    assert_eq!((case.step("a"), case.attempt("a")), (StepState::Waiting, 2));
    assert_eq!(
        (target(&case, "a"), case.input("a")),
        (agent("y"), json!("y"))
    );
    case.accept("a");
    case.after(10);
    assert_eq!(case.attempt("a"), 3, "a timeout is a failure");
    assert_eq!(target(&case, "a"), skill("s", &[("k", "v")]));
    case.complete("a", json!(1));
    assert_eq!(case.output(), json!({ "a": 1 }));
    let told = [
        ("a".to_owned(), 0, "auth".to_owned()),
        ("a".into(), 1, "timeout".into()),
    ];
    assert_eq!(fell_back(&case), told);
}

#[test]
fn when_all_have_failed_the_policy_repeats_the_whole_chain() {
    let mut case = given(CHAIN, json!("y"));
    for _ in 0..3 {
        case.fail("a", "unavailable");
    }
    assert_eq!(case.step("a"), StepState::Retrying);
    case.after(5);
    assert_eq!((target(&case, "a"), case.attempt("a")), (agent("x"), 4));
    case.fail("a", "unavailable").fail("a", "unavailable");
    assert_eq!(target(&case, "a"), skill("s", &[("k", "v")]));
    case.fail("a", "unavailable");
    assert_eq!(case.error(), ("unavailable", "a says no", "a"));
    assert_eq!(fell_back(&case).len(), 4);
}

#[test]
fn what_no_agent_could_change_calls_nobody_else() {
    let yaml = "
steps:
  - id: a
    call: { agent: x, fallback: [ { agent: y } ] }
    gates: { after: [ { cel: output > 1 } ] }
";
    let mut case = given(yaml, json!(null));
    case.complete("a", json!(1));
    assert_eq!(case.error().0, "invalid_output", "the gate says FAIL");
    assert!(fell_back(&case).is_empty());
    let mut case = given(
        &yaml.replace("output > 1", "output > 1, on_violation: RETRY"),
        json!(null),
    );
    case.complete("a", json!(1)).complete("a", json!(2));
    assert_eq!(case.output(), json!({ "a": 2 }));
    assert_eq!(
        fell_back(&case),
        [("a".to_owned(), 0, "invalid_output".to_owned())]
    );
}

#[test]
fn a_compensation_has_fallbacks_too() {
    let mut case = given(
        "
steps:
  - id: s
    saga:
      steps:
        - { id: a, agent: x, compensation: { agent: u, fallback: [ { agent: v } ] } }
        - { id: b, agent: x }
",
        json!(null),
    );
    case.complete("s/a", json!(1)).fail("s/b", "own");
    case.fail("s/a/compensation", "unavailable");
    assert_eq!(target(&case, "s/a/compensation"), agent("v"));
    case.complete("s/a/compensation", json!(null));
    assert_eq!(case.step("s/a"), StepState::Compensated);
}

#[test]
fn priority_and_fairness_reach_the_calls_within_a_step() {
    let case = given(
        "
mode: PARALLEL
steps:
  - { id: a, agent: x }
  - { id: b, agent: x, priority: 1, fairness_key: '{{ input.tenant }}' }
  - id: c
    priority: 9
    fairness_key: 'of {{ input.tenant }}'
    block: { mode: PARALLEL, steps: [ { id: d, agent: x }, { id: e, agent: x, priority: 2 } ] }
",
        json!({"tenant": 7}),
    );
    let line = |step: &str| {
        let run = case.execution.find(step).unwrap();
        let dispatch = case.execution.dispatch_of(run).unwrap();
        (dispatch.priority, dispatch.fairness_key)
    };
    assert_eq!(line("a"), (5, "case".into()), "the workflow's name");
    assert_eq!(line("b"), (1, "7".into()));
    assert_eq!(line("c/d"), (9, "of 7".into()));
    assert_eq!(line("c/e"), (2, "of 7".into()));
}
