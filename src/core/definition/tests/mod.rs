#![allow(clippy::unwrap_used)]

mod writing;

use super::*;
use crate::proto::{block, finding::Severity, gate, step};

/// A definition with one step, to which `rest` is added at top level.
fn parsed(source: &str) -> Workflow {
    let parsed = parse(source);
    assert_eq!(parsed.findings, [], "{source}");
    parsed.workflow.unwrap()
}

/// Rule, path, line and column of every finding.
fn found(source: &str) -> Vec<(String, String, u32, u32)> {
    let parsed = parse(source);
    parsed
        .findings
        .into_iter()
        .map(|f| (f.rule, f.path, f.line, f.column))
        .collect()
}

fn only(source: &str) -> Finding {
    let mut findings = parse(source).findings;
    assert_eq!(findings.len(), 1, "{source}\n{findings:#?}");
    findings.remove(0)
}

const WHOLE: &str = r#"
name: order
description: |
  Two
  lines.
labels: { team: shop, "1": "2" }
tags: [fast]
input_schema: { type: object, required: [id] }
variables: { currency: EUR, limits: [1, 2.5, null, true] }
mode: GRAPH
timeout: 1h30m
maxParallelSteps: 10
retry: { max_attempts: 2, initial_delay: 500ms, multiplier: 2, jitter: 0.25 }
steps:
  - id: validate
    agent: order-validation
    input: "{{ input }}"
    gates: { after: [ { json_schema: { type: object } }, { length: { min: 1 } } ] }
  - id: pay
    dependsOn: [validate]
    order: -1
    call: { skill: pay, select: LEAST_LOADED, labels: { gpu: "1" } }
    queueTimeout: 300s
    on_error: CONTINUE
  - id: route
    switch:
      cases:
        - when: steps.pay.output > 1
          steps: [ { id: yes, set: { a: yes } } ]
      otherwise: []
  - id: all
    block: { mode: PARALLEL, join: { share: 0.5, cancel_rest: true }, steps: [ { id: x, agent: y } ] }
output: null
"#;

#[test]
fn a_whole_definition_is_read() {
    let workflow = parsed(WHOLE);
    assert_eq!(workflow.name, "order");
    assert_eq!(workflow.description, "Two\nlines.\n");
    assert_eq!(workflow.labels["1"], "2");
    assert_eq!(workflow.mode(), block::Mode::Graph);
    assert_eq!(workflow.timeout.unwrap().seconds, 5400);
    assert_eq!(workflow.max_parallel_steps, 10);
    assert!(crate::core::value::is_null(&workflow.output.unwrap()));
    let pay = &workflow.steps[1];
    assert_eq!(pay.depends_on, ["validate"]);
    assert_eq!(pay.order, Some(-1));
    assert_eq!(pay.queue_timeout.unwrap().seconds, 300);
    assert_eq!(pay.on_error(), step::OnError::Continue);
    let Some(step::Kind::Switch(switch)) = &workflow.steps[2].kind else {
        panic!("{:?}", workflow.steps[2]);
    };
    let Some(step::Kind::Set(set)) = &switch.cases[0].steps[0].kind else {
        panic!("{switch:?}");
    };
    assert_eq!(set.fields["a"], crate::core::value::string("yes"));
    let after = &workflow.steps[0].gates.as_ref().unwrap().after;
    assert!(matches!(&after[1].check, Some(gate::Check::Length(l)) if l.min == Some(1)));
}

#[test]
fn json_text_is_read_tabs_and_surrogates_too() {
    let workflow = parsed(
        "{\n\t\"name\": \"a\",\n\t\"description\": \"\\ud83d\\ude00 \\u00e9 \\/\",\n\t\"steps\": [\n\t\t{\"id\": \"x\", \"agent\": \"y\", \"timeout\": null}\n\t]\n}\n",
    );
    assert_eq!(workflow.description, "\u{1F600} é /");
    assert_eq!(workflow.steps[0].id, "x");
}

