//! One case per rule: what is wrong, and where it is said to be.

use super::*;

#[test]
fn every_rule_about_the_workflow_is_kept() {
    let step = ["id: x, agent: y"];
    for (head, expected) in [
        ("description: fine", vec![]),
        (
            "input_schema: { type: nonsense }",
            vec!["E json-schema input_schema"],
        ),
        ("output_schema: 5", vec!["E json-schema output_schema"]),
        ("timeout: 0s", vec!["E timeout timeout"]),
        ("timeout: -1s", vec!["E timeout timeout"]),
        (
            "max_parallel_steps: 100000",
            vec!["E limit max_parallel_steps"],
        ),
        (
            "variables: { a: '{{ steps.x.output }}' }",
            vec!["E unknown-step variables.a"],
        ),
        (
            "variables: { a: { b: ['{{ vars.c }}'] } }",
            vec!["E unknown-variable variables.a.b[0]"],
        ),
        (
            "variables: { a: '{{ all_step_outputs }}' }",
            vec!["E unknown-variable variables.a"],
        ),
        (
            "output: '{{ steps.z.output }}'",
            vec!["E unknown-step output"],
        ),
        (
            "output: { a: '{{ steps.x.output }}', b: '{{ all_step_outputs }}' }",
            vec![],
        ),
        (
            "goal: [ { cel: 'output.score > 1 && value != null' } ]",
            vec![],
        ),
        ("goal: [ {} ]", vec!["E required goal[0]"]),
        (
            "goal: [ { judge: { agent: j, criteria: 'as {{ input }}' }, on_violation: REPAIR, repair: { agent: r } } ]",
            vec![],
        ),
        (
            "goal: [ { judge: { criteria: '{{ imput }}', threshold: .nan } } ]",
            vec![
                "E unknown-variable goal[0].judge.criteria",
                "E wrong-type goal[0].judge.threshold",
            ],
        ),
        (
            "goal: [ { judge: {} } ]",
            vec!["E required goal[0].judge.agent"],
        ),
        (
            "goal: [ { json: true, on_violation: REPAIR } ]",
            vec!["E required goal[0].repair"],
        ),
        (
            "goal: [ { json: true, repair: { agent: r } } ]",
            vec!["E conflict goal[0].repair"],
        ),
        (
            "goal: [ { json: true, on_violation: REPAIR, repair: { attempts: 101, timeout: 0s } } ]",
            vec![
                "E required goal[0].repair.agent",
                "E limit goal[0].repair.attempts",
                "E timeout goal[0].repair.timeout",
            ],
        ),
        ("retry: {}", vec![]),
        (
            "retry: { max_attempts: 101 }",
            vec!["E limit retry.max_attempts"],
        ),
        (
            "retry: { multiplier: 0.5, jitter: 2 }",
            vec![
                "E out-of-range retry.multiplier",
                "E out-of-range retry.jitter",
            ],
        ),
        (
            "retry: { max_delay: 1s }",
            vec!["E out-of-range retry.max_delay"],
        ),
        ("retry: { initial_delay: 5m }", vec![]),
        (
            "retry: { initial_delay: -1s }",
            vec!["E out-of-range retry.initial_delay"],
        ),
        (
            "retry: { retry_on: [Timeout] }",
            vec!["E invalid-class retry.retry_on[0]"],
        ),
        (
            "retry: { retry_on: [time_out] }",
            vec!["W unknown-class retry.retry_on[0]"],
        ),
        ("retry: { retry_on: [quota_of_mine] }", vec![]),
        (
            "retry: { retry_on: [timeout], never_on: [timeout] }",
            vec!["W conflict retry.retry_on[0]"],
        ),
        ("tags: ['']", vec!["E required tags[0]"]),
        ("agents: { y: { agent: z } }", vec![]),
        ("agents: { z: { skill: s } }", vec!["W unused agents.z"]),
        (
            "agents: { y: {}, 'z z': { agent: a } }",
            vec![
                "E required agents.y",
                "E pattern agents.z z",
                "W unused agents.z z",
            ],
        ),
        (
            "agents: { y: { agent: '{{ input }}', labels: { a: b } } }",
            vec!["E conflict agents.y.agent", "E conflict agents.y.labels"],
        ),
    ] {
        assert_eq!(found(&with_steps(head, &step)), expected, "{head}");
    }
}

