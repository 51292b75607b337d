//! Where an execution stands while it only waits.

use super::*;
use crate::core::{execution::Queued, plan::Target};

const STEPS: &str = "mode: PARALLEL
timeout: 10m
steps:
  - { id: one, agent: a, retry: { max_attempts: 2, initial_delay: 5s, jitter: 0 } }
  - { id: two, call: { skill: s, labels: { gpu: '1' } }, queue_timeout: 1m }";

#[test]
fn it_tells_the_queued_attempts_and_the_next_due_time() {
    let case = given(STEPS, json!(null));
    let standing = case.execution.standing(&case.limits).unwrap();
    assert_eq!(standing.namespace, "default");
    assert_eq!(standing.due, Some(case.now.after(Duration::from_secs(60))));
    let queued = |task, target| Queued {
        task,
        target,
        has_next: false,
        priority: 5,
        fairness_key: "case".into(),
        schedule_time: case.now,
    };
    let skill = Target::Skill {
        skill: "s".into(),
        labels: [("gpu".to_owned(), "1".to_owned())].into(),
        select: Default::default(),
    };
    let agent = queued(case.task("one"), Target::Agent("a".into()));
    assert_eq!(standing.queued, [agent, queued(case.task("two"), skill)]);
    assert!(standing.is_kept());
}

#[test]
fn it_tells_what_a_sticky_attempt_goes_by() {
    let yaml = "steps: [ { id: a, call: { skill: s, select: STICKY, key: input.user } } ]";
    let case = given(yaml, json!({"user": "ada"}));
    let standing = case.execution.standing(&case.limits).unwrap();
    assert_eq!(standing.queued[0].target.sticky_key(), Some("ada"));
}

#[test]
fn a_retry_is_waited_for_without_a_queue() {
    let mut case = given(STEPS, json!(null));
    case.complete("two", json!(1)).fail("one", "agent_error");
    let standing = case.execution.standing(&case.limits).unwrap();
    assert!(standing.queued.is_empty());
    assert_eq!(standing.due, Some(case.now.after(Duration::from_secs(5))));
}

#[test]
fn it_does_not_stand_while_a_worker_holds_an_attempt_or_once_it_has_ended() {
    let mut case = given(STEPS, json!(null));
    case.accept("one");
    assert_eq!(case.execution.standing(&case.limits), None);
    let terminate = Command::Terminate { reason: "r".into() };
    case.when(terminate).unwrap();
    assert_eq!(case.execution.standing(&case.limits), None);
}

#[test]
fn one_in_many_queues_is_not_kept() {
    let step = |n| format!("\n  - {{ id: s{n}, agent: a }}");
    let steps: String = (0..65).map(step).collect();
    let case = given(&format!("mode: PARALLEL\nsteps:{steps}"), json!(null));
    assert!(!case.execution.standing(&case.limits).unwrap().is_kept());
}

#[test]
fn one_that_waits_for_a_child_or_is_waited_for_leaves_memory_and_is_loaded_at_start() {
    let case = given(
        "steps: [ { id: sub, workflow: { name: other } } ]",
        json!(null),
    );
    let standing = case.execution.standing(&case.limits).unwrap();
    assert!(standing.queued.is_empty() && !standing.is_kept());

    let mut parent = Parent {
        id: Uuid::from_u128(9),
        step: "sub".into(),
        depth: 1,
        detached: false,
    };
    let child = child_of(parent.clone(), STEPS);
    assert!(!child.execution.standing(&child.limits).unwrap().is_kept());
    parent.detached = true;
    let child = child_of(parent, STEPS);
    assert!(child.execution.standing(&child.limits).unwrap().is_kept());
}

#[test]
fn an_execution_between_two_decisions_stands_nowhere() {
    let yaml = "
mode: SEQUENCE
steps:
  - { id: l, loop: { max_iterations: 3000, steps: [ { id: a, set: { n: '{{ iteration }}' } } ] } }
  - { id: b, agent: x }
";
    let mut case = given(yaml, json!(null));
    let mut decisions = 1;
    while case.waiting().is_empty() {
        assert_eq!(case.execution.standing(&case.limits), None);
        case.when(Command::Tick).unwrap();
        decisions += 1;
    }
    assert!(decisions > 5, "{decisions}");
    let standing = case.execution.standing(&case.limits).unwrap();
    assert_eq!(standing.queued.len(), 1);
}
