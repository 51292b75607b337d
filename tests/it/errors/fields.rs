//! Bad fields: INVALID_ARGUMENT with all of them at once.

use std::collections::HashMap;

use serde_json::json;
use tonic::Code;
use tutti::{
    core::value,
    proto::{
        self, CompleteTaskRequest, ExecutionFilter, FailTaskRequest, GetExecutionRequest,
        GetWorkflowRequest, HeartbeatTaskRequest, ListAgentsRequest, ListEventsRequest,
        ListExecutionsRequest, ListWorkersRequest, ListWorkflowsRequest, PollTasksRequest,
        RegisterAgentRequest, RegisterWorkflowRequest, RunExecutionRequest, SetAgentStateRequest,
        StartAndWatchRequest, StartExecutionRequest,
    },
};

use super::{ONE, bad_fields, bad_names, refused, told};
use crate::support::{TestServer, start};

#[tokio::test]
async fn all_bad_fields_of_a_request_are_told_at_once() {
    let server = TestServer::start().await;
    let status = refused(server.executions().list_events(ListEventsRequest {
        namespace: "No Such".into(),
        execution_id: "not-a-uuid".into(),
        page_size: -1,
        page_token: "made-up".into(),
        ..Default::default()
    }))
    .await;
    let expected = (Code::InvalidArgument, "INVALID_FIELDS".to_owned());
    assert_eq!(told(&status), expected);
    let names = ["execution_id", "namespace", "page_size", "page_token"];
    assert_eq!(bad_names(&status), names);
    let said: HashMap<_, _> = bad_fields(&status).into_iter().collect();
    assert!(said["execution_id"].contains("not a UUID"), "{said:?}");
    assert!(said["page_size"].contains("-1"), "{said:?}");
    for name in names {
        assert!(status.message().contains(name), "{}", status.message());
    }
}

#[tokio::test]
async fn absent_fields_are_told_in_every_service() {
    let server = TestServer::start().await;
    let (mut workflows, mut executions) = (server.workflows(), server.executions());
    let (mut agents, mut workers) = (server.agents(), server.workers());
    for (status, names) in [
        (
            refused(workflows.register_workflow(RegisterWorkflowRequest::default())).await,
            vec!["workflow"],
        ),
        (
            refused(workflows.get_workflow(GetWorkflowRequest::default())).await,
            vec!["name"],
        ),
        (
            refused(executions.start_execution(StartExecutionRequest::default())).await,
            vec!["workflow"],
        ),
        (
            refused(executions.run_execution(RunExecutionRequest::default())).await,
            vec!["workflow"],
        ),
        (
            refused(executions.get_execution(GetExecutionRequest::default())).await,
            vec!["execution_id"],
        ),
        (
            refused(agents.register_agent(RegisterAgentRequest::default())).await,
            vec!["agent"],
        ),
        (
            refused(agents.register_agent(RegisterAgentRequest {
                agent: Some(proto::Agent {
                    input_schema: Some(value::from_json(&json!({"type": "nonsense"}))),
                    ..Default::default()
                }),
                ..Default::default()
            }))
            .await,
            vec!["agent.id", "agent.input_schema"],
        ),
        (
            refused(agents.set_agent_state(SetAgentStateRequest::default())).await,
            vec!["id", "state"],
        ),
        (
            refused(workers.poll_tasks(PollTasksRequest {
                max_tasks: -1,
                ..Default::default()
            }))
            .await,
            vec!["agents", "max_tasks", "worker_id"],
        ),
        (
            refused(workers.complete_task(CompleteTaskRequest::default())).await,
            vec!["token"],
        ),
        (
            refused(workers.fail_task(FailTaskRequest::default())).await,
            vec!["token"],
        ),
        (
            refused(workers.heartbeat_task(HeartbeatTaskRequest::default())).await,
            vec!["token"],
        ),
    ] {
        assert_eq!(bad_names(&status), names, "{status:?}");
        assert_eq!(told(&status).1, "INVALID_FIELDS");
    }
}

#[tokio::test]
async fn a_page_over_the_maximum_is_refused_by_every_list() {
    let server = TestServer::start().await;
    let page_size = 1001;
    for status in [
        refused(server.workflows().list_workflows(ListWorkflowsRequest {
            page_size,
            ..Default::default()
        }))
        .await,
        refused(server.executions().list_executions(ListExecutionsRequest {
            page_size,
            ..Default::default()
        }))
        .await,
        refused(server.agents().list_agents(ListAgentsRequest {
            page_size,
            ..Default::default()
        }))
        .await,
        refused(server.workers().list_workers(ListWorkersRequest {
            page_size,
            ..Default::default()
        }))
        .await,
    ] {
        let fields = bad_fields(&status);
        let [(field, text)] = &fields[..] else {
            panic!("{fields:?}")
        };
        assert_eq!(field, "page_size");
        assert!(text.contains("1001") && text.contains("1000"), "{text}");
    }
}

