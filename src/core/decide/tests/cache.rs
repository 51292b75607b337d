//! Outputs that are kept for steps that are given the same.

use super::*;
use crate::proto::event;

fn cached(case: &Case) -> Vec<&str> {
    let events = case.events.iter();
    let told = events.filter(|e| matches!(e.kind, Some(event::Kind::StepCached(_))));
    told.map(|event| event.step.as_str()).collect()
}

const PAGES: &str = "
mode: SEQUENCE
steps:
  - id: first
    agent: reader
    input: { url: '{{ input.url }}', at: 1 }
    output: '{{ output.text }}'
    save: { words: '{{ output.words }}' }
    cache: { ttl: 1h, key: value.url, scope: EXECUTION }
  - { id: between, agent: other }
  - id: second
    agent: reader
    input: { url: '{{ input.url }}', at: 2 }
    output: '{{ output.text }}'
    save: { words: '{{ output.words }}' }
    cache: { ttl: 1h, key: value.url, scope: EXECUTION }
";

#[test]
fn a_step_that_is_given_the_same_calls_nobody() {
    let mut case = given(PAGES, json!({"url": "u"}));
    case.complete("first", json!({"text": "t", "words": 7}));
    case.after(3599).complete("between", json!("b"));
    assert_eq!(case.output(), json!("t"));
    assert_eq!(
        case.vars(),
        json!({"words": 7}),
        "what it saves is saved too"
    );
    assert_eq!(cached(&case), ["second"]);
    let run = case.execution.run(case.execution.find("second").unwrap());
    assert_eq!((run.state, run.attempt), (StepState::Completed, 0));
    assert_eq!(run.cached_from, case.execution.id.to_string());
    assert_eq!(case.input("second"), json!({"url": "u", "at": 2}));
}

#[test]
fn what_has_expired_or_differs_is_done_again() {
    let mut case = given(PAGES, json!({"url": "u"}));
    case.complete("first", json!({"text": "t", "words": 7}));
    case.after(3600).complete("between", json!("b"));
    assert_eq!(case.step("second"), StepState::Waiting, "expired");
    for (one, other) in [
        (
            "scope: EXECUTION }\n  - { id: between",
            "scope: WORKFLOW }\n  - { id: between",
        ),
        (
            "agent: reader\n    input: { url: '{{ input.url }}', at: 2",
            "agent: else\n    input: { url: '{{ input.url }}', at: 2",
        ),
        (
            "'{{ output.text }}'\n    save: { words: '{{ output.words }}' }\n    cache: { ttl: 1h, key: value.url, scope: EXECUTION }\n  -",
            "'{{ output }}'\n    cache: { ttl: 1h, key: value.url, scope: EXECUTION }\n  -",
        ),
        (
            "key: value.url, scope: EXECUTION }\n  - {",
            "scope: EXECUTION }\n  - {",
        ),
    ] {
        let yaml = PAGES.replacen(one, other, 1);
        assert_ne!(yaml, PAGES, "{one}");
        let mut case = given(&yaml, json!({"url": "u"}));
        case.complete("first", json!({"text": "t", "words": 7}));
        case.complete("between", json!("b"));
        assert_eq!(case.step("second"), StepState::Waiting, "{other}");
    }
}

#[test]
fn a_failure_is_not_kept_and_an_attempt_of_its_own_is_not_spared() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - { id: a, agent: x, input: 1, on_error: CONTINUE, cache: {} }
  - { id: b, agent: x, input: 1, retry: { initial_delay: 1s, jitter: 0 }, cache: {} }
  - { id: c, block: { steps: [ { id: d, agent: x, input: 1, cache: {} } ] }, input: 1, cache: {} }
",
        json!(null),
    );
    case.fail("a", "own").fail("b", "unavailable").after(1);
    case.complete("b", json!("b"));
    assert_eq!(
        cached(&case),
        ["c/d"],
        "by what it does, wherever it stands"
    );
    assert_eq!(case.output(), json!({ "d": "b" }));
}

#[test]
fn a_key_that_cannot_be_made_fails_the_step() {
    let case = given(
        "steps: [ { id: a, agent: x, cache: { key: input.none } } ]",
        json!({}),
    );
    let (class, message, _) = case.error();
    assert_eq!(class, "expression");
    assert!(message.starts_with("cache.key: "), "{message}");
}
