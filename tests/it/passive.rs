//! Executions that only wait leave memory and lose nothing by it. The server here keeps one in
//! memory, so that of any two that wait at least one has left.

use serde_json::json;
use tonic::Code;
use tutti::proto::{
    CancelExecutionRequest, DeleteExecutionRequest, Execution, HeartbeatTaskRequest,
    ListEventsRequest, ListExecutionsRequest, TerminateExecutionRequest, WatchExecutionRequest,
    event, execution::State, step_execution::State as StepState,
};

use crate::support::{PATIENCE, TestServer, json_of};

const ONE: &str = "name: one\nsteps: [ { id: a, agent: late } ]";
const MANY: i64 = 20;

async fn server() -> TestServer {
    TestServer::with(|config| {
        config.shards = std::num::NonZeroUsize::MIN;
        config.limits.resident_executions_max = 1;
    })
    .await
}

async fn begin_many(server: &TestServer, workflow: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..MANY {
        ids.push(server.begin(workflow, json!({ "n": n })).await);
    }
    ids
}

#[tokio::test]
async fn a_worker_that_connects_later_gets_every_task_with_its_input() {
    let server = server().await;
    server.register(ONE).await;
    let ids = begin_many(&server, "one").await;
    let worker = server.echo(&["late"]);
    for (n, id) in (0..).zip(&ids) {
        let execution = server.ended(id).await;
        assert_eq!(execution.state(), State::Completed);
        assert_eq!(json_of(&execution.steps[0].output)["n"], json!(n));
    }
    worker.abort();
}

#[tokio::test]
async fn the_order_of_a_queue_outlives_memory_and_a_restart() {
    let mut server = server().await;
    server.register(ONE).await;
    begin_many(&server, "one").await;
    for n in 0..MANY {
        if n == MANY / 2 {
            server.restart().await;
        }
        let task = server.poll("late").await;
        assert_eq!(json_of(&task.input), json!({ "n": n }));
        server.complete(&task, json!(n)).await.unwrap();
    }
}

#[tokio::test]
async fn timers_of_executions_that_are_not_in_memory_fire() {
    let server = server().await;
    let timed = "name: timed\nsteps: [ { id: a, agent: late, queue_timeout: 0.3s } ]";
    server.register(timed).await;
    for id in begin_many(&server, "timed").await {
        let execution = server.ended(&id).await;
        assert_eq!(execution.state(), State::Failed);
        assert_eq!(execution.error.unwrap().class, "timeout");
        let (created, ended) = (execution.create_time.unwrap(), execution.end_time.unwrap());
        let nanos = |t: prost_types::Timestamp| t.seconds * 1_000_000_000 + i64::from(t.nanos);
        assert!(nanos(ended) - nanos(created) >= 300_000_000, "not early");
    }
}

#[tokio::test]
async fn a_retry_comes_though_its_execution_left_memory_and_the_server_was_restarted() {
    let mut server = server().await;
    let retried = "name: retried\nsteps:\n  - { id: a, agent: shaky, \
                   retry: { max_attempts: 2, initial_delay: 1.5s, jitter: 0 } }";
    server.register(retried).await;
    server.register(ONE).await;
    let id = server.begin("retried", json!("kept")).await;
    let task = server.poll("shaky").await;
    server.fail(&task, "agent_error").await.unwrap();
    begin_many(&server, "one").await;
    let execution = server.get(&id).await;
    assert_eq!(execution.steps[0].state(), StepState::Retrying);
    server.restart().await;
    let task = server.poll("shaky").await;
    assert_eq!((task.attempt, json_of(&task.input)), (2, json!("kept")));
    server.complete(&task, json!("well")).await.unwrap();
    assert_eq!(
        json_of(&server.ended(&id).await.steps[0].output),
        json!("well")
    );
}

