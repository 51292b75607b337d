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
