//! Blocks of states: what is refused, what is warned of, and how they are shown.

use super::*;

const RESEARCH: &str = "name: a
mode: STATES
steps:
- { id: plan, agent: p, next: [ { when: size(output.items) > 0, to: find, input: '{{ output.items }}' }, { to: none } ] }
- { id: find, agent: f, next: [ { to: plan, when: output == null }, { to: report } ] }
- { id: report, agent: r }
- { id: none, set: { found: 0 } }
";

#[test]
fn transitions_are_compiled_in_their_order() {
    let compiled = compiled(RESEARCH);
    assert_eq!(compiled.warnings, []);
    let plan = &compiled.plan;
    let Kind::Block(block) = &plan.nodes[0].kind else {
        panic!("the workflow is a block");
    };
    let states = block.states.as_ref().unwrap();
    assert_eq!((block.mode, states.initial), (Mode::States, NodeId(1)));
    assert_eq!(states.max_transitions, 100);
    let to = |id: u32| -> Vec<NodeId> { states.next[&NodeId(id)].iter().map(|t| t.to).collect() };
    assert_eq!(to(1), [NodeId(2), NodeId(4)]);
    assert!(!states.next.contains_key(&NodeId(3)), "a final state");
    assert!(plan.nodes.iter().all(|node| node.depends_on.is_empty()));
    // They may come back to each other: each of 101 entries may be a call.
    assert_eq!(compiled.worst_case_calls, 101);
}

#[test]
fn without_a_way_back_the_longest_way_counts() {
    let steps = [
        "id: a, agent: x, retry: { max_attempts: 3 }, next: [ { when: output == 1, to: b }, { to: c } ]",
        "id: b, agent: x, next: [ { to: c } ]",
        "id: c, agent: x",
    ];
    let compiled = compiled(&with_steps("mode: STATES", &steps));
    assert_eq!(compiled.worst_case_calls, 5);
}

#[test]
fn the_graph_and_the_flowchart_show_the_transitions() {
    let compiled = compiled(RESEARCH);
    let nodes = &compiled.graph.nodes;
    assert!(nodes[0].initial && !nodes[1].initial);
    let next: Vec<_> = nodes[0]
        .next
        .iter()
        .map(|w| (&*w.to, &*w.condition))
        .collect();
    assert_eq!(next, [("find", "size(output.items) > 0"), ("none", "")]);
    let chart = mermaid(&compiled.graph);
    for line in [
        "n0s((\" \")) --> n0",
        "n0 -->|\"size(output.items) #gt; 0\"| n1",
        "n0 --> n3",
        "n1 -->|\"output == null\"| n0",
    ] {
        assert!(chart.lines().any(|l| l.trim() == line), "{line}\n{chart}");
    }
}

#[test]
fn every_rule_about_states_is_kept() {
    let ends = "id: b, agent: y";
    for (head, steps, expected) in [
        (
            "",
            vec!["id: a, agent: y, next: [ { to: b } ]", ends],
            vec![],
        ),
        (
            "initial: b",
            vec![
                "id: a, agent: y, next: [ { to: b } ]",
                "id: b, agent: y, next: [ { to: a } ]",
            ],
            vec![
                "E never-ending steps[0].next",
                "E never-ending steps[1].next",
            ],
        ),
        (
            "initial: c",
            vec!["id: a, agent: y"],
            vec!["E unknown-step initial"],
        ),
        (
            "initial: b",
            vec!["id: a, agent: y", ends],
            vec!["W unreachable-state steps[0]"],
        ),
        (
            "",
            vec!["id: a, agent: y, next: [ { to: c } ]", ends],
            vec!["E unknown-step steps[0].next[0].to"],
        ),
        (
            "",
            vec!["id: a, agent: y, next: [ {} ]", ends],
            vec!["E required steps[0].next[0].to"],
        ),
        (
            "",
            vec!["id: a, agent: y, next: [ { to: b }, { to: a } ]", ends],
            vec!["W dead-transition steps[0].next[1]"],
        ),
        (
            "",
            vec![
                "id: a, agent: y, next: [ { to: b, when: '{{ true }}' }, { to: a } ]",
                ends,
            ],
            vec!["W dead-transition steps[0].next[1]"],
        ),
        (
            "",
            vec![
                "id: a, agent: y, next: [ { to: a, when: 'false' }, { to: b } ]",
                ends,
            ],
            vec!["W dead-transition steps[0].next[0].when"],
        ),
        (
            "",
            vec![
                "id: a, agent: y, depends_on: [b], order: 3, next: [ { to: b } ]",
                ends,
            ],
            vec![
                "E conflict steps[0].depends_on",
                "E conflict steps[0].order",
            ],
        ),
        (
            "",
            vec![
                "id: a, agent: y, next: [ { to: b, when: outptu == 1 } ]",
                ends,
            ],
            vec!["E unknown-variable steps[0].next[0].when"],
        ),
        (
            "",
            vec![
                "id: a, agent: y, next: [ { to: b, input: '{{ steps.c.output }}' } ]",
                ends,
            ],
            vec!["E unknown-step steps[0].next[0].input"],
        ),
        // A state may read any other, also itself in its transitions.
        (
            "",
            vec![
                "id: a, agent: y, input: '{{ steps.b.output }}', next: [ { to: b, when: steps.a.output == 1 } ]",
                ends,
            ],
            vec![],
        ),
        (
            "max_transitions: 100000",
            vec!["id: a, agent: y"],
            vec!["E limit max_transitions"],
        ),
    ] {
        let source = with_steps(&format!("mode: STATES\n{head}"), &steps);
        assert_eq!(found(&source), expected, "{source}");
    }
}

#[test]
fn what_only_states_have_is_refused_elsewhere() {
    for (source, expected) in [
        (
            with_steps("initial: x", &["id: x, agent: y"]),
            vec!["E conflict initial"],
        ),
        (
            with_steps("mode: SEQUENCE", &["id: x, agent: y, next: [ { to: x } ]"]),
            vec!["E conflict steps[0].next"],
        ),
        (
            with_steps(
                "",
                &[
                    "id: x, block: { mode: GRAPH, max_transitions: 3, steps: [ { id: a, agent: y } ] }",
                ],
            ),
            vec!["E conflict steps[0].block.max_transitions"],
        ),
        (
            with_steps(
                "",
                &[
                    "id: x, block: { mode: STATES, max_parallel: 2, join: { successes: 1 }, steps: [ { id: a, agent: y } ] }",
                ],
            ),
            vec![
                "W unused steps[0].block.max_parallel",
                "E conflict steps[0].block.join",
            ],
        ),
    ] {
        assert_eq!(found(&source), expected, "{source}");
    }
}
