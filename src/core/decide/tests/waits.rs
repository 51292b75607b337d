//! Waits: over at their time, never before it, and what cannot be one.

use super::*;

const WAIT: &str = "
mode: SEQUENCE
steps:
- { id: a, agent: x }
- { id: pause, wait: { duration: 10m } }
- { id: b, agent: x }
";

#[test]
fn a_wait_is_over_after_its_span_and_gives_what_it_was_given() {
    let mut case = given(WAIT, json!(1));
    case.complete("a", json!({"n": 7}));
    assert_eq!(case.step("pause"), StepState::Running);
    let begun = case.now;
    assert_eq!(
        case.execution.next_due(),
        Some(begun.after(Duration::from_secs(600)))
    );
    case.after(599);
    assert_eq!(case.step("pause"), StepState::Running);
    case.after(1);
    assert_eq!(case.output_of("pause"), json!({"n": 7}));
    assert_eq!(case.input("b"), json!({"n": 7}));
    assert_eq!(case.complete("b", json!("end")).output(), json!("end"));
}

#[test]
fn one_tick_before_its_time_nothing_is_over() {
    let mut case = given("steps: [ { id: pause, wait: { duration: 1s } } ]", json!(1));
    let early = Duration::from_nanos(999_999_999);
    case.now = case.now.after(early);
    case.when(Command::Tick).unwrap();
    assert_eq!(case.step("pause"), StepState::Running);
    case.now = case.now.after(Duration::from_nanos(1));
    case.when(Command::Tick).unwrap();
    assert_eq!(case.output(), json!({"pause": 1}));
}

#[test]
fn no_span_and_a_time_that_has_passed_are_no_wait() {
    for wait in [
        "duration: 0s",
        "time: '1970-01-01T00:00:01Z'",
        "time: '{{ execution.start_time }}'",
        "duration: '{{ input.wait }}'",
        "time: '1970-01-01T01:16:40+01:00'",
    ] {
        let yaml = format!("steps: [ {{ id: pause, wait: {{ {wait} }} }} ]");
        let case = given(&yaml, json!({"wait": "0s"}));
        assert_eq!(case.state(), ExecutionState::Completed, "{wait}");
        assert_eq!(case.execution.next_due(), None);
    }
}

#[test]
fn a_template_gives_the_span_or_the_time() {
    for (wait, seconds) in [
        ("duration: '{{ input.span }}'", 90),
        ("duration: '{{ input.minutes }}m'", 120),
        ("duration: \"{{ duration('1h') }}\"", 3600),
        ("time: '{{ input.at }}'", 500),
        (
            "time: \"{{ timestamp(execution.start_time) + duration('5s') }}\"",
            5,
        ),
    ] {
        let yaml = format!("steps: [ {{ id: pause, wait: {{ {wait} }} }} ]");
        let input = json!({"span": "90s", "minutes": 2, "at": "1970-01-01T00:25:00Z"});
        let case = given(&yaml, input);
        let due = case.now.after(Duration::from_secs(seconds));
        assert_eq!(case.execution.next_due(), Some(due), "{wait}");
    }
}

#[test]
fn the_first_of_several_to_come_ends_a_wait() {
    for (first, second, seconds) in [
        ("duration: 10s", "duration: 20s", 10),
        ("duration: 10m", "time: '{{ input.at }}'", 500),
        ("duration: 10m", "first_of: [ { duration: 7s } ]", 7),
    ] {
        let wait = format!("first_of: [ {{ {first} }}, {{ {second} }} ]");
        let yaml = format!("steps: [ {{ id: pause, wait: {{ {wait} }} }} ]");
        let mut case = given(&yaml, json!({"at": "1970-01-01T00:25:00Z"}));
        let due = case.now.after(Duration::from_secs(seconds));
        assert_eq!(case.execution.next_due(), Some(due), "{wait}");
        assert_eq!(case.after(seconds).state(), ExecutionState::Completed);
    }
}

#[test]
fn what_is_no_span_or_time_fails_the_step_with_class_expression() {
    for (wait, input, words) in [
        (
            "duration: '{{ input }}'",
            json!("soon"),
            "wait.duration: `soon` is not a span",
        ),
        (
            "first_of: [ { duration: 5s }, { time: '{{ input }}' } ]",
            json!("noon"),
            "wait.first_of[1].time: `noon` is not a time with its zone until the year 2262",
        ),
        (
            "duration: '{{ input }}'",
            json!(5),
            "wait.duration: `5` is not a span",
        ),
        (
            "duration: '{{ input }}'",
            json!("-3s"),
            "wait.duration: `-3s` is not a span",
        ),
        (
            "duration: '{{ input }}'",
            json!("200000d"),
            "wait.duration: `200000d` ends after the year 2262",
        ),
        (
            "time: '{{ input }}'",
            json!("2027-01-01"),
            "wait.time: `2027-01-01` is not a time with its zone until the year 2262",
        ),
        (
            "time: '{{ input }}'",
            json!("2027-01-01T00:00:00"),
            "wait.time: `2027-01-01T00:00:00` is not a time",
        ),
        (
            "time: '{{ input }}'",
            json!("9999-01-01T00:00:00Z"),
            "wait.time: `9999-01-01T00:00:00Z` is not a time",
        ),
        ("time: '{{ input.x }}'", json!({}), "wait.time: "),
    ] {
        let case = given(
            &format!("steps: [ {{ id: pause, wait: {{ {wait} }} }} ]"),
            input,
        );
        let (class, message, step) = case.error();
        assert_eq!((class, step), ("expression", "pause"));
        assert!(message.starts_with(words), "{message}");
    }
}

#[test]
fn a_wait_keeps_its_timeouts_and_is_cancelled_with_the_rest() {
    let yaml = "steps: [ { id: pause, timeout: 5s, wait: { duration: 10s } } ]";
    let mut case = given(yaml, json!(1));
    case.after(5);
    assert_eq!(case.error().0, "timeout");
    // What is over in time is not too late.
    let yaml = "steps: [ { id: pause, timeout: 10s, wait: { duration: 10s } } ]";
    let mut case = given(yaml, json!(1));
    case.after(10);
    assert_eq!(case.state(), ExecutionState::Completed);
    let mut case = given(WAIT, json!(1));
    case.complete("a", json!(1));
    case.when(Command::Cancel {
        reason: "enough".into(),
    })
    .unwrap();
    assert_eq!(case.step("pause"), StepState::Cancelled);
    assert_eq!(case.execution.next_due(), None);
}

#[test]
fn an_execution_that_waits_for_time_alone_can_leave_memory() {
    let mut case = given(WAIT, json!(1));
    case.complete("a", json!(1));
    let standing = case.execution.standing(&case.limits).unwrap();
    assert_eq!(standing.due, case.execution.next_due());
    assert!(standing.queued.is_empty() && standing.is_kept());
}
