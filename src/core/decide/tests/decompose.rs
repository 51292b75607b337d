//! `decompose`: a task is divided until its parts are simple, as deep and with as many calls as it
//! may be.

use super::*;

const SUM: &str = "
steps:
  - id: sum
    input: { n: '{{ input }}' }
    decompose:
      simple: task.n < 3 || depth > 5
      decompose: { agent: d }
      solve: { agent: s, retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 } }
      combine: { agent: c }
      max_depth: 2
      max_calls: 7
";

fn halves(a: u32, b: u32) -> Json {
    json!({"tasks": [{"n": a}, {"n": b}]})
}

#[test]
fn a_simple_task_is_solved_as_it_is() {
    let mut case = given(SUM, json!(2));
    assert_eq!(case.waiting(), ["sum/solve"]);
    assert_eq!(case.input("sum/solve"), json!({"n": 2}));
    assert_eq!(
        case.complete("sum/solve", json!(2)).output(),
        json!({"sum": 2})
    );
}

#[test]
fn a_task_is_divided_until_its_parts_are_simple_and_put_together_on_the_way_back() {
    let mut case = given(SUM, json!(5));
    assert_eq!(
        case.input("sum/decompose"),
        json!({"task": {"n": 5}, "depth": 0})
    );
    case.complete("sum/decompose", halves(1, 4));
    assert_eq!(
        case.waiting(),
        ["sum/parts[0]/part/solve", "sum/parts[1]/part/decompose"]
    );
    let inner = "sum/parts[1]/part";
    assert_eq!(
        case.input(&format!("{inner}/decompose")),
        json!({"task": {"n": 4}, "depth": 1})
    );
    case.complete(&format!("{inner}/decompose"), halves(2, 2));
    assert_eq!(
        case.input(&format!("{inner}/parts[0]/part/solve")),
        json!({"n": 2})
    );
    case.complete(&format!("{inner}/parts[1]/part/solve"), json!("b"));
    case.complete(&format!("{inner}/parts[0]/part/solve"), json!("a"));
    assert_eq!(
        case.input(&format!("{inner}/combine")),
        json!({"task": {"n": 4}, "results": ["a", "b"]})
    );
    case.complete(&format!("{inner}/combine"), json!("ab"));
    case.complete("sum/parts[0]/part/solve", json!("x"));
    assert_eq!(
        case.input("sum/combine"),
        json!({"task": {"n": 5}, "results": ["x", "ab"]})
    );
    assert_eq!(
        case.complete("sum/combine", json!("xab")).output(),
        json!({"sum": "xab"})
    );
}

#[test]
fn a_task_that_is_too_deep_fails_the_step() {
    let mut case = given(SUM, json!(9));
    case.complete("sum/decompose", halves(9, 9));
    case.complete("sum/parts[0]/part/decompose", halves(9, 1));
    let words = "the task is not simple at depth 2, max_depth is 2";
    assert_eq!(
        case.error(),
        ("limit", words, "sum/parts[0]/part/parts[0]/part")
    );
    assert_eq!(case.step("sum"), StepState::Failed);
}

#[test]
fn calls_are_counted_exactly_retries_among_them() {
    let mut case = given(SUM, json!(5));
    case.complete(
        "sum/decompose",
        json!({"tasks": [{"n": 1}, {"n": 1}, {"n": 1}, {"n": 1}, {"n": 1}]}),
    );
    assert_eq!(case.waiting().len(), 5);
    // Six calls so far, the retry is the seventh: none is left to put the results together.
    case.fail("sum/parts[0]/part/solve", "own").after(1);
    for part in 0..5 {
        case.complete(&format!("sum/parts[{part}]/part/solve"), json!(1));
    }
    let words = "step sum has made 7 calls, max_calls is 7";
    assert_eq!(case.error(), ("limit", words, "sum/combine"));
}

#[test]
fn a_step_tried_again_may_make_its_calls_again() {
    let yaml = SUM.replace(
        "    decompose:\n",
        "    retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 }\n    decompose:\n",
    );
    let yaml = yaml.replace("max_calls: 7", "max_calls: 1").replace(
        ", retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 } }\n      combine",
        " }\n      combine",
    );
    let mut case = given(&yaml, json!(1));
    case.fail("sum/solve", "own").after(1);
    assert_eq!(
        case.complete("sum/solve", json!(1)).output(),
        json!({"sum": 1})
    );
}

#[test]
fn what_is_no_division_fails_the_call() {
    let mut case = given(SUM, json!(5));
    case.complete("sum/decompose", json!({"tasks": []}));
    let words = "a task is divided into {tasks: […]}";
    assert_eq!(case.error(), ("invalid_output", words, "sum/decompose"));
}
