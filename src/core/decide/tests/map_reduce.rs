//! `map_reduce`: a call for each item, then one over what they gave.

use super::*;

const SUM: &str = "
steps:
  - id: sum
    map_reduce:
      items: input.pages
      map: { agent: reader, input: { page: '{{ item }}', at: '{{ index }}' } }
      reduce: { agent: joiner }
";

#[test]
fn the_reducer_is_given_the_outputs_in_order_and_gives_the_output() {
    let mut case = given(SUM, json!({"pages": ["a", "b"]}));
    assert_eq!(case.waiting(), ["sum/map[0]/call", "sum/map[1]/call"]);
    assert_eq!(case.input("sum/map[1]/call"), json!({"page": "b", "at": 1}));
    case.complete("sum/map[1]/call", json!("B"))
        .complete("sum/map[0]/call", json!("A"));
    assert_eq!(case.waiting(), ["sum/reduce"]);
    assert_eq!(case.input("sum/reduce"), json!(["A", "B"]));
    case.complete("sum/reduce", json!("AB"));
    assert_eq!(case.output(), json!({"sum": "AB"}));
}

#[test]
fn without_a_reducer_the_list_is_the_output() {
    let yaml =
        "steps: [ { id: m, map_reduce: { items: input, batch_size: 2, map: { agent: a } } } ]";
    let mut case = given(yaml, json!([1, 2, 3]));
    assert_eq!(case.input("m/map[0]/call"), json!([1, 2]));
    case.complete("m/map[0]/call", json!(3))
        .complete("m/map[1]/call", json!(3));
    assert_eq!(case.output(), json!({"m": [3, 3]}));
}

#[test]
fn tolerated_failures_are_null_for_the_reducer_and_more_fail_the_step() {
    let yaml = "
steps:
  - id: m
    map_reduce: { items: input, max_failures: 1, map: { agent: a }, reduce: { agent: r } }
";
    let mut case = given(yaml, json!([1, 2]));
    case.fail("m/map[0]/call", "refused")
        .complete("m/map[1]/call", json!(2));
    assert_eq!(case.input("m/reduce"), json!([null, 2]));
    let mut case = given(yaml, json!([1, 2]));
    case.fail("m/map[0]/call", "refused")
        .fail("m/map[1]/call", "auth");
    assert_eq!(case.error().0, "auth");
}

#[test]
fn steps_of_the_pattern_are_no_names_for_the_users_expressions() {
    let yaml = "
steps:
  - { id: map, agent: x }
  - { id: call, agent: x }
  - id: m
    map_reduce:
      items: steps.map.output
      map: { agent: a, input: '{{ [item, steps.call.output, steps.map.output[0]] }}' }
      reduce: { agent: r, input: '{{ [steps.map.output, previous] }}' }
";
    let mut case = given(yaml, json!(null));
    case.complete("map", json!([7]))
        .complete("call", json!("outer"));
    assert_eq!(case.input("m/map[0]/call"), json!([7, "outer", 7]));
    case.complete("m/map[0]/call", json!("inner"));
    assert_eq!(case.input("m/reduce"), json!([[7], ["inner"]]));
}

#[test]
fn previous_in_items_is_the_step_before_the_pattern() {
    let yaml = "
mode: SEQUENCE
steps:
  - { id: a, agent: x }
  - { id: m, input: 7, map_reduce: { items: previous, map: { agent: y } } }
";
    let mut case = given(yaml, json!(null));
    case.complete("a", json!(["p"]));
    assert_eq!(case.input("m/map[0]/call"), json!("p"));
}
