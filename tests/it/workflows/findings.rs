//! What is said about definitions: every finding at once, each at its place; graph and costs.

use tonic::Code;
use tutti::proto::{
    Finding, ValidateWorkflowRequest, ValidateWorkflowResponse, block, finding::Severity,
};

use super::{ORDER, get, message, register, source};
use crate::{
    errors::{bad_fields, bad_names, told},
    support::TestServer,
};

async fn validate(server: &TestServer, source: &str) -> ValidateWorkflowResponse {
    let request = ValidateWorkflowRequest {
        source: source.into(),
        ..Default::default()
    };
    let answer = server.workflows().validate_workflow(request).await;
    answer.unwrap().into_inner()
}

/// One mistake of each sort, each at a place of its own.
const FAULTY: &str = "name: Order Flow
naem: order
timeout: 0s
output: '{{ steps.nope.output }}'
steps:
  - id: pay
    agent: payment
    when: inptu.total > 1
  - id: pay
    agent: payment
  - id: later
    approval: { groups: [risk] }
  - id: kind
    teleport: {}
  - id: x
    agent: a
    depends_on: [y]
  - id: y
    agent: a
    depends_on: [x]
  - id: last
    agent: a
    depends_on: [pya]
    input: { total: '{{ steps.pay.outptu }}', of: '{{ steps.pai.output }}' }
    timeout: 30
    queue_timeout: -1s
    on_error: continue
    retry: { max_attempts: 1000, multiplier: 0.5 }
    gates: { after: [ { regex: '(' }, {}, { length: { min: 5, max: 1 } }, { cel: '1 +' } ] }
";

#[tokio::test]
async fn every_finding_of_a_file_is_told_at_once_with_line_and_column() {
    let server = TestServer::start().await;
    let answer = validate(&server, FAULTY).await;
    assert!(!answer.valid);
    let found: Vec<_> = answer
        .findings
        .iter()
        .map(|f| (f.line, f.column, f.rule.as_str(), f.path.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (1, 7, "invalid-name", "name"),
            (2, 1, "unknown-field", "naem"),
            (3, 10, "timeout", "timeout"),
            (4, 9, "unknown-step", "output"),
            (8, 11, "unknown-variable", "steps[0].when"),
            (9, 9, "duplicate-id", "steps[1].id"),
            (12, 5, "unsupported-kind", "steps[2].approval"),
            (14, 5, "unknown-field", "steps[3].teleport"),
            (15, 5, "cycle", "steps[4]"),
            (23, 18, "unknown-step", "steps[6].depends_on[0]"),
            (24, 21, "unknown-field", "steps[6].input.total"),
            (24, 51, "unknown-step", "steps[6].input.of"),
            (25, 14, "duration", "steps[6].timeout"),
            (26, 20, "timeout", "steps[6].queue_timeout"),
            (27, 15, "unknown-value", "steps[6].on_error"),
            (28, 28, "limit", "steps[6].retry.max_attempts"),
            (28, 46, "out-of-range", "steps[6].retry.multiplier"),
            (29, 32, "regex", "steps[6].gates.after[0].regex"),
            (29, 39, "required", "steps[6].gates.after[1]"),
            (29, 45, "out-of-range", "steps[6].gates.after[2].length"),
            (29, 82, "expression", "steps[6].gates.after[3].cel"),
        ]
    );
    let hint = |rule: &str, part: &str| {
        let said = answer.findings.iter().filter(|f| f.rule == rule);
        let said: Vec<_> = said.map(|f| format!("{} {}", f.message, f.hint)).collect();
        assert!(said.iter().any(|s| s.contains(part)), "{rule}: {said:?}");
    };
    hint("unknown-field", "did you mean `name`?");
    hint("unknown-variable", "did you mean `input`?");
    hint("unknown-step", "did you mean `pay`?");
    hint("unknown-field", "did you mean steps.pay.output?");
    hint("cycle", "x → y → x");
    hint("unsupported-kind", "agent, call, block, switch, set");
    hint("limit", "retry_attempts_max");
    let severe = |f: &Finding| f.severity() == Severity::Error;
    assert!(answer.findings.iter().all(severe));
}

