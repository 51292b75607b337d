//! What of waits and schemas is refused.

use super::*;

#[test]
fn every_rule_about_waits_is_kept() {
    for (wait, expected) in [
        ("duration: 10m", vec![]),
        ("duration: 0s", vec![]),
        ("time: '2027-01-01T00:00:00Z'", vec![]),
        ("time: '2027-01-01t00:00:00.5+02:00'", vec![]),
        ("duration: '{{ input }}m'", vec![]),
        (
            "duration: '{{ inptu }}'",
            vec!["E unknown-variable steps[0].wait.duration"],
        ),
        ("", vec!["E required steps[0].wait"]),
        (
            "duration: 10m, time: '2027-01-01T00:00:00Z'",
            vec!["E one-of steps[0].wait.time"],
        ),
        (
            "duration: soon",
            vec!["E out-of-range steps[0].wait.duration"],
        ),
        (
            "duration: 10",
            vec!["E out-of-range steps[0].wait.duration"],
        ),
        (
            "duration: -1s",
            vec!["E out-of-range steps[0].wait.duration"],
        ),
        (
            "duration: 200000d",
            vec!["E out-of-range steps[0].wait.duration"],
        ),
        (
            "time: '2027-01-01'",
            vec!["E out-of-range steps[0].wait.time"],
        ),
        (
            "time: '2027-13-01T00:00:00Z'",
            vec!["E out-of-range steps[0].wait.time"],
        ),
        (
            "time: '2027-01-01T00:00:00'",
            vec!["E out-of-range steps[0].wait.time"],
        ),
        ("time: { a: 1 }", vec!["E out-of-range steps[0].wait.time"]),
        (
            "first_of: [ { duration: 1m }, { first_of: [ { time: '{{ input }}' } ] } ]",
            vec![],
        ),
        (
            "first_of: [ { duration: 1m }, { first_of: [ { time: soon }, {} ] } ]",
            vec![
                "E out-of-range steps[0].wait.first_of[1].first_of[0].time",
                "E required steps[0].wait.first_of[1].first_of[1]",
            ],
        ),
        (
            "duration: 1m, first_of: [ { duration: 2m } ]",
            vec!["E one-of steps[0].wait.first_of"],
        ),
        ("first_of: []", vec!["E required steps[0].wait"]),
    ] {
        let source = with_steps("", &[&format!("id: a, wait: {{ {wait} }}")]);
        assert_eq!(found(&source), expected, "{source}");
    }
}

#[test]
fn a_schema_that_is_none_is_refused() {
    let steps =
        ["id: a, agent: x, input_schema: { type: nonsense }, output_schema: { type: object }"];
    let source = with_steps("", &steps);
    assert_eq!(found(&source), ["E json-schema steps[0].input_schema"]);
}
