//! The client crate against a real server: its worker over restarts, cancels and its own end,
//! and its client over broken connections.

mod large;
mod serving;

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value as Json, json};
use serving::Serving;
use tokio::time::timeout;
use tutti::proto::{
    CancelExecutionRequest, DrainWorkerRequest, ListWorkersRequest, Usage, execution::State,
    step_execution::State as StepState,
};
use tutti_client::{Agent, Client, Start, TaskContext, TaskError, TaskOutput};

use crate::{
    support::{PATIENCE, TestServer, json_of},
    workers::clock::Clock,
};

const ONE: &str = "name: one\nmode: SEQUENCE\nsteps: [ { id: a, agent: x } ]";

async fn server() -> TestServer {
    let server = TestServer::start().await;
    server.register(ONE).await;
    server
}

#[tokio::test]
async fn a_task_is_done_in_one_attempt_over_a_restart_of_the_server() {
    let mut server = server().await;
    let mut worker = Serving::start(&server);
    let id = server.begin("one", json!({"n": 1})).await;
    let call = worker.call().await;
    assert_eq!(call.input, json!({"n": 1}));
    assert_eq!((call.context.step(), call.context.attempt()), ("a", 1));
    server.restart().await;

    let next = server.begin("one", json!({"n": 2})).await;
    let second = worker.call().await;
    assert_eq!(second.context.execution_id(), next, "it has come back");
    second.complete(json!("second"));
    server.ended(&next).await;

    let step = server.get(&id).await.steps.remove(0);
    assert_eq!(
        (step.state(), step.worker_id.as_str()),
        (StepState::Running, "w")
    );
    call.complete(json!("first"));
    let execution = server.ended(&id).await;
    assert_eq!(json_of(&execution.output), json!("first"));
    assert_eq!(execution.steps[0].attempt, 1);
    assert!(worker.calls.is_empty(), "no call was made twice");
}

#[tokio::test]
async fn a_result_that_is_ready_while_the_server_is_away_is_given_when_it_is_back() {
    let mut server = server().await;
    let mut worker = Serving::start(&server);
    let id = server.begin("one", json!(1)).await;
    let call = worker.call().await;
    server.stop().await;
    call.complete(json!("meanwhile"));
    server.restart().await;
    let execution = server.ended(&id).await;
    assert_eq!(json_of(&execution.output), json!("meanwhile"));
    assert_eq!(execution.steps[0].attempt, 1);
    assert!(worker.calls.is_empty());
}

#[tokio::test]
async fn a_cancel_drops_the_handler_and_the_worker_goes_on() {
    let server = server().await;
    let mut worker = Serving::start(&server);
    let id = server.begin("one", json!(1)).await;
    let mut call = worker.call().await;
    cancel(&server, &id).await;
    call.dropped().await;
    assert!(call.context.is_cancelled());
    assert_eq!(server.ended(&id).await.state(), State::Cancelled);

    let id = server.begin("one", json!(2)).await;
    worker.call().await.complete(json!("next"));
    assert_eq!(server.ended(&id).await.state(), State::Completed);
}

#[tokio::test]
async fn a_handler_may_finish_on_a_cancel_by_itself() {
    let server = server().await;
    let mut worker = Serving::start(&server);
    let id = server.begin("one", json!(1)).await;
    let call = worker.call().await;
    call.context.finish_on_cancel();
    cancel(&server, &id).await;
    let told = timeout(PATIENCE, call.context.cancelled()).await;
    told.expect("the handler is told");
    call.complete(json!("tidied up"));
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Cancelled);
    assert!(execution.steps[0].output.is_none());
}

#[tokio::test]
async fn a_worker_asked_to_end_finishes_its_tasks_and_takes_no_more() {
    let server = server().await;
    let mut worker = Serving::start(&server);
    let id = server.begin("one", json!(1)).await;
    let call = worker.call().await;
    worker.stop();
    while !listed(&server).await.is_some_and(|worker| worker.draining) {}
    let next = server.begin("one", json!(2)).await;
    let step = server.get(&next).await.steps.remove(0);
    assert_eq!(step.state(), StepState::Waiting);
    call.complete(json!("finished"));
    worker.ended().await.unwrap();
    let execution = server.get(&id).await;
    assert_eq!(
        json_of(&execution.output),
        json!("finished"),
        "it ends after the ack"
    );
    assert!(worker.calls.is_empty());
}

