//! What patterns become, and what is wrong with them, at the fields the user wrote.

#![allow(clippy::unwrap_used)]

use crate::core::{
    limits::Limits,
    plan::{Checked, check},
};

fn checked(step: &str) -> Checked {
    let source = format!("name: case\nsteps: [ {{ id: x, {step} }} ]");
    check(&source, &Limits::default())
}

/// Path and rule of every finding.
fn found(step: &str) -> Vec<String> {
    let findings = checked(step).findings;
    findings
        .iter()
        .map(|f| format!("{} {}", f.path, f.rule))
        .collect()
}

/// Path, kind and target of every step.
fn shown(step: &str) -> Vec<String> {
    let checked = checked(step);
    let compiled = checked
        .compiled
        .unwrap_or_else(|| panic!("{:#?}", checked.findings));
    let nodes = compiled.graph.nodes.iter();
    nodes
        .map(|n| {
            format!("{} {} {}", n.path, n.kind, n.target)
                .trim_end()
                .to_owned()
        })
        .collect()
}

#[test]
fn a_map_reduce_is_a_collection_and_a_call() {
    let steps = shown("map_reduce: { items: input, map: { agent: m }, reduce: { skill: r } }");
    assert_eq!(
        steps,
        [
            "x map_reduce",
            "x/map each",
            "x/map/call call m",
            "x/reduce call r"
        ]
    );
}

#[test]
fn what_is_wrong_with_a_map_reduce_is_said_where_it_was_written() {
    for (fields, finding) in [
        ("items: input, reduce: { agent: r }", "map required"),
        ("map: { agent: m }", "items required"),
        ("items: input, map: {}", "map required"),
        ("items: input, map: { agent: '' }", "map.agent required"),
        (
            "items: input, map: { agent: m, input: '{{ itm }}' }",
            "map.input unknown-variable",
        ),
        (
            "items: input, map: { agent: m }, reduce: { agent: r, input: '{{ item }}' }",
            "reduce.input unknown-variable",
        ),
        (
            "items: input, map: { agent: m, timeout: 0s }",
            "map.timeout timeout",
        ),
        (
            "items: input, map: { agent: m, retry: { max_attempts: 500 } }",
            "map.retry.max_attempts limit",
        ),
        (
            "items: input, map: { agent: m }, max_parallel: 5000",
            "max_parallel limit",
        ),
        (
            "items: input, map: { agent: m }, max_failure_share: 2",
            "max_failure_share out-of-range",
        ),
        (
            "items: steps.y.output, map: { agent: m }",
            "items unknown-step",
        ),
    ] {
        let expected = format!("steps[0].map_reduce.{finding}");
        assert_eq!(
            found(&format!("map_reduce: {{ {fields} }}")),
            [expected],
            "{fields}"
        );
    }
}

/// What is found in a pattern, its path within the pattern.
fn found_in(pattern: &str, cases: &[(&str, &str)]) {
    for (fields, finding) in cases {
        let expected = format!("steps[0].{pattern}.{finding}");
        let found = found(&format!("{pattern}: {{ {fields} }}"));
        assert_eq!(found, [expected], "{fields}");
    }
}

fn calls(step: &str) -> u64 {
    let checked = checked(step);
    checked.compiled.unwrap().worst_case_calls
}

#[test]
fn a_react_is_a_loop_of_a_reasoner_and_the_tool_it_names() {
    let react = "react: { reason: { agent: r }, tools: [ { agent: t }, { skill: 'a b' } ] }";
    assert_eq!(
        shown(react),
        [
            "x react",
            "x/reason call r",
            "x/tool switch",
            "x/tool/t call t",
            "x/tool/#2 call a b"
        ]
    );
    assert_eq!(calls(react), 16, "8 turns of two calls");
}

