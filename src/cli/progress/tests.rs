//! The tree and its lines, as events come in.

use prost_types::Timestamp;

use super::{
    journal,
    render::{lines, lines_within},
    tree::Tree,
};
use crate::{
    cli::output::Paint,
    core::{
        time::Time,
        value::{Value, number},
    },
    proto::{
        BranchChosen, Error, Event, Execution, ExecutionCompleted, ExecutionFailed,
        ExecutionRetried, ExecutionRetryScheduled, ExecutionStarted, ItemsBegun, ItemsListed,
        IterationBegun, StepCancelled, StepCompensated, StepCompleted, StepExecution, StepFailed,
        StepRetryScheduled, StepScheduled, StepSkipped, StepStarted, event::Kind, execution::State,
        step_execution::State as StepState,
    },
};

/// An execution of `order` v3 with these steps: path and kind.
fn execution(steps: &[(&str, &str)]) -> Execution {
    let steps = steps.iter().map(|(path, kind)| StepExecution {
        path: (*path).into(),
        kind: (*kind).into(),
        agent: if *kind == "agent" {
            format!("{path}-agent")
        } else {
            String::new()
        },
        max_attempts: 3,
        ..Default::default()
    });
    Execution {
        execution_id: "0193".into(),
        workflow: "order".into(),
        version: 3,
        create_time: Some(at(0)),
        steps: steps.collect(),
        ..Default::default()
    }
}

fn at(millis: i64) -> Timestamp {
    Time::from_nanos(millis * 1_000_000).into()
}

/// Feeds events: milliseconds, step, kind.
fn fed(mut tree: Tree, events: Vec<(i64, &str, Kind)>) -> Tree {
    for (sequence, (millis, step, kind)) in (tree.sequence + 1..).zip(events) {
        tree.apply(&event(sequence, millis, step, kind));
    }
    tree
}

fn event(sequence: u64, millis: i64, step: &str, kind: Kind) -> Event {
    Event {
        execution_id: "0193".into(),
        sequence,
        time: Some(at(millis)),
        step: step.into(),
        kind: Some(kind),
    }
}

fn begun() -> Kind {
    Kind::ExecutionStarted(ExecutionStarted {
        workflow: "order".into(),
        version: 3,
        ..Default::default()
    })
}

fn scheduled(agent: &str, attempt: u32) -> Kind {
    Kind::StepScheduled(StepScheduled {
        attempt,
        agent: agent.into(),
        ..Default::default()
    })
}

fn started(agent: &str, attempt: u32) -> Kind {
    Kind::StepStarted(StepStarted {
        attempt,
        worker_id: "w1".into(),
        agent: agent.into(),
        ..Default::default()
    })
}

fn completed(attempt: u32) -> Kind {
    Kind::StepCompleted(StepCompleted {
        attempt,
        ..Default::default()
    })
}

fn failure(class: &str, message: &str) -> Option<Error> {
    Some(Error {
        class: class.into(),
        message: message.into(),
        step: "pay".into(),
    })
}