#[test]
fn anchors_and_merges_are_resolved() {
    let workflow = parsed(
        "name: a\nlabels: &l { x: '1', y: '2' }\nsteps:\n- { id: a, call: { skill: s, labels: { <<: *l, y: '3' } } }\n- { id: b, call: { skill: s, labels: *l } }\n",
    );
    let Some(step::Kind::Call(call)) = &workflow.steps[0].kind else {
        panic!("{:?}", workflow.steps[0]);
    };
    assert_eq!((&*call.labels["x"], &*call.labels["y"]), ("1", "3"));
}

#[test]
fn every_problem_is_reported_at_its_place() {
    let source = r#"name: a
naem: b
steps:
  - id: x
    agnet: y
    when: true
    timeout: 30
    budget: {}
  - id: 7
    publish: {}
    on_error: continue
    retry: { max_attempts: -1 }
    retry: {}
  - id: z
    agent: a
    call: { agent: b, skill: c }
    gates: { after: [ { not_empty: true, on_violation: ESCALATE } ] }
    dependsOn: a
"#;
    let path = |rule: &str, path: &str, line, column| (rule.into(), path.into(), line, column);
    assert_eq!(
        found(source),
        [
            path("unknown-field", "naem", 2, 1),
            path("unknown-field", "steps[0].agnet", 5, 5),
            path("wrong-type", "steps[0].when", 6, 11),
            path("duration", "steps[0].timeout", 7, 14),
            path("unsupported-field", "steps[0].budget", 8, 5),
            path("wrong-type", "steps[1].id", 9, 9),
            path("unsupported-kind", "steps[1].publish", 10, 5),
            path("unknown-value", "steps[1].on_error", 11, 15),
            path("out-of-range", "steps[1].retry.max_attempts", 12, 28),
            path("duplicate-key", "", 13, 5),
            path("one-of", "steps[2].call", 16, 5),
            path(
                "unsupported-value",
                "steps[2].gates.after[0].on_violation",
                17,
                56
            ),
            path("wrong-type", "steps[2].depends_on", 18, 16),
        ]
    );
}

#[test]
fn hints_say_the_way_out() {
    let step = |rest: &str| format!("name: a\nsteps:\n- id: x\n  agent: y\n  {rest}\n");
    for (source, message, hint) in [
        (
            step("dependson: []"),
            "a step has no field `dependson`",
            "did you mean `depends_on`?",
        ),
        (
            step("when: true"),
            "an expression is a text, not `true`",
            "write it in quotes: \"true\"",
        ),
        (
            step("on_error: continue"),
            "`continue` is none of FAIL, CONTINUE, PARK",
            "did you mean `CONTINUE`?",
        ),
        (
            step("timeout: 30"),
            "a duration needs a unit, 30 has none",
            "write 30s for seconds",
        ),
        (
            step("approval: { groups: [risk] }"),
            "steps of kind `approval` are not supported by this version",
            "kinds of this version: agent, call, block, switch, set, each, loop, wait, workflow, \
             restore, saga, map_reduce, refine, orchestrate, react, group_chat, decompose, \
             generate",
        ),
        (
            step("set: { a: 1 }"),
            "a step has one kind, this one has `agent` (line 4) and `set`",
            "remove one of the two, or make it two steps",
        ),
        (
            step("input: {{ input }}"),
            "a key must be a name, not a mapping, a list or nothing",
            "text that begins with `{{` must stand in quotes: \"{{ … }}\"",
        ),
        (step("name: [1]"), "it is a text, not a list", ""),
        (
            step("retry: { max_attempts: 1.5 }"),
            "it is a whole number from 0 to 4294967295, not the number 1.5",
            "",
        ),
        (
            step("gates: { after: [ { not_empty: yes } ] }"),
            "it is true or false, not \"yes\"",
            "write true, without quotes",
        ),
        (
            step("dependsOn: []\n  depends_on: []"),
            "`depends_on` is given twice, first in line 5",
            "remove one of the two",
        ),
        (
            step("input: .inf"),
            "JSON has no number .inf",
            "write it in quotes",
        ),
        (
            step("name: !secret x"),
            "the tag `!secret` does not fit here",
            "remove the tag",
        ),
        (
            step("gates: { after: [ { json: true, on_violation: ESCALATE } ] }"),
            "`ESCALATE` is not supported by this version",
            "values of this version: FAIL, RETRY, CONTINUE, REPAIR",
        ),
        (
            "- a\n".into(),
            "a workflow is a mapping of fields, not a list",
            "",
        ),
        (
            "# nothing\n".into(),
            "the file is empty",
            "a workflow has at least a `name` and `steps`",
        ),
        (
            "name: a\n---\nname: b\n".into(),
            "the file holds more than one document",
            "put each workflow into a file of its own and remove `---`",
        ),
        (
            "a: &a [*a]\n".into(),
            "the alias stands inside of what it repeats",
            "repeat only what is complete",
        ),
    ] {
        let finding = only(&source);
        assert_eq!(finding.message, message, "{source}");
        assert_eq!(finding.hint, hint, "{source}");
        assert!(finding.line > 0 && finding.column > 0, "{finding:?}");
    }
}