#[test]
fn what_is_wrong_with_a_react_is_said_where_it_was_written() {
    found_in(
        "react",
        &[
            ("tools: [ { agent: t } ]", "reason required"),
            ("reason: { agent: r }", "tools required"),
            ("reason: {}, tools: [ { agent: t } ]", "reason required"),
            ("reason: { agent: r }, tools: [ {} ]", "tools[0] required"),
            (
                "reason: { agent: r }, tools: [ { agent: t }, { skill: t } ]",
                "tools[1] duplicate-name",
            ),
            (
                "reason: { agent: r }, tools: [ { agent: '{{ input }}' } ]",
                "tools[0] conflict",
            ),
            (
                "reason: { agent: r }, tools: [ { agent: t, timeout: 0s } ]",
                "tools[0].timeout timeout",
            ),
            (
                "reason: { agent: r, input: '{{ observation }}' }, tools: [ { agent: t } ]",
                "reason.input unknown-variable",
            ),
            (
                "reason: { agent: r }, tools: [ { agent: t } ], max_iterations: 10001",
                "max_iterations limit",
            ),
        ],
    );
}

#[test]
fn a_role_brings_its_tools_to_a_react_without_any() {
    let source = "name: case
agents: { r: { agent: x, tools: [t, t] }, w: { agent: y, tools: [t] } }
steps: [ { id: s, react: { reason: { agent: r } } }, { id: u, agent: w } ]";
    let findings = check(source, &Limits::default()).findings;
    let found: Vec<String> = findings
        .iter()
        .map(|f| format!("{} {}", f.path, f.rule))
        .collect();
    assert_eq!(
        found,
        ["agents.r.tools[1] duplicate-name", "agents.w.tools unused"]
    );
    let source = source.replace("[t, t]", "[t, v]");
    let compiled = check(&source, &Limits::default()).compiled.unwrap();
    let nodes = compiled.graph.nodes.iter();
    let paths: Vec<&str> = nodes.map(|n| n.path.as_str()).collect();
    assert_eq!(
        paths,
        ["s", "s/reason", "s/tool", "s/tool/t", "s/tool/v", "u"]
    );
}

#[test]
fn a_refine_is_a_loop_of_drafts_and_reviews() {
    let refine = "refine: { draft: { agent: d }, review: { agent: r }, until: review > 1 }";
    assert_eq!(
        shown(refine),
        [
            "x refine",
            "x/draft call d",
            "x/revise call d",
            "x/review call r"
        ]
    );
    assert_eq!(calls(refine), 12, "a step that is skipped counts too");
}

#[test]
fn what_is_wrong_with_a_refine_is_said_where_it_was_written() {
    found_in(
        "refine",
        &[
            ("until: draft", "draft required"),
            ("draft: { agent: d }", "until required"),
            ("draft: { agent: '' }, until: draft", "draft.agent required"),
            (
                "draft: { agent: d }, until: review.score > 1",
                "until unknown-variable",
            ),
            (
                "draft: { agent: d, input: '{{ draft }}' }, until: draft",
                "draft.input unknown-variable",
            ),
            (
                "draft: { agent: d }, until: draft, max_rounds: 10001",
                "max_rounds limit",
            ),
        ],
    );
}

#[test]
fn a_group_chat_is_a_loop_of_messages_then_a_vote_and_a_judge() {
    let chat = "group_chat: { participants: [ { agent: a }, { agent: b } ], manager: { agent: m },
        vote: { options: [x, y] }, judge: { agent: j } }";
    assert_eq!(
        shown(chat),
        [
            "x group_chat",
            "x/talk loop",
            "x/talk/manager call m",
            "x/talk/speaker switch",
            "x/talk/speaker/a call a",
            "x/talk/speaker/b call b",
            "x/vote block",
            "x/vote/a call a",
            "x/vote/b call b",
            "x/judge call j"
        ]
    );
    assert_eq!(calls(chat), 6 * 2 + 2 + 1);
}

#[test]
fn what_is_wrong_with_a_group_chat_is_said_where_it_was_written() {
    let two = "participants: [ { agent: a }, { agent: b } ]";
    for (more, finding) in [
        (
            "manager: { agent: m }, speaker: \"'a'\"",
            "speaker conflict",
        ),
        (
            "speaker: last.speker2 + mesages",
            "speaker unknown-variable",
        ),
        ("until: rund > 2", "until unknown-variable"),
        ("max_rounds: 10001", "max_rounds limit"),
        ("max_rounds: 6000", "max_rounds limit"),
        ("vote: { options: [x] }", "vote.options required"),
        ("vote: { options: [x, x] }", "vote.options duplicate-name"),
        (
            "judge: { agent: j, input: '{{ role }}' }",
            "judge.input unknown-variable",
        ),
        ("manager: {}", "manager required"),
    ] {
        found_in("group_chat", &[(&format!("{two}, {more}"), finding)]);
    }
    found_in(
        "group_chat",
        &[
            ("max_rounds: 1", "participants required"),
            (
                "participants: [ { agent: a }, { agent: a } ]",
                "participants[1] duplicate-name",
            ),
            (
                "participants: [ { agent: a, weight: 0 } ], vote: { options: [x, y] }",
                "participants[0].weight out-of-range",
            ),
            (
                "participants: [ { agent: a, timeout: 0s } ], vote: { options: [x, y] }",
                "participants[0].timeout timeout",
            ),
        ],
    );
}

