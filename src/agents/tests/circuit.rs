//! Circuits that open, are tried and close; and tasks turned away at once.

use std::time::Duration;

use prost_types::Duration as Span;

use super::{invariants::check, rig::*};
use crate::{
    agents::{Dispatch as _, Offer, Order},
    core::{plan::Select, value},
    proto::{
        Agent, Breaker, Error, Fail, Task, TaskFailure,
        agent::{Circuit, State},
        work_request::Message as Up,
        work_response::Message as Down,
    },
};

fn breaking(id: &str) -> Agent {
    Agent {
        breaker: Some(Breaker {
            failures: 2,
            open_timeout: Some(Span {
                seconds: 10,
                nanos: 0,
            }),
        }),
        ..skilled(id, "s", &[])
    }
}

fn with_next(sequence: u64, target: crate::core::plan::Target) -> Offer {
    Offer {
        has_next: true,
        ..offer(sequence, target)
    }
}

async fn fail(worker: &TestWorker, tasks: &[Task], class: &str) {
    let failure = |task: &Task| TaskFailure {
        token: task.token.clone(),
        error: Some(Error {
            class: class.into(),
            ..Error::default()
        }),
        ..TaskFailure::default()
    };
    let failures = tasks.iter().map(failure).collect();
    worker.say(Up::Fail(Fail { failures })).await;
    rest().await;
}

/// The tasks it was given since, whatever else it was told.
async fn tasks_of(worker: &mut TestWorker) -> Vec<Task> {
    let messages = worker.messages().await.into_iter();
    let tasks = messages.filter_map(|message| match message {
        Down::Tasks(tasks) => Some(tasks.tasks),
        _ => None,
    });
    tasks.flatten().collect()
}

async fn sequences(worker: &mut TestWorker) -> Vec<u64> {
    tasks_of(worker).await.iter().map(sequence).collect()
}

fn circuit(rig: &Rig, id: &str) -> Circuit {
    rig.agent(id).circuit()
}

