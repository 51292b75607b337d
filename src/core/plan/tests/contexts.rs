//! What a step is handed on: what is wrong with it is found where it is written.

use super::*;

#[test]
fn every_rule_about_a_context_is_kept() {
    for (head, step, expected) in [
        (
            "",
            "agent: y, context: { select: [steps.a.output] }",
            vec![],
        ),
        (
            "",
            "agent: y, context: { select: [steps.z.output, 'vars.'], max_tokens: 5 }",
            vec!["E unknown-step steps[1].context.select[0]"],
        ),
        (
            "",
            "agent: y, context: { overflow: SUMMARIZE }",
            vec!["E required steps[1].context.summarizer"],
        ),
        (
            "",
            "agent: y, context: { summarizer: { agent: s } }",
            vec!["E conflict steps[1].context.summarizer"],
        ),
        (
            "",
            "agent: y, context: { overflow: FAIL }",
            vec!["W unused steps[1].context.overflow"],
        ),
        (
            "",
            "set: { a: 1 }, context: { max_tokens: 5 }",
            vec!["W unused steps[1].context"],
        ),
        (
            "",
            "agent: y, input: '{{ context }}'",
            vec!["E unknown-variable steps[1].input"],
        ),
        (
            "agents: { y: { agent: z, context: { select: [stepz.a] } } }",
            "agent: y",
            vec!["E unknown-variable agents.y.context.select[0]"],
        ),
    ] {
        let steps = format!("id: b, {step}");
        let source = with_steps(head, &["id: a, agent: x", &steps]);
        assert_eq!(found(&source), expected, "{step}");
    }
}

#[test]
fn a_step_with_a_context_waits_for_what_it_is_handed_on_and_its_summary_is_a_call() {
    let compiled = compiled(&with_steps(
        "",
        &[
            "id: a, agent: x",
            "id: b, agent: y, retry: { max_attempts: 2 }, context: { overflow: SUMMARIZE, max_tokens: 5, summarizer: { agent: s, retry: { max_attempts: 3 } } }",
        ],
    ));
    let b = compiled.plan.nodes.iter().find(|n| n.path == "b").unwrap();
    assert_eq!(b.depends_on.len(), 1);
    assert_eq!(compiled.worst_case_calls, 1 + 2 + 3);
}
