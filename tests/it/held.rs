//! Executions that are held, by a failure or by hand, over restarts, and go on; and `vars` that
//! go back to a mark.

use serde_json::{Value as Json, json};
use tonic::Code;
use tutti::{
    core::value,
    proto::{
        ExecutionFilter, ListExecutionsRequest, PauseExecutionRequest, ResumeExecutionRequest,
        event::Kind, execution::State, step_execution::State as StepState,
    },
};
use tutti_client::{Client, TaskContext, TaskError, Worker};

use crate::{
    loops::events,
    support::{TestServer, json_of},
};

const PARKED: &str = "
name: parked
mode: SEQUENCE
variables: { account: DE00 }
steps:
  - { id: order, agent: shop, save: { order: '{{ output }}' }, mark: ordered }
  - { id: pay, agent: bank, input: '{{ vars.account }}', on_error: PARK }
  - { id: spoil, set: { order: 0, account: none } }
  - { id: back, restore: { to: ordered } }
output: '{{ vars }}'
";

#[tokio::test]
async fn a_failure_holds_the_execution_over_a_restart_until_it_is_resumed_with_what_was_wrong() {
    let mut server = TestServer::start().await;
    server.register(PARKED).await;
    let id = server.begin("parked", json!(null)).await;
    let order = server.poll("shop").await;
    server.complete(&order, json!(7)).await.unwrap();
    let pay = server.poll("bank").await;
    server.fail(&pay, "no_such_account").await.unwrap();
    server.restart().await;

    let held = server.get(&id).await;
    assert_eq!(held.state(), State::Paused);
    assert_eq!(held.error.as_ref().unwrap().class, "no_such_account");
    let step = held.steps.iter().find(|s| s.path == "pay").unwrap();
    assert_eq!(step.state(), StepState::Retrying);
    assert_eq!(step.waiting_for, "the execution to be resumed");
    let request = ListExecutionsRequest {
        filter: Some(ExecutionFilter {
            states: vec![State::Paused.into()],
            ..Default::default()
        }),
        ..Default::default()
    };
    let listed = server.executions().list_executions(request).await;
    let listed = listed.unwrap().into_inner().executions;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].error, held.error);

    let variables = value::from_json(&json!({"account": "DE02"}));
    let Some(value::Kind::StructValue(variables)) = variables.kind else {
        panic!("an object");
    };
    let request = ResumeExecutionRequest {
        execution_id: id.clone(),
        reason: "asked the customer".into(),
        variables: Some(variables),
        ..Default::default()
    };
    let resumed = server.executions().resume_execution(request.clone()).await;
    let resumed = resumed.unwrap().into_inner().execution.unwrap();
    assert_eq!(resumed.state(), State::Running);
    let again = server.executions().resume_execution(request).await;
    let refused = again.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("not PAUSED"), "{refused}");

    let pay = server.poll("bank").await;
    assert_eq!((pay.attempt, json_of(&pay.input)), (2, json!("DE02")));
    server.complete(&pay, json!(null)).await.unwrap();
    let execution = server.ended(&id).await;
    assert_eq!(
        json_of(&execution.output),
        json!({"account": "DE00", "order": 7}),
        "as it was when the mark was set"
    );
    let told = events(&server, &id).await;
    let held = told.iter().filter_map(|e| match &e.kind {
        Some(Kind::ExecutionParked(_)) => Some("parked"),
        Some(Kind::ExecutionResumed(_)) => Some("resumed"),
        Some(Kind::MarkSet(mark)) => Some(mark.name.as_str()),
        _ => None,
    });
    assert_eq!(held.collect::<Vec<_>>(), ["ordered", "parked", "resumed"]);
}

#[tokio::test]
async fn a_pause_by_hand_lets_what_runs_end_and_begins_nothing() {
    let mut server = TestServer::start().await;
    server
        .register("name: two\nmode: SEQUENCE\nsteps: [ { id: a, agent: x }, { id: b, agent: y } ]")
        .await;
    let id = server.begin("two", json!(1)).await;
    let a = server.poll("x").await;
    let request = PauseExecutionRequest {
        execution_id: id.clone(),
        reason: "lunch".into(),
        ..Default::default()
    };
    let paused = server.executions().pause_execution(request.clone()).await;
    let paused = paused.unwrap().into_inner().execution.unwrap();
    assert_eq!(paused.state(), State::Paused);
    let again = server.executions().pause_execution(request.clone()).await;
    assert!(again.is_ok(), "a pause is idempotent");
    server.complete(&a, json!(2)).await.unwrap();
    server.restart().await;
    let held = server.get(&id).await;
    let state = |path: &str| held.steps.iter().find(|s| s.path == path).unwrap().state();
    assert_eq!(state("a"), StepState::Completed);
    assert_eq!(state("b"), StepState::Pending);
    let request_resume = ResumeExecutionRequest {
        execution_id: id.clone(),
        ..Default::default()
    };
    let resumed = server.executions().resume_execution(request_resume).await;
    resumed.unwrap();
    let b = server.poll("y").await;
    server.complete(&b, json!(3)).await.unwrap();
    assert_eq!(json_of(&server.ended(&id).await.output), json!(3));
    let late = server.executions().pause_execution(request).await;
    assert_eq!(late.unwrap_err().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn the_client_pauses_and_resumes_and_its_worker_sees_what_is_handed_on() {
    let server = TestServer::start().await;
    let client = Client::connect(&server.url()).await.unwrap();
    let said =
        |ctx: TaskContext, _: Json| async move { Ok::<Json, TaskError>(ctx.handed_on().into()) };
    let worker = Worker::builder(server.url()).agent("teller", said);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(worker.build().unwrap().run(async { drop(stopped.await) }));
    server
        .register(
            "
name: told
mode: SEQUENCE
steps: [ { id: a, agent: x }, { id: b, agent: teller, context: {} } ]
",
        )
        .await;
    let id = server.begin("told", json!(null)).await;
    let held = client.pause(&id, "lunch").await.unwrap();
    assert_eq!(held.state(), State::Paused);
    let a = server.poll("x").await;
    server.complete(&a, json!(7)).await.unwrap();
    let resumed = client.resume(&id, "back", None).await.unwrap();
    assert_eq!(resumed.state(), State::Running);
    let told = json_of(&server.ended(&id).await.output);
    assert_eq!(told, json!([{"from": "a", "value": 7}]));
    drop(stop);
    running.await.unwrap().unwrap();
}
