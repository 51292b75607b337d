//! A worker's stream: the greeting, credits, offers, drain, and its end.

use std::time::Duration;

use super::rig::*;
use crate::{
    agents::{Dispatch as _, Refusal},
    core::{limits::Limits, time},
    proto::{
        Accept, Agent, Draining, GoAway, Hello, Ping, TaskChunk, agent::State,
        work_request::Message as Up, work_response::Message as Down,
    },
};

#[tokio::test(start_paused = true)]
async fn a_worker_is_told_the_intervals() {
    let rig = rig();
    let (_, welcome) = rig.connect_with(hello("w", &["a"])).await;
    let span = |d: Option<prost_types::Duration>| time::span(&d.unwrap()).unwrap();
    assert_eq!(span(welcome.lease_timeout), limits().lease_timeout);
    assert_eq!(span(welcome.heartbeat_interval) * 3, limits().lease_timeout);
    assert_eq!(welcome.message_bytes_max, limits().message_bytes_max as u64);
}

#[tokio::test(start_paused = true)]
async fn a_bad_hello_is_refused_by_the_field() {
    let rig = rig();
    let refusal = rig.hub.connect(Hello::default()).await.err().unwrap();
    assert!(
        matches!(&refusal, Refusal::Invalid { field, .. } if field == "hello.worker_id"),
        "{refusal:?}"
    );
    assert!(rig.told().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hello_comes_once() {
    let rig = rig();
    let worker = rig.connect("w", &["a"]).await;
    let again = worker.session.handle(Up::Hello(hello("w", &["a"]))).await;
    assert!(matches!(again, Err(Refusal::Invalid { .. })), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn agents_a_worker_brings_are_registered_unless_known() {
    let rig = rig();
    rig.put(Agent {
        description: "known".into(),
        ..agent("known")
    });
    let mut hello = hello("w", &["known", "new"]);
    hello.agents[1].state = State::Disabled.into();
    hello.agents[1].running_tasks = 7;
    let (_worker, _) = rig.connect_with(hello).await;
    let new = Told::Registered("default".into(), agent("new"));
    assert_eq!(rig.told().await, [new]);
    assert_eq!(rig.agent("known").description, "known");
    assert_eq!(rig.agent("new").workers, 1);
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_credits_is_given_nothing() {
    let rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    rig.enqueue("a", [1]);
    assert!(worker.sequences().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn credits_are_bounded() {
    let rig = rig_with(&Limits {
        worker_credits_max: 3,
        ..limits()
    });
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(2).await;
    worker.credit(u32::MAX).await;
    assert_eq!(rig.hub.workers("default", "", "", 9)[0].credits, 3);
    rig.enqueue("a", 1..=9);
    assert_eq!(worker.sequences().await, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn inputs_not_accepted_are_bounded_in_bytes() {
    let rig = rig_with(&Limits {
        message_bytes_max: 8,
        ..limits()
    });
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(9).await;
    rig.enqueue("a", 1..=9);
    let first = worker.tasks().await;
    assert!((1..9).contains(&first.len()), "{}", first.len());
    worker.accept(&first).await;
    assert!(!worker.tasks().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_task_says_all_there_is_to_know() {
    let rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(2).await;
    let mut first = offer(1, to_agent("a"));
    first.timeout = Some(Duration::from_secs(3600));
    rig.hub.enqueue(first);
    let mut second = offer(2, to_agent("a"));
    second.attempt = 2;
    rig.hub.enqueue(second);
    let tasks = worker.tasks().await;
    let id = key(1).execution_id.to_string();
    for (task, attempt) in tasks.iter().zip(1..) {
        assert_eq!(task.execution_id, id);
        assert_eq!(task.attempt, attempt);
        assert_eq!(task.idempotency_key, format!("{id}/outer/inner"));
        assert_eq!((&*task.step, &*task.agent), ("outer/inner", "a"));
        assert_eq!((&*task.workflow, &*task.namespace), ("flow", "default"));
        assert_eq!(
            task.lease_timeout,
            Some(time::message(limits().lease_timeout))
        );
    }
    assert!(tasks[0].deadline.is_some());
    assert_eq!(tasks[1].deadline, None);
    assert_ne!(tasks[0].token, tasks[1].token);
}

#[tokio::test(start_paused = true)]
async fn an_offer_not_accepted_goes_back_without_a_retry() {
    let rig = rig();
    let mut deaf = rig.connect("deaf", &["a"]).await;
    deaf.credit(2).await;
    rig.enqueue("a", [1, 2]);
    let offered = deaf.tasks().await;
    deaf.accept(&offered[1..]).await;
    let mut other = rig.connect("other", &["a"]).await;
    other.credit(1).await;
    rig.told().await;
    pass(limits().accept_timeout).await;
    let cancelled = deaf.cancelled().await;
    assert_eq!(cancelled.len(), 1);
    assert_eq!(cancelled[0].0, offered[0].token);
    let taken = other.tasks().await;
    assert_eq!(sequence(&taken[0]), 1);
    assert_eq!(taken[0].attempt, 1);
    assert_ne!(taken[0].token, offered[0].token);
    assert!(rig.told().await.is_empty());
    deaf.accept(&offered[..1]).await;
    assert_eq!(deaf.cancelled().await.len(), 1, "too late");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_let_an_offer_pass_is_given_more_once_it_is_heard_of() {
    let rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(9).await;
    rig.enqueue("a", [1]);
    assert_eq!(worker.sequences().await, [1]);
    pass(limits().accept_timeout).await;
    assert_eq!(worker.cancelled().await.len(), 1);
    rig.enqueue("a", [2]);
    assert!(worker.sequences().await.is_empty());
    worker.say(Up::Ping(Ping { nonce: 7 })).await;
    let down = worker.messages().await;
    assert!(
        matches!(&down[..], [Down::Tasks(both), Down::Ping(_)] if both.tasks.len() == 2),
        "the first and the second, and a ping: {down:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn accepting_starts_the_lease_and_is_told_once() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (worker, tasks) = rig.working("w", &["a"], 1).await;
    worker.accept(&tasks).await;
    let told = rig.told().await;
    match &told[..] {
        [Told::Accepted(accepted, held)] => {
            assert_eq!(*accepted, key(1));
            assert_eq!((&*held.worker_id, &*held.agent), ("w", "a"));
            assert!(tasks[0].token.ends_with(&format!("{:016x}", held.lease)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(rig.agent("a").running_tasks, 1);
}

#[tokio::test(start_paused = true)]
async fn a_made_up_token_is_cancelled() {
    let rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    let tokens = vec!["made-up".to_owned(), "1".repeat(64)];
    worker.say(Up::Accept(Accept { tokens })).await;
    assert_eq!(worker.cancelled().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_offered_to_one_worker_is_not_anothers_to_accept() {
    let rig = rig();
    let mut one = rig.connect("w1", &["a"]).await;
    one.credit(1).await;
    rig.enqueue("a", [1]);
    let tasks = one.tasks().await;
    let mut other = rig.connect("w2", &["a"]).await;
    other.accept(&tasks).await;
    assert_eq!(other.cancelled().await.len(), 1);
    one.accept(&tasks).await;
    assert!(one.messages().await.is_empty());
    assert_eq!(rig.agent("a").running_tasks, 1);
}

#[tokio::test(start_paused = true)]
async fn an_acceptance_that_does_not_count_is_cancelled_and_freed() {
    let rig = rig();
    rig.put(Agent {
        max_concurrency: 1,
        ..agent("a")
    });
    rig.enqueue("a", [1, 2]);
    rig.answer(Err(Refusal::Stale("it has ended".into())));
    let (mut worker, tasks) = rig.working("w", &["a"], 2).await;
    let down = worker.messages().await;
    match &down[..] {
        [Down::Cancel(cancel), Down::Tasks(next)] => {
            assert_eq!(cancel.tokens, [tasks[0].token.clone()]);
            assert!(cancel.reason.contains("it has ended"));
            assert_eq!(sequence(&next.tasks[0]), 2);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_stream_gives_offers_back_and_keeps_leases() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1, 2]);
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(2).await;
    let tasks = worker.tasks().await;
    worker.accept(&tasks[..1]).await;
    drop(worker);
    let mut other = rig.connect("other", &["a"]).await;
    other.credit(9).await;
    assert_eq!(other.sequences().await, [2]);
    assert_eq!(rig.agent("a").running_tasks, 1);
    let told = rig.told_results().await;
    assert!(told.is_empty(), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_draining_worker_is_given_no_more_and_finishes() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1, 2]);
    let (mut worker, tasks) = rig.working("w", &["a"], 1).await;
    worker.say(Up::Draining(Draining {})).await;
    worker.credit(9).await;
    assert!(worker.sequences().await.is_empty());
    assert!(rig.hub.workers("default", "", "", 9)[0].draining);
    pass(limits().lease_timeout / 2).await;
    worker.heartbeat(&tasks[0]).await;
    pass(limits().lease_timeout / 2).await;
    worker.complete(&tasks[0], requires("x")).await;
    assert_eq!(worker.acks().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_server_drains_a_worker() {
    let rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(1).await;
    assert!(rig.hub.drain_worker("default", "w"));
    assert!(!rig.hub.drain_worker("default", "unknown"));
    rig.enqueue("a", [1]);
    let down = worker.messages().await;
    assert!(matches!(down[..], [Down::Drain(_)]), "{down:?}");
}

#[tokio::test(start_paused = true)]
async fn a_ping_comes_back() {
    let rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    worker.say(Up::Ping(Ping { nonce: 42 })).await;
    assert_eq!(worker.messages().await, [Down::Ping(Ping { nonce: 42 })]);
}

#[tokio::test(start_paused = true)]
async fn chunks_of_a_task_in_progress_are_passed_on() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (worker, tasks) = rig.working("w", &["a"], 1).await;
    rig.told().await;
    for token in [tasks[0].token.clone(), "1".repeat(64)] {
        let data = Some(requires("x"));
        worker.say(Up::Chunk(TaskChunk { token, data })).await;
    }
    match &rig.told().await[..] {
        [Told::Chunk(chunk)] => {
            assert_eq!(chunk.execution_id, key(1).execution_id.to_string());
            assert_eq!((&*chunk.step, chunk.attempt), ("outer/inner", 1));
            assert_eq!(chunk.data, Some(requires("x")));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_does_not_read_loses_its_stream() {
    let rig = rig_with(&Limits {
        worker_credits_max: 1,
        ..limits()
    });
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let mut deaf = rig.connect("deaf", &["a"]).await;
    deaf.credit(1).await;
    for nonce in 0..2_000 {
        deaf.say(Up::Ping(Ping { nonce })).await;
    }
    assert!(rig.hub.workers("default", "", "", 9).is_empty());
    let mut other = rig.connect("other", &["a"]).await;
    other.credit(1).await;
    assert_eq!(other.sequences().await, [1]);
    deaf.messages().await;
    assert!(deaf.down.is_closed());
}

#[tokio::test(start_paused = true)]
async fn at_shutdown_every_worker_is_sent_away() {
    let mut rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(1).await;
    rig.hub.shutdown("bye");
    rig.enqueue("a", [1]);
    let down = worker.messages().await;
    assert!(
        matches!(&down[..], [Down::GoAway(GoAway { reason, retry_after: Some(_) })] if reason == "bye"),
        "{down:?}"
    );
    assert!(worker.down.is_closed());
    let refused = rig.hub.connect(hello("w", &["a"])).await.err();
    assert_eq!(refused, Some(Refusal::Unavailable));
    rig.stop().await;
    let refused = rig.hub.fail(&"1".repeat(64), None, None, None).await;
    assert_eq!(refused, Err(Refusal::Unavailable));
}
