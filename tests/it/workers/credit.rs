//! Tasks come as credits allow, in the order they came to be, and no other way.

use serde_json::json;
use tutti::proto::Hello;

use super::{
    ONE,
    raw::{RawWorker, hello},
};
use crate::support::TestServer;

/// Starts this many executions; their ids in order.
async fn started(server: &TestServer, count: usize) -> Vec<String> {
    server.register(ONE).await;
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(server.begin("one", json!(n)).await);
    }
    // Answered after all that was started before has been handed to the queue.
    for id in &ids {
        server.get(id).await;
    }
    ids
}

#[tokio::test]
async fn without_credit_no_task_comes() {
    let server = TestServer::start().await;
    let mut worker = RawWorker::connect(&server.url(), hello("w", &["x"])).await;
    let id = started(&server, 1).await.remove(0);
    worker.settled().await;
    worker.credit(1);
    assert_eq!(worker.offered().await.execution_id, id);
}

#[tokio::test]
async fn as_many_tasks_come_as_credits_were_given_in_the_order_of_the_queue() {
    let server = TestServer::start().await;
    let ids = started(&server, 5).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 2).await;
    let first = worker.take().await;
    let second = worker.take().await;
    assert_eq!(
        [&first.execution_id, &second.execution_id],
        [&ids[0], &ids[1]]
    );
    worker.settled().await;

    worker.complete(&first.token, json!("done"));
    worker.acked().await;
    worker.settled().await;

    worker.credit(1);
    worker.credit(1);
    assert_eq!(worker.take().await.execution_id, ids[2]);
    assert_eq!(worker.take().await.execution_id, ids[3]);
    worker.settled().await;
}

#[tokio::test]
async fn a_worker_gets_no_more_at_once_than_it_says_it_does() {
    let server = TestServer::start().await;
    let ids = started(&server, 3).await;
    let hello = Hello {
        max_concurrency: 2,
        ..hello("w", &["x"])
    };
    let mut worker = RawWorker::connect(&server.url(), hello).await;
    worker.credit(9);
    let first = worker.take().await;
    worker.take().await;
    worker.settled().await;

    worker.complete(&first.token, json!("done"));
    worker.acked().await;
    assert_eq!(worker.offered().await.execution_id, ids[2]);
}

#[tokio::test]
async fn credits_are_bounded() {
    let server = TestServer::with(|config| config.limits.worker_credits_max = 3).await;
    started(&server, 5).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", u32::MAX).await;
    for _ in 0..3 {
        worker.take().await;
    }
    worker.settled().await;
}

#[tokio::test]
async fn the_bytes_of_tasks_not_yet_accepted_are_bounded() {
    let server = TestServer::with(|config| {
        config.limits.message_bytes_max = 4 << 10;
        config.limits.payload_bytes_max = 1 << 10;
    })
    .await;
    server.register(ONE).await;
    // As much as the largest message may be under way to a worker: four inputs of 1 KiB, of
    // which a string takes three bytes for itself.
    for _ in 0..8 {
        let id = server.begin("one", json!("x".repeat((1 << 10) - 3))).await;
        server.get(&id).await;
    }
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 100).await;
    let mut offered = Vec::new();
    for _ in 0..4 {
        offered.push(worker.offered().await);
    }
    worker.settled().await;
    worker.accept(&[&offered[0], &offered[1]]);
    worker.offered().await;
    worker.offered().await;
    worker.settled().await;
}

#[tokio::test]
async fn two_workers_share_the_tasks_and_none_comes_twice() {
    let server = TestServer::start().await;
    let url = server.url();
    let mut one = RawWorker::ready(&url, "one", "x", 9).await;
    let mut other = RawWorker::ready(&url, "other", "x", 9).await;
    one.settled().await;
    other.settled().await;
    let ids = started(&server, 4).await;
    let tasks = [
        one.take().await,
        other.take().await,
        one.take().await,
        other.take().await,
    ];
    one.settled().await;
    other.settled().await;
    assert_eq!(tasks.map(|task| task.execution_id), *ids);
}

#[tokio::test]
async fn no_agent_of_a_worker_starves_behind_another() {
    let server = TestServer::start().await;
    server
        .register("name: x\nsteps: [ { id: a, agent: x } ]")
        .await;
    server
        .register("name: y\nsteps: [ { id: a, agent: y } ]")
        .await;
    for workflow in ["x", "x", "x", "y", "y"] {
        let id = server.begin(workflow, json!(1)).await;
        server.get(&id).await;
    }
    let mut worker = RawWorker::connect(&server.url(), hello("w", &["x", "y"])).await;
    let mut turns = Vec::new();
    for _ in 0..5 {
        worker.credit(1);
        turns.push(worker.take().await.agent);
    }
    assert_eq!(turns, ["x", "y", "x", "y", "x"]);
}