#[test]
fn every_rule_about_a_step_is_kept() {
    for (step, expected) in [
        ("agent: y", vec!["E required steps[0].id"]),
        ("id: 'a b', agent: y", vec!["E invalid-id steps[0].id"]),
        ("id: x", vec!["E required steps[0]"]),
        ("id: x, agent: ''", vec!["E required steps[0].agent"]),
        ("id: x, call: {}", vec!["E required steps[0].call"]),
        (
            "id: x, call: { skill: '' }",
            vec!["E required steps[0].call.skill"],
        ),
        (
            "id: x, call: { agent: a, select: ROUND_ROBIN, labels: { a: b } }",
            vec![
                "E conflict steps[0].call.select",
                "E conflict steps[0].call.labels",
            ],
        ),
        (
            "id: x, call: { agent: a, fallback: [ { skill: s, labels: { a: b } }, { agent: '{{ input.b }}' } ] }",
            vec![],
        ),
        (
            "id: x, call: { skill: s, select: STICKY, key: input.user, fallback: [ { skill: t, select: STICKY, key: '{{ input.user }}' } ] }",
            vec![],
        ),
        (
            "id: x, call: { skill: s, select: STICKY, fallback: [ { skill: t, select: STICKY, key: 'stepz.a' } ] }",
            vec![
                "E required steps[0].call.key",
                "E unknown-variable steps[0].call.fallback[0].key",
            ],
        ),
        (
            "id: x, call: { skill: s, key: input.a, fallback: [ { skill: t, select: LEAST_LOADED, key: input.a }, { agent: b, key: input.a } ] }",
            vec![
                "E conflict steps[0].call.key",
                "E conflict steps[0].call.fallback[0].key",
                "E conflict steps[0].call.fallback[1].key",
            ],
        ),
        (
            "id: x, call: { agent: a, select: STICKY, key: input.a }",
            vec!["E conflict steps[0].call.select"],
        ),
        (
            "id: x, map_reduce: { items: input, map: { skill: s, select: STICKY, key: item.user }, reduce: { skill: r, select: STICKY } }",
            vec!["E required steps[0].map_reduce.reduce.key"],
        ),
        (
            "id: x, agent: y, compensation: { skill: u, select: STICKY, key: result.id }",
            vec!["W unused steps[0].compensation"],
        ),
        (
            "id: x, call: { agent: a, fallback: [ {}, { agent: b, select: ROUND_ROBIN, fallback: [ { agent: c } ] } ] }",
            vec![
                "E required steps[0].call.fallback[0]",
                "E conflict steps[0].call.fallback[1].select",
                "E conflict steps[0].call.fallback[1].fallback",
            ],
        ),
        (
            "id: x, agent: y, cache: { ttl: 1d, key: value.a + input.b, scope: NAMESPACE }",
            vec![],
        ),
        (
            "id: x, agent: y, cache: { ttl: 8d, key: output }",
            vec![
                "E limit steps[0].cache.ttl",
                "E unknown-variable steps[0].cache.key",
            ],
        ),
        (
            "id: x, set: { a: 1 }, cache: { ttl: 0s }",
            vec!["E conflict steps[0].cache", "E timeout steps[0].cache.ttl"],
        ),
        (
            "id: x, saga: { steps: [ { id: y, agent: z, cache: {}, compensation: { agent: z } } ] }",
            vec!["E conflict steps[0].saga.steps[0].cache"],
        ),
        (
            "id: x, agent: y, priority: 10, fairness_key: '{{ inptu }}'",
            vec![
                "E out-of-range steps[0].priority",
                "E unknown-variable steps[0].fairness_key",
            ],
        ),
        (
            "id: x, agent: y, when: 'false'",
            vec!["W dead-step steps[0].when"],
        ),
        (
            "id: x, agent: y, when: '{{ false }}'",
            vec!["W dead-step steps[0].when"],
        ),
        (
            "id: x, agent: y, when: 'input.'",
            vec!["E expression steps[0].when"],
        ),
        (
            "id: x, agent: y, when: 'inptu.a'",
            vec!["E unknown-variable steps[0].when"],
        ),
        (
            "id: x, agent: y, input: { note: ['{{ nope }}'] }",
            vec!["E unknown-variable steps[0].input.note[0]"],
        ),
        (
            "id: x, agent: y, input: '{{ output }}'",
            vec!["E unknown-variable steps[0].input"],
        ),
        (
            "id: x, agent: y, output: '{{ output.a }}', save: { b: '{{ output }}' }",
            vec![],
        ),
        (
            "id: x, agent: y, save: { b: '{{ outptu }}' }",
            vec!["E unknown-variable steps[0].save.b"],
        ),
        (
            "id: x, set: { a: '{{ 1 + }}' }",
            vec!["E expression steps[0].set.a"],
        ),
        (
            "id: x, agent: y, depends_on: [x]",
            vec!["E self-dependency steps[0].depends_on[0]"],
        ),
        (
            "id: x, agent: y, depends_on: [z]",
            vec!["E unknown-step steps[0].depends_on[0]"],
        ),
        (
            "id: x, agent: y, input: '{{ steps.x.output }}'",
            vec!["E self-reference steps[0].input"],
        ),
        (
            "id: x, agent: y, timeout: 0s, queue_timeout: 0s, total_timeout: 0s",
            vec![
                "E timeout steps[0].timeout",
                "E timeout steps[0].queue_timeout",
                "E timeout steps[0].total_timeout",
            ],
        ),
        (
            "id: x, agent: y, timeout: 2m, total_timeout: 1m",
            vec!["W timeout steps[0].timeout"],
        ),
        (
            "id: x, set: {}, queue_timeout: 1m",
            vec!["W unused steps[0].queue_timeout"],
        ),
        (
            "id: x, agent: y, retry: { max_attempts: 500 }",
            vec!["E limit steps[0].retry.max_attempts"],
        ),
        (
            "id: x, switch: {}",
            vec!["E required steps[0].switch.cases"],
        ),
        (
            "id: x, switch: { cases: [ { steps: [] } ] }",
            vec!["E required steps[0].switch.cases[0].when"],
        ),
        (
            "id: x, switch: { cases: [ { when: 'true' }, { when: input.a } ], otherwise: [ { id: z, agent: a } ] }",
            vec![
                "W dead-step steps[0].switch.cases[1]",
                "W dead-step steps[0].switch.otherwise",
            ],
        ),
        (
            "id: x, switch: { cases: [ { when: 'false' } ] }",
            vec!["W dead-step steps[0].switch.cases[0]"],
        ),
        ("id: x, block: {}", vec!["E required steps[0].block.steps"]),
        (
            "id: x, block: { mode: SEQUENCE, max_parallel: 2, join: {}, steps: [ { id: z, agent: a } ] }",
            vec![
                "W unused steps[0].block.max_parallel",
                "E conflict steps[0].block.join",
            ],
        ),
        (
            "id: x, block: { join: { successes: 0 }, steps: [ { id: z, agent: a } ] }",
            vec!["E out-of-range steps[0].block.join.successes"],
        ),
        (
            "id: x, block: { join: { successes: 2 }, steps: [ { id: z, agent: a } ] }",
            vec!["E out-of-range steps[0].block.join.successes"],
        ),
        (
            "id: x, block: { join: { share: 1.5 }, steps: [ { id: z, agent: a } ] }",
            vec!["E out-of-range steps[0].block.join.share"],
        ),
        (
            "id: x, block: { steps: [ { id: z, agent: a, depends_on: [x] } ] }",
            vec!["E unknown-step steps[0].block.steps[0].depends_on[0]"],
        ),
        (
            "id: x, block: { steps: [ { id: z, agent: a, input: '{{ steps.x.output }}' } ] }",
            vec!["E self-reference steps[0].block.steps[0].input"],
        ),
    ] {
        assert_eq!(found(&with_steps("", &[step])), expected, "{step}");
    }
}