#[tokio::test]
async fn a_faulty_definition_is_refused_with_all_that_is_wrong_and_not_registered() {
    let server = TestServer::start().await;
    let faulty =
        "name: faulty\nsteps:\n- { id: a, agent: x, when: inptu.n }\n- { id: a, agnet: x }\n";
    let refused = register(&server, source(faulty)).await.unwrap_err();
    let expected = (Code::InvalidArgument, "INVALID_DEFINITION".to_owned());
    assert_eq!(told(&refused), expected);
    let names = ["steps[0].when", "steps[1].agnet", "steps[1].id"];
    assert_eq!(bad_names(&refused), names);
    let texts: Vec<_> = bad_fields(&refused).into_iter().map(|(_, t)| t).collect();
    assert!(texts[0].contains("did you mean `input`?"), "{texts:?}");
    assert!(texts[0].ends_with("line 3 column 28"), "{texts:?}");
    let gone = get(&server, "faulty", 0).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

#[tokio::test]
async fn text_that_is_no_yaml_is_told_with_its_place() {
    let server = TestServer::start().await;
    for (text, rule, line, column) in [
        ("name: a\nsteps: [ { id: a", "yaml", 3, 1),
        ("name: a\nsteps:\n\t- id: b", "yaml", 3, 2),
        ("name: a\nname: b\nsteps: []", "duplicate-key", 2, 1),
        ("- name: a", "wrong-type", 1, 1),
        ("# nothing", "empty", 1, 1),
    ] {
        let answer = validate(&server, text).await;
        assert!(!answer.valid);
        let first = &answer.findings[0];
        let place = (first.rule.as_str(), first.line, first.column);
        assert_eq!(place, (rule, line, column), "{text}: {first:?}");
        let refused = register(&server, source(text)).await.unwrap_err();
        let place = format!("line {line} column {column}");
        let (_, said) = &bad_fields(&refused)[0];
        assert!(said.ends_with(&place), "{said}");
    }
}

#[tokio::test]
async fn findings_of_a_message_carry_paths_and_no_lines() {
    let server = TestServer::start().await;
    let mut workflow = message(ORDER);
    workflow.steps[1].depends_on.push("chekc".into());
    let request = ValidateWorkflowRequest {
        workflow: Some(workflow),
        ..Default::default()
    };
    let answer = server.workflows().validate_workflow(request).await;
    let answer = answer.unwrap().into_inner();
    assert!(!answer.valid);
    let [finding] = &answer.findings[..] else {
        panic!("{:?}", answer.findings)
    };
    assert_eq!(finding.path, "steps[1].depends_on[0]");
    assert_eq!(finding.hint, "did you mean `check`?");
    assert_eq!((finding.line, finding.column), (0, 0));
}

#[tokio::test]
async fn a_warning_does_not_keep_a_definition_out() {
    let server = TestServer::start().await;
    let text = "name: warned\nsteps:\n- { id: a, agent: x, when: 'false' }\n";
    let answer = register(&server, source(text)).await.unwrap();
    assert!(answer.created);
    let [warning] = &answer.findings[..] else {
        panic!("{:?}", answer.findings)
    };
    assert_eq!(warning.severity(), Severity::Warning);
    assert_eq!((&*warning.rule, warning.line), ("dead-step", 3));
}

#[tokio::test]
async fn validating_tells_graph_and_worst_case_and_registers_nothing() {
    let server = TestServer::start().await;
    let answer = validate(
        &server,
        "
name: graph
retry: { max_attempts: 2 }
steps:
  - { id: a, agent: one, retry: { max_attempts: 3 } }
  - id: b
    name: Both
    when: steps.a.output > 1
    block:
      mode: PARALLEL
      steps: [ { id: c, call: { skill: s } }, { id: d, set: { x: 1 } } ]
",
    )
    .await;
    assert!(answer.valid, "{:?}", answer.findings);
    assert_eq!(answer.worst_case_calls, 2 * (3 + 1));
    let nodes = answer.graph.unwrap().nodes;
    let shown: Vec<_> = nodes
        .iter()
        .map(|n| (&*n.path, &*n.name, &*n.kind, &*n.target))
        .collect();
    assert_eq!(
        shown,
        [
            ("a", "a", "agent", "one"),
            ("b", "Both", "block", ""),
            ("b/c", "c", "call", "s"),
            ("b/d", "d", "set", ""),
        ]
    );
    assert_eq!(nodes[1].depends_on, ["a"]);
    assert_eq!(nodes[1].mode(), block::Mode::Parallel);
    assert_eq!(nodes[1].condition, "steps.a.output > 1");
    assert_eq!(answer.workflow.unwrap().name, "graph");
    assert_eq!(
        get(&server, "graph", 0).await.unwrap_err().code(),
        Code::NotFound
    );
}
