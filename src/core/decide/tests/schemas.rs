//! What goes into a step and comes out of it is held to the step's schemas.

use super::*;

const TYPED: &str = "
steps:
- id: a
  agent: x
  input_schema: { type: object, required: [n], properties: { n: { type: number } } }
  output_schema: { type: object, properties: { m: { type: number, minimum: 0 } } }
  retry: { max_attempts: 2, initial_delay: 1s, jitter: 0, retry_on: [validation] }
  output: '{{ output.given }}'
  save: { m: '{{ output.given.m }}' }
";

#[test]
fn an_input_that_breaks_its_schema_fails_the_step_before_any_attempt() {
    let case = given(TYPED, json!({"n": "one"}));
    let (class, message, step) = case.error();
    assert_eq!((class, step), ("validation", "a"));
    assert!(
        message.starts_with("the input breaks input_schema at '/n': "),
        "{message}"
    );
    assert_eq!(case.attempt("a"), 0);
}

#[test]
fn an_output_that_breaks_its_schema_fails_the_attempt_and_is_not_saved() {
    let mut case = given(TYPED, json!({"n": 1}));
    case.complete("a", json!({"given": {"m": -1}}));
    assert_eq!(case.step("a"), StepState::Retrying);
    let (class, message) = case.step_error("a");
    assert_eq!(class, "validation");
    assert!(
        message.starts_with("the output breaks output_schema at '/m': "),
        "{message}"
    );
    assert_eq!(case.vars(), json!({}));
    case.after(1).complete("a", json!({"given": {"m": 3}}));
    assert_eq!(case.output(), json!({"a": {"m": 3}}));
}

#[test]
fn a_broken_schema_is_not_retried_unless_the_policy_names_it() {
    let yaml = TYPED.replace(", retry_on: [validation]", "");
    let mut case = given(&yaml, json!({"n": 1}));
    case.complete("a", json!({"given": {"m": -1}}));
    assert_eq!(case.error().0, "validation");
}

#[test]
fn what_a_catch_gives_instead_is_held_to_the_schema_too() {
    let yaml = "
steps:
- id: a
  agent: x
  output_schema: { type: string }
  catch: [ { steps: [ { id: instead, agent: y } ] } ]
";
    let mut case = given(yaml, json!(1));
    case.fail("a", "own")
        .complete("a/catch[0]/instead", json!(3));
    let (class, message, step) = case.error();
    assert_eq!((class, step), ("validation", "a"));
    assert!(
        message.starts_with("the output breaks output_schema at '': "),
        "{message}"
    );
}

#[test]
fn blocks_and_sets_have_schemas_like_calls() {
    let yaml = "
steps:
- id: a
  output_schema: { required: [b] }
  block: { steps: [ { id: c, set: { v: 1 }, input_schema: { type: number } } ] }
";
    let case = given(yaml, json!("text"));
    assert_eq!(case.error().2, "a/c");
    let case = given(yaml, json!(1));
    assert_eq!((case.error().0, case.error().2), ("validation", "a"));
}
