//! Child executions: executions like any other, tied to the step that started them.

mod killed;

use serde_json::json;
use tutti::proto::{
    CancelExecutionRequest, Event, ExecutionFilter, ListExecutionsRequest, RegisterWorkflowRequest,
    ValidateWorkflowRequest, WatchExecutionRequest, event::Kind, execution::State,
    finding::Severity, step_execution::State as StepState,
};

use crate::support::{PATIENCE, TestServer, json_of};

pub const INNER: &str = "
name: inner
mode: SEQUENCE
steps:
  - { id: work, agent: worker }
";

pub const OUTER: &str = "
name: outer
mode: SEQUENCE
steps:
  - { id: sub, workflow: { name: inner } }
  - { id: after, set: { got: '{{ previous }}' } }
";

async fn served(sources: &[&str]) -> TestServer {
    let server = TestServer::start().await;
    for source in sources {
        server.register(source).await;
    }
    server
}

/// The first event of an execution that `wanted` takes.
async fn event<T>(server: &TestServer, id: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let request = WatchExecutionRequest {
        execution_id: id.into(),
        ..Default::default()
    };
    let mut events = server
        .executions()
        .watch_execution(request)
        .await
        .unwrap()
        .into_inner();
    let found = async {
        loop {
            let message = events.message().await.unwrap().expect("not the end yet");
            if let Some(found) = message.event.as_ref().and_then(&wanted) {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .expect("in time")
}

/// The child that a step of an execution has started, once it has.
pub async fn child_of(server: &TestServer, parent: &str, step: &str) -> String {
    let started = |event: &Event| match &event.kind {
        Some(Kind::ChildStarted(e)) if event.step == step => Some(e.execution_id.clone()),
        _ => None,
    };
    event(server, parent, started).await
}

async fn cancel(server: &TestServer, id: &str) {
    let request = CancelExecutionRequest {
        execution_id: id.into(),
        reason: "not needed".into(),
        ..Default::default()
    };
    server.executions().cancel_execution(request).await.unwrap();
}

#[tokio::test]
async fn a_child_is_an_execution_like_any_other_and_gives_its_output_to_the_step() {
    let server = served(&[INNER, OUTER]).await;
    let newer = "name: inner\nmode: SEQUENCE\nsteps: [ { id: work, agent: newer } ]";
    assert_eq!(server.register(newer).await, 2);
    let id = server.begin("outer", json!({"n": 1})).await;
    let child = child_of(&server, &id, "sub").await;

    let parent = server.get(&id).await;
    assert_eq!(parent.steps[0].kind, "workflow");
    assert_eq!(parent.steps[0].state(), StepState::Running);
    assert_eq!(parent.steps[0].child_execution_id, child);
    let shown = server.get(&child).await;
    assert_eq!((shown.workflow.as_str(), shown.version), ("inner", 2));
    assert_eq!(json_of(&shown.input), json!({"n": 1}));
    let of = shown.parent.unwrap();
    assert_eq!(
        (of.execution_id.as_str(), of.step.as_str()),
        (id.as_str(), "sub")
    );
    assert_eq!((of.depth, of.detached), (1, false));

    let request = ListExecutionsRequest {
        filter: Some(ExecutionFilter {
            parent_execution_id: id.clone(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let listed = server.executions().list_executions(request).await.unwrap();
    let listed = listed.into_inner().executions;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].execution_id, child);

    let task = server.poll("newer").await;
    assert_eq!(
        (task.execution_id.as_str(), task.step.as_str()),
        (child.as_str(), "work")
    );
    server.complete(&task, json!("done")).await.unwrap();
    let parent = server.ended(&id).await;
    assert_eq!(json_of(&parent.output), json!({"got": "done"}));
    let ended = |event: &Event| match &event.kind {
        Some(Kind::ChildEnded(e)) => Some((e.execution_id.clone(), e.state())),
        _ => None,
    };
    assert_eq!(event(&server, &id, ended).await, (child, State::Completed));
}

#[tokio::test]
async fn a_failed_child_fails_the_attempt_and_the_next_runs_another() {
    let outer = "
name: outer
steps:
  - { id: sub, workflow: { name: inner, version: 1 }, retry: { max_attempts: 2, initial_delay: 0.01s } }
";
    let server = served(&[INNER, outer]).await;
    let id = server.begin("outer", json!(1)).await;
    let mut children = Vec::new();
    for _ in 0..2 {
        let task = server.poll("worker").await;
        children.push(task.execution_id.clone());
        server.fail(&task, "agent_error").await.unwrap();
    }
    assert_ne!(children[0], children[1]);
    let parent = server.ended(&id).await;
    assert_eq!(parent.state(), State::Failed);
    assert_eq!(parent.steps[0].attempt, 2);
    assert_eq!(parent.steps[0].child_execution_id, children[1]);
    let error = parent.error.unwrap();
    assert_eq!(
        (error.class.as_str(), error.step.as_str()),
        ("agent_error", "sub/work")
    );
    for child in &children {
        assert_eq!(server.get(child).await.state(), State::Failed);
    }
}

#[tokio::test]
async fn ending_the_parent_ends_its_children_and_theirs() {
    let middle = "name: middle\nsteps: [ { id: sub, workflow: { name: inner } } ]";
    let outer = "name: outer\nsteps: [ { id: sub, workflow: { name: middle } } ]";
    let server = served(&[INNER, middle, outer]).await;
    for terminate in [false, true] {
        let id = server.begin("outer", json!(1)).await;
        let child = child_of(&server, &id, "sub").await;
        let grandchild = child_of(&server, &child, "sub").await;
        assert_eq!(server.get(&grandchild).await.parent.unwrap().depth, 2);
        if terminate {
            server.terminate(&id).await;
        } else {
            cancel(&server, &id).await;
        }
        for ended in [&id, &child, &grandchild] {
            assert_eq!(server.ended(ended).await.state(), State::Cancelled);
        }
        let how = |event: &Event| match &event.kind {
            Some(Kind::ExecutionCancelled(e)) => Some(e.terminated),
            _ => None,
        };
        assert_eq!(event(&server, &grandchild, how).await, terminate);
    }
}

#[tokio::test]
async fn a_cancelled_child_fails_its_step_and_a_failed_sibling_or_a_timeout_ends_the_child() {
    let pair = "
name: pair
mode: PARALLEL
steps:
  - { id: sub, workflow: { name: inner } }
  - { id: other, agent: other }
";
    let late = "name: late\nsteps: [ { id: sub, workflow: { name: inner }, timeout: 3s } ]";
    let server = served(&[INNER, pair, late]).await;

    let id = server.begin("pair", json!(1)).await;
    cancel(&server, &child_of(&server, &id, "sub").await).await;
    let error = server.ended(&id).await.error.unwrap();
    assert_eq!(
        (error.class.as_str(), error.step.as_str()),
        ("cancelled", "sub")
    );
    assert_eq!(error.message, "not needed");

    let id = server.begin("pair", json!(1)).await;
    let child = child_of(&server, &id, "sub").await;
    let task = server.poll("other").await;
    server.fail(&task, "own").await.unwrap();
    assert_eq!(server.ended(&child).await.state(), State::Cancelled);

    let id = server.begin("late", json!(1)).await;
    let child = child_of(&server, &id, "sub").await;
    assert_eq!(server.ended(&child).await.state(), State::Cancelled);
    assert_eq!(server.ended(&id).await.error.unwrap().class, "timeout");
}

#[tokio::test]
async fn a_detached_child_goes_on_without_its_parent() {
    let outer = "name: outer\nsteps: [ { id: sub, workflow: { name: inner, detached: true } } ]";
    let server = served(&[INNER, outer]).await;
    let id = server.begin("outer", json!(1)).await;
    let parent = server.ended(&id).await;
    let child = child_of(&server, &id, "sub").await;
    assert_eq!(
        json_of(&parent.output),
        json!({"sub": {"execution_id": child}})
    );
    assert!(server.get(&child).await.parent.unwrap().detached);
    let task = server.poll("worker").await;
    server.complete(&task, json!("later")).await.unwrap();
    assert_eq!(server.ended(&child).await.state(), State::Completed);
}

#[tokio::test]
async fn a_workflow_that_is_not_there_is_warned_of_and_fails_its_step() {
    let server = TestServer::start().await;
    let request = RegisterWorkflowRequest {
        source: OUTER.into(),
        ..Default::default()
    };
    let answer = server.workflows().register_workflow(request).await.unwrap();
    let findings = answer.into_inner().findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].severity(), Severity::Warning);
    assert_eq!(findings[0].rule, "unknown-workflow");
    assert_eq!(findings[0].path, "steps[0].workflow.name");
    assert_eq!(findings[0].line, 5);

    let id = server.begin("outer", json!(1)).await;
    let error = server.ended(&id).await.error.unwrap();
    assert_eq!(
        (error.class.as_str(), error.step.as_str()),
        ("not_found", "sub")
    );
    assert_eq!(error.message, "workflow inner not found");

    server.register(INNER).await;
    let request = ValidateWorkflowRequest {
        source: OUTER.into(),
        ..Default::default()
    };
    let answer = server.workflows().validate_workflow(request).await.unwrap();
    assert_eq!(answer.into_inner().findings, []);
    let id = server.begin("outer", json!(1)).await;
    child_of(&server, &id, "sub").await;
}

#[tokio::test]
async fn an_input_that_the_child_does_not_take_fails_the_step() {
    let inner = "name: inner\ninput_schema: { type: object, required: [n] }\nsteps: [ { id: a, agent: a } ]";
    let server = served(&[inner, OUTER]).await;
    let id = server.begin("outer", json!({"m": 1})).await;
    let error = server.ended(&id).await.error.unwrap();
    assert_eq!(
        (error.class.as_str(), error.step.as_str()),
        ("validation", "sub")
    );
    assert!(
        error.message.contains("\"n\" is a required property"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_workflow_that_runs_itself_ends_at_the_depth_bound() {
    let endless = "name: endless\nsteps: [ { id: again, workflow: { name: endless } } ]";
    let server = TestServer::with(|config| config.limits.child_depth_max = 3).await;
    server.register(endless).await;
    let id = server.begin("endless", json!(1)).await;
    let parent = server.ended(&id).await;
    let error = parent.error.unwrap();
    assert_eq!(
        (error.class.as_str(), error.step.as_str()),
        ("limit", "again/again/again/again")
    );
    assert!(
        error.message.contains("child_depth_max is 3"),
        "{}",
        error.message
    );
    let request = ListExecutionsRequest::default();
    let all = server.executions().list_executions(request).await.unwrap();
    assert_eq!(all.into_inner().executions.len(), 4);
}

#[tokio::test]
async fn a_child_waits_for_room_among_the_open_executions() {
    let server = TestServer::with(|config| config.limits.open_executions_max = 2).await;
    server.register(INNER).await;
    server.register(OUTER).await;
    let first = server.begin("inner", json!(1)).await;
    let id = server.begin("outer", json!(2)).await;
    let task = server.poll("worker").await;
    assert_eq!(task.execution_id, first);
    assert_eq!(server.get(&id).await.steps[0].child_execution_id, "");
    server.complete(&task, json!(1)).await.unwrap();
    let child = child_of(&server, &id, "sub").await;
    let task = server.poll("worker").await;
    assert_eq!(task.execution_id, child);
    server.complete(&task, json!("done")).await.unwrap();
    assert_eq!(server.ended(&id).await.state(), State::Completed);
}

#[tokio::test]
async fn parents_and_children_find_each_other_after_a_restart() {
    let mut server = served(&[INNER, OUTER]).await;
    let id = server.begin("outer", json!(1)).await;
    let child = child_of(&server, &id, "sub").await;
    server.restart().await;
    assert_eq!(server.get(&id).await.steps[0].child_execution_id, child);
    let task = server.poll("worker").await;
    assert_eq!(task.execution_id, child);
    server.complete(&task, json!("done")).await.unwrap();
    assert_eq!(
        json_of(&server.ended(&id).await.output),
        json!({"got": "done"})
    );
}

#[tokio::test]
async fn a_generated_workflow_runs_with_its_definition_and_goes_on_after_a_restart() {
    let generate =
        "name: dynamic\nmode: SEQUENCE\nsteps: [ { id: g, generate: { agent: planner } } ]";
    let mut server = served(&[generate]).await;
    let id = server.begin("dynamic", json!({"n": 1})).await;
    let task = server.poll("planner").await;
    assert_eq!(json_of(&task.input), json!({"n": 1}));
    server.complete(&task, json!(INNER)).await.unwrap();
    let child = child_of(&server, &id, "g/run").await;
    let shown = server.get(&child).await;
    assert_eq!((shown.workflow.as_str(), shown.version), ("inner", 0));
    server.restart().await;
    let task = server.poll("worker").await;
    assert_eq!(task.execution_id, child);
    server.complete(&task, json!("done")).await.unwrap();
    let parent = server.ended(&id).await;
    assert_eq!(parent.steps[0].kind, "generate");
    assert_eq!(json_of(&parent.output), json!("done"));

    let id = server.begin("dynamic", json!({"n": 1})).await;
    let task = server.poll("planner").await;
    server
        .complete(&task, json!({"name": "made"}))
        .await
        .unwrap();
    let error = server.ended(&id).await.error.unwrap();
    assert_eq!(
        (error.class.as_str(), error.step.as_str()),
        ("invalid_output", "g/plan")
    );
    assert!(
        error.message.contains("there are no steps"),
        "{}",
        error.message
    );
}