#[test]
fn bad_yaml_has_line_and_column_and_a_hint() {
    for (source, line, hint) in [
        ("name: a\nsteps:\n\t- id: x\n", 3, "indent with spaces"),
        ("name: a: b\n", 1, "check the indentation"),
        ("name: a\ninput: {{ x }} and\n", 2, "in quotes"),
        ("name: 'a\n", 1, "check the indentation"),
    ] {
        let finding = parse(source).findings.pop().unwrap();
        assert_eq!(finding.rule, "yaml", "{finding:?}");
        assert_eq!(finding.line, line, "{finding:?}");
        assert!(
            finding.column > 0 && finding.hint.contains(hint),
            "{finding:?}"
        );
    }
}

#[test]
fn a_field_without_value_is_a_warning() {
    let parsed = parse("name: a\ntimeout:\nsteps: []\n");
    assert_eq!(parsed.findings.len(), 1);
    assert_eq!(parsed.findings[0].severity(), Severity::Warning);
    assert_eq!(parsed.findings[0].path, "timeout");
    assert!(parsed.workflow.is_some());
}

#[test]
fn a_number_that_loses_digits_is_a_warning() {
    let parsed = parse("name: a\nvariables: { card: 12345678901234567890 }\n");
    assert_eq!(parsed.findings[0].rule, "precision");
    assert_eq!(parsed.findings[0].line, 2);
}

#[test]
fn what_has_no_such_field_is_named_as_people_say_it() {
    let each = "name: a\nsteps: [ { id: a, each: { items: input, itms: 1, steps: [] } } ]";
    assert_eq!(only(each).message, "an each has no field `itms`");
    let step = "name: a\nsteps: [ { id: a, agent: b, agnt: c } ]";
    assert_eq!(only(step).message, "a step has no field `agnt`");
}

#[test]
fn alias_bombs_and_deep_nesting_are_bounded() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    assert!(found(&bomb).iter().any(|f| f.0 == "limit"));

    let mut tower = String::from("a0: &a0 [x]\n");
    for level in 1..400 {
        tower.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(found(&tower).iter().any(|f| f.0 == "limit"));

    let deep = format!("name: a\noutput: {}{}\n", "[".repeat(120), "]".repeat(120));
    assert!(
        found(&deep).iter().any(|f| f.0 == "limit"),
        "{:?}",
        found(&deep)
    );
    let deeper = format!("output: {}", "- ".repeat(5000));
    assert!(!found(&deeper).is_empty());
}

#[test]
fn what_could_be_read_is_kept_for_further_checks() {
    let parsed = parse("name: a\nnope: 1\nsteps:\n- id: 5\n  agent: y\n");
    assert!(parsed.workflow.is_none());
    assert_eq!(parsed.draft().unwrap().steps[0].id, "5");
}

#[test]
fn positions_are_put_on_later_findings() {
    let parsed = parse(WHOLE);
    let mut findings = vec![
        finding::error("steps[1].call.labels.gpu", "x", "", ""),
        finding::error("steps[1].call.agent", "x", "", ""),
        finding::error("steps[0].gates.after[1].length.min", "x", "", ""),
        finding::error("steps[3].id", "x", "", ""),
        finding::error("goal[0]", "x", "", ""),
    ];
    parsed.positions.locate(&mut findings);
    let places: Vec<_> = findings.iter().map(|f| (f.line, f.column)).collect();
    assert_eq!(places, [(22, 62), (22, 5), (18, 75), (31, 9), (2, 1)]);
}
