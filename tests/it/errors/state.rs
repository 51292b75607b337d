//! What cannot be done as things stand: a request_id taken, a stale token, a state that forbids it.

use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt as _;
use tutti::{
    core::value,
    proto::{
        self, CompleteTaskRequest, DeleteExecutionRequest, Error, FailTaskRequest,
        HeartbeatTaskRequest, StartExecutionRequest,
    },
};

use super::{ONE, UNKNOWN, refused, resource, told};
use crate::support::{TestServer, json_of, start};

#[tokio::test]
async fn a_request_id_stands_for_one_body() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let request = StartExecutionRequest {
        request_id: "once".into(),
        ..start("one", json!({"n": 1}))
    };
    server.try_begin(request.clone()).await.unwrap();
    let changed: [fn(&mut StartExecutionRequest); 3] = [
        |r| r.input = Some(value::from_json(&json!({"n": 2}))),
        |r| r.version = 1,
        |r| drop(r.labels.insert("k".into(), "v".into())),
    ];
    for change in changed {
        let mut other = request.clone();
        change(&mut other);
        let status = server.try_begin(other).await.unwrap_err();
        let expected = (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned());
        assert_eq!(told(&status), expected);
        assert_eq!(resource(&status), ("request".into(), "once".into()));
    }
}

#[tokio::test]
async fn a_stale_or_made_up_token_changes_nothing() {
    let server = TestServer::start().await;
    server
        .register(
            "
name: again
steps: [ { id: a, agent: one, retry: { max_attempts: 3, initial_delay: 0.001s } } ]
",
        )
        .await;
    let id = server.begin("again", json!(null)).await;
    let stale = server.poll("one").await;
    server.fail(&stale, "unavailable").await.unwrap();
    let held = server.poll("one").await;
    let before = server.get(&id).await.last_sequence;
    let mut workers = server.workers();
    for token in [stale.token.as_str(), "made-up", UNKNOWN, "ä"] {
        for status in [
            refused(workers.complete_task(CompleteTaskRequest {
                token: token.into(),
                ..Default::default()
            }))
            .await,
            refused(workers.fail_task(FailTaskRequest {
                token: token.into(),
                error: Some(Error::default()),
                ..Default::default()
            }))
            .await,
            refused(workers.heartbeat_task(HeartbeatTaskRequest {
                token: token.into(),
            }))
            .await,
        ] {
            let expected = (Code::FailedPrecondition, "STALE_TOKEN".to_owned());
            assert_eq!(told(&status), expected, "{token}: {status:?}");
            let details = status.get_error_details();
            let failure = details.precondition_failure().unwrap();
            assert_eq!(failure.violations[0].subject, "token");
        }
    }
    assert_eq!(server.get(&id).await.last_sequence, before);
    server.complete(&held, json!("counts")).await.unwrap();
    assert_eq!(
        json_of(&server.ended(&id).await.output),
        json!({"a": "counts"})
    );
}

#[tokio::test]
async fn a_state_that_forbids_it_is_a_failed_precondition() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let id = server.begin("one", json!(null)).await;
    let delete = || DeleteExecutionRequest {
        execution_id: id.clone(),
        ..Default::default()
    };
    let cancel = || proto::CancelExecutionRequest {
        execution_id: id.clone(),
        ..Default::default()
    };
    let mut executions = server.executions();
    let open = refused(executions.delete_execution(delete())).await;
    executions.cancel_execution(cancel()).await.unwrap();
    server.ended(&id).await;
    let ended = refused(executions.cancel_execution(cancel())).await;
    for (status, reason) in [(open, "has not ended"), (ended, "has ended (CANCELLED)")] {
        let expected = (Code::FailedPrecondition, "STATE_FORBIDS".to_owned());
        assert_eq!(told(&status), expected);
        let details = status.get_error_details();
        let violation = &details.precondition_failure().unwrap().violations[0];
        assert_eq!(violation.subject, format!("execution {id}"));
        assert!(violation.description.contains(reason), "{violation:?}");
    }
}
