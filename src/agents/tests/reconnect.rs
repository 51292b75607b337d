//! A lost stream is not a dead worker: who comes back with which tokens keeps what.

use super::{leases::held, rig::*};
use crate::{
    agents::{Dispatch as _, Refusal, Token},
    core::{plan::Select, value},
    proto::{Agent, Task, Welcome, work_response::Message as Down},
};

async fn come_back(rig: &Rig, tokens: &[&str]) -> (TestWorker, Welcome) {
    let mut hello = hello("w", &["a"]);
    hello.held_tokens = tokens.iter().map(ToString::to_string).collect();
    rig.connect_with(hello).await
}

async fn one_task_in_progress(rig: &Rig) -> (TestWorker, Task) {
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (worker, mut tasks) = rig.working("w", &["a"], 1).await;
    rig.told().await;
    (worker, tasks.remove(0))
}

fn token(sequence: u64, lease: u64) -> String {
    let key = key(sequence);
    Token { key, lease }.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_comes_back_keeps_its_leases() {
    let rig = rig();
    let (worker, task) = one_task_in_progress(&rig).await;
    drop(worker);
    pass(limits().lease_timeout / 2).await;
    let (mut worker, welcome) = come_back(&rig, &[&task.token]).await;
    assert_eq!(welcome.adopted_tokens.concat(), task.token);
    assert!(welcome.lost_tokens.is_empty());
    pass(limits().lease_timeout * 3 / 4).await;
    worker.complete(&task, value::null()).await;
    assert_eq!(worker.acks().await[0].outcome().as_str_name(), "RECORDED");
    assert_eq!(rig.told().await.len(), 1, "the lease began anew");
}

#[tokio::test(start_paused = true)]
async fn a_newer_stream_replaces_one_that_still_looks_open() {
    let rig = rig();
    let (mut old, task) = one_task_in_progress(&rig).await;
    old.credit(1).await;
    rig.enqueue("a", [2]);
    assert_eq!(old.sequences().await, [2]);
    let (mut new, welcome) = come_back(&rig, &[&task.token]).await;
    assert_eq!(welcome.adopted_tokens.concat(), task.token);
    let down = old.messages().await;
    assert!(matches!(down[..], [Down::GoAway(_)]), "{down:?}");
    assert!(old.down.is_closed());
    old.credit(9).await;
    new.credit(1).await;
    assert_eq!(new.sequences().await, [2], "offered to the old one before");
    drop(old);
    let workers = rig.hub.workers("default", "", "", 9);
    assert_eq!(workers.len(), 1);
    assert!(workers[0].connected);
}

#[tokio::test(start_paused = true)]
async fn a_result_on_the_old_stream_is_acknowledged_on_the_new_one() {
    let rig = rig();
    let (old, task) = one_task_in_progress(&rig).await;
    rig.hold_answers(true);
    old.complete(&task, value::null()).await;
    let (mut new, welcome) = come_back(&rig, &[&task.token]).await;
    assert_eq!(welcome.adopted_tokens.concat(), task.token);
    new.complete(&task, value::null()).await;
    rig.hold_answers(false);
    let acks = new.acks().await;
    assert_eq!(acks.len(), 1);
    assert_eq!(acks[0].outcome().as_str_name(), "RECORDED");
    assert_eq!(rig.told().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_the_worker_does_not_name_has_failed() {
    let rig = rig();
    let (worker, _) = one_task_in_progress(&rig).await;
    drop(worker);
    let (_worker, welcome) = come_back(&rig, &[]).await;
    assert!(welcome.adopted_tokens.is_empty());
    let told = rig.told().await;
    assert!(
        matches!(&told[..], [Told::Failed(failed, _, failure)]
            if *failed == key(1) && failure.class == "unavailable"),
        "{told:?}"
    );
    assert_eq!(rig.agent("a").running_tasks, 0);
}

#[tokio::test(start_paused = true)]
async fn a_task_taken_by_a_poll_is_not_the_streams_to_name() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let agents = ["a".to_owned()];
    let polled = rig.hub.poll("", "w", &agents, 1, std::time::Duration::ZERO);
    let polled = polled.await.unwrap();
    let (_worker, _) = come_back(&rig, &[]).await;
    assert!(rig.told_results().await.is_empty());
    assert!(rig.hub.heartbeat(&polled[0].token).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_workers_is_lost() {
    let rig = rig();
    let (_other, others) = {
        rig.put(agent("a"));
        rig.enqueue("a", [1, 2]);
        rig.working("other", &["a"], 1).await
    };
    let mut late = rig.connect("late", &["a"]).await;
    late.credit(1).await;
    let offered = late.tasks().await;
    let tokens = [
        &*others[0].token,
        &*offered[0].token,
        &token(99, 7),
        "made-up",
    ];
    let (_worker, welcome) = come_back(&rig, &tokens).await;
    assert!(welcome.adopted_tokens.is_empty());
    assert_eq!(welcome.lost_tokens, tokens);
}

#[tokio::test(start_paused = true)]
async fn a_worker_comes_back_for_a_lease_from_before_a_restart() {
    let rig = rig();
    rig.put(agent("a"));
    rig.hub.restore(offer(1, to_agent("a")), held("w", 77));
    rig.hub.restore(offer(2, to_agent("a")), held("w", 78));
    let (worker, welcome) = come_back(&rig, &[&token(1, 77), &token(2, 1)]).await;
    assert_eq!(welcome.adopted_tokens, [token(1, 77)]);
    assert_eq!(welcome.lost_tokens, [token(2, 1)]);
    let told = rig.told().await;
    assert!(
        matches!(&told[..], [Told::Failed(failed, 78, _)] if *failed == key(2)),
        "{told:?}"
    );
    let task = Task {
        token: token(1, 77),
        ..Task::default()
    };
    worker.complete(&task, value::null()).await;
    assert!(matches!(rig.told().await[..], [Told::Completed(_, 77, _)]));
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_acceptance_was_lost_is_adopted_from_the_queue() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (mut worker, welcome) = come_back(&rig, &[&token(1, 77)]).await;
    assert_eq!(welcome.adopted_tokens, [token(1, 77)]);
    assert_eq!(rig.told().await, [Told::Accepted(key(1), held("w", 77))]);
    worker.credit(1).await;
    assert!(worker.sequences().await.is_empty(), "it left the queue");
}

#[tokio::test(start_paused = true)]
async fn a_task_for_a_skill_is_adopted_by_an_agent_that_has_it() {
    let rig = rig();
    rig.put(agent("b"));
    rig.put(skilled("a", "sum", &[]));
    let target = to_skill("sum", &[], Select::RoundRobin);
    rig.hub.enqueue(offer(1, target));
    let mut hello = hello("w", &["b", "a"]);
    hello.held_tokens = vec![token(1, 77)];
    let (_worker, welcome) = rig.connect_with(hello).await;
    assert_eq!(welcome.adopted_tokens, [token(1, 77)]);
    assert_eq!(rig.told().await, [Told::Accepted(key(1), held("w", 77))]);
}

#[tokio::test(start_paused = true)]
async fn a_queued_task_is_not_adopted_beyond_the_agents_limit() {
    let rig = rig();
    rig.put(Agent {
        max_concurrency: 1,
        ..agent("a")
    });
    rig.enqueue("a", [1, 2]);
    let (_other, _) = rig.working("other", &["a"], 1).await;
    let (_worker, welcome) = come_back(&rig, &[&token(2, 77)]).await;
    assert_eq!(welcome.lost_tokens, [token(2, 77)]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_does_not_take_work_away() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    rig.answer(Err(Refusal::Unavailable));
    let (mut worker, tasks) = rig.working("w", &["a"], 1).await;
    assert!(worker.messages().await.is_empty());
    worker.complete(&tasks[0], value::null()).await;
    assert!(worker.messages().await.is_empty(), "no ack: it repeats");
    rig.answer(Ok(()));
    worker.complete(&tasks[0], value::null()).await;
    assert_eq!(worker.acks().await.len(), 1);
}