#[tokio::test]
async fn tasks_beyond_the_grace_period_are_given_up_at_once() {
    let server = server().await;
    let mut worker = Serving::with(&server, |builder| builder.grace_period(Duration::ZERO));
    let id = server.begin("one", json!(1)).await;
    let mut call = worker.call().await;
    worker.stop();
    call.dropped().await;
    worker.ended().await.unwrap();
    let execution = server.ended(&id).await;
    assert_eq!(execution.error.unwrap().class, "unavailable");
}

#[tokio::test]
async fn a_worker_that_the_server_drains_finishes_its_tasks_and_ends() {
    let server = server().await;
    let mut worker = Serving::start(&server);
    let id = server.begin("one", json!(1)).await;
    let call = worker.call().await;
    let request = DrainWorkerRequest {
        worker_id: "w".into(),
        ..Default::default()
    };
    server.workers().drain_worker(request).await.unwrap();
    call.complete(json!("finished"));
    worker.ended().await.unwrap();
    assert_eq!(server.ended(&id).await.state(), State::Completed);
    assert!(listed(&server).await.is_none());
}

#[tokio::test]
async fn a_handler_that_panics_fails_its_task_and_the_worker_goes_on() {
    let server = server().await;
    let panicking = |input: Json| -> Result<Json, TaskError> {
        assert_ne!(input, json!(13), "unlucky");
        Ok(input)
    };
    let spawned = move |_: TaskContext, input| async move { panicking(input) };
    let mut worker = Serving::with(&server, |builder| {
        builder
            .agent("spawned", spawned)
            .agent_fn("inline", panicking)
    });
    for agent in ["spawned", "inline"] {
        let source = format!("name: {agent}\nsteps: [ {{ id: a, agent: {agent} }} ]");
        server.register(&source).await;
        let id = server.begin(agent, json!(13)).await;
        let error = server.ended(&id).await.error.unwrap();
        assert_eq!(error.class, "agent_error");
        assert!(error.message.contains("unlucky"), "{}", error.message);
        let id = server.begin(agent, json!(14)).await;
        assert_eq!(server.ended(&id).await.state(), State::Completed);
    }
    worker.stop();
    worker.ended().await.unwrap();
}

#[tokio::test]
async fn class_wait_and_usage_of_a_result_arrive() {
    let server = server().await;
    server
        .register("name: twice\nsteps: [ { id: a, agent: x, retry: { max_attempts: 2 } } ]")
        .await;
    let mut worker = Serving::start(&server);
    let usage = Usage {
        input_tokens: 3,
        output_tokens: 4,
        cost: 0.5,
    };
    let id = server.begin("one", json!(1)).await;
    let output = TaskOutput::from(json!("done")).usage(usage);
    let told = worker.call().await.end.send(Ok(output));
    assert!(told.is_ok());
    assert_eq!(server.ended(&id).await.steps[0].usage, Some(usage));

    let id = server.begin("twice", json!(1)).await;
    let hour = Duration::from_secs(3600);
    let error = TaskError::rate_limited("too fast", hour).usage(usage);
    worker.call().await.fail(error);
    let execution = loop {
        let execution = server.get(&id).await;
        if execution.steps[0].state() == StepState::Retrying {
            break execution;
        }
    };
    let step = &execution.steps[0];
    assert_eq!(step.error.as_ref().unwrap().class, "rate_limited");
    assert_eq!(step.usage, Some(usage));
    let created = execution.create_time.unwrap().seconds;
    assert!(step.next_attempt_time.unwrap().seconds >= created + 3600);
}

#[tokio::test]
async fn a_worker_does_no_more_at_once_than_it_is_built_for() {
    let server = server().await;
    let mut worker = Serving::with(&server, |builder| builder.max_concurrency(2));
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(server.begin("one", json!(n)).await);
    }
    let first = worker.call().await;
    let _second = worker.call().await;
    let step = server.get(&ids[2]).await.steps.remove(0);
    assert_eq!(step.state(), StepState::Waiting);
    assert!(worker.calls.is_empty());
    first.complete(json!("done"));
    assert_eq!(worker.call().await.context.execution_id(), ids[2]);
}

