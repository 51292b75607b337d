//! Leases: renewed, run out, withdrawn, released.

use std::time::Duration;

use super::rig::*;
use crate::{
    agents::{Dispatch as _, HeldLease, Refusal},
    core::value,
    proto::{Agent, work_response::Message as Down},
};

#[tokio::test(start_paused = true)]
async fn a_lease_runs_out_without_a_heartbeat() {
    let rig = rig();
    rig.put(Agent {
        max_concurrency: 1,
        ..agent("a")
    });
    rig.enqueue("a", [1, 2]);
    let (mut worker, tasks) = rig.working("gone", &["a"], 2).await;
    rig.told().await;
    pass(limits().lease_timeout - Duration::from_secs(1)).await;
    assert!(rig.told().await.is_empty());
    pass(Duration::from_secs(1)).await;
    match &rig.told().await[..] {
        [Told::Failed(failed, lease, failure)] => {
            assert_eq!(*failed, key(1));
            assert_eq!(failure.class, "unavailable");
            assert!(failure.message.contains("'gone'"), "{}", failure.message);
            let lease = format!("{lease:016x}");
            assert!(failure.message.contains(&lease), "{}", failure.message);
            assert!(tasks[0].token.ends_with(&lease));
        }
        other => panic!("{other:?}"),
    }
    let down = worker.messages().await;
    assert!(
        matches!(&down[..], [Down::Cancel(_), Down::Tasks(_)]),
        "its worker is told, and the agent is free again: {down:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_renews_only_the_leases_it_names() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1, 2]);
    let (worker, tasks) = rig.working("w", &["a"], 2).await;
    for _ in 0..4 {
        pass(limits().lease_timeout / 2).await;
        worker.heartbeat(&tasks[0]).await;
    }
    let told = rig.told_results().await;
    assert!(
        matches!(&told[..], [Told::Failed(failed, ..)] if *failed == key(2)),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_of_a_token_that_holds_nothing_is_cancelled() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (mut worker, tasks) = rig.working("w", &["a"], 1).await;
    worker.complete(&tasks[0], value::null()).await;
    worker.messages().await;
    worker.heartbeat(&tasks[0]).await;
    assert_eq!(worker.cancelled().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_result_after_the_lease_ran_out_is_stale() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (mut worker, tasks) = rig.working("w", &["a"], 1).await;
    rig.hold_answers(true);
    pass(limits().lease_timeout).await;
    worker.messages().await;
    worker.complete(&tasks[0], value::null()).await;
    let acks = worker.acks().await;
    assert_eq!(acks[0].outcome().as_str_name(), "STALE");
    assert_eq!(rig.told_results().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_does_not_run_out_while_its_result_is_on_its_way() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (mut worker, tasks) = rig.working("w", &["a"], 1).await;
    rig.hold_answers(true);
    worker.complete(&tasks[0], value::null()).await;
    pass(limits().lease_timeout * 2).await;
    rig.hold_answers(false);
    assert_eq!(worker.acks().await[0].outcome().as_str_name(), "RECORDED");
    assert_eq!(rig.told_results().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_the_engine_could_not_take_is_told_again() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (_worker, _) = rig.working("w", &["a"], 1).await;
    rig.answer(Err(Refusal::Unavailable));
    pass(limits().lease_timeout).await;
    assert_eq!(rig.told_results().await.len(), 1);
    rig.answer(Ok(()));
    pass(limits().lease_timeout).await;
    assert_eq!(rig.told_results().await.len(), 1);
    assert_eq!(rig.agent("a").running_tasks, 0);
}

#[tokio::test(start_paused = true)]
async fn a_queued_task_is_withdrawn() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1, 2]);
    rig.hub.withdraw(key(1), "cancelled");
    assert_eq!(rig.waiting_for(1), None);
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(9).await;
    assert_eq!(worker.sequences().await, [2]);
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_task_is_cancelled_at_its_worker() {
    let rig = rig();
    rig.put(Agent {
        max_concurrency: 2,
        ..agent("a")
    });
    rig.enqueue("a", 1..=4);
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(9).await;
    let tasks = worker.tasks().await;
    worker.accept(&tasks[..1]).await;
    rig.told().await;
    rig.hub.withdraw(key(1), "not wanted");
    rig.hub.withdraw(key(2), "not wanted");
    let down = worker.messages().await;
    let cancelled: Vec<_> = down
        .iter()
        .filter_map(|m| match m {
            Down::Cancel(c) => Some((c.tokens.concat(), c.reason.clone())),
            _ => None,
        })
        .collect();
    let token = |i: usize| (tasks[i].token.clone(), "not wanted".to_owned());
    assert_eq!(cancelled, [token(0), token(1)]);
    assert_eq!(down.len(), 4, "and the next two: {down:?}");
    rig.answer(Err(Refusal::Stale("it has ended".into())));
    worker.complete(&tasks[0], value::null()).await;
    let acks = worker.acks().await;
    assert_eq!(acks[0].outcome().as_str_name(), "STALE");
}

#[tokio::test(start_paused = true)]
async fn a_released_task_frees_its_place_and_releasing_again_is_nothing() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (mut worker, tasks) = rig.working("w", &["a"], 1).await;
    rig.hold_answers(true);
    worker.complete(&tasks[0], value::null()).await;
    rest().await;
    rig.hub.release(key(1));
    rig.hub.release(key(1));
    assert_eq!(rig.agent("a").running_tasks, 0);
    assert!(worker.messages().await.is_empty());
    rig.hold_answers(false);
    assert_eq!(worker.acks().await[0].outcome().as_str_name(), "RECORDED");
    rig.hub.release(key(1));
    assert!(worker.messages().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_task_released_without_its_workers_result_is_cancelled() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (mut worker, tasks) = rig.working("w", &["a"], 1).await;
    rig.hub.release(key(1));
    assert_eq!(worker.cancelled().await[0].0, tasks[0].token);
}

#[tokio::test(start_paused = true)]
async fn a_restored_lease_runs_out_when_nobody_comes_for_it() {
    let rig = rig();
    rig.put(agent("a"));
    rig.hub.restore(offer(1, to_agent("a")), held("w", 77));
    assert_eq!(rig.agent("a").running_tasks, 1);
    let workers = rig.hub.workers("default", "a", "", 9);
    assert_eq!((&*workers[0].worker_id, workers[0].connected), ("w", false));
    assert_eq!(workers[0].running_tasks, 1);
    pass(limits().lease_timeout).await;
    let told = rig.told().await;
    assert!(
        matches!(&told[..], [Told::Failed(failed, 77, failure)]
            if *failed == key(1) && failure.class == "unavailable"),
        "{told:?}"
    );
    assert!(rig.hub.workers("default", "a", "", 9).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_input_refused_before_a_restart_is_refused_again() {
    let rig = rig();
    rig.put(Agent {
        input_schema: Some(requires("url")),
        ..agent("a")
    });
    rig.hub.restore(offer(1, to_agent("a")), held("", 77));
    let told = rig.told().await;
    assert!(
        matches!(&told[..], [Told::Failed(_, 77, failure)] if failure.class == "validation"),
        "{told:?}"
    );
}

pub fn held(worker: &str, lease: u64) -> HeldLease {
    HeldLease {
        worker_id: worker.into(),
        agent: "a".into(),
        lease,
    }
}
