//! Collections: items begin as there is room, end in any order, and give a list.

use super::*;

fn each(fields: &str) -> String {
    format!(
        "steps: [ {{ id: docs, each: {{ items: input, {fields} steps: [ {{ id: read, agent: x }} ] }} }} ]"
    )
}

fn kinds(case: &Case) -> Vec<(&str, &'static str)> {
    let name = |event: &Event| match event.kind.as_ref().unwrap() {
        crate::proto::event::Kind::ItemsListed(_) => "listed",
        crate::proto::event::Kind::ItemsBegun(_) => "begun",
        crate::proto::event::Kind::StepStarted(_) => "started",
        crate::proto::event::Kind::StepScheduled(_) => "scheduled",
        crate::proto::event::Kind::StepCompleted(_) => "completed",
        crate::proto::event::Kind::StepFailed(_) => "failed",
        crate::proto::event::Kind::StepCancelled(_) => "cancelled",
        _ => "other",
    };
    case.events.iter().map(|e| (&*e.step, name(e))).collect()
}

#[test]
fn the_outputs_are_in_the_order_of_the_items_whatever_order_they_end_in() {
    let mut case = given(&each(""), json!(["a", "b", "c"]));
    assert_eq!(
        case.waiting(),
        ["docs[0]/read", "docs[1]/read", "docs[2]/read"]
    );
    assert_eq!(
        case.input("docs[1]/read"),
        json!("b"),
        "the item is what the first step is given"
    );
    case.complete("docs[2]/read", json!("C"))
        .complete("docs[0]/read", json!("A"))
        .complete("docs[1]/read", json!("B"));
    assert_eq!(case.output(), json!({"docs": ["A", "B", "C"]}));
}

#[test]
fn the_list_is_told_once_and_items_that_begin_together_in_one_event() {
    let mut case = given(&each("max_parallel: 2,"), json!([1, 2, 3]));
    case.complete("docs[1]/read", json!(0));
    assert_eq!(
        kinds(&case)[1..],
        [
            ("docs", "started"),
            ("docs", "listed"),
            ("docs", "begun"),
            ("docs[0]/read", "scheduled"),
            ("docs[1]/read", "scheduled"),
            ("docs[1]/read", "started"),
            ("docs[1]/read", "completed"),
            ("docs[1]", "completed"),
            ("docs", "begun"),
            ("docs[2]/read", "scheduled"),
        ]
    );
    let scheduled = case
        .events
        .iter()
        .find(|e| e.step == "docs[0]/read")
        .unwrap();
    let Some(crate::proto::event::Kind::StepScheduled(scheduled)) = &scheduled.kind else {
        panic!("{scheduled:?}");
    };
    assert_eq!((scheduled.given_item, &scheduled.input), (true, &None));
}

#[test]
fn an_item_that_has_ended_leaves_only_what_it_gave() {
    let mut case = given(&each("max_parallel: 1,"), json!([1, 2]));
    let runs = case.execution.runs().count();
    let lease = case.accept("docs[0]/read");
    let again = case.completion("docs[0]/read", lease, json!("one"));
    case.when(again.clone()).unwrap();
    assert!(case.execution.find("docs[0]/read").is_none());
    assert!(case.execution.find("docs[0]").is_none());
    assert_eq!(case.execution.runs().count(), runs);
    let events = case.events.len();
    case.when(again).unwrap();
    assert_eq!(
        case.events.len(),
        events,
        "its result said again is answered alike"
    );
}

#[test]
fn an_empty_list_completes_at_once() {
    let case = given(&each(""), json!([]));
    assert_eq!(case.output(), json!({"docs": []}));
}

#[test]
fn items_that_are_no_list_fail_with_class_expression() {
    let case = given(&each(""), json!({"no": "list"}));
    let (class, message) = case.step_error("docs");
    assert_eq!(class, "expression");
    assert!(message.contains("is not a list"), "{message}");
}

#[test]
fn too_many_items_fail_with_class_limit() {
    let many = vec![true; 100_001];
    let case = given(&each(""), json!(many));
    let (class, message) = case.step_error("docs");
    assert_eq!(
        (class, message),
        ("limit", "there are 100001 items, each_items_max is 100000")
    );
}

