//! How modes order steps: dependencies, `previous`, default inputs, joins and numbers.

use std::time::Duration;

use super::*;

type Relation<'a> = (&'a str, &'a [&'a str], Option<&'a str>);

fn assert_relations(source: &str, expected: &[Relation<'_>]) {
    let actual = relations(&compiled(source).plan);
    let expected: Vec<_> = expected
        .iter()
        .map(|(path, on, previous)| {
            let on: Vec<String> = on.iter().map(|s| (*s).to_owned()).collect();
            ((*path).to_owned(), on, previous.map(str::to_owned))
        })
        .collect();
    assert_eq!(actual, expected, "{source}");
}

fn root_block(plan: &Plan) -> &Block {
    match &plan.nodes[0].kind {
        Kind::Block(block) => block,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sequence_runs_by_order_and_then_by_place() {
    let source = with_steps(
        "mode: SEQUENCE",
        &[
            "id: a, agent: y, order: 2",
            "id: b, agent: y",
            "id: c, agent: y, order: 1",
            "id: d, agent: y, order: 2",
        ],
    );
    assert_relations(
        &source,
        &[
            ("a", &["c"], Some("c")),
            ("b", &["a"], Some("a")),
            ("c", &[], None),
            ("d", &["b"], Some("b")),
        ],
    );
    let plan = compiled(&source).plan;
    let run: Vec<&str> = root_block(&plan)
        .children
        .iter()
        .map(|id| plan.node(*id).id.as_str())
        .collect();
    assert_eq!(run, ["c", "a", "b", "d"]);
    assert!(
        plan.nodes[1..]
            .iter()
            .all(|n| matches!(n.input, Input::Previous))
    );
}

#[test]
fn without_any_mark_steps_run_in_parallel() {
    let source = with_steps(
        "",
        &["id: a, agent: y", "id: b, agent: y, input: '{{ input.x }}'"],
    );
    let plan = compiled(&source).plan;
    assert_eq!(root_block(&plan).mode, Mode::Parallel);
    assert!(matches!(plan.nodes[1].input, Input::Execution));
    assert!(matches!(plan.nodes[2].input, Input::Template(_)));
}

#[test]
fn automatic_mode_depends_on_what_is_named_and_read() {
    let source = with_steps(
        "",
        &[
            "id: a, agent: y",
            "id: b, agent: y, when: 'steps.a.output.ok'",
            "id: c, agent: y, depends_on: [a], save: { t: '{{ steps.b.state }}' }",
            "id: d, agent: y, gates: { after: [ { cel: 'value == steps.a.output' } ] }",
            "id: e, agent: y",
            "id: f, agent: y, input: '{{ previous }}'",
            "id: g, agent: y, input: '{{step_1_output}} and {{ f_output }}'",
        ],
    );
    assert_eq!(root_block(&compiled(&source).plan).mode, Mode::Graph);
    assert_relations(
        &source,
        &[
            ("a", &[], None),
            ("b", &["a"], None),
            ("c", &["a", "b"], None),
            ("d", &["a"], None),
            ("e", &[], None),
            ("f", &["e"], Some("e")),
            ("g", &["a", "f"], None),
        ],
    );
}

#[test]
fn steps_of_one_order_run_together_after_those_of_the_next_lower_one() {
    assert_relations(
        &with_steps(
            "",
            &[
                "id: d, agent: y, order: 9",
                "id: a, agent: y, order: 1",
                "id: b, agent: y, order: 3",
                "id: c, agent: y, order: 3",
                "id: x, agent: y",
            ],
        ),
        &[
            ("d", &["b", "c"], None),
            ("a", &[], None),
            ("b", &["a"], None),
            ("c", &["a"], None),
            ("x", &[], None),
        ],
    );
}

#[test]
fn an_order_alone_makes_a_graph_and_counts_for_nothing_where_the_mode_is_written() {
    let steps = ["id: a, agent: y, order: 1", "id: b, agent: y, order: 2"];
    for (head, mode, waits) in [
        ("", Mode::Graph, 1),
        ("mode: GRAPH", Mode::Graph, 0),
        ("mode: PARALLEL", Mode::Parallel, 0),
    ] {
        let plan = compiled(&with_steps(head, &steps)).plan;
        assert_eq!(root_block(&plan).mode, mode);
        assert_eq!(plan.nodes[2].depends_on.len(), waits, "{head}");
    }
}

#[test]
fn reading_all_outputs_waits_for_all_before() {
    for name in ["all_previous_outputs", "all_step_outputs", "steps"] {
        let all = format!("id: e, agent: y, input: '{{{{ {name} }}}}'");
        assert_relations(
            &with_steps(
                "",
                &[
                    "id: a, agent: y",
                    "id: b, agent: y, depends_on: [a]",
                    "id: c, agent: y",
                    &all,
                    "id: f, agent: y",
                ],
            ),
            &[
                ("a", &[], None),
                ("b", &["a"], None),
                ("c", &[], None),
                ("e", &["b", "c"], None),
                ("f", &[], None),
            ],
        );
    }
    assert_relations(
        &with_steps(
            "mode: GRAPH",
            &[
                "id: a, agent: y",
                "id: b, agent: y",
                "id: c, agent: y, depends_on: [a], input: '{{ all_step_outputs }}'",
            ],
        ),
        &[("a", &[], None), ("b", &[], None), ("c", &["a"], None)],
    );
}

#[test]
fn what_inner_steps_read_outside_is_a_dependency_of_the_step_around_them() {
    assert_relations(
        &with_steps(
            "",
            &[
                "id: a, agent: y",
                "id: b, agent: y",
                "id: c, block: { mode: SEQUENCE, steps: [ { id: a, agent: y }, { id: i, agent: y, input: '{{ steps.b.output + steps.a.output }}' } ] }",
                "id: d, switch: { cases: [ { when: 'steps.c.output > 1', steps: [ { id: j, agent: y, input: '{{ all_step_outputs }}' } ] } ] }",
            ],
        ),
        &[
            ("a", &[], None),
            ("b", &[], None),
            ("c", &["b"], None),
            ("c/a", &[], None),
            ("c/i", &["c/a"], Some("c/a")),
            ("d", &["a", "c"], None),
            ("d/j", &[], None),
        ],
    );
}

#[test]
fn branches_are_sequences_of_their_own() {
    let source = with_steps(
        "",
        &[
            "id: s, switch: { cases: [ { when: 'input.a', steps: [ { id: x, agent: y }, { id: z, agent: y } ] } ], otherwise: [ { id: x, agent: y } ] }",
        ],
    );
    assert_relations(
        &source,
        &[
            ("s", &[], None),
            ("s/x", &[], None),
            ("s/z", &["s/x"], Some("s/x")),
            ("s/x", &[], None),
        ],
    );
    let plan = compiled(&source).plan;
    let Kind::Switch(switch) = &plan.nodes[1].kind else {
        panic!("{:?}", plan.nodes[1]);
    };
    assert_eq!(switch.cases[0].1, [NodeId(2), NodeId(3)]);
    assert_eq!(switch.otherwise, [NodeId(4)]);
    assert!(matches!(plan.nodes[2].input, Input::Previous));
}

#[test]
fn shares_are_rounded_up_to_whole_children() {
    let join = |join: &str, children: usize| {
        let steps: Vec<String> = (0..children)
            .map(|i| format!("{{ id: s{i}, agent: y }}"))
            .collect();
        let block = format!(
            "id: b, block: {{ join: {join}, steps: [ {} ] }}",
            steps.join(", ")
        );
        let plan = compiled(&with_steps("", &[&block])).plan;
        match &plan.nodes[1].kind {
            Kind::Block(block) => block.join.unwrap().successes,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(join("{ share: 0.5 }", 3), 2);
    assert_eq!(join("{ share: 0.1 }", 30), 3);
    assert_eq!(join("{ share: 0.01 }", 3), 1);
    assert_eq!(join("{ share: 1 }", 3), 3);
    assert_eq!(join("{ successes: 2 }", 3), 2);
    assert_eq!(join("{ cancel_rest: true }", 3), 3);
}

#[test]
fn presets_give_the_numbers_that_are_left_out() {
    let retry = |policy: &str| {
        let step = format!("id: x, agent: y, retry: {policy}");
        let mut plan = compiled(&with_steps("", &[&step])).plan;
        let r = plan.nodes.remove(1).retry.unwrap();
        let seconds = |d: Duration| d.as_secs_f64();
        (
            seconds(r.initial_delay),
            r.multiplier,
            seconds(r.max_delay),
            r.max_attempts,
            r.jitter,
        )
    };
    for (policy, expected) in [
        ("{}", (3.0, 2.0, 60.0, 2, 0.25)),
        ("{ preset: DEFAULT }", (3.0, 2.0, 60.0, 2, 0.25)),
        ("{ preset: VALIDATION }", (1.0, 1.5, 10.0, 3, 0.25)),
        ("{ preset: API_CALL }", (2.0, 2.0, 120.0, 5, 0.25)),
        ("{ preset: AI_PROCESSING }", (5.0, 3.0, 300.0, 3, 0.25)),
        ("{ preset: DATABASE }", (3.0, 1.8, 30.0, 4, 0.25)),
        ("{ preset: FILE_PROCESSING }", (2.0, 2.0, 20.0, 3, 0.25)),
        (
            "{ preset: API_CALL, max_attempts: 9, initial_delay: 0s, jitter: 0 }",
            (0.0, 2.0, 120.0, 9, 0.0),
        ),
        ("{ initial_delay: 5m }", (300.0, 2.0, 300.0, 2, 0.25)),
    ] {
        assert_eq!(retry(policy), expected, "{policy}");
    }
    let plan = compiled(&with_steps("", &["id: x, agent: y"])).plan;
    assert_eq!(plan.nodes[1].retry, None);
}

#[test]
fn a_long_chain_compiles_without_recursion() {
    let mut steps = vec!["id: s0, agent: y".to_owned()];
    steps.extend((1..3000).map(|i| format!("id: s{i}, agent: y, depends_on: [s{}]", i - 1)));
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let plan = compiled(&with_steps("", &steps)).plan;
    assert_eq!(plan.nodes[3000].depends_on, [NodeId(2999)]);
}