#[tokio::test]
async fn a_page_token_is_good_for_its_own_list_only() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    for n in 0..2 {
        server.begin("one", json!(n)).await;
    }
    let first = ListExecutionsRequest {
        page_size: 1,
        ..Default::default()
    };
    let page = server.executions().list_executions(first).await.unwrap();
    let page_token = page.into_inner().next_page_token;
    assert!(!page_token.is_empty());
    let elsewhere = ListWorkflowsRequest {
        page_token,
        ..Default::default()
    };
    let status = refused(server.workflows().list_workflows(elsewhere)).await;
    assert_eq!(bad_names(&status), ["page_token"]);
    let upside_down = ExecutionFilter {
        states: vec![99],
        create_time_from: Some(prost_types::Timestamp {
            seconds: 2,
            nanos: 0,
        }),
        create_time_until: Some(prost_types::Timestamp {
            seconds: 1,
            nanos: 0,
        }),
        ..Default::default()
    };
    let status = refused(server.executions().list_executions(ListExecutionsRequest {
        filter: Some(upside_down),
        ..Default::default()
    }))
    .await;
    let names = ["filter.create_time_until", "filter.states[0]"];
    assert_eq!(bad_names(&status), names);
}

#[tokio::test]
async fn input_that_breaks_the_schema_is_told_by_pointer_and_nothing_is_started() {
    let server = TestServer::start().await;
    server
        .register(
            "
name: order
input_schema:
  type: object
  required: [order_id]
  properties:
    items: { type: array, items: { type: object, properties: { price: { type: number } } } }
steps: [ { id: a, agent: one } ]
",
        )
        .await;
    let input = json!({"items": [{"price": 1}, {"price": "free"}]});
    let input = || Some(value::from_json(&input));
    let workflow = || "order".to_owned();
    let mut executions = server.executions();
    for status in [
        refused(executions.start_execution(StartExecutionRequest {
            workflow: workflow(),
            input: input(),
            ..Default::default()
        }))
        .await,
        refused(executions.run_execution(RunExecutionRequest {
            workflow: workflow(),
            input: input(),
            ..Default::default()
        }))
        .await,
        refused(executions.start_and_watch(StartAndWatchRequest {
            workflow: workflow(),
            input: input(),
            ..Default::default()
        }))
        .await,
    ] {
        assert_eq!(bad_names(&status), ["input", "input/items/1/price"]);
        let said: HashMap<_, _> = bad_fields(&status).into_iter().collect();
        assert!(said["input"].contains("order_id"), "{said:?}");
        assert!(said["input/items/1/price"].contains("free"), "{said:?}");
    }
    let list = executions.list_executions(ListExecutionsRequest::default());
    assert_eq!(list.await.unwrap().into_inner().executions, []);
}

#[tokio::test]
async fn a_definition_given_with_the_start_is_checked_like_any_other() {
    let server = TestServer::start().await;
    let parsed = tutti::core::definition::parse(
        "name: bad\nsteps: [ { id: a, agent: x, when: inptu.a }, { id: a, agent: x } ]",
    );
    let status = refused(server.executions().start_execution(StartExecutionRequest {
        definition: parsed.workflow,
        ..Default::default()
    }))
    .await;
    assert_eq!(told(&status).1, "INVALID_DEFINITION");
    assert_eq!(bad_names(&status), ["steps[0].when", "steps[1].id"]);
    let both = StartExecutionRequest {
        definition: tutti::core::definition::parse(ONE).workflow,
        ..start("one", json!(null))
    };
    assert_eq!(
        bad_names(&server.try_begin(both).await.unwrap_err()),
        ["definition"]
    );
}

#[tokio::test]
async fn numbers_that_json_cannot_write_are_bad_input() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let request = StartExecutionRequest {
        input: Some(value::object([("n", value::number(f64::NAN))])),
        ..start("one", json!(null))
    };
    let status = server.try_begin(request).await.unwrap_err();
    assert_eq!(bad_names(&status), ["input/n"]);
}

#[tokio::test]
async fn a_message_nested_beyond_reading_is_bad_input() {
    let server = TestServer::start().await;
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    let status = server.try_begin(start("one", deep)).await.unwrap_err();
    assert_eq!(bad_names(&status), ["message"]);
}