#[test]
fn a_failed_item_cancels_the_others_and_fails_the_step() {
    let mut case = given(&each(""), json!([1, 2, 3]));
    case.complete("docs[0]/read", json!(1))
        .fail("docs[1]/read", "refused");
    assert_eq!(case.state(), ExecutionState::Failed);
    assert_eq!(
        case.error(),
        ("refused", "docs[1]/read says no", "docs[1]/read")
    );
    let cancelled: Vec<_> = kinds(&case)
        .into_iter()
        .filter(|(_, k)| *k == "cancelled")
        .collect();
    assert_eq!(
        cancelled,
        [("docs[2]/read", "cancelled"), ("docs[2]", "cancelled")]
    );
}

#[test]
fn tolerated_failures_are_null_and_listed() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - { id: docs, each: { items: input, max_failures: 2, steps: [ { id: read, agent: x } ] } }
  - { id: after, agent: x, input: { failed: '{{ steps.docs.failures }}', all: '{{ steps.docs.output }}' } }
",
        json!([1, 2, 3]),
    );
    case.fail("docs[2]/read", "refused")
        .complete("docs[1]/read", json!("two"))
        .fail("docs[0]/read", "auth");
    let failure = |index: u32, class: &str| {
        let step = format!("docs[{index}]/read");
        json!({"index": index, "error": {"class": class, "message": format!("{step} says no"), "step": step}})
    };
    assert_eq!(
        case.input("after"),
        json!({"failed": [failure(0, "auth"), failure(2, "refused")], "all": [null, "two", null]})
    );
}

#[test]
fn one_failure_more_than_is_tolerated_fails_the_step_with_the_class_of_the_last() {
    let mut case = given(&each("max_failures: 1,"), json!([1, 2, 3]));
    case.fail("docs[0]/read", "refused");
    assert_eq!(case.state(), ExecutionState::Running);
    case.fail("docs[2]/read", "auth");
    let words = "2 of 3 items failed, 1 may; last: docs[2]/read says no";
    assert_eq!(case.error(), ("auth", words, "docs[2]/read"));
}

#[test]
fn a_share_of_failures_is_rounded_down_and_holds_beside_the_number() {
    for (fields, may) in [
        ("max_failure_share: 0.5,", 1),
        ("max_failure_share: 0.7,", 2),
        ("max_failure_share: 1,", 3),
        ("max_failures: 1, max_failure_share: 1,", 1),
    ] {
        let mut case = given(&each(fields), json!([1, 2, 3]));
        for index in 0..may {
            case.fail(&format!("docs[{index}]/read"), "refused");
        }
        let expected = if may == 3 {
            ExecutionState::Completed
        } else {
            ExecutionState::Running
        };
        assert_eq!(case.state(), expected, "{fields}");
        if may < 3 {
            case.fail(&format!("docs[{may}]/read"), "refused");
            assert_eq!(case.state(), ExecutionState::Failed, "{fields}");
        }
    }
}

#[test]
fn a_batch_is_one_item_with_a_list() {
    let mut case = given(&each("batch_size: 2, max_parallel: 1,"), json!([1, 2, 3]));
    assert_eq!(case.waiting(), ["docs[0]/read"]);
    assert_eq!(case.input("docs[0]/read"), json!([1, 2]));
    case.complete("docs[0]/read", json!("first"));
    assert_eq!(case.input("docs[1]/read"), json!([3]));
    case.complete("docs[1]/read", json!("second"));
    assert_eq!(case.output(), json!({"docs": ["first", "second"]}));
}

#[test]
fn steps_for_an_item_see_it_its_place_and_each_other() {
    let mut case = given(
        "
steps:
  - id: docs
    each:
      items: input.list
      steps:
        - { id: a, agent: x, input: { item: '{{ item }}', index: '{{ index }}', of: '{{ size(input.list) }}' } }
        - id: inner
          each:
            items: '[item, index]'
            steps: [ { id: b, agent: x, input: [ '{{ item }}', '{{ steps.a.output }}', '{{ previous }}' ] } ]
",
        json!({"list": ["p", "q"]}),
    );
    assert_eq!(
        case.input("docs[1]/a"),
        json!({"item": "q", "index": 1, "of": 2})
    );
    case.complete("docs[1]/a", json!("A"));
    assert_eq!(case.input("docs[1]/inner[0]/b"), json!(["q", "A", "q"]));
    assert_eq!(case.input("docs[1]/inner[1]/b"), json!([1, "A", 1]));
    case.complete("docs[1]/inner[1]/b", json!(2))
        .complete("docs[1]/inner[0]/b", json!(1));
    case.complete("docs[0]/a", json!("B"))
        .complete("docs[0]/inner[0]/b", json!(3))
        .complete("docs[0]/inner[1]/b", json!(4));
    assert_eq!(case.output(), json!({"docs": [[3, 4], [1, 2]]}));
}