#[tokio::test]
async fn a_long_task_is_kept_by_the_worker_s_heartbeats() {
    let lease = Duration::from_secs(9);
    let server = TestServer::with(|config| config.limits.lease_timeout = lease).await;
    server.register(ONE).await;
    let mut worker = Serving::start(&server);
    let id = server.begin("one", json!(1)).await;
    let call = worker.call().await;
    let clock = Clock::stop();
    for _ in 0..20 {
        clock.pass(lease / 10).await;
        // Time for what was due to travel.
        for _ in 0..5 {
            server.get(&id).await;
        }
    }
    let step = server.get(&id).await.steps.remove(0);
    assert_eq!(step.state(), StepState::Running);
    call.complete(json!("slow"));
    let execution = server.ended(&id).await;
    assert_eq!(json_of(&execution.output), json!("slow"));
    assert_eq!(execution.steps[0].attempt, 1);
}

#[tokio::test]
async fn a_worker_that_is_refused_says_why() {
    let server = server().await;
    let bad = Agent {
        id: "not good".into(),
        ..Default::default()
    };
    let mut worker = Serving::with(&server, |builder| {
        builder.agent_fn_with(bad, Ok::<Json, TaskError>)
    });
    let refused = worker.ended().await.unwrap_err().to_string();
    assert!(refused.contains("hello.agents[1].id"), "{refused}");
}

#[tokio::test]
async fn a_client_runs_and_watches_over_a_restart_of_the_server() {
    let mut server = TestServer::start().await;
    let client = Client::connect(&server.url()).await.unwrap();
    let registered = client.register(ONE).await.unwrap();
    assert!(registered.created);
    let mut worker = Serving::start(&server);
    let running = tokio::spawn({
        let client = client.clone();
        async move { client.run(Start::workflow("one").input(json!(1))).await }
    });
    let call = worker.call().await;
    let id = call.context.execution_id().to_owned();
    let mut watch = client.watch(&id);
    let mut sequences = vec![watch.next().await.unwrap().unwrap().sequence];
    server.restart().await;
    call.complete(json!("done"));
    let execution = timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    assert_eq!(execution.execution_id, id, "nothing was started twice");
    assert_eq!(json_of(&execution.output), json!("done"));
    while let Some(event) = timeout(PATIENCE, watch.next()).await.unwrap() {
        sequences.push(event.unwrap().sequence);
    }
    let all: Vec<_> = (1..=execution.last_sequence).collect();
    assert_eq!(sequences, all, "each event exactly once");
}

#[tokio::test]
async fn what_a_handler_says_on_the_way_reaches_who_watches() {
    let server = server().await;
    let client = Client::connect(&server.url()).await.unwrap();
    let mut worker = Serving::start(&server);
    let id = client.start(Start::workflow("one")).await.unwrap();
    let call = worker.call().await;
    let mut updates = client.updates(&id, 0);
    let mut chunks = Vec::new();
    let mut started = false;
    while let Some(update) = timeout(PATIENCE, updates.next()).await.unwrap() {
        match update.unwrap() {
            tutti_client::Update::Event(event) if event.sequence == 3 => {
                started = true;
                assert!(call.context.chunk(json!("so far")));
            }
            tutti_client::Update::Event(_) => {}
            tutti_client::Update::Chunk(chunk) => {
                assert_eq!(chunk.step, "a");
                chunks.push(json_of(&chunk.data));
                break;
            }
        }
    }
    assert!(started);
    assert_eq!(chunks, [json!("so far")]);
    call.complete(json!("all"));
    assert_eq!(server.ended(&id).await.state(), State::Completed);
}

async fn cancel(server: &TestServer, id: &str) {
    let request = CancelExecutionRequest {
        execution_id: id.into(),
        ..Default::default()
    };
    server.executions().cancel_execution(request).await.unwrap();
}

/// The worker, as the server knows it.
async fn listed(server: &TestServer) -> Option<tutti::proto::Worker> {
    let mut workers = server.workers();
    let listed = workers.list_workers(ListWorkersRequest::default()).await;
    listed.unwrap().into_inner().workers.pop()
}
