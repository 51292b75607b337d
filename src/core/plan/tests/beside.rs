//! Rules about what runs beside steps: catches, compensations, sagas, `finally`.

use super::*;

#[test]
fn judges_and_repairs_count_in_the_worst_case() {
    let compiled = compiled(&with_steps(
        "",
        &["id: a, agent: x, retry: { max_attempts: 2 }, gates: { before: [ { judge: { agent: j } } ], after: [
            { judge: { agent: j, retry: { max_attempts: 3 } } },
            { json: true, on_violation: REPAIR, repair: { agent: r, attempts: 4 } } ] }"],
    ));
    // Before: one judge. In each of two attempts: the call, a judge with its attempts for the
    // output and each of four repairs, and those.
    assert_eq!(compiled.worst_case_calls, 1 + 2 * (1 + 3 * 5 + 4));
}

#[test]
fn every_rule_about_what_runs_beside_a_step_is_kept() {
    for (head, step, expected) in [
        (
            "",
            "id: a, agent: x, catch: [ { steps: [ { id: b, agent: '' } ] } ]",
            vec!["E required steps[0].catch[0].steps[0].agent"],
        ),
        (
            "",
            "id: a, agent: x, catch: [ { classes: [Timeout], when: 'error.' } ]",
            vec![
                "E invalid-class steps[0].catch[0].classes[0]",
                "E expression steps[0].catch[0].when",
            ],
        ),
        (
            "",
            "id: a, agent: x, catch: [ { steps: [] }, { classes: [own] } ]",
            vec!["W dead-step steps[0].catch[1]"],
        ),
        (
            "",
            "id: a, agent: x, catch: [ { when: error.class == 'own', steps: [ { id: b, agent: x, input: '{{ error.message }}' } ] } ]",
            vec![],
        ),
        (
            "",
            "id: a, agent: x, input: '{{ error.message }}'",
            vec!["E unknown-variable steps[0].input"],
        ),
        (
            "",
            "id: a, agent: x, compensation: { agent: y }",
            vec!["W unused steps[0].compensation"],
        ),
        (
            "on_failure: COMPENSATE",
            "id: a, agent: x, compensation: { agent: y, input: '{{ result.z }} {{ steps.a.output }}' }",
            vec![],
        ),
        (
            "on_failure: COMPENSATE",
            "id: a, agent: x, input: '{{ result }}', compensation: { input: 1, role: critic }",
            vec![
                "E unknown-variable steps[0].input",
                "E required steps[0].compensation",
                "W unused steps[0].compensation.role",
            ],
        ),
        (
            "on_failure: COMPENSATE",
            "id: a, agent: x, compensation: { agent: y, timeout: 0s, retry: { max_attempts: 101 } }",
            vec![
                "E timeout steps[0].compensation.timeout",
                "E limit steps[0].compensation.retry.max_attempts",
            ],
        ),
        (
            "",
            "id: a, saga: { steps: [ { id: b, agent: x, compensation: { agent: y } } ] }",
            vec![],
        ),
        (
            "",
            "id: a, saga: {}",
            vec!["E required steps[0].saga.steps"],
        ),
        (
            "",
            "id: a, catch: [ {} ], block: { steps: [ { id: catch, agent: x } ] }",
            vec!["E reserved-id steps[0].block.steps[0].id"],
        ),
        (
            "finally: [ { id: f, agent: x, input: '{{ steps.finally.output }} {{ steps.f.state }}' } ]",
            "id: finally, agent: x",
            vec![
                "E self-reference finally[0].input",
                "E reserved-id steps[0].id",
            ],
        ),
        (
            "finally: [ { id: f, agent: x, input: '{{ steps.z.output }}' }, { id: f, agent: x } ]",
            "id: a, agent: x",
            vec![
                "E unknown-step finally[0].input",
                "E duplicate-id finally[1].id",
            ],
        ),
    ] {
        assert_eq!(found(&with_steps(head, &[step])), expected, "{head} {step}");
    }
}

#[test]
fn what_a_catch_reads_orders_its_step_and_what_a_compensation_reads_does_not() {
    let source = "
name: a
on_failure: COMPENSATE
steps:
  - { id: one, agent: x, catch: [ { steps: [ { id: c, agent: x, input: '{{ steps.two.output }}' } ] } ] }
  - { id: two, agent: x, compensation: { agent: x, input: '{{ steps.one.output }}' } }
";
    let plan = check(source, &Limits::default()).compiled.unwrap().plan;
    let of = |path: &str| {
        let mut all = relations(&plan).into_iter();
        all.find(|(p, ..)| p == path).unwrap().1
    };
    assert_eq!(of("one"), ["two"]);
    assert_eq!(of("two"), [""; 0]);
}

#[test]
fn what_runs_beside_steps_counts_among_the_calls_that_can_be_made() {
    let source = "
name: a
on_failure: COMPENSATE
steps:
  - id: one
    agent: x
    retry: { max_attempts: 3 }
    catch: [ { classes: [own], steps: [ { id: c, agent: x } ] }, { steps: [ { id: c, agent: x }, { id: d, agent: x } ] } ]
    compensation: { agent: x, retry: { max_attempts: 2 } }
finally: [ { id: f, agent: x } ]
";
    let compiled = check(source, &Limits::default()).compiled.unwrap();
    assert_eq!(compiled.worst_case_calls, 3 + 2 + 2 + 1);
    let kinds: Vec<_> = compiled
        .graph
        .nodes
        .iter()
        .map(|n| n.kind.as_str())
        .collect();
    assert_eq!(kinds.iter().filter(|k| **k == "catch").count(), 2);
    assert!(kinds.contains(&"compensation") && kinds.contains(&"finally"));
}
