//! What is shown of a plan: graph, flowchart, worst case; and a whole example.

use super::*;
use crate::proto;

const ORDER: &str = r#"
name: ecommerce-order
description: From a placed order to a notified customer.
input_schema: { type: object, required: [order_id, items] }
variables: { currency: EUR }
timeout: 30m
max_parallel_steps: 10
retry: { max_attempts: 2, initial_delay: 5s, multiplier: 2, max_delay: 1m, jitter: 0.25 }
mode: GRAPH
steps:
  - id: validate
    agent: order-validation
    input: "{{ input }}"
    gates: { after: [ { json_schema: { type: object, required: [total] } } ] }
  - id: pay
    name: Take the "money"
    depends_on: [validate]
    call: { agent: payment-processing }
    input: { amount: "{{ steps.validate.output.total }}", note: "Order {{ input.order_id }}" }
    timeout: 20s
    retry: { preset: API_CALL }
  - id: fraud
    depends_on: [pay]
    call: { skill: fraud-detection, select: LEAST_LOADED }
    when: steps.validate.output.total > 100
  - id: route
    depends_on: [fraud]
    switch:
      cases:
        - when: steps.fraud.state == 'COMPLETED' && steps.fraud.output.score > 0.7
          steps: [ { id: review, agent: risk }, { id: record, agent: log } ]
      otherwise: [ { id: pass, set: { approved: "{{ true }}" } } ]
  - id: notify
    depends_on: [route]
    agent: notification
    input: "{{ all_step_outputs }}"
    on_error: CONTINUE
output: { order: "{{ input.order_id }}", charge: "{{ steps.pay.output.charge_id }}" }
"#;

#[test]
fn the_order_example_compiles() {
    let compiled = compiled(ORDER);
    assert_eq!(compiled.warnings, []);
    let plan = &compiled.plan;
    assert_eq!(plan.nodes.len(), 9);
    assert_eq!(
        plan.nodes[0].timeout,
        Some(std::time::Duration::from_secs(1800))
    );
    assert_eq!(plan.max_parallel_steps, Some(10));
    assert!(plan.nodes[8].tolerates_failure);
    assert_eq!(plan.nodes[8].depends_on, [NodeId(4)]);
    assert!(plan.input_schema.is_some() && plan.nodes[0].output.is_some());
    // validate 1, pay 5, fraud 1, route at most 2, notify 1; the whole twice.
    assert_eq!(compiled.worst_case_calls, 20);
}

#[test]
fn the_graph_tells_every_step() {
    let graph = compiled(ORDER).graph;
    let rows: Vec<_> = graph
        .nodes
        .iter()
        .map(|n| {
            let depends_on = n.depends_on.join(",");
            format!(
                "{} {} [{}] <{}> {}",
                n.path, n.kind, depends_on, n.target, n.condition
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "validate agent [] <order-validation> ",
            "pay call [validate] <payment-processing> ",
            "fraud call [validate,pay] <fraud-detection> steps.validate.output.total > 100",
            "route switch [fraud] <> ",
            "route/review agent [] <risk> steps.fraud.state == 'COMPLETED' && steps.fraud.output.score > 0.7",
            "route/record agent [route/review] <log> steps.fraud.state == 'COMPLETED' && steps.fraud.output.score > 0.7",
            "route/pass set [] <> otherwise",
            "notify agent [route] <notification> ",
        ]
    );
    assert_eq!(graph.nodes[1].name, "Take the \"money\"");
    assert_eq!(graph.nodes[3].mode(), proto::block::Mode::Sequence);
}

#[test]
fn the_flowchart_nests_and_escapes() {
    let chart = mermaid(&compiled(ORDER).graph);
    assert_eq!(
        chart,
        r##"flowchart TD
  n0["validate<br/>order-validation"]
  n1["Take the #quot;money#quot;<br/>payment-processing"]
  n2["fraud<br/>fraud-detection"]
  subgraph n3["route"]
    n3c{"?"}
    n4["review<br/>risk"]
    n5["record<br/>log"]
    n6[/"pass"/]
  end
  n7["notify<br/>notification"]
  n0 --> n1
  n0 -->|"steps.validate.output.total #gt; 100"| n2
  n1 -->|"steps.validate.output.total #gt; 100"| n2
  n2 --> n3
  n3c -->|"steps.fraud.state == 'COMPLETED' #amp;#amp; steps.fraud.output.score #gt; 0.7"| n4
  n4 --> n5
  n3c -->|"otherwise"| n6
  n3 --> n7
"##
    );
}

#[test]
fn branches_with_the_same_ids_keep_their_own_arrows() {
    let source = with_steps(
        "",
        &[
            "id: s, switch: { cases: [ { when: 'input.a', steps: [ { id: x, agent: y }, { id: z, agent: y } ] } ], otherwise: [ { id: x, agent: y }, { id: z, agent: y } ] }",
        ],
    );
    let chart = mermaid(&compiled(&source).graph);
    let arrows: Vec<&str> = chart
        .lines()
        .map(str::trim)
        .filter(|l| l.contains("-->"))
        .collect();
    assert_eq!(
        arrows,
        [
            "n0c -->|\"input.a\"| n1",
            "n1 --> n2",
            "n0c -->|\"otherwise\"| n3",
            "n3 --> n4"
        ]
    );
}

#[test]
fn the_worst_case_multiplies_attempts_and_saturates() {
    let calls = |head: &str, steps: &[&str]| compiled(&with_steps(head, steps)).worst_case_calls;
    let inner = "id: b, retry: { max_attempts: 3 }, block: { steps: [ { id: x, agent: y, retry: { max_attempts: 4 } }, { id: z, set: {} } ] }";
    assert_eq!(calls("", &[inner]), 12);
    assert_eq!(
        calls("retry: { max_attempts: 5 }", &[inner, "id: c, agent: y"]),
        65
    );
    let mut nested = "id: x, agent: y, retry: { max_attempts: 100 }".to_owned();
    for level in 0..12 {
        nested = format!(
            "id: b{level}, retry: {{ max_attempts: 100 }}, block: {{ steps: [ {{ {nested} }} ] }}"
        );
    }
    assert_eq!(calls("", &[&nested]), u64::MAX);
}
