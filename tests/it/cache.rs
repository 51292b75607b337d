//! Outputs that are kept for others: across executions, workflows and restarts, and no longer
//! than the execution that gave them.

use serde_json::json;
use tutti::proto::{
    DeleteExecutionRequest, Execution, execution::State, step_execution::State as StepState,
};

use crate::support::{TestServer, json_of};

fn sums(name: &str, step: &str, scope: &str) -> String {
    format!(
        "
name: {name}
mode: SEQUENCE
steps:
  - id: {step}
    agent: adder
    input: '{{{{ input.n }}}}'
    output: {{ sum: '{{{{ output }}}}' }}
    save: {{ sum: '{{{{ output }}}}' }}
    cache: {{ scope: {scope} }}
output: {{ sum: '{{{{ vars.sum }}}}', step: '{{{{ steps.{step}.output }}}}' }}
"
    )
}

async fn run(server: &TestServer, workflow: &str, input: serde_json::Value) -> Execution {
    let id = server.begin(workflow, input).await;
    server.ended(&id).await
}

/// The execution that the output of its only step came from.
fn source(execution: &Execution) -> &str {
    assert_eq!(execution.state(), State::Completed, "{execution:#?}");
    let step = &execution.steps[0];
    assert_eq!(step.state(), StepState::Completed);
    assert_eq!(step.attempt == 0, !step.cached_execution_id.is_empty());
    &step.cached_execution_id
}

#[tokio::test]
async fn an_output_is_given_again_across_executions_workflows_and_restarts() {
    let mut server = TestServer::start().await;
    server.register(&sums("one", "a", "NAMESPACE")).await;
    server.register(&sums("two", "b", "NAMESPACE")).await;
    let id = server.begin("one", json!({"n": 7})).await;
    let task = server.poll("adder").await;
    let large = "7".repeat(100_000);
    server.complete(&task, json!(large)).await.unwrap();
    let first = server.ended(&id).await;
    assert_eq!(source(&first), "");

    let again = run(&server, "one", json!({"n": 7})).await;
    assert_eq!(source(&again), id);
    server.restart().await;
    let other = run(&server, "two", json!({"n": 7, "m": 1})).await;
    assert_eq!(source(&other), id);
    assert_eq!(
        json_of(&other.output),
        json!({"sum": large, "step": {"sum": large}})
    );
    assert_eq!(json_of(&other.steps[0].input), json!(7));

    let request = DeleteExecutionRequest {
        execution_id: id.clone(),
        ..Default::default()
    };
    server.executions().delete_execution(request).await.unwrap();
    server.restart().await;
    let id = server.begin("two", json!({"n": 7})).await;
    let task = server.poll("adder").await;
    server.complete(&task, json!("new")).await.unwrap();
    assert_eq!(
        source(&server.ended(&id).await),
        "",
        "it is gone with its execution"
    );
}

#[tokio::test]
async fn an_output_stays_within_its_scope_and_its_input() {
    let server = TestServer::start().await;
    server.register(&sums("one", "a", "WORKFLOW")).await;
    server.register(&sums("two", "a", "WORKFLOW")).await;
    server.register(&sums("three", "a", "EXECUTION")).await;
    let worker = server.echo(&["adder"]);
    let first = run(&server, "one", json!({"n": 1})).await;
    assert_eq!(source(&first), "");
    server.register(&sums("one", "renamed", "WORKFLOW")).await;
    let newer = run(&server, "one", json!({"n": 1})).await;
    assert_eq!(source(&newer), first.execution_id, "whatever version");
    for (workflow, n) in [("one", 2), ("two", 1), ("three", 1), ("three", 1)] {
        let other = run(&server, workflow, json!({ "n": n })).await;
        assert_eq!(source(&other), "", "{workflow} {n}");
    }
    worker.abort();
}
