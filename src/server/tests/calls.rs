//! Calls through real connections: what reaches the caller.

use tonic_types::StatusExt;

use super::*;
use crate::{
    core::{limits::Limits, value},
    proto::{
        CompleteTaskRequest, Draining, GetExecutionRequest, PollTasksRequest,
        RegisterWorkflowRequest, RunExecutionRequest, StartExecutionRequest, Step, Workflow,
        execution, execution_service_client::ExecutionServiceClient, step,
        workflow_service_client::WorkflowServiceClient,
    },
};

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_naming_the_limit() {
    let limits = Limits {
        message_bytes_max: 1 << 10,
        ..Limits::default()
    };
    let config = Config {
        limits,
        ..in_memory(any_port())
    };
    let server = run(config).await;
    let mut executions = ExecutionServiceClient::new(server.channel.clone());
    let request = StartExecutionRequest {
        input: Some(value::string("x".repeat(2 << 10))),
        ..Default::default()
    };
    let refused = executions
        .start_execution(request)
        .await
        .expect_err("too large");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().contains("message_bytes_max"));
    assert_eq!(reason(&refused), "LIMIT_REACHED");
}

#[tokio::test]
async fn a_bad_request_and_an_unknown_id_reach_the_caller_with_their_details() {
    let server = run(in_memory(any_port())).await;
    let mut executions = ExecutionServiceClient::new(server.channel.clone());
    let request = GetExecutionRequest {
        namespace: "Not Lower".into(),
        execution_id: "nope".into(),
    };
    let refused = executions
        .get_execution(request)
        .await
        .expect_err("bad fields");
    let details = refused.get_error_details();
    let bad = details.bad_request().expect("a BadRequest");
    let fields: Vec<_> = bad
        .field_violations
        .iter()
        .map(|v| v.field.as_str())
        .collect();
    assert_eq!(
        (refused.code(), fields),
        (Code::InvalidArgument, vec!["namespace", "execution_id"])
    );
    let request = GetExecutionRequest {
        execution_id: uuid::Uuid::now_v7().to_string(),
        ..Default::default()
    };
    let refused = executions
        .get_execution(request)
        .await
        .expect_err("unknown");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::NotFound, "EXECUTION_NOT_FOUND")
    );
}

#[tokio::test]
async fn a_worker_that_does_not_say_hello_first_is_told_so() {
    let server = run(in_memory(any_port())).await;
    let mut workers = WorkerServiceClient::new(server.channel.clone());
    let draining = work_request::Message::Draining(Draining {});
    let up = tokio_stream::iter([WorkRequest {
        message: Some(draining),
    }]);
    let mut down = workers.work(up).await.expect("a stream").into_inner();
    let refused = down.message().await.expect_err("no Hello");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("Hello"));
}

fn echo() -> Workflow {
    Workflow {
        name: "echo".into(),
        steps: vec![Step {
            id: "say".into(),
            kind: Some(step::Kind::Agent("echo".into())),
            ..Default::default()
        }],
        ..Default::default()
    }
}

#[tokio::test]
async fn a_run_ends_with_its_workers_output() {
    let server = run(in_memory(any_port())).await;
    let channel = server.channel.clone();
    let mut executions = ExecutionServiceClient::new(channel.clone());
    let request = RunExecutionRequest {
        definition: Some(echo()),
        input: Some(value::string("hello")),
        ..Default::default()
    };
    let running = tokio::spawn(async move { executions.run_execution(request).await });
    let mut workers = WorkerServiceClient::new(channel);
    let poll = PollTasksRequest {
        worker_id: "by-hand".into(),
        agents: vec!["echo".into()],
        wait_timeout: Some(prost_types::Duration {
            seconds: 60,
            nanos: 0,
        }),
        ..Default::default()
    };
    let tasks = workers
        .poll_tasks(poll)
        .await
        .expect("a task")
        .into_inner()
        .tasks;
    let done = CompleteTaskRequest {
        token: tasks[0].token.clone(),
        output: tasks[0].input.clone(),
        usage: None,
    };
    workers.complete_task(done.clone()).await.expect("recorded");
    workers
        .complete_task(done)
        .await
        .expect("repeating it is safe");
    let answer = running.await.expect("no panic").expect("an answer");
    let execution = answer.into_inner().execution.expect("an execution");
    assert_eq!(execution.state(), execution::State::Completed);
    let stale = CompleteTaskRequest {
        token: "made-up".into(),
        ..Default::default()
    };
    let refused = workers
        .complete_task(stale)
        .await
        .expect_err("no such token");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "STALE_TOKEN")
    );
}

#[tokio::test]
async fn a_bad_source_is_refused_with_every_finding_and_its_line() {
    let server = run(in_memory(any_port())).await;
    let mut workflows = WorkflowServiceClient::new(server.channel.clone());
    let request = RegisterWorkflowRequest {
        source: "name: order\nsteps:\n  - id: a\n    agnet: x\n  - id: b\n    agent: y\n    depends_on: [c]\n".into(),
        ..Default::default()
    };
    let refused = workflows
        .register_workflow(request)
        .await
        .expect_err("not valid");
    let details = refused.get_error_details();
    let bad = details.bad_request().expect("a BadRequest");
    let lines = [4, 7].map(|line| {
        let at = format!("line {line} ");
        bad.field_violations
            .iter()
            .any(|v| v.description.contains(&at))
    });
    assert_eq!(
        (refused.code(), lines),
        (Code::InvalidArgument, [true, true]),
        "{bad:?}"
    );
}
