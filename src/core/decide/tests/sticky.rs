//! `select: STICKY`: what a call goes by, when that is found out, and how long it holds.

use super::*;
use crate::proto::event;

/// What the step's attempt in the queue goes by.
fn key(case: &Case, step: &str) -> Option<String> {
    let run = case.execution.find(step).unwrap();
    let target = case.execution.dispatch_of(run).unwrap().target;
    target.sticky_key().map(Into::into)
}

/// What the events say that attempts went by, in order.
fn told(case: &Case) -> Vec<String> {
    let told = case.events.iter().filter_map(|e| match e.kind.as_ref()? {
        event::Kind::StepScheduled(s) => Some(s.sticky_key.clone()),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_call_goes_by_what_its_key_gives_and_the_event_says_so() {
    let yaml = "
mode: PARALLEL
steps:
  - { id: a, call: { skill: s, select: STICKY, key: input.user } }
  - { id: b, call: { skill: s, select: STICKY, key: '{{ [input.user, 1] }}' } }
  - { id: c, call: { skill: s } }
";
    let case = given(yaml, json!({"user": "ada"}));
    assert_eq!(key(&case, "a").unwrap(), "ada");
    assert_eq!(key(&case, "b").unwrap(), r#"["ada",1]"#);
    assert_eq!(key(&case, "c"), None);
    assert_eq!(told(&case), ["ada", r#"["ada",1]"#, ""]);
}

#[test]
fn a_key_that_gives_nothing_fails_the_step() {
    for input in [json!({"user": null}), json!({"user": ""}), json!({})] {
        let yaml = "steps: [ { id: a, call: { skill: s, select: STICKY, key: input.user } } ]";
        let case = given(yaml, input);
        assert_eq!(case.step("a"), StepState::Failed);
        assert_eq!(case.execution.error.as_ref().unwrap().class, "expression");
    }
}

#[test]
fn attempts_keep_the_key_of_the_first() {
    let yaml = "
mode: PARALLEL
variables: { user: ada }
steps:
  - id: a
    call: { skill: s, select: STICKY, key: vars.user }
    retry: { max_attempts: 2, initial_delay: 5s, jitter: 0 }
  - { id: b, agent: x, save: { user: '{{ output }}' } }
";
    let mut case = given(yaml, json!(null));
    case.fail("a", "unavailable").complete("b", json!("bob"));
    case.after(5);
    assert_eq!(case.attempt("a"), 2);
    assert_eq!(key(&case, "a").unwrap(), "ada");
}

#[test]
fn each_of_a_chain_goes_by_its_own_key() {
    let yaml = "
steps:
  - id: a
    call:
      skill: s
      select: STICKY
      key: input.user
      fallback: [ { skill: s, select: STICKY, key: input.team }, { skill: s } ]
    retry: { max_attempts: 2, initial_delay: 5s, jitter: 0 }
";
    let mut case = given(yaml, json!({"user": "ada", "team": "red"}));
    case.fail("a", "auth")
        .fail("a", "auth")
        .fail("a", "unavailable");
    case.after(5);
    assert_eq!(key(&case, "a").unwrap(), "ada");
    assert_eq!(told(&case), ["ada", "red", "", "ada"]);
}

#[test]
fn calls_of_items_patterns_and_beside_a_step_have_keys_of_their_own() {
    let yaml = "
mode: PARALLEL
steps:
  - id: m
    map_reduce:
      items: input.orders
      map: { skill: s, select: STICKY, key: item.user }
      reduce: { agent: r }
  - id: j
    agent: x
    context:
      select: [input.orders]
      max_tokens: 1
      overflow: SUMMARIZE
      summarizer: { skill: shorten, select: STICKY, key: input.reader }
    input: '{{ context }}'
";
    let orders = json!([{"user": "ada"}, {"user": "bob"}, {"user": "ada"}]);
    let case = given(yaml, json!({"orders": orders, "reader": "eve"}));
    let mut told = told(&case);
    told.sort_unstable();
    assert_eq!(told, ["ada", "ada", "bob", "eve"]);
}

#[test]
fn a_key_is_cut_where_it_counts_no_more() {
    let yaml = "steps: [ { id: a, call: { skill: s, select: STICKY, key: input } } ]";
    let case = given(yaml, json!("é".repeat(200)));
    assert_eq!(key(&case, "a").unwrap(), "é".repeat(128));
}

#[test]
fn what_undoes_a_step_may_go_by_what_it_gave() {
    let yaml = "
steps:
  - id: s
    saga:
      steps:
        - id: pay
          agent: x
          compensation: { skill: refund, select: STICKY, key: result.account }
        - { id: ship, agent: y }
";
    let mut case = given(yaml, json!(null));
    case.complete("s/pay", json!({"account": "a7"}));
    case.fail("s/ship", "refused");
    assert_eq!(key(&case, "s/pay/compensation").unwrap(), "a7");
}

#[test]
fn who_waits_too_long_for_its_agent_may_go_to_any() {
    let yaml = "
steps:
  - id: a
    call: { skill: s, select: STICKY, key: input, fallback: [ { skill: s } ] }
    queue_timeout: 60s
";
    let mut case = given(yaml, json!("ada"));
    assert_eq!(key(&case, "a").unwrap(), "ada");
    case.after(60);
    assert_eq!(
        (case.step("a"), key(&case, "a")),
        (StepState::Waiting, None)
    );
}
