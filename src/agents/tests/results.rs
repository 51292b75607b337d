//! Results: once each, answered when they are durable.

use super::rig::*;
use crate::{
    agents::Refusal,
    core::{limits::Limits, value},
    proto::{
        Agent, Complete, Error, Fail, TaskFailure, TaskResult, result_ack::Outcome,
        work_request::Message as Up,
    },
};

#[tokio::test(start_paused = true)]
async fn a_result_is_acknowledged_once_it_is_durable() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (mut worker, tasks) = rig.working("w", &["a"], 1).await;
    rig.told().await;
    rig.hold_answers(true);
    worker.complete(&tasks[0], value::string("out")).await;
    assert!(worker.messages().await.is_empty());
    assert_eq!(rig.agent("a").running_tasks, 1);
    rig.hold_answers(false);
    let acks = worker.acks().await;
    assert_eq!(acks.len(), 1);
    assert_eq!(acks[0].token, tasks[0].token);
    assert_eq!(acks[0].outcome(), Outcome::Recorded);
    let told = rig.told().await;
    assert!(
        matches!(&told[..], [Told::Completed(done, _, out)]
            if *done == key(1) && *out == value::string("out")),
        "{told:?}"
    );
    assert_eq!(rig.agent("a").running_tasks, 0);
}

#[tokio::test(start_paused = true)]
async fn facts_are_told_in_order_though_acceptance_is_not_durable_yet() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    rig.hold_answers(true);
    let (worker, tasks) = rig.working("w", &["a"], 1).await;
    worker.complete(&tasks[0], value::null()).await;
    let told = rig.told().await;
    assert!(
        matches!(told[..], [Told::Accepted(..), Told::Completed(..)]),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_result_without_an_acceptance_counts_as_both() {
    let rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(1).await;
    rig.enqueue("a", [1]);
    let tasks = worker.tasks().await;
    rig.told().await;
    worker.complete(&tasks[0], value::null()).await;
    assert_eq!(worker.acks().await[0].outcome(), Outcome::Recorded);
    let told = rig.told().await;
    assert!(
        matches!(told[..], [Told::Accepted(..), Told::Completed(..)]),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_result_repeated_meanwhile_is_told_once() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (mut worker, tasks) = rig.working("w", &["a"], 1).await;
    rig.told().await;
    rig.hold_answers(true);
    for _ in 0..3 {
        worker.complete(&tasks[0], value::null()).await;
    }
    rest().await;
    rig.hold_answers(false);
    assert_eq!(worker.acks().await.len(), 1);
    assert_eq!(rig.told().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_result_of_an_ended_task_is_the_engines_to_judge() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (mut worker, tasks) = rig.working("w", &["a"], 1).await;
    worker.complete(&tasks[0], value::null()).await;
    assert_eq!(worker.acks().await[0].outcome(), Outcome::Recorded);
    worker.complete(&tasks[0], value::null()).await;
    assert_eq!(worker.acks().await[0].outcome(), Outcome::Recorded);
    rig.answer(Err(Refusal::Stale("it has ended".into())));
    worker.complete(&tasks[0], value::null()).await;
    let acks = worker.acks().await;
    assert_eq!(acks[0].outcome(), Outcome::Stale);
    assert!(acks[0].message.contains("it has ended"));
}

#[tokio::test(start_paused = true)]
async fn a_result_under_an_older_token_is_stale_and_not_told() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let mut deaf = rig.connect("deaf", &["a"]).await;
    deaf.credit(1).await;
    let offered = deaf.tasks().await;
    pass(limits().accept_timeout).await;
    let (_other, _) = rig.working("other", &["a"], 1).await;
    deaf.messages().await;
    rig.told().await;
    deaf.complete(&offered[0], value::null()).await;
    assert_eq!(deaf.acks().await[0].outcome(), Outcome::Stale);
    assert!(rig.told().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_malformed_token_is_stale() {
    let rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    let results = vec![TaskResult {
        token: "made-up".into(),
        ..TaskResult::default()
    }];
    worker.say(Up::Complete(Complete { results })).await;
    assert_eq!(worker.acks().await[0].outcome(), Outcome::Stale);
}

#[tokio::test(start_paused = true)]
async fn an_output_over_the_limit_fails_the_attempt() {
    let rig = rig_with(&Limits {
        payload_bytes_max: 100,
        ..limits()
    });
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (mut worker, tasks) = rig.working("w", &["a"], 1).await;
    worker
        .complete(&tasks[0], value::string("x".repeat(101)))
        .await;
    let acks = worker.acks().await;
    assert_eq!(acks[0].outcome(), Outcome::TooLarge);
    let told = rig.told_results().await;
    assert!(
        matches!(&told[..], [Told::Failed(_, _, failure)] if failure.class == "limit"),
        "{told:?}"
    );
    assert_eq!(rig.agent("a").running_tasks, 0);
}

#[tokio::test(start_paused = true)]
async fn an_output_that_breaks_the_schema_fails_the_attempt() {
    let rig = rig();
    rig.put(Agent {
        output_schema: Some(requires("total")),
        ..agent("a")
    });
    rig.enqueue("a", [1, 2]);
    let (mut worker, tasks) = rig.working("w", &["a"], 2).await;
    rig.told().await;
    worker.complete(&tasks[0], value::null()).await;
    let good = value::object([("total", value::number(1.0))]);
    worker.complete(&tasks[1], good).await;
    let acks = worker.acks().await;
    assert!(acks.iter().all(|a| a.outcome() == Outcome::Recorded));
    let told = rig.told().await;
    assert!(
        matches!(&told[..], [Told::Failed(failed, _, failure), Told::Completed(done, ..)]
            if failure.class == "invalid_output" && *failed == key(1) && *done == key(2)),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_with_all_it_says() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1, 2]);
    let (mut worker, tasks) = rig.working("w", &["a"], 2).await;
    rig.told().await;
    let failed = |i: usize, class: &str| TaskFailure {
        token: tasks[i].token.clone(),
        error: Some(Error {
            class: class.into(),
            message: "é".repeat(8 << 10),
            ..Error::default()
        }),
        retry_after: Some(prost_types::Duration {
            seconds: 5,
            nanos: 0,
        }),
        usage: None,
    };
    let failures = vec![failed(0, "rate_limited"), failed(1, "")];
    worker.say(Up::Fail(Fail { failures })).await;
    assert_eq!(worker.acks().await.len(), 2);
    let told = rig.told().await;
    for (told, class) in told.iter().zip(["rate_limited", "agent_error"]) {
        let Told::Failed(_, _, failure) = told else {
            panic!("{told:?}");
        };
        assert_eq!(failure.class, class);
        assert_eq!(failure.retry_after.unwrap().as_secs(), 5);
        assert_eq!(failure.message.len(), 8 << 10);
    }
}

#[tokio::test(start_paused = true)]
async fn results_that_are_not_durable_yet_are_bounded_in_bytes() {
    let rig = rig_with(&Limits {
        message_bytes_max: 512,
        ..limits()
    });
    rig.put(agent("a"));
    rig.enqueue("a", 1..=3);
    let (worker, tasks) = rig.working("w", &["a"], 3).await;
    rig.hold_answers(true);
    rig.told().await;
    let session = &worker;
    let sending = async {
        for task in &tasks {
            session.complete(task, value::null()).await;
        }
    };
    tokio::pin!(sending);
    tokio::select! {
        () = &mut sending => panic!("there is room for two results of 256 bytes"),
        () = rest() => {}
    }
    assert_eq!(rig.told().await.len(), 2);
    rig.hold_answers(false);
    sending.await;
    assert_eq!(rig.told().await.len(), 1);
}
