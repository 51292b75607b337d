//! What of the earlier steps is handed on: selected, cut, refused or summarised.

use super::*;

fn handed(case: &Case, step: &str) -> Json {
    let task = case.task(step);
    let dispatched = case.effects.iter().find_map(|effect| match effect {
        Effect::Dispatch(dispatch) if dispatch.task == task => Some(dispatch),
        _ => None,
    });
    let context = dispatched.unwrap().context.as_ref();
    context.map_or(Json::Null, value::to_json)
}

fn written(context: &str) -> Case {
    let yaml = format!(
        "
mode: SEQUENCE
steps:
  - {{ id: z, agent: x }}
  - {{ id: a, agent: x }}
  - {{ id: write, agent: writer, input: '{{{{ input }}}}', context: {context}, retry: {{ max_attempts: 2, initial_delay: 1s, jitter: 0 }} }}
"
    );
    let mut case = given(&yaml, json!("topic"));
    case.complete("z", json!("abcdefgh"))
        .complete("a", json!({"n": 1}));
    case
}

#[test]
fn without_a_selection_the_outputs_of_all_steps_before_are_handed_on_in_order() {
    let mut case = written("{}");
    assert_eq!(case.input("write"), json!("topic"), "the input is its own");
    let all = json!([{"from": "z", "value": "abcdefgh"}, {"from": "a", "value": {"n": 1}}]);
    assert_eq!(handed(&case, "write"), all);
    case.fail("write", "own").after(1);
    assert_eq!(handed(&case, "write"), all, "to each attempt");
}

#[test]
fn what_is_selected_comes_in_order_of_weight_and_what_comes_last_is_left_out() {
    let select = "max_tokens: 2, select: [ steps.a.output, '{{ previous_step_output.n + 1 }}', steps.z.output ]";
    let case = written(&format!("{{ {select} }}"));
    assert_eq!(
        handed(&case, "write"),
        json!([
            {"from": "steps.a.output", "value": {"n": 1}},
            {"from": "previous_step_output.n + 1", "value": 2},
        ])
    );
    let case = written("{ max_tokens: 1 }");
    assert_eq!(
        handed(&case, "write"),
        json!([{"from": "z", "value": "abcd"}])
    );
}

#[test]
fn too_much_fails_the_step_where_it_says_so() {
    let case = written("{ max_tokens: 3, overflow: FAIL }");
    let words = "the context has 4 tokens, max_tokens is 3";
    assert_eq!(case.error(), ("limit", words, "write"));
    let case = written("{ max_tokens: 4, overflow: FAIL }");
    assert_eq!(case.waiting(), ["write"]);
}

const SUMMARY: &str = "write/context.summarizer";

#[test]
fn an_agent_summarises_what_is_too_much_before_the_step_begins() {
    let context = "{ max_tokens: 3, overflow: SUMMARIZE, summarizer: { agent: short } }";
    let mut case = written(context);
    assert_eq!(case.waiting(), [SUMMARY]);
    assert_eq!(case.step("write"), StepState::Running);
    assert_eq!(
        case.input(SUMMARY),
        json!({
            "context": [{"from": "z", "value": "abcdefgh"}, {"from": "a", "value": {"n": 1}}],
            "max_tokens": 3,
        })
    );
    case.complete(SUMMARY, json!("a, 1, and much more"));
    assert_eq!(
        handed(&case, "write"),
        json!([{"from": "summary", "value": "a, 1, and mu"}]),
        "a summary that is too long is cut"
    );
    case.fail("write", "own").after(1);
    assert_eq!(case.waiting(), ["write"], "it is summarised once");
    assert_eq!(handed(&case, "write")[0]["from"], json!("summary"));

    let mut case = written(context);
    case.fail(SUMMARY, "rate_limited");
    assert_eq!((case.error().0, case.error().2), ("rate_limited", SUMMARY));
}

#[test]
fn what_fits_is_not_summarised_and_without_a_bound_it_always_is() {
    let case = written("{ max_tokens: 9, overflow: SUMMARIZE, summarizer: { agent: short } }");
    assert_eq!(case.waiting(), ["write"]);
    let mut case = written(
        "{ select: [steps.a.output], overflow: SUMMARIZE, summarizer: { agent: short, input: '{{ context[0].value.n }}' } }",
    );
    assert_eq!(case.input(SUMMARY), json!(1));
    case.complete(SUMMARY, json!({"brief": 1}));
    assert_eq!(
        handed(&case, "write"),
        json!([{"from": "summary", "value": {"brief": 1}}])
    );
}

#[test]
fn an_input_may_read_the_context_which_is_then_handed_on_in_it_alone() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - { id: a, agent: x }
  - id: b
    agent: y
    context: { max_tokens: 1 }
    input: 'Known: {{ context[0].value }}'
    gates: { before: [ { judge: { agent: j } } ] }
  - id: c
    context: { select: [steps.b.output] }
    input: { seen: '{{ context }}' }
    block: { steps: [ { id: d, agent: z, input: '{{ previous.seen[0].from }}' } ] }
",
        json!(null),
    );
    case.complete("a", json!("abcdef"))
        .complete("b/gates.before[0].judge", json!({"score": 1}));
    assert_eq!(case.input("b"), json!("Known: abcd"));
    assert_eq!(handed(&case, "b"), json!(null));
    case.complete("b", json!(2));
    assert_eq!(case.input("c/d"), json!("steps.b.output"));
}

#[test]
fn a_context_waits_with_the_input_while_a_judge_is_asked() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - { id: a, agent: x }
  - { id: b, agent: y, context: {}, gates: { before: [ { judge: { agent: j } } ] } }
",
        json!(null),
    );
    case.complete("a", json!(7))
        .complete("b/gates.before[0].judge", json!({"score": 1}));
    assert_eq!(handed(&case, "b"), json!([{"from": "a", "value": 7}]));
}

#[test]
fn a_role_brings_its_context_and_a_steps_own_wins() {
    let mut case = given(
        "
agents: { writer: { agent: w, context: { max_tokens: 1 } } }
mode: SEQUENCE
steps:
  - { id: a, agent: x }
  - { id: b, agent: writer }
  - { id: c, agent: writer, context: { select: ['1'] } }
",
        json!(null),
    );
    case.complete("a", json!("abcdef"));
    assert_eq!(handed(&case, "b"), json!([{"from": "a", "value": "abcd"}]));
    case.complete("b", json!(1));
    assert_eq!(handed(&case, "c"), json!([{"from": "1", "value": 1}]));
}

#[test]
fn a_role_brings_its_context_into_patterns_too() {
    let mut case = given(
        "
agents: { writer: { agent: w, context: { select: [steps.a.output] } } }
mode: SEQUENCE
steps:
  - { id: a, agent: x }
  - id: r
    refine: { draft: { agent: writer }, review: { agent: critic }, until: review.score > 0.5 }
",
        json!(null),
    );
    case.complete("a", json!(7));
    let draft = case.waiting().remove(0);
    assert!(draft.starts_with("r"), "{draft}");
    assert_eq!(
        handed(&case, &draft),
        json!([{"from": "steps.a.output", "value": 7}])
    );
}
