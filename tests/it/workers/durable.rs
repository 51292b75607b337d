//! An ack is a promise: what it says is still so after the process was killed.

use serde_json::json;
use tutti::proto::{
    Execution, GetExecutionRequest, StartExecutionRequest, execution::State,
    execution_service_client::ExecutionServiceClient, result_ack::Outcome,
    step_execution::State as StepState,
};

use super::raw::{RawWorker, hello, holding};
use crate::{killed::Process, support::json_of};

const TWO: &str = "name: two\nmode: SEQUENCE\nsteps: [ { id: a, agent: x }, { id: b, agent: x } ]";

async fn start(url: &str) -> String {
    let mut executions = ExecutionServiceClient::connect(url.to_owned())
        .await
        .unwrap();
    let request = StartExecutionRequest {
        definition: tutti::core::definition::parse(TWO).workflow,
        ..Default::default()
    };
    let started = executions.start_execution(request).await.unwrap();
    started.into_inner().execution_id
}

async fn get(url: &str, id: &str) -> Execution {
    let mut executions = ExecutionServiceClient::connect(url.to_owned())
        .await
        .unwrap();
    let request = GetExecutionRequest {
        execution_id: id.into(),
        ..Default::default()
    };
    let got = executions.get_execution(request).await.unwrap();
    got.into_inner().execution.unwrap()
}

#[tokio::test]
async fn a_result_that_was_acknowledged_and_a_task_that_runs_outlive_a_killed_server() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path(), "127.0.0.1:0");
    let url = format!("http://{}", server.address);
    let id = start(&url).await;
    let mut worker = RawWorker::ready(&url, "w", "x", 1).await;
    let task = worker.take().await;
    worker.complete(&task.token, json!("kept"));
    assert_eq!(worker.acked().await.1, Outcome::Recorded);
    server.kill();

    server = Process::start(data.path(), &server.address.clone());
    let step = get(&url, &id).await.steps.remove(0);
    assert_eq!(step.state(), StepState::Completed);
    assert_eq!(json_of(&step.output), json!("kept"));

    let mut worker = RawWorker::ready(&url, "w", "x", 1).await;
    let task = worker.hold().await;
    assert_eq!(task.step, "b");
    assert_eq!(get(&url, &id).await.steps[1].state(), StepState::Running);
    server.kill();

    let _server = Process::start(data.path(), &server.address.clone());
    let back = holding(hello("w", &["x"]), &[&task]);
    let mut worker = RawWorker::connect(&url, back).await;
    assert_eq!(worker.welcome.adopted_tokens, [task.token.as_str()]);
    worker.complete(&task.token, json!("end"));
    assert_eq!(worker.acked().await.1, Outcome::Recorded);
    let execution = get(&url, &id).await;
    assert_eq!(execution.state(), State::Completed);
    let attempts: Vec<_> = execution.steps.iter().map(|s| s.attempt).collect();
    assert_eq!(attempts, [1, 1]);
}
