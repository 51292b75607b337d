//! What is too large or too much: RESOURCE_EXHAUSTED naming field and limit.

use std::time::Duration;

use serde_json::json;
use tonic::{Code, Status, codec::CompressionEncoding};
use tonic_types::StatusExt as _;
use tutti::proto::{ListExecutionsRequest, RunExecutionRequest, WatchExecutionsRequest};

use super::{ONE, refused, told};
use crate::support::{PATIENCE, TestServer, start};

#[tokio::test]
async fn a_payload_over_the_limit_names_field_and_limit() {
    let server = TestServer::with(|config| config.limits.payload_bytes_max = 1000).await;
    server.register(ONE).await;
    let large = json!("x".repeat(1000));
    let status = server.try_begin(start("one", large.clone())).await;
    over_the_limit(&status.unwrap_err(), "input");
    let list = ListExecutionsRequest::default();
    let list = server.executions().list_executions(list).await.unwrap();
    assert_eq!(list.into_inner().executions, []);

    let id = server.begin("one", json!(null)).await;
    let task = server.poll("one").await;
    over_the_limit(&server.complete(&task, large).await.unwrap_err(), "output");
    let execution = server.ended(&id).await;
    assert_eq!(execution.error.unwrap().class, "limit");
    assert_eq!(execution.steps[0].attempt, 1, "it is not tried again");
}

fn over_the_limit(status: &Status, field: &str) {
    let expected = (Code::ResourceExhausted, "TOO_LARGE".to_owned());
    assert_eq!(told(status), expected);
    assert!(status.message().contains(field), "{status:?}");
    assert!(status.message().contains("payload_bytes_max is 1000"));
    let details = status.get_error_details();
    assert_eq!(
        details.quota_failure().unwrap().violations[0].subject,
        field
    );
    assert!(details.retry_info().is_none(), "trying again is no use");
}

#[tokio::test]
async fn a_message_over_the_limit_names_the_limit_compressed_or_not() {
    let server = TestServer::with(|config| config.limits.message_bytes_max = 10_000).await;
    server.register(ONE).await;
    let request = || start("one", json!("x".repeat(20_000)));
    let mut compressing = server
        .executions()
        .send_compressed(CompressionEncoding::Gzip);
    for status in [
        server.try_begin(request()).await.unwrap_err(),
        refused(compressing.start_execution(request())).await,
    ] {
        let expected = (Code::ResourceExhausted, "LIMIT_REACHED".to_owned());
        assert_eq!(told(&status), expected, "{status:?}");
        let details = status.get_error_details();
        let quota = details.quota_failure().unwrap();
        assert_eq!(quota.violations[0].subject, "message_bytes_max");
        assert!(details.retry_info().is_none());
    }
}

#[tokio::test]
async fn a_call_beyond_those_that_wait_is_refused_until_one_is_answered() {
    let server = TestServer::with(|config| config.limits.calls_waiting_max = 1).await;
    server.register(ONE).await;
    let all = WatchExecutionsRequest::default();
    let all = server.executions().watch_executions(all).await.unwrap();
    let mut all = all.into_inner();
    let mut executions = server.executions();
    let run = tokio::spawn(async move {
        let request = RunExecutionRequest {
            workflow: "one".into(),
            ..RunExecutionRequest::default()
        };
        executions.run_execution(request).await
    });
    let begun = tokio::time::timeout(PATIENCE, all.message());
    begun.await.unwrap().unwrap().expect("the run has begun");
    let list = async || {
        let request = ListExecutionsRequest::default();
        server.executions().list_executions(request).await
    };
    let status = list().await.unwrap_err();
    let expected = (Code::ResourceExhausted, "LIMIT_REACHED".to_owned());
    assert_eq!(told(&status), expected, "{status:?}");
    let details = status.get_error_details();
    let quota = details.quota_failure().unwrap();
    assert_eq!(quota.violations[0].subject, "calls_waiting_max");
    assert!(details.retry_info().is_some());
    run.abort();
    while list().await.is_err() {}
}

#[tokio::test]
async fn too_many_open_executions_are_refused_until_one_has_ended() {
    let server = TestServer::with(|config| config.limits.open_executions_max = 2).await;
    server.register(ONE).await;
    let first = server.begin("one", json!(1)).await;
    server.begin("one", json!(2)).await;
    let status = server.try_begin(start("one", json!(3))).await.unwrap_err();
    let expected = (Code::ResourceExhausted, "LIMIT_REACHED".to_owned());
    assert_eq!(told(&status), expected);
    let details = status.get_error_details();
    let quota = details.quota_failure().unwrap();
    assert_eq!(quota.violations[0].subject, "open_executions_max");
    let retry = details.retry_info().unwrap();
    assert!(retry.retry_delay.unwrap() > Duration::ZERO);

    let task = server.poll("one").await;
    assert_eq!(task.execution_id, first, "tasks are handed out in order");
    server.complete(&task, json!(null)).await.unwrap();
    server.ended(&first).await;
    server.begin("one", json!(3)).await;
}