#[test]
fn every_rule_about_gates_is_kept() {
    for (gate, expected) in [
        ("not_empty: true", vec![]),
        (
            "not_empty: false",
            vec!["E out-of-range steps[0].gates.after[0].not_empty"],
        ),
        (
            "json: false",
            vec!["E out-of-range steps[0].gates.after[0].json"],
        ),
        (
            "json_schema: { type: 7 }",
            vec!["E json-schema steps[0].gates.after[0].json_schema"],
        ),
        ("regex: '('", vec!["E regex steps[0].gates.after[0].regex"]),
        ("regex: ''", vec!["E regex steps[0].gates.after[0].regex"]),
        ("cel: 'output.a == value.a'", vec![]),
        (
            "cel: 'outptu'",
            vec!["E unknown-variable steps[0].gates.after[0].cel"],
        ),
        (
            "length: {}",
            vec!["E out-of-range steps[0].gates.after[0].length"],
        ),
        (
            "length: { min: 3, max: 2 }",
            vec!["E out-of-range steps[0].gates.after[0].length"],
        ),
        ("range: { of: output.a, min: 0, max: 1 }", vec![]),
        (
            "range: { of: nope, min: 2, max: 1 }",
            vec![
                "E out-of-range steps[0].gates.after[0].range",
                "E unknown-variable steps[0].gates.after[0].range.of",
            ],
        ),
        (
            "json: true, message: '{{ nope }}'",
            vec!["E unknown-variable steps[0].gates.after[0].message"],
        ),
        ("json: true, message: 'bad: {{ value }}'", vec![]),
        (
            "json: true, on_violation: RETRY",
            vec!["W unused steps[0].gates.after[0].on_violation"],
        ),
    ] {
        let step = format!("id: x, agent: y, gates: {{ after: [ {{ {gate} }} ] }}");
        assert_eq!(found(&with_steps("", &[&step])), expected, "{gate}");
    }
    let before = "id: x, agent: y, gates: { before: [ { cel: 'value > 1' }, { cel: 'output' } ] }";
    assert_eq!(
        found(&with_steps("", &[before])),
        ["E unknown-variable steps[0].gates.before[1].cel"]
    );
}