#[test]
fn another_attempt_takes_up_the_failed_items_only() {
    let yaml = "
steps:
  - id: docs
    retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }
    each: { items: input, steps: [ { id: read, agent: x } ] }
";
    let mut case = given(yaml, json!(["a", "b", "c"]));
    case.complete("docs[0]/read", json!("A"))
        .fail("docs[1]/read", "unavailable");
    assert_eq!(case.step("docs"), StepState::Retrying);
    case.after(1);
    assert_eq!(
        case.waiting(),
        ["docs[1]/read", "docs[2]/read"],
        "one failed, one was cancelled"
    );
    case.complete("docs[2]/read", json!("C"))
        .complete("docs[1]/read", json!("B"));
    assert_eq!(case.output(), json!({"docs": ["A", "B", "C"]}));
    assert_eq!(case.attempt("docs"), 2);
    let listed = kinds(&case).iter().filter(|(_, k)| *k == "listed").count();
    assert_eq!(listed, 1, "the list is kept");
}

#[test]
fn another_attempt_of_what_gave_the_wrong_list_makes_all_of_it_anew() {
    let yaml = "
steps:
  - id: docs
    retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }
    gates: { after: [ { cel: \"value[0] == 'good'\", on_violation: RETRY } ] }
    each: { items: input, steps: [ { id: read, agent: x } ] }
";
    let mut case = given(yaml, json!([1]));
    case.complete("docs[0]/read", json!("bad")).after(1);
    case.complete("docs[0]/read", json!("good"));
    assert_eq!(case.output(), json!({"docs": ["good"]}));
}

#[test]
fn another_attempt_of_the_whole_takes_up_the_failed_items_only() {
    let yaml = "retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }\n".to_owned() + &each("");
    let mut case = given(&yaml, json!(["a", "b"]));
    case.complete("docs[0]/read", json!("A"))
        .fail("docs[1]/read", "unavailable")
        .after(1);
    assert_eq!(case.waiting(), ["docs[1]/read"]);
    case.complete("docs[1]/read", json!("B"));
    assert_eq!(case.output(), json!({"docs": ["A", "B"]}));
}

#[test]
fn no_more_items_are_in_progress_than_there_is_room_for_calls() {
    let yaml = format!("max_parallel_steps: 2\n{}", each(""));
    let mut case = given(&yaml, json!([1, 2, 3]));
    assert_eq!(case.waiting(), ["docs[0]/read", "docs[1]/read"]);
    assert!(case.execution.find("docs[2]").is_none(), "it has not begun");
    case.complete("docs[0]/read", json!(1));
    assert_eq!(case.step("docs[2]/read"), StepState::Waiting);
}

#[test]
fn very_many_items_are_begun_in_several_decisions() {
    let many: Vec<u32> = (0..5_000).collect();
    let yaml = "steps: [ { id: all, each: { items: input, steps: [ { id: a, set: { n: '{{ item }}' } } ] } } ]";
    let mut case = given(yaml, json!(many));
    assert!(case.events.len() < 2_000, "{}", case.events.len());
    let mut decisions = 1;
    while case.state() == ExecutionState::Running {
        assert!(
            case.execution.could_begin(&case.limits),
            "it goes on by itself"
        );
        let before = case.events.len();
        case.when(Command::Tick).unwrap();
        assert!(case.events.len() - before < 2_000);
        decisions += 1;
    }
    assert!(decisions > 5, "{decisions}");
    assert_eq!(
        case.execution.runs().count(),
        2,
        "the workflow and the collection"
    );
    assert_eq!(case.output()["all"].as_array().unwrap().len(), 5_000);
}

#[test]
fn a_cancelled_execution_cancels_the_items_in_progress() {
    let mut case = given(&each("max_parallel: 1,"), json!([1, 2]));
    case.when(Command::Cancel {
        reason: "enough".into(),
    })
    .unwrap();
    assert_eq!(case.state(), ExecutionState::Cancelled);
    let withdrawn = case
        .effects
        .iter()
        .filter(|e| matches!(e, Effect::Withdraw { .. }))
        .count();
    assert_eq!(withdrawn, 1);
}
