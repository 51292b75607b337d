//! How long ended executions are kept.

use serde_json::json;
use tonic::Code;
use tutti::proto::{
    ApplyRetentionRequest, DeleteRetentionRequest, ListExecutionsRequest, ListRetentionRequest,
    Retention, SetRetentionRequest,
};

use super::{ECHO, blobs, ran};
use crate::{
    cli::{binary, said},
    support::{TestServer, seconds, start},
};

async fn set(server: &TestServer, rule: Retention) {
    let retention = Some(rule);
    let request = SetRetentionRequest { retention };
    server.system().set_retention(request).await.unwrap();
}

/// Removes what is over: how many executions and request ids.
async fn apply(server: &TestServer) -> (u64, u64) {
    let removed = server
        .system()
        .apply_retention(ApplyRetentionRequest {})
        .await;
    let removed = removed.unwrap().into_inner();
    (removed.executions, removed.request_ids)
}

async fn listed(server: &TestServer) -> Vec<String> {
    let list = ListExecutionsRequest::default();
    let list = server.executions().list_executions(list).await.unwrap();
    let executions = list.into_inner().executions.into_iter();
    executions.map(|execution| execution.execution_id).collect()
}

fn newest(workflow: &str, max_count: u64) -> Retention {
    Retention {
        workflow: workflow.into(),
        max_count,
        ..Retention::default()
    }
}

#[tokio::test]
async fn the_newest_stay_and_what_goes_takes_its_payloads_with_it() {
    let mut server = TestServer::start().await;
    server.register(ECHO).await;
    let worker = server.echo(&["x"]);
    let mut ids = Vec::new();
    for letter in ["a", "b", "c"] {
        ids.push(ran(&server, json!(letter.repeat(50_000))).await);
    }
    worker.abort();
    let open = server.begin("echo", json!("open")).await;
    assert_eq!(
        apply(&server).await,
        (0, 0),
        "nothing was said: all is kept"
    );
    set(&server, newest("", 1)).await;
    set(&server, newest("echo", 2)).await;
    server.restart().await;
    // The pass at the start may have been faster.
    apply(&server).await;
    assert_eq!(
        listed(&server).await,
        [&open, &ids[2], &ids[1]].map(String::clone)
    );
    assert_eq!(blobs(&server).len(), 2);

    let request = DeleteRetentionRequest {
        workflow: "echo".into(),
        ..Default::default()
    };
    let deleted = server.system().delete_retention(request.clone()).await;
    assert!(deleted.unwrap().into_inner().deleted);
    let again = server.system().delete_retention(request).await;
    assert!(!again.unwrap().into_inner().deleted);
    assert_eq!(apply(&server).await, (1, 0));
    assert_eq!(listed(&server).await, [&open, &ids[2]].map(String::clone));
}

#[tokio::test]
async fn the_servers_rule_holds_where_nothing_else_is_said() {
    let mut server = TestServer::with(|config| config.retention.max_count = 1).await;
    server.register(ECHO).await;
    let worker = server.echo(&["x"]);
    for n in 0..3 {
        ran(&server, json!(n)).await;
    }
    worker.abort();
    set(&server, newest("", 0)).await;
    assert_eq!(
        apply(&server).await,
        (0, 0),
        "kept whatever holds around it"
    );
    let list = ListRetentionRequest::default();
    let list = server
        .system()
        .list_retention(list)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(list.retentions.len(), 1);
    assert_eq!(list.retentions[0].namespace, "default");
    assert_eq!(list.server_default.unwrap().max_count, 1);
    let request = DeleteRetentionRequest::default();
    server.system().delete_retention(request).await.unwrap();
    server.restart().await;
    apply(&server).await;
    assert_eq!(listed(&server).await.len(), 1);
}

#[tokio::test]
async fn a_request_id_is_forgotten_after_its_time() {
    let mut server = TestServer::start().await;
    server.register(ECHO).await;
    let again = || {
        let mut request = start("echo", json!(1));
        request.request_id = "once".into();
        server.try_begin(request)
    };
    let first = again().await.unwrap();
    assert_eq!(apply(&server).await, (0, 0));
    assert_eq!(again().await.unwrap(), first);
    let short = std::time::Duration::from_nanos(1);
    server
        .restart_with(|config| config.limits.request_id_timeout = short)
        .await;
    // The pass at the start may have been faster.
    apply(&server).await;
    let mut request = start("echo", json!(1));
    request.request_id = "once".into();
    assert_ne!(server.try_begin(request).await.unwrap(), first);
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused() {
    let server = TestServer::start().await;
    let rule = Retention {
        namespace: "No".into(),
        workflow: "Nor this".into(),
        max_age: Some(seconds(0)),
        ..Retention::default()
    };
    let retention = Some(rule);
    let request = SetRetentionRequest { retention };
    let refused = server.system().set_retention(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    for field in [
        "retention.namespace",
        "retention.workflow",
        "retention.max_age",
    ] {
        let details = format!("{:?}", tonic_types::StatusExt::get_error_details(&refused));
        assert!(details.contains(field), "{details}");
    }
}

#[tokio::test]
async fn the_command_line_sets_lists_and_takes_back() {
    let server = TestServer::start().await;
    let retention = |args: &[&str]| {
        let mut command = binary();
        command
            .args(["--server", &server.url(), "retention"])
            .args(args);
        async move { said(&mut command).await }
    };
    retention(&["set", "--age", "30d"]).await.exits(0);
    let set = retention(&["set", "order", "--age", "7d", "--count", "10"]).await;
    let words = "order: for 7 d, at most the newest 10 of each workflow\n";
    assert_eq!(set.exits(0).out, words);
    let list = retention(&["list"]).await.exits(0).out;
    for words in ["namespace default", "for 30 d", "order", "for ever"] {
        assert!(list.contains(words), "{list}");
    }
    let told = retention(&["set"]).await.exits(2);
    assert!(told.err.contains("--age 30d"), "{}", told.err);
    retention(&["delete", "order"]).await.exits(0);
    let applied = retention(&["apply", "--output", "json"]).await.exits(0);
    assert_eq!(applied.json()["executions"], 0);
}