fn text(tree: &Tree, millis: i64) -> String {
    let lines = lines(tree, Time::from_nanos(millis * 1_000_000), 0);
    let painted: Vec<String> = lines
        .iter()
        .map(|l| l.paint(Paint::new(false), 100))
        .collect();
    painted
        .iter()
        .map(|l| l.trim_end())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn steps_to_come_are_shown_from_the_start() {
    let tree = Tree::of(&execution(&[("pay", "agent"), ("notify", "agent")]));
    assert_eq!(
        text(&tree, 0),
        "order v3  PENDING  0/2 steps  0 ms  0193\n\
         ├─ ○ pay     pay-agent\n\
         └─ ○ notify  notify-agent"
    );
}

#[test]
fn a_step_goes_from_the_queue_over_a_retry_to_its_end() {
    let tree = Tree::of(&execution(&[("pay", "agent")]));
    let tree = fed(
        tree,
        vec![(0, "", begun()), (10, "pay", scheduled("pay-agent", 1))],
    );
    assert_eq!(
        text(&tree, 200),
        "order v3  RUNNING  0/1 steps  200 ms  0193\n└─ ◌ pay  pay-agent  queued"
    );
    let tree = fed(tree, vec![(20, "pay", started("pay-agent", 1))]);
    assert!(text(&tree, 1_510).ends_with("└─ ⠋ pay  pay-agent  1.5 s"));
    let retry = StepRetryScheduled {
        attempt: 2,
        due_time: Some(at(2_500)),
        error: failure("unavailable", "gateway\nis down"),
        ..Default::default()
    };
    let tree = fed(tree, vec![(1_600, "pay", Kind::StepRetryScheduled(retry))]);
    assert!(
        text(&tree, 2_000)
            .ends_with("↻ pay  pay-agent  attempt 2 of 3 in 500 ms  unavailable: gateway is down")
    );
    let tree = fed(
        tree,
        vec![
            (2_500, "pay", scheduled("pay-agent", 2)),
            (2_510, "pay", started("pay-agent", 2)),
            (3_010, "pay", completed(2)),
            (
                3_020,
                "",
                Kind::ExecutionCompleted(ExecutionCompleted { output: None }),
            ),
        ],
    );
    assert_eq!(
        text(&tree, 9_000),
        "order v3  COMPLETED  1/1 steps  3.0 s  0193\n\
         └─ ✔ pay  pay-agent  3.0 s  attempt 2"
    );
    assert_eq!((tree.state, tree.sequence), (State::Completed, 8));
}

#[test]
fn steps_of_a_branch_appear_under_their_switch_once_it_is_chosen() {
    let tree = Tree::of(&execution(&[("route", "switch"), ("notify", "agent")]));
    let container = Kind::StepStarted(StepStarted {
        attempt: 1,
        ..Default::default()
    });
    let tree = fed(
        tree,
        vec![
            (0, "route", container),
            (0, "route", Kind::BranchChosen(BranchChosen { index: 0 })),
            (1, "route/review", scheduled("reviewer", 1)),
            (2, "route/book", scheduled("booker", 1)),
        ],
    );
    assert_eq!(
        text(&tree, 10),
        "order v3  RUNNING  0/4 steps  10 ms  0193\n\
         ├─ ⠋ route      switch        10 ms  case 1\n\
         │  ├─ ◌ review  reviewer      queued\n\
         │  └─ ◌ book    booker        queued\n\
         └─ ○ notify     notify-agent"
    );
}

#[test]
fn the_items_of_a_collection_are_one_line_with_a_bar() {
    let tree = Tree::of(&execution(&[("docs", "each"), ("join", "agent")]));
    let begun = StepStarted {
        attempt: 1,
        ..Default::default()
    };
    let listed = ItemsListed {
        items: None,
        count: 4_000,
    };
    let mut events = vec![
        (0, "docs", Kind::StepStarted(begun)),
        (0, "docs", Kind::ItemsListed(listed)),
        (
            0,
            "docs",
            Kind::ItemsBegun(ItemsBegun {
                first: 0,
                count: 1_002,
            }),
        ),
        (1, "docs[0]/read", scheduled("reader", 1)),
        (2, "docs[0]/read", completed(1)),
    ];
    let paths: Vec<String> = (0..1_000).map(|n| format!("docs[{n}]")).collect();
    events.extend(paths.iter().map(|path| (3, path.as_str(), completed(1))));
    let failed = StepFailed {
        attempt: 1,
        tolerated: true,
        ..Default::default()
    };
    events.push((4, "docs[1000]", Kind::StepFailed(failed)));
    let tree = fed(tree, events);
    assert_eq!(
        text(&tree, 10),
        "order v3  RUNNING  0/2 steps  10 ms  0193\n\
         ├─ ⠋ docs  each        10 ms  █████░░░░░░░░░░░░░░░ 1,001/4,000  1 failed  1 running\n\
         └─ ○ join  join-agent"
    );
}

#[test]
fn failures_skips_and_cancels_say_why() {
    let tree = Tree::of(&execution(&[
        ("a", "set"),
        ("b", "set"),
        ("c", "set"),
        ("d", "set"),
    ]));
    let failed = |tolerated, message: &str| {
        Kind::StepFailed(StepFailed {
            attempt: 1,
            error: failure("refused", message),
            tolerated,
            ..Default::default()
        })
    };
    let skipped = StepSkipped {
        reason: "its `when` is false".into(),
    };
    let cancelled = StepCancelled {
        reason: "step d failed".into(),
    };
    let ended = ExecutionFailed {
        error: failure("refused", "no"),
    };
    let tree = fed(
        tree,
        vec![
            (0, "a", failed(true, "maybe")),
            (0, "b", Kind::StepSkipped(skipped)),
            (0, "c", Kind::StepCancelled(cancelled)),
            (0, "d", failed(false, "no")),
            (5, "", Kind::ExecutionFailed(ended)),
        ],
    );
    assert_eq!(
        text(&tree, 10),
        "order v3  FAILED  4/4 steps  5 ms  refused: no  0193\n\
         ├─ ✖ a  set  0 ms  refused: maybe\n\
         ├─ ⊘ b  set  skipped  its `when` is false\n\
         ├─ ■ c  set  0 ms  step d failed\n\
         └─ ✖ d  set  0 ms  refused: no"
    );
}

#[test]
fn another_attempt_of_the_whole_runs_what_did_not_complete_again() {
    let tree = Tree::of(&execution(&[("a", "set"), ("b", "set"), ("c", "set")]));
    let failed = |tolerated| {
        Kind::StepFailed(StepFailed {
            attempt: 1,
            error: failure("timeout", ""),
            tolerated,
            ..Default::default()
        })
    };
    let again = ExecutionRetryScheduled {
        attempt: 2,
        due_time: Some(at(5_000)),
        error: failure("timeout", ""),
    };
    let tree = fed(
        tree,
        vec![
            (0, "", begun()),
            (1, "a", completed(1)),
            (2, "b", failed(false)),
            (2, "c", failed(true)),
            (3, "", Kind::ExecutionRetryScheduled(again)),
        ],
    );
    assert!(
        text(&tree, 4_000).starts_with(
            "order v3  WAITING  3/3 steps  4.0 s  tries again in 1.0 s  timeout  0193"
        )
    );
    let retried = ExecutionRetried { attempt: 2 };
    let tree = fed(tree, vec![(5_000, "", Kind::ExecutionRetried(retried))]);
    let states: Vec<StepState> = tree.rows.iter().map(|r| r.state).collect();
    let expected = [StepState::Completed, StepState::Pending, StepState::Failed];
    assert_eq!(states, expected);
    assert!(text(&tree, 5_000).starts_with("order v3  RUNNING  2/3 steps  5.0 s  attempt 2  0193"));
}

#[test]
fn an_earlier_run_that_is_undone_has_a_line_of_its_own() {
    let tree = Tree::of(&execution(&[("pay", "agent"), ("ship", "agent")]));
    let events = vec![
        (0, "", begun()),
        (10, "pay#1/compensation", scheduled("refund", 1)),
        (20, "pay#1/compensation", started("refund", 1)),
        (
            30,
            "pay#1",
            Kind::StepCompensated(StepCompensated::default()),
        ),
    ];
    let text = text(&fed(tree, events), 40);
    let lines: Vec<_> = text.lines().collect();
    let at = |word: &str| lines.iter().position(|line| line.contains(word));
    assert!(at("ship") < at("pay#1"), "{text}");
    let below = at("pay#1").map(|line| line + 1);
    assert_eq!(at("compensation"), below, "{text}");
}

#[test]
fn an_iteration_shows_who_does_its_steps_as_the_one_before_does() {
    let steps = [("l", "loop"), ("l[1]", "iteration"), ("l[1]/s", "switch")];
    let tree = Tree::of(&execution(&steps));
    let again = IterationBegun { index: 2 };
    let skipped = Kind::StepSkipped(StepSkipped::default());
    let events = vec![
        (0, "l", Kind::IterationBegun(again)),
        (1, "l[2]/s", skipped),
    ];
    let tree = fed(tree, events);
    let doers: Vec<&str> = tree.rows.iter().map(|row| row.doer.as_str()).collect();
    assert_eq!(
        doers,
        ["loop", "iteration", "switch", "iteration", "switch"]
    );
}

#[test]
fn what_a_step_waits_for_is_shown_until_it_is_taken() {
    let tree = Tree::of(&execution(&[("pay", "agent")]));
    let mut tree = fed(tree, vec![(0, "pay", scheduled("pay-agent", 1))]);
    let told = StepExecution {
        path: "pay".into(),
        waiting_for: "a worker that serves pay-agent".into(),
        ..Default::default()
    };
    tree.note_waiting(&[told]);
    assert!(text(&tree, 0).ends_with("◌ pay  pay-agent  waits: a worker that serves pay-agent"));
    let tree = fed(tree, vec![(5, "pay", started("pay-agent", 1))]);
    assert!(text(&tree, 5).ends_with("⠋ pay  pay-agent  5 ms"));
}

#[test]
fn a_tree_higher_than_the_terminal_keeps_what_matters() {
    let names: Vec<String> = (0..20).map(|i| format!("step{i:02}")).collect();
    let steps: Vec<(&str, &str)> = names.iter().map(|n| (n.as_str(), "set")).collect();
    let mut events: Vec<(i64, &str, Kind)> = names[..15]
        .iter()
        .map(|n| (0, n.as_str(), completed(1)))
        .collect();
    events.push((1, "step15", started("w", 1)));
    let tree = fed(Tree::of(&execution(&steps)), events);
    let lines = lines_within(&tree, Time::from_nanos(2_000_000), 0, 7);
    let text: Vec<String> = lines
        .iter()
        .map(|l| l.paint(Paint::new(false), 60))
        .collect();
    assert_eq!(text.len(), 7);
    assert!(text[1].contains("step15"), "{text:?}");
    assert!(text[5].contains("step19"), "{text:?}");
    assert_eq!(text[6], "   … and 15 more steps");
}

#[test]
fn lines_are_cut_at_the_width_of_the_terminal() {
    let tree = Tree::of(&execution(&[("a-step-with-a-long-name", "agent")]));
    let lines = lines(&tree, Time::default(), 0);
    assert_eq!(lines[1].paint(Paint::new(false), 12), "└─ ○ a-step…");
}

#[test]
fn the_output_is_kept_for_the_end() {
    let output: Value = number(42.0);
    let done = ExecutionCompleted {
        output: Some(output.clone()),
    };
    let tree = Tree::of(&execution(&[]));
    let tree = fed(tree, vec![(0, "", Kind::ExecutionCompleted(done))]);
    assert_eq!(tree.output, Some(output));
    assert!(tree.has_ended());
}

#[test]
fn an_event_is_one_line() {
    let started_at = Some(Time::from_nanos(0));
    let line = |millis, step, kind| journal::line(&event(1, millis, step, kind), started_at);
    assert_eq!(
        line(0, "", begun()),
        "+0.000 s  execution  execution_started  order v3 0193"
    );
    assert_eq!(
        line(1_234, "pay", scheduled("pay-agent", 2)),
        "+1.234 s  pay  step_scheduled  agent pay-agent, attempt 2"
    );
    assert_eq!(
        line(61_000, "pay", completed(1)),
        "+61.000 s  pay  step_completed"
    );
    let retry = StepRetryScheduled {
        attempt: 2,
        due_time: Some(at(1_500)),
        error: failure("unavailable", "two\nlines"),
        ..Default::default()
    };
    assert_eq!(
        line(1_000, "pay", Kind::StepRetryScheduled(retry)),
        "+1.000 s  pay  step_retry_scheduled  attempt 2 in 500 ms: unavailable: two lines"
    );
}
