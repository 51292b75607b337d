//! What is wrong with collections, and where.

use super::*;

fn finding(each: &str) -> (String, String) {
    let yaml = format!("name: case\nsteps: [ {{ id: docs, each: {each} }} ]");
    let parsed = crate::core::definition::parse(&yaml);
    let workflow = parsed
        .workflow
        .unwrap_or_else(|| panic!("{:?}", parsed.findings));
    let findings = compile(&workflow, &Limits::default()).unwrap_err();
    let first = findings.first().unwrap();
    (first.path.clone(), first.rule.clone())
}

#[test]
fn bad_collections_are_refused_where_they_are_bad() {
    let steps = "steps: [ { id: a, agent: x } ]";
    for (each, path, rule) in [
        (format!("{{ {steps} }}"), "items", "required"),
        (
            format!("{{ items: '{{{{ }}}}', {steps} }}"),
            "items",
            "required",
        ),
        (
            format!("{{ items: nothing, {steps} }}"),
            "items",
            "unknown-variable",
        ),
        (format!("{{ items: '7', {steps} }}"), "items", "wrong-type"),
        (
            format!("{{ items: item, {steps} }}"),
            "items",
            "unknown-variable",
        ),
        ("{ items: input }".into(), "steps", "required"),
        (
            format!("{{ items: input, max_failure_share: 1.5, {steps} }}"),
            "max_failure_share",
            "out-of-range",
        ),
        (
            format!("{{ items: input, max_parallel: 1001, {steps} }}"),
            "max_parallel",
            "limit",
        ),
        (
            "{ items: input, steps: [ { id: a, agent: x, input: '{{ itm }}' } ] }".into(),
            "steps[0].input",
            "unknown-variable",
        ),
        (
            "{ items: input, steps: [ { id: a, agent: x }, { id: a, agent: x } ] }".into(),
            "steps[1].id",
            "duplicate-id",
        ),
    ] {
        let expected = (format!("steps[0].each.{path}"), rule.to_owned());
        assert_eq!(finding(&each), expected, "{each}");
    }
}

#[test]
fn the_graph_shows_the_steps_for_an_item_within_the_collection() {
    let yaml = "name: case\nsteps: [ { id: docs, each: { items: input, steps: [ { id: a, agent: x }, { id: b, agent: y } ] } } ]";
    let workflow = crate::core::definition::parse(yaml).workflow.unwrap();
    let compiled = compile(&workflow, &Limits::default()).unwrap();
    let shown: Vec<_> = compiled
        .graph
        .nodes
        .iter()
        .map(|n| (&*n.path, &*n.kind))
        .collect();
    assert_eq!(
        shown,
        [("docs", "each"), ("docs/a", "agent"), ("docs/b", "agent")]
    );
    assert_eq!(compiled.worst_case_calls, 200_000);
}
