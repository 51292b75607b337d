//! How workers leave, are asked to, and are listed while they are there.

use serde_json::json;
use tonic::Code;
use tutti::proto::{
    DrainWorkerRequest, ListWorkersRequest, ListWorkersResponse, Worker, execution::State,
    result_ack::Outcome, work_response::Message as Down,
};

use super::{
    ONE, bad_fields,
    raw::{RawWorker, hello},
    reason,
};
use crate::support::TestServer;

async fn list(server: &TestServer, request: ListWorkersRequest) -> ListWorkersResponse {
    let listed = server.workers().list_workers(request).await;
    listed.unwrap().into_inner()
}

async fn all(server: &TestServer) -> Vec<Worker> {
    list(server, ListWorkersRequest::default()).await.workers
}

async fn drain(server: &TestServer, worker_id: &str) -> Result<(), tonic::Status> {
    let request = DrainWorkerRequest {
        worker_id: worker_id.into(),
        ..Default::default()
    };
    server.workers().drain_worker(request).await.map(drop)
}

#[tokio::test]
async fn a_worker_asked_to_drain_finishes_what_it_has_and_gets_no_more() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let task = worker.hold().await;
    drain(&server, "w").await.unwrap();
    assert_eq!(
        worker.next().await,
        Down::Drain(tutti::proto::Drain::default())
    );
    let [listed] = &all(&server).await[..] else {
        panic!("one worker");
    };
    assert!(listed.draining && listed.connected);
    assert_eq!(listed.running_tasks, 1);

    let waits = server.begin("one", json!(2)).await;
    server.get(&waits).await;
    worker.credit(9);
    worker.heartbeat(&[&task]);
    worker.settled().await;
    worker.complete(&task.token, json!("done"));
    assert_eq!(worker.acked().await.1, Outcome::Recorded);
    assert_eq!(server.ended(&id).await.state(), State::Completed);
    worker.settled().await;

    let mut other = RawWorker::ready(&server.url(), "other", "x", 1).await;
    assert_eq!(other.take().await.execution_id, waits);
}

#[tokio::test]
async fn a_worker_that_says_it_drains_gets_no_more() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    worker.draining();
    worker.settled().await;
    let id = server.begin("one", json!(1)).await;
    server.get(&id).await;
    worker.credit(1);
    worker.settled().await;
    assert!(all(&server).await[0].draining);
}

#[tokio::test]
async fn only_a_connected_worker_can_be_drained() {
    let server = TestServer::start().await;
    let unknown = drain(&server, "nobody").await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    assert_eq!(reason(&unknown), "WORKER_NOT_FOUND");
    let nameless = drain(&server, "").await.unwrap_err();
    assert_eq!(bad_fields(&nameless), ["worker_id"]);
}

#[tokio::test]
async fn at_shutdown_workers_are_told_to_go_away_and_when_to_come_back() {
    let mut server = TestServer::start().await;
    server.register(ONE).await;
    server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    worker.hold().await;
    let stopped = async {
        server.stop().await;
    };
    let told = async {
        let Down::GoAway(go_away) = worker.next().await else {
            panic!("the worker is told to go away");
        };
        assert_eq!(worker.try_next().await.unwrap(), None, "the stream ends");
        go_away
    };
    let ((), go_away) = tokio::join!(stopped, told);
    assert!(go_away.reason.contains("shutting down"));
    let wait = go_away.retry_after.expect("says when to come back");
    assert!(wait.seconds > 0 || wait.nanos > 0);
}

#[tokio::test]
async fn workers_are_listed_while_connected_or_holding_tasks() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let idle = RawWorker::connect(&server.url(), hello("idle", &["y", "x"])).await;
    let mut busy = RawWorker::ready(&server.url(), "busy", "x", 3).await;
    server.begin("one", json!(1)).await;
    busy.hold().await;

    let workers = all(&server).await;
    let names: Vec<_> = workers.iter().map(|w| w.worker_id.as_str()).collect();
    assert_eq!(names, ["busy", "idle"], "sorted by id");
    let of_busy = &workers[0];
    assert!(of_busy.connected && !of_busy.draining && of_busy.connect_time.is_some());
    assert_eq!((of_busy.credits, of_busy.running_tasks), (2, 1));
    assert_eq!(of_busy.agents, ["x"]);
    assert_eq!(workers[1].agents, ["x", "y"]);

    drop((idle, busy));
    let left = loop {
        let workers = all(&server).await;
        if workers.iter().all(|w| !w.connected) {
            break workers;
        }
    };
    let [held] = &left[..] else {
        panic!("one that is idle and gone is forgotten: {left:?}");
    };
    assert_eq!((held.worker_id.as_str(), held.running_tasks), ("busy", 1));
}

#[tokio::test]
async fn the_list_is_filtered_by_agent_and_paged() {
    let server = TestServer::start().await;
    let mut connected = Vec::new();
    for (worker, agent) in [("a", "x"), ("b", "y"), ("c", "x"), ("d", "x")] {
        connected.push(RawWorker::connect(&server.url(), hello(worker, &[agent])).await);
    }
    let mut request = ListWorkersRequest {
        agent: "x".into(),
        page_size: 2,
        ..Default::default()
    };
    let names = |page: &ListWorkersResponse| -> Vec<String> {
        page.workers.iter().map(|w| w.worker_id.clone()).collect()
    };
    let first = list(&server, request.clone()).await;
    assert_eq!(names(&first), ["a", "c"]);
    request.page_token = first.next_page_token;
    let last = list(&server, request).await;
    assert_eq!(names(&last), ["d"]);
    assert_eq!(last.next_page_token, "");

    let elsewhere = ListWorkersRequest {
        namespace: "elsewhere".into(),
        ..Default::default()
    };
    assert!(list(&server, elsewhere).await.workers.is_empty());
    let bad = ListWorkersRequest {
        page_size: -1,
        page_token: "made-up".into(),
        agent: "not good".into(),
        ..Default::default()
    };
    let refused = server.workers().list_workers(bad).await.unwrap_err();
    let mut fields = bad_fields(&refused);
    fields.sort();
    assert_eq!(fields, ["agent", "page_size", "page_token"]);
}
