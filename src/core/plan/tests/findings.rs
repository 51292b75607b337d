//! What findings say, what is bounded, and how reading and compiling report together.

use super::*;
use crate::{
    core::finding::Finding,
    proto::{Workflow, finding::Severity},
};

fn only(source: &str) -> Finding {
    let mut findings = check(source, &Limits::default()).findings;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.remove(0)
}

#[test]
fn findings_name_names_places_and_ways_out() {
    let cycle = only(&with_steps(
        "",
        &[
            "id: a, agent: y, depends_on: [c]",
            "id: b, agent: y, input: '{{ steps.a.output }}'",
            "id: c, agent: y, input: '{{ previous }}'",
        ],
    ));
    assert_eq!(cycle.message, "steps wait for each other: a → c → b → a");
    let unknown = only(&with_steps(
        "",
        &[
            "id: validate, agent: y",
            "id: b, agent: y, depends_on: [valdate]",
        ],
    ));
    assert_eq!(unknown.hint, "did you mean `validate`?");
    assert_eq!((unknown.line, unknown.column), (5, 35));
    let outside = only(&with_steps(
        "",
        &[
            "id: o, agent: y",
            "id: b, block: { steps: [ { id: i, agent: y, depends_on: [o] } ] }",
        ],
    ));
    assert!(outside.hint.contains("siblings only"), "{outside:?}");
}

#[test]
fn names_and_labels_are_checked() {
    let findings = |workflow: &Workflow| -> Vec<String> {
        let findings = compile(workflow, &Limits::default()).unwrap_err();
        findings
            .into_iter()
            .map(|f| format!("{} {}", f.rule, f.path))
            .collect()
    };
    let mut workflow = Workflow::default();
    assert_eq!(findings(&workflow), ["required name", "required steps"]);
    workflow.name = "Über".into();
    workflow.description = "d".repeat(5000);
    workflow.labels.insert("k".into(), "v".repeat(300));
    workflow.tags = vec!["t".repeat(200); 70];
    let found = findings(&workflow);
    assert_eq!(
        &found[..5],
        [
            "invalid-name name",
            "limit description",
            "limit labels",
            "limit labels.k",
            "limit tags[0]"
        ]
    );
}

#[test]
fn what_is_beyond_a_limit_is_named() {
    let limits = Limits {
        workflow_steps_max: 2,
        workflow_depth_max: 1,
        workflow_bytes_max: 60,
        expression_bytes_max: 10,
        ..Limits::default()
    };
    let findings = |source: &str| -> Vec<String> {
        let findings = check(source, &limits).findings;
        findings
            .into_iter()
            .map(|f| format!("{}: {}", f.rule, f.hint))
            .collect()
    };
    let nested = "id: x, block: { steps: [ { id: y, agent: a }, { id: z, agent: a } ] }";
    let found = findings(&with_steps(
        "description: a text that needs quite some bytes",
        &[nested],
    ));
    assert_eq!(found.len(), 3, "{found:?}");
    for (finding, name) in found.iter().zip([
        "workflow_bytes_max",
        "workflow_steps_max",
        "workflow_depth_max",
    ]) {
        assert!(
            finding.starts_with("limit: limit `") && finding.contains(name),
            "{found:?}"
        );
    }
    let found = findings(&with_steps(
        "",
        &["id: x, agent: y, when: 'input.a == input.b'"],
    ));
    assert!(found[0].contains("expression_bytes_max"), "{found:?}");
    let found = findings(&with_steps(
        "",
        &["id: x, agent: y, input: 'a long text {{ input }}'"],
    ));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn deep_data_is_refused_before_it_cannot_be_stored() {
    let deep = format!("output: {}{}", "[".repeat(45), "]".repeat(45));
    assert_eq!(
        found(&with_steps(&deep, &["id: x, agent: y"])),
        ["E limit "]
    );
}

#[test]
fn too_many_dependencies_are_refused() {
    let mut steps = Vec::new();
    for order in [1, 2] {
        steps.extend((0..1001).map(|i| format!("id: s{order}_{i}, agent: y, order: {order}")));
    }
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    assert_eq!(found(&with_steps("", &steps)), ["E limit "]);
}

#[test]
fn a_cycle_is_told_though_a_field_of_its_step_is_unread() {
    let steps = [
        "id: x, agent: y, depends_on: [z], budget: {}",
        "id: z, agent: y, depends_on: [x]",
    ];
    assert_eq!(
        found(&with_steps("", &steps)),
        ["E cycle steps[0]", "E unsupported-field steps[0].budget"]
    );
}

#[test]
fn reading_and_compiling_report_together_and_not_twice() {
    let source = "name: a\nsteps:\n- id: x\n  agnt: y\n- id: y\n  agent: z\n  retry: { max_attempts: many }\n  when: nope\n";
    assert_eq!(
        found(source),
        [
            "E unknown-field steps[0].agnt",
            "E wrong-type steps[1].retry.max_attempts",
            "E unknown-variable steps[1].when",
        ]
    );
    let checked = check(source, &Limits::default());
    assert!(checked.workflow.is_none() && checked.compiled.is_none());
    assert!(
        checked
            .findings
            .iter()
            .all(|f| f.line > 0 && f.severity() == Severity::Error)
    );
}

proptest::proptest! {
    #[test]
    fn checking_never_panics(
        steps in proptest::collection::vec((0..4_usize, 0..4_usize, -1..3_i32, 0..9_usize), 0..6),
        mode in proptest::sample::select(vec!["", "mode: SEQUENCE", "mode: PARALLEL", "mode: GRAPH"]),
    ) {
        let kinds = [
            "agent: y", "call: { skill: s }", "set: { v: '{{ previous }}' }",
            "agent: y, input: '{{ all_step_outputs }}'", "agent: y, when: 'steps.s1.output == 1'",
            "block: { steps: [ { id: s0, agent: y, input: '{{ steps.s2.output }}' } ] }",
            "switch: { cases: [ { when: 'steps.s0.state == null', steps: [ { id: i, set: {} } ] } ] }",
            "agent: y, retry: {}", "block: { mode: SEQUENCE, steps: [], join: { share: .5 } }",
        ];
        let lines: Vec<String> = steps
            .iter()
            .map(|(id, on, order, kind)| format!("id: s{id}, depends_on: [s{on}], order: {order}, {}", kinds[*kind]))
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let checked = check(&with_steps(mode, &lines), &Limits::default());
        let refused = checked.findings.iter().any(|f| f.severity() == Severity::Error);
        proptest::prop_assert_eq!(checked.compiled.is_none(), refused);
        if let Some(compiled) = checked.compiled {
            proptest::prop_assert!(mermaid(&compiled.graph).starts_with("flowchart"));
        }
    }
}