/// What failed that nobody was given: sequence and class.
async fn turned_away(rig: &Rig) -> Vec<(u64, String)> {
    rest().await;
    let told = rig.told_results().await;
    let failed = told.into_iter().filter_map(|told| match told {
        Told::Failed(key, _, failure) => Some((key.sequence, failure.class)),
        _ => None,
    });
    failed.collect()
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_open_it_one_task_tries_it_and_success_closes_it() {
    let rig = rig();
    rig.put(breaking("a"));
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(9).await;
    rig.enqueue("a", 1..=2);
    let tasks = tasks_of(&mut worker).await;
    fail(&worker, &tasks[..1], "own").await;
    worker.complete(&tasks[1], value::null()).await;
    rig.enqueue("a", 3..=5);
    let tasks = tasks_of(&mut worker).await;
    fail(&worker, &tasks[..1], "own").await;
    fail(&worker, &tasks[1..2], "validation").await;
    assert_eq!(
        circuit(&rig, "a"),
        Circuit::Closed,
        "not in a row, or not its own"
    );
    fail(&worker, &tasks[2..], "timeout").await;
    assert_eq!(circuit(&rig, "a"), Circuit::Open);
    rig.enqueue("a", 6..=8);
    assert_eq!(sequences(&mut worker).await, [0; 0]);
    let words = rig.waiting_for(6).unwrap();
    assert!(words.contains("circuit of agent 'a' is open"), "{words}");

    pass(Duration::from_secs(10)).await;
    assert_eq!(circuit(&rig, "a"), Circuit::HalfOpen);
    let tried = tasks_of(&mut worker).await;
    assert_eq!(tried.len(), 1, "one task tries it");
    fail(&worker, &tried, "own").await;
    assert_eq!(circuit(&rig, "a"), Circuit::Open);
    pass(Duration::from_secs(10)).await;
    let tried = tasks_of(&mut worker).await;
    worker.complete(&tried[0], value::null()).await;
    assert_eq!(sequences(&mut worker).await, [8], "all go on");
    assert_eq!(circuit(&rig, "a"), Circuit::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_not_answered_in_time_counts_and_a_reset_closes() {
    let rig = rig();
    rig.put(breaking("a"));
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(9).await;
    rig.enqueue("a", 1..=2);
    let tasks = tasks_of(&mut worker).await;
    worker.accept(&tasks).await;
    for sequence in 1..=2 {
        rig.hub.carry_out(vec![Order::Withdraw {
            key: key(sequence),
            reason: "the attempt timed out".into(),
            timed_out: true,
        }]);
    }
    assert_eq!(circuit(&rig, "a"), Circuit::Open);
    rig.enqueue("a", [3]);
    assert!(rig.hub.reset_circuit("default", "a"));
    assert!(!rig.hub.reset_circuit("default", "nobody"));
    assert_eq!(sequences(&mut worker).await, [3]);
    assert_eq!(circuit(&rig, "a"), Circuit::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_someone_else_may_do_does_not_wait_for_an_open_circuit() {
    let rig = rig();
    rig.put(breaking("a"));
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(2).await;
    rig.enqueue("a", 1..=3);
    rig.hub.enqueue(with_next(4, to_agent("a")));
    let skill = to_skill("s", &[], Select::default());
    rig.hub.enqueue(with_next(5, skill.clone()));
    let tasks = tasks_of(&mut worker).await;
    fail(&worker, &tasks, "own").await;
    rig.hub.enqueue(with_next(6, to_agent("a")));
    rig.put(skilled("b", "s", &[]));
    rig.hub.enqueue(with_next(7, skill));
    let mut away = turned_away(&rig).await;
    away.sort();
    let told = |sequence, class: &str| (sequence, class.to_owned());
    assert_eq!(
        away,
        [
            told(1, "own"),
            told(2, "own"),
            told(4, "unavailable"),
            told(5, "unavailable"),
            told(6, "unavailable")
        ]
    );
    assert!(rig.waiting_for(3).is_some(), "nobody else may do it");
    assert!(rig.waiting_for(7).is_some(), "another has the skill");
}

#[tokio::test(start_paused = true)]
async fn only_registered_agents_are_waited_for_when_another_may_be_called() {
    let rig = rig();
    rig.put(agent("known"));
    let mut disabled = agent("off");
    disabled.set_state(State::Disabled);
    rig.put(disabled);
    for (sequence, id) in (1..).zip(["known", "unknown", "off"]) {
        rig.hub.enqueue(with_next(sequence, to_agent(id)));
        let mut computed = offer(sequence + 10, to_agent(id));
        computed.is_computed = true;
        rig.hub.enqueue(computed);
        rig.enqueue(id, [sequence + 20]);
    }
    let away = turned_away(&rig).await;
    let told = |sequence, class: &str| (sequence, class.to_owned());
    assert_eq!(
        away,
        [
            told(2, "unavailable"),
            told(12, "refused"),
            told(3, "unavailable")
        ]
    );
    for waiting in [1, 11, 13, 21, 22, 23] {
        assert!(rig.waiting_for(waiting).is_some(), "{waiting}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_in_memory_is_turned_away_just_so() {
    let rig = rig();
    rig.put(breaking("a"));
    let wait = |offer: Offer| {
        rig.sink
            .asleep
            .lock()
            .unwrap()
            .insert(offer.key, offer.clone());
        rig.hub.wait(ticket(&offer));
    };
    // More than the engine is asked for at once.
    for sequence in 100..2_000 {
        wait(with_next(sequence, to_agent("a")));
    }
    let skill = to_skill("s", &[], Select::Sticky("k".into()));
    wait(with_next(2_000, skill));
    wait(offer(2_001, to_agent("a")));
    let mut first = offer(1, to_agent("a"));
    first.priority = 1;
    let second = Offer {
        key: key(2),
        ..first.clone()
    };
    rig.hub.enqueue(first);
    rig.hub.enqueue(second);
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(2).await;
    let tasks = tasks_of(&mut worker).await;
    fail(&worker, &tasks, "own").await;
    wait(with_next(2_002, to_agent("a")));
    wait(with_next(2_003, to_agent("unknown")));
    let mut away = turned_away(&rig).await;
    away.retain(|(_, class)| class == "unavailable");
    let mut away: Vec<_> = away.into_iter().map(|(sequence, _)| sequence).collect();
    away.sort_unstable();
    let expected: Vec<_> = (100..=2_000).chain([2_002, 2_003]).collect();
    assert_eq!(away, expected);
    assert!(rig.waiting_for(2_001).is_some(), "nobody else may do it");
    check(&rig.hub);
}
