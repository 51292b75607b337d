//! The same tasks by single calls.

use std::time::Duration;

use futures::FutureExt as _;
use tokio::time::Instant;

use super::rig::*;
use crate::{
    agents::Refusal,
    core::{limits::Limits, value},
    proto::{Error, Task},
};

async fn poll(rig: &Rig, most: u32, wait: Duration) -> Result<Vec<Task>, Refusal> {
    rig.hub.poll("", "p", &["a".into()], most, wait).await
}

async fn poll_now(rig: &Rig) -> Vec<Task> {
    poll(rig, 1, Duration::ZERO).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_poll_takes_what_is_there() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", 1..=5);
    let tasks = poll(&rig, 3, Duration::ZERO).await.unwrap();
    assert_eq!(tasks.iter().map(sequence).collect::<Vec<_>>(), [1, 2, 3]);
    let told = rig.told().await;
    assert!(
        told.iter()
            .all(|t| matches!(t, Told::Accepted(_, held) if held.worker_id == "p")),
        "{told:?}"
    );
    assert_eq!(told.len(), 3);
    assert_eq!(poll_now(&rig).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_poll_does_not_wait_unless_asked() {
    let rig = rig();
    let begin = Instant::now();
    assert!(poll_now(&rig).await.is_empty());
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert!(matches!(rig.told().await[..], [Told::Registered(..)]));
}

#[tokio::test(start_paused = true)]
async fn a_poll_waits_for_the_first_task() {
    let rig = rig();
    let wait = Duration::from_secs(60);
    let waiting = async {
        pass(Duration::from_secs(10)).await;
        assert_eq!(rig.agent("a").workers, 1);
        rig.enqueue("a", [1, 2]);
        Instant::now()
    };
    let (tasks, queued) = tokio::join!(poll(&rig, 9, wait), waiting);
    assert_eq!(tasks.unwrap().len(), 2);
    assert_eq!(Instant::now(), queued);
    assert!(poll(&rig, 9, wait).await.unwrap().is_empty());
    assert_eq!(queued.elapsed(), wait);
    assert_eq!(rig.agent("a").workers, 0);
}

#[tokio::test(start_paused = true)]
async fn a_poll_returns_once_its_acceptance_is_durable() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    rig.hold_answers(true);
    let polling = poll(&rig, 1, Duration::ZERO);
    tokio::pin!(polling);
    tokio::select! {
        _ = &mut polling => panic!("too early"),
        () = rest() => {}
    }
    rig.hold_answers(false);
    assert_eq!(polling.await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_goes_away_while_it_waits_loses_nothing() {
    let rig = rig();
    rig.put(agent("a"));
    let mut polling = Box::pin(poll(&rig, 1, Duration::from_secs(60)));
    assert!(polling.as_mut().now_or_never().is_none());
    rig.enqueue("a", [1]);
    assert_eq!(rig.waiting_for(1).unwrap(), "offered to worker p");
    drop(polling);
    assert_eq!(rig.waiting_for(1).unwrap(), "no worker serves agent 'a'");
    assert_eq!(poll_now(&rig).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_goes_away_with_its_tasks_fails_them_at_once() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    rig.hold_answers(true);
    let mut polling = Box::pin(poll(&rig, 1, Duration::ZERO));
    assert!(polling.as_mut().now_or_never().is_none());
    drop(polling);
    let told = rig.told().await;
    assert!(
        matches!(&told[..], [Told::Accepted(..), Told::Failed(_, _, failure)]
            if failure.class == "unavailable"),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_poll_passes_over_a_task_that_does_not_count_any_more() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    rig.answer(Err(Refusal::Stale("it has ended".into())));
    assert!(poll_now(&rig).await.is_empty());
    assert_eq!(rig.agent("a").running_tasks, 0);
}

#[tokio::test(start_paused = true)]
async fn a_bad_poll_is_refused_by_the_field() {
    let rig = rig();
    let agents = ["a".to_owned(), "no spaces".to_owned()];
    for (worker, agents, bad) in [
        ("", &agents[..1], "worker_id"),
        ("p", &[], "agents"),
        ("p", &agents[..], "agents[1]"),
    ] {
        let refused = rig.hub.poll("", worker, agents, 1, Duration::ZERO).await;
        assert!(
            matches!(&refused, Err(Refusal::Invalid { field, .. }) if field == bad),
            "{refused:?}"
        );
    }
    assert!(rig.told().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_task_is_completed_by_a_call_once_it_is_durable() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let task = poll_now(&rig).await.remove(0);
    rig.hold_answers(true);
    rig.told().await;
    let completing = rig.hub.complete(&task.token, value::null(), None);
    let again = rig.hub.complete(&task.token, value::null(), None);
    let freeing = async {
        rest().await;
        assert_eq!(rig.agent("a").running_tasks, 1);
        rig.hold_answers(false);
    };
    let (one, two, ()) = tokio::join!(completing, again, freeing);
    assert_eq!((one, two), (Ok(()), Ok(())));
    assert_eq!(rig.told().await.len(), 1);
    assert_eq!(rig.agent("a").running_tasks, 0);
    let later = rig.hub.complete(&task.token, value::null(), None).await;
    assert_eq!(later, Ok(()), "as the engine says");
}

#[tokio::test(start_paused = true)]
async fn a_task_is_failed_by_a_call() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let task = poll_now(&rig).await.remove(0);
    rig.told().await;
    let error = Error {
        class: "auth".into(),
        ..Error::default()
    };
    let failed = rig.hub.fail(&task.token, Some(error), None, None).await;
    assert_eq!(failed, Ok(()));
    let told = rig.told().await;
    assert!(
        matches!(&told[..], [Told::Failed(_, _, failure)] if failure.class == "auth"),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_output_over_the_limit_is_a_typed_refusal() {
    let rig = rig_with(&Limits {
        payload_bytes_max: 10,
        ..limits()
    });
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let task = poll_now(&rig).await.remove(0);
    let output = value::string("x".repeat(11));
    let refused = rig.hub.complete(&task.token, output, None).await;
    assert!(
        matches!(refused, Err(Refusal::TooLarge { bytes_max: 10, .. })),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_made_up_token_is_stale_and_none_is_invalid() {
    let rig = rig();
    let refused = rig.hub.complete("made-up", value::null(), None).await;
    assert!(matches!(refused, Err(Refusal::Stale(_))), "{refused:?}");
    let refused = rig.hub.fail("", None, None, None).await;
    assert!(
        matches!(&refused, Err(Refusal::Invalid { field, .. }) if field == "token"),
        "{refused:?}"
    );
    let refused = rig.hub.heartbeat(&"1".repeat(64)).await;
    assert!(matches!(refused, Err(Refusal::Stale(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_renews_and_tells_of_a_withdrawal() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let task = poll_now(&rig).await.remove(0);
    rig.told().await;
    for _ in 0..3 {
        pass(limits().lease_timeout / 2).await;
        assert!(!rig.hub.heartbeat(&task.token).await.unwrap().cancelled);
    }
    assert!(rig.told().await.is_empty());
    rig.hub.withdraw(key(1), "not wanted");
    assert!(rig.hub.heartbeat(&task.token).await.unwrap().cancelled);
    pass(limits().lease_timeout).await;
    let refused = rig.hub.heartbeat(&task.token).await;
    assert!(matches!(refused, Err(Refusal::Stale(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_after_the_lease_ran_out_is_stale() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let task = poll_now(&rig).await.remove(0);
    rig.hold_answers(true);
    pass(limits().lease_timeout).await;
    let refused = rig.hub.heartbeat(&task.token).await;
    assert!(matches!(refused, Err(Refusal::Stale(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn streams_and_polls_share_one_queue() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", 1..=3);
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(1).await;
    assert_eq!(worker.sequences().await, [1]);
    assert_eq!(sequence(&poll_now(&rig).await[0]), 2);
    worker.credit(1).await;
    assert_eq!(worker.sequences().await, [3]);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_poll_ends_with_the_server() {
    let rig = rig();
    let wait = Duration::from_secs(60);
    let stopping = async {
        rest().await;
        rig.hub.shutdown("bye");
        Instant::now()
    };
    let (polled, stopped) = tokio::join!(poll(&rig, 1, wait), stopping);
    assert_eq!(polled, Err(Refusal::Unavailable));
    assert_eq!(Instant::now(), stopped);
}
