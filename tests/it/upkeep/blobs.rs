//! Large payloads lie in files of their own, and nobody notices.

use serde_json::json;
use tonic::Code;
use tutti::proto::{GetExecutionRequest, ListEventsRequest};

use super::{ECHO, blobs, ran};
use crate::support::{TestServer, json_of};

#[tokio::test]
async fn a_large_payload_is_kept_once_served_everywhere_and_gone_with_its_execution() {
    let mut server = TestServer::start().await;
    server.register(ECHO).await;
    let worker = server.echo(&["x"]);
    let large = json!({"text": "x".repeat(100_000)});
    let id = ran(&server, large.clone()).await;
    assert_eq!(
        blobs(&server).len(),
        1,
        "input and outputs of all steps are the same"
    );
    server.restart().await;
    let execution = server.get(&id).await;
    assert_eq!(json_of(&execution.output), large);
    assert!(
        execution
            .steps
            .iter()
            .all(|step| json_of(&step.input) == large)
    );
    let request = ListEventsRequest {
        execution_id: id.clone(),
        ..Default::default()
    };
    let events = server.executions().list_events(request).await.unwrap();
    let said = format!("{:?}", events.into_inner().events);
    assert!(!said.contains("tutti.blob"), "no reference is seen outside");

    let request = tutti::proto::DeleteExecutionRequest {
        execution_id: id,
        ..Default::default()
    };
    server.executions().delete_execution(request).await.unwrap();
    assert!(blobs(&server).is_empty());
    worker.abort();
}

#[tokio::test]
async fn an_open_execution_goes_on_with_its_large_input_after_a_restart() {
    let mut server = TestServer::start().await;
    server.register(ECHO).await;
    let large = json!("y".repeat(50_000));
    let id = server.begin("echo", large.clone()).await;
    server.restart().await;
    let task = server.poll("x").await;
    assert_eq!(json_of(&task.input), large);
    server.complete(&task, json!("small")).await.unwrap();
    assert_eq!(json_of(&server.poll("x").await.input), json!("small"));
    assert_eq!(json_of(&server.get(&id).await.input), large);
}

#[tokio::test]
async fn a_lost_blob_is_data_loss_that_names_its_file() {
    let server = TestServer::start().await;
    server.register(ECHO).await;
    let worker = server.echo(&["x"]);
    let id = ran(&server, json!("z".repeat(50_000))).await;
    let [blob] = blobs(&server).try_into().unwrap();
    std::fs::remove_file(&blob).unwrap();
    let request = GetExecutionRequest {
        execution_id: id,
        ..Default::default()
    };
    let refused = server
        .executions()
        .get_execution(request)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::DataLoss);
    let name = blob.file_name().unwrap().to_str().unwrap();
    assert!(refused.message().contains(name), "{refused:?}");
    assert!(refused.message().contains("tutti restore"));
    worker.abort();
}
