//! What is not there: NOT_FOUND with the resource by name.

use tonic::Code;
use tutti::proto::{
    self, DeleteExecutionRequest, DeleteWorkflowRequest, DeregisterAgentRequest,
    DiffWorkflowsRequest, DrainWorkerRequest, GetAgentRequest, GetExecutionRequest,
    GetWorkflowRequest, ListEventsRequest, SetAgentStateRequest, StartExecutionRequest,
    WatchExecutionRequest, agent,
};

use super::{ONE, UNKNOWN, refused, resource, told};
use crate::support::TestServer;

#[tokio::test]
async fn an_unknown_workflow_or_version_is_not_found() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let get = |name: &str, version| GetWorkflowRequest {
        name: name.into(),
        version,
        ..Default::default()
    };
    let diff = |name: &str, from_version, to_version| DiffWorkflowsRequest {
        name: name.into(),
        from_version,
        to_version,
        ..Default::default()
    };
    let delete = |name: &str, version| DeleteWorkflowRequest {
        name: name.into(),
        version,
        ..Default::default()
    };
    let begin = |name: &str, version| StartExecutionRequest {
        workflow: name.into(),
        version,
        ..Default::default()
    };
    let (mut workflows, mut executions) = (server.workflows(), server.executions());
    for status in [
        refused(workflows.get_workflow(get("two", 0))).await,
        refused(workflows.diff_workflows(diff("two", 0, 0))).await,
        refused(workflows.delete_workflow(delete("two", 0))).await,
        refused(executions.start_execution(begin("two", 0))).await,
    ] {
        let expected = (Code::NotFound, "WORKFLOW_NOT_FOUND".to_owned());
        assert_eq!(told(&status), expected, "{status:?}");
        assert_eq!(resource(&status), ("workflow".into(), "two".into()));
    }
    for status in [
        refused(workflows.get_workflow(get("one", 7))).await,
        refused(workflows.diff_workflows(diff("one", 7, 1))).await,
        refused(workflows.delete_workflow(delete("one", 7))).await,
        refused(executions.start_execution(begin("one", 7))).await,
    ] {
        let expected = (Code::NotFound, "WORKFLOW_VERSION_NOT_FOUND".to_owned());
        assert_eq!(told(&status), expected, "{status:?}");
        let expected = ("workflow version".to_owned(), "one version 7".to_owned());
        assert_eq!(resource(&status), expected);
    }
}

#[tokio::test]
async fn an_unknown_execution_is_not_found_by_any_call() {
    let server = TestServer::start().await;
    let id = || UNKNOWN.to_owned();
    let mut executions = server.executions();
    for status in [
        refused(executions.get_execution(GetExecutionRequest {
            execution_id: id(),
            ..Default::default()
        }))
        .await,
        refused(executions.list_events(ListEventsRequest {
            execution_id: id(),
            ..Default::default()
        }))
        .await,
        refused(executions.watch_execution(WatchExecutionRequest {
            execution_id: id(),
            ..Default::default()
        }))
        .await,
        refused(executions.watch_execution(WatchExecutionRequest {
            execution_id: id(),
            after_sequence: 3,
            ..Default::default()
        }))
        .await,
        refused(executions.cancel_execution(proto::CancelExecutionRequest {
            execution_id: id(),
            ..Default::default()
        }))
        .await,
        refused(
            executions.terminate_execution(proto::TerminateExecutionRequest {
                execution_id: id(),
                ..Default::default()
            }),
        )
        .await,
        refused(executions.delete_execution(DeleteExecutionRequest {
            execution_id: id(),
            ..Default::default()
        }))
        .await,
    ] {
        let expected = (Code::NotFound, "EXECUTION_NOT_FOUND".to_owned());
        assert_eq!(told(&status), expected, "{status:?}");
        assert_eq!(resource(&status), ("execution".into(), id()));
    }
}

#[tokio::test]
async fn an_unknown_agent_or_worker_is_not_found() {
    let server = TestServer::start().await;
    let id = || "nobody".to_owned();
    let mut agents = server.agents();
    for status in [
        refused(agents.get_agent(GetAgentRequest {
            id: id(),
            ..Default::default()
        }))
        .await,
        refused(agents.deregister_agent(DeregisterAgentRequest {
            id: id(),
            ..Default::default()
        }))
        .await,
        refused(agents.set_agent_state(SetAgentStateRequest {
            id: id(),
            state: agent::State::Disabled.into(),
            ..Default::default()
        }))
        .await,
    ] {
        let expected = (Code::NotFound, "AGENT_NOT_FOUND".to_owned());
        assert_eq!(told(&status), expected, "{status:?}");
        assert_eq!(resource(&status), ("agent".into(), id()));
    }
    let status = refused(server.workers().drain_worker(DrainWorkerRequest {
        worker_id: id(),
        ..Default::default()
    }))
    .await;
    let expected = (Code::NotFound, "WORKER_NOT_FOUND".to_owned());
    assert_eq!(told(&status), expected, "{status:?}");
    assert_eq!(resource(&status), ("worker".into(), id()));
}