#[tokio::test]
async fn what_is_not_in_memory_is_shown_and_listed_as_it_stands() {
    let mut server = server().await;
    let two = "name: two\nmode: SEQUENCE\nsteps: [ { id: a, agent: now }, { id: b, agent: late } ]";
    server.register(two).await;
    let ids = begin_many(&server, "two").await;
    for _ in &ids {
        let task = server.poll("now").await;
        server.complete(&task, json!(1)).await.unwrap();
    }
    for restarted in [false, true] {
        if restarted {
            server.restart().await;
        }
        for id in &ids {
            let execution = server.get(id).await;
            assert_eq!(execution.steps[0].state(), StepState::Completed);
            assert_eq!(execution.steps[1].state(), StepState::Waiting);
            let words = &execution.steps[1].waiting_for;
            assert!(
                words.starts_with("agent 'late' is not registered"),
                "{words}"
            );
        }
        let listed = list(&server).await;
        assert_eq!(listed.len(), ids.len());
        for execution in listed {
            assert_eq!(execution.progress_percent, 50.0);
            assert!(execution.elapsed.is_some() && execution.average_step_time.is_some());
            assert!(execution.estimated_completion_time.is_some());
        }
    }
}

async fn list(server: &TestServer) -> Vec<Execution> {
    let request = ListExecutionsRequest {
        page_size: 100,
        ..Default::default()
    };
    let answer = server.executions().list_executions(request).await;
    answer.unwrap().into_inner().executions
}

#[tokio::test]
async fn what_is_not_in_memory_can_be_ended_watched_and_is_not_deleted() {
    let server = server().await;
    server.register(ONE).await;
    let ids = begin_many(&server, "one").await;
    let watch = WatchExecutionRequest {
        execution_id: ids[0].clone(),
        ..Default::default()
    };
    let watched = server.executions().watch_execution(watch).await;
    let mut watched = watched.unwrap().into_inner();
    let delete = DeleteExecutionRequest {
        execution_id: ids[0].clone(),
        ..Default::default()
    };
    let refused = server.executions().delete_execution(delete.clone()).await;
    assert_eq!(refused.unwrap_err().code(), Code::FailedPrecondition);
    for id in &ids[..MANY as usize / 2] {
        let cancel = CancelExecutionRequest {
            execution_id: id.clone(),
            ..Default::default()
        };
        server.executions().cancel_execution(cancel).await.unwrap();
        assert_eq!(server.ended(id).await.state(), State::Cancelled);
    }
    for id in &ids[MANY as usize / 2..] {
        let terminate = TerminateExecutionRequest {
            execution_id: id.clone(),
            ..Default::default()
        };
        let ended = server.executions().terminate_execution(terminate).await;
        assert!(ended.is_ok(), "{ended:?}");
    }
    let events = ListEventsRequest {
        execution_id: ids[0].clone(),
        ..Default::default()
    };
    let events = server.executions().list_events(events).await;
    let events = events.unwrap().into_inner().events;
    let mut seen = Vec::new();
    while let Some(item) = tokio::time::timeout(PATIENCE, watched.message())
        .await
        .unwrap()
        .unwrap()
    {
        seen.extend(item.event);
    }
    assert_eq!(seen, events);
    assert!(matches!(
        seen.last().unwrap().kind,
        Some(event::Kind::ExecutionCancelled(_))
    ));
    server.executions().delete_execution(delete).await.unwrap();
    // No task is left of any of them.
    server.begin("one", json!("last")).await;
    assert_eq!(json_of(&server.poll("late").await.input), json!("last"));
}

#[tokio::test]
async fn tasks_in_progress_stay_their_workers_over_a_restart() {
    let mut server = server().await;
    server.register(ONE).await;
    let ids = begin_many(&server, "one").await;
    let mut tasks = Vec::new();
    for _ in 0..MANY / 2 {
        tasks.push(server.poll("late").await);
    }
    server.restart().await;
    for task in &tasks {
        let beat = HeartbeatTaskRequest {
            token: task.token.clone(),
        };
        let beat = server.workers().heartbeat_task(beat).await.unwrap();
        assert!(!beat.into_inner().cancelled);
    }
    for task in &tasks {
        server.complete(task, json!("held")).await.unwrap();
        server.complete(task, json!("held")).await.unwrap();
    }
    let worker = server.echo(&["late"]);
    let mut held = 0;
    for id in &ids {
        let execution = server.ended(id).await;
        assert_eq!(execution.steps[0].attempt, 1);
        held += usize::from(json_of(&execution.steps[0].output) == json!("held"));
    }
    assert_eq!(held, tasks.len());
    worker.abort();
}