#[test]
fn every_rule_about_siblings_is_kept() {
    for (mode, steps, expected) in [
        (
            "",
            ["id: x, agent: y", "id: x, agent: y"],
            vec!["E duplicate-id steps[1].id"],
        ),
        (
            "mode: PARALLEL",
            ["id: x, agent: y", "id: z, agent: y, depends_on: [x]"],
            vec!["E conflict steps[1].depends_on"],
        ),
        (
            "mode: PARALLEL",
            [
                "id: x, agent: y",
                "id: z, agent: y, input: '{{ steps.x.output }}'",
            ],
            vec!["E unordered-step steps[1].input"],
        ),
        (
            "mode: PARALLEL",
            [
                "id: x, agent: y",
                "id: z, agent: y, input: '{{ all_step_outputs }}'",
            ],
            vec!["W unordered-step steps[1].input"],
        ),
        (
            "mode: SEQUENCE",
            ["id: x, agent: y, depends_on: [z]", "id: z, agent: y"],
            vec!["E later-step steps[0].depends_on[0]"],
        ),
        (
            "mode: SEQUENCE",
            [
                "id: x, agent: y, when: 'steps.z.output == 1'",
                "id: z, agent: y",
            ],
            vec!["E later-step steps[0].when"],
        ),
        (
            "mode: SEQUENCE",
            [
                "id: x, agent: y, order: 2, input: '{{ steps.z.output }}'",
                "id: z, agent: y, order: 1",
            ],
            vec![],
        ),
        (
            "mode: SEQUENCE",
            [
                "id: x, block: { steps: [ { id: i, agent: y, input: '{{ steps.z.output }}' } ] }",
                "id: z, agent: y",
            ],
            vec!["E later-step steps[0].block.steps[0].input"],
        ),
        (
            "",
            ["id: x, agent: y, depends_on: [z, z]", "id: z, agent: y"],
            vec!["W duplicate steps[0].depends_on[1]"],
        ),
        (
            "",
            [
                "id: x, agent: y, depends_on: [z]",
                "id: z, agent: y, input: '{{ steps.x.output }}'",
            ],
            vec!["E cycle steps[0]"],
        ),
        (
            "",
            [
                "id: x, agent: y, timeout: 2h",
                "id: z, agent: y, total_timeout: 3h",
            ],
            vec![],
        ),
        (
            "timeout: 1h",
            [
                "id: x, agent: y, timeout: 2h",
                "id: z, agent: y, total_timeout: 3h",
            ],
            vec![
                "W timeout steps[0].timeout",
                "W timeout steps[1].total_timeout",
            ],
        ),
    ] {
        assert_eq!(
            found(&with_steps(mode, &steps)),
            expected,
            "{mode} {steps:?}"
        );
    }
}
