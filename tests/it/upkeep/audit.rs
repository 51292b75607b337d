//! Whether what is recorded is as it was written.

use serde_json::json;
use tonic::Code;
use tutti::proto::{VerifyAuditRequest, VerifyAuditResponse};

use super::{ECHO, blobs, ran};
use crate::{
    cli::{binary, said},
    support::TestServer,
};

async fn verified(server: &TestServer, request: VerifyAuditRequest) -> VerifyAuditResponse {
    let answers = server.system().verify_audit(request).await.unwrap();
    let mut answers = answers.into_inner();
    let mut whole = VerifyAuditResponse::default();
    while let Some(told) = answers.message().await.unwrap() {
        let broken = [whole.broken, told.broken.clone()].concat();
        whole = VerifyAuditResponse { broken, ..told };
    }
    whole
}

#[tokio::test]
async fn the_first_broken_event_is_named() {
    let server = TestServer::start().await;
    server.register(ECHO).await;
    let worker = server.echo(&["x"]);
    let small = ran(&server, json!(1)).await;
    let large = ran(&server, json!("x".repeat(50_000))).await;
    let all = VerifyAuditRequest {
        all_namespaces: true,
        ..Default::default()
    };
    let one = VerifyAuditRequest {
        execution_id: small.clone(),
        ..Default::default()
    };
    let whole = verified(&server, all.clone()).await;
    assert!(whole.done && whole.broken.is_empty());
    let of_small = server.get(&small).await.last_sequence;
    let events = of_small + server.get(&large).await.last_sequence;
    assert_eq!((whole.executions, whole.events), (2, events));
    let alone = verified(&server, one.clone()).await;
    assert_eq!((alone.executions, alone.head.len()), (1, 32));
    assert_eq!(alone, verified(&server, one.clone()).await);

    let [blob] = blobs(&server).try_into().unwrap();
    std::fs::write(&blob, "something else").unwrap();
    let broken = verified(&server, VerifyAuditRequest::default())
        .await
        .broken;
    assert_eq!(broken.len(), 1);
    assert_eq!(
        (broken[0].execution_id.as_str(), broken[0].sequence),
        (large.as_str(), 1)
    );
    assert!(
        broken[0].reason.contains("has 14 bytes"),
        "{}",
        broken[0].reason
    );
    assert!(verified(&server, one).await.broken.is_empty());

    let mut command = binary();
    command.args(["--server", &server.url(), "audit", "verify"]);
    let told = said(&mut command).await.exits(1);
    let line = format!("execution {large} event 1: the blob ");
    assert!(told.out.contains(&line), "{}", told.out);
    assert!(told.err.contains("one execution is broken"), "{}", told.err);
    let told = said(command.arg(&small)).await.exits(0);
    assert!(
        told.out.contains("all as they were written"),
        "{}",
        told.out
    );
    worker.abort();
}

#[tokio::test]
async fn what_is_to_be_checked_is_said_without_contradiction() {
    let server = TestServer::start().await;
    let refused = |request| async {
        let status = server.system().verify_audit(request).await;
        match status {
            Err(status) => status,
            Ok(answers) => answers.into_inner().message().await.unwrap_err(),
        }
    };
    let both = VerifyAuditRequest {
        execution_id: uuid::Uuid::now_v7().to_string(),
        all_namespaces: true,
        ..Default::default()
    };
    let status = refused(both.clone()).await;
    assert_eq!(status.code(), Code::InvalidArgument);
    let unknown = VerifyAuditRequest {
        all_namespaces: false,
        ..both
    };
    assert_eq!(refused(unknown).await.code(), Code::NotFound);
}
