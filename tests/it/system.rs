//! The server about itself: limits, health, reflection, compression, and how it comes to rest.

mod reflection;

use serde_json::json;
use tonic::{Code, Status, Streaming, codec::CompressionEncoding, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_types::StatusExt as _;
use tutti::proto::{
    GetExecutionRequest, GetServerInfoRequest, RunExecutionRequest, WatchAgentsRequest,
    WatchExecutionRequest, WatchExecutionsRequest, execution::State,
};

use crate::{
    errors::told,
    support::{PATIENCE, TestServer, seconds, start},
};

const SERVICES: [&str; 5] = [
    "tutti.v1.AgentService",
    "tutti.v1.ExecutionService",
    "tutti.v1.SystemService",
    "tutti.v1.WorkerService",
    "tutti.v1.WorkflowService",
];

async fn connected(server: &TestServer) -> Channel {
    let endpoint = Channel::from_shared(server.url()).unwrap();
    endpoint.connect().await.unwrap()
}

#[tokio::test]
async fn the_server_tells_its_version_limits_and_abilities() {
    let server = TestServer::with(|config| {
        config.limits.payload_bytes_max = 12_345;
        config.limits.page_size_max = 77;
    })
    .await;
    let answer = server
        .system()
        .get_server_info(GetServerInfoRequest {})
        .await;
    let info = answer.unwrap().into_inner();
    assert_eq!(info.version, env!("CARGO_PKG_VERSION"));
    assert_eq!((info.store.as_str(), info.data_format), ("sled", 2));
    assert!(info.start_time.is_some());
    let limits = info.limits.unwrap();
    assert_eq!(limits.payload_bytes_max, 12_345, "as configured");
    assert_eq!(limits.page_size_max, 77);
    assert_eq!(limits.pending_bytes_max, 64 << 20, "the default");
    assert_eq!(limits.group_bytes_max, 256 << 20, "the default");
    assert_eq!(limits.message_bytes_max, 64 << 20, "the default");
    assert_eq!(limits.lease_timeout, Some(seconds(30)));
    assert_eq!(
        info.step_kinds,
        [
            "agent",
            "call",
            "block",
            "switch",
            "set",
            "restore",
            "saga",
            "each",
            "loop",
            "wait",
            "map_reduce",
            "refine",
            "react",
            "group_chat",
            "workflow",
            "generate"
        ]
    );
    assert!(info.capabilities.contains(&"worker-stream".to_owned()));
}

#[tokio::test]
async fn health_is_told_for_the_server_and_for_each_service() {
    let server = TestServer::start().await;
    let mut health = HealthClient::new(connected(&server).await);
    for service in SERVICES.into_iter().chain([""]) {
        let service = service.to_owned();
        let answer = health.check(HealthCheckRequest { service }).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    }
    let service = "tutti.v1.NoSuchService".to_owned();
    let unknown = health.check(HealthCheckRequest { service }).await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn compressed_messages_are_taken_and_large_answers_compressed() {
    let server = TestServer::start().await;
    server
        .register("name: echo\nsteps: [ { id: a, set: { text: '{{ input }}' } } ]")
        .await;
    let gzip = CompressionEncoding::Gzip;
    let mut compressing = server.executions().send_compressed(gzip);
    let request = start("echo", json!("again and ".repeat(1000)));
    let started = compressing.start_execution(request).await.unwrap();
    let execution_id = started.into_inner().execution_id;
    server.ended(&execution_id).await;
    let get = || GetExecutionRequest {
        execution_id: execution_id.clone(),
        ..Default::default()
    };
    let mut understanding = server.executions().accept_compressed(gzip);
    let answer = understanding.get_execution(get()).await.unwrap();
    assert_eq!(answer.metadata().get("grpc-encoding").unwrap(), "gzip");
    let compressed = answer.into_inner().execution.unwrap();
    let answer = server.executions().get_execution(get()).await.unwrap();
    assert!(answer.metadata().get("grpc-encoding").is_none());
    assert_eq!(answer.into_inner().execution.unwrap(), compressed);
}

/// The status that ends a stream, whatever it tells before.
async fn end_of<T>(mut stream: Streaming<T>) -> Status {
    loop {
        let message = tokio::time::timeout(PATIENCE, stream.message()).await;
        match message.expect("an end in time") {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended as if there was no more to tell"),
            Err(status) => return status,
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_watches_and_refuses_to_be_waited_for() {
    let mut server = TestServer::start().await;
    server
        .register("name: held\nsteps: [ { id: a, agent: nobody } ]")
        .await;
    let execution_id = server.begin("held", json!(null)).await;
    let mut executions = server.executions();
    let one = executions.watch_execution(WatchExecutionRequest {
        execution_id: execution_id.clone(),
        ..Default::default()
    });
    let one = one.await.unwrap().into_inner();
    let all = executions.watch_executions(WatchExecutionsRequest::default());
    let all = all.await.unwrap().into_inner();
    let agents = server
        .agents()
        .watch_agents(WatchAgentsRequest::default())
        .await
        .unwrap()
        .into_inner();
    let mut health = HealthClient::new(connected(&server).await);
    let watch = health.watch(HealthCheckRequest::default()).await;
    let mut watch = watch.unwrap().into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);

    let (one, all, agents, ()) =
        tokio::join!(end_of(one), end_of(all), end_of(agents), server.stop());
    for status in [one, all, agents] {
        let expected = (Code::Unavailable, "SHUTTING_DOWN".to_owned());
        assert_eq!(told(&status), expected, "{status:?}");
        let details = status.get_error_details();
        assert!(details.retry_info().is_some(), "it may be back soon");
    }
    let last = watch.message().await.unwrap().unwrap();
    assert_eq!(last.status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn a_caller_who_waits_for_the_end_gets_the_execution_as_it_stands() {
    let mut server = TestServer::start().await;
    server
        .register("name: held\nsteps: [ { id: a, agent: nobody } ]")
        .await;
    let mut all = server
        .executions()
        .watch_executions(WatchExecutionsRequest::default())
        .await
        .unwrap()
        .into_inner();
    let mut executions = server.executions();
    let run = executions.run_execution(RunExecutionRequest {
        workflow: "held".into(),
        ..Default::default()
    });
    let stop = async {
        // It is accepted once it is told of.
        all.message().await.unwrap().unwrap();
        server.stop().await;
    };
    let (answer, ()) = tokio::join!(run, stop);
    let execution = answer.unwrap().into_inner().execution.unwrap();
    assert_eq!(execution.state(), State::Running);
}
