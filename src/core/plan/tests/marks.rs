//! Marks and the ways back to them: known, set once, and before.

use super::*;

#[test]
fn a_mark_is_set_once_and_before_what_goes_back_to_it() {
    for (steps, expected) in [
        (
            vec![
                "id: a, agent: x, mark: m",
                "id: b, depends_on: [a], restore: { to: m }",
            ],
            vec![],
        ),
        (
            vec![
                "id: a, agent: x, mark: mark-1",
                "id: b, depends_on: [a], restore: { to: mark-2 }",
            ],
            vec!["E unknown-mark steps[1].restore.to"],
        ),
        (
            vec!["id: a, agent: x, mark: m", "id: b, agent: x, mark: m"],
            vec!["E duplicate steps[1].mark"],
        ),
        (
            vec!["id: a, restore: {}", "id: b, agent: x"],
            vec!["E required steps[0].restore.to"],
        ),
        (
            vec![
                "id: a, restore: { to: m }",
                "id: b, agent: x, depends_on: [a]",
                "id: c, agent: x, depends_on: [b], mark: m",
            ],
            vec!["E later-mark steps[0].restore.to"],
        ),
        (
            vec!["id: a, mark: m, block: { steps: [ { id: b, restore: { to: m } } ] }"],
            vec!["E later-mark steps[0].block.steps[0].restore.to"],
        ),
        (
            vec![
                "id: a, agent: x, mark: m, catch: [ { steps: [ { id: b, restore: { to: m } } ] } ]",
            ],
            vec!["E later-mark steps[0].catch[0].steps[0].restore.to"],
        ),
        (
            vec![
                "id: l, loop: { steps: [ { id: a, restore: { to: m }, on_error: CONTINUE }, { id: b, agent: x, mark: m } ] }",
            ],
            vec![],
        ),
    ] {
        assert_eq!(found(&with_steps("", &steps)), expected, "{steps:?}");
    }
}