#[test]
fn an_orchestration_is_a_loop_of_plans_with_their_tasks_and_a_call() {
    let orchestrate = "orchestrate: { plan: { agent: p }, allow: [a], max_tasks: 6, max_rounds: 2, synthesis: { skill: s } }";
    assert_eq!(
        shown(orchestrate),
        [
            "x orchestrate",
            "x/rounds loop",
            "x/rounds/plan call p",
            "x/rounds/tasks each",
            "x/rounds/tasks/task call",
            "x/synthesis call s"
        ]
    );
    assert_eq!(calls(orchestrate), 2 * (1 + 6) + 1);
}

#[test]
fn what_is_wrong_with_an_orchestration_is_said_where_it_was_written() {
    found_in(
        "orchestrate",
        &[
            ("max_rounds: 2", "plan required"),
            ("plan: {}", "plan required"),
            ("plan: { agent: p }, max_rounds: 10001", "max_rounds limit"),
            ("plan: { agent: p }, max_tasks: 100001", "max_tasks limit"),
            (
                "plan: { agent: p }, max_parallel: 1001",
                "max_parallel limit",
            ),
            (
                "plan: { agent: p, input: '{{ resuls }}' }",
                "plan.input unknown-variable",
            ),
            (
                "plan: { agent: p }, synthesis: { agent: s, input: '{{ agents }}' }",
                "synthesis.input unknown-variable",
            ),
            (
                "plan: { agent: p }, synthesis: { agent: '' }",
                "synthesis.agent required",
            ),
            ("plan: { agent: p }, allow: [a, '']", "allow[1] required"),
            (
                "plan: { agent: p }, allow: [a, a]",
                "allow[1] duplicate-name",
            ),
        ],
    );
}

const DECOMPOSE: &str =
    "simple: size(task) < 9, decompose: { agent: d }, solve: { agent: s }, combine: { agent: c }";

#[test]
fn a_decomposition_is_a_switch_within_the_parts_of_the_one_above() {
    let decompose = format!("decompose: {{ {DECOMPOSE}, max_depth: 1, max_calls: 30 }}");
    assert_eq!(
        shown(&decompose),
        [
            "x decompose",
            "x/solve call s",
            "x/decompose call d",
            "x/parts each",
            "x/parts/part switch",
            "x/parts/part/solve call s",
            "x/combine call c"
        ]
    );
    assert_eq!(calls(&decompose), 30);
    assert_eq!(calls(&format!("decompose: {{ {DECOMPOSE} }}")), 100);
}

#[test]
fn what_is_wrong_with_a_decomposition_is_said_once_where_it_was_written() {
    let without = |part: &str| DECOMPOSE.replace(part, "");
    found_in(
        "decompose",
        &[
            (&without("simple: size(task) < 9, "), "simple required"),
            (&without("decompose: { agent: d }, "), "decompose required"),
            (&without(", combine: { agent: c }"), "combine required"),
            (
                &DECOMPOSE.replace("agent: s", "agent: ''"),
                "solve.agent required",
            ),
            (
                &DECOMPOSE.replace("size(task)", "size(taks)"),
                "simple unknown-variable",
            ),
            (
                &DECOMPOSE.replace("agent: c", "agent: c, input: '{{ divided }}'"),
                "combine.input unknown-variable",
            ),
            (&format!("{DECOMPOSE}, max_depth: 17"), "max_depth limit"),
            (&format!("{DECOMPOSE}, max_calls: 10001"), "max_calls limit"),
        ],
    );
}
