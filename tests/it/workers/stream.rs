//! How a worker's stream begins, what a task tells, and what else travels on it.

use std::time::Duration;

use serde_json::json;
use tonic::Code;
use tutti::proto::{
    Agent, Credit, GetAgentRequest, Hello, Ping, WatchExecutionRequest, WorkRequest,
    execution::State, step_execution::State as StepState, work_request::Message as Up,
    work_response::Message as Down,
};

use super::{
    ONE, TWICE, bad_fields,
    raw::{RawWorker, hello, open},
    reason,
};
use crate::support::{TestServer, json_of};

#[tokio::test]
async fn the_first_message_must_be_hello() {
    let server = TestServer::start().await;
    let (_up, mut down) = open(&server.url(), [Up::Credit(Credit { tasks: 1 })]).await;
    let refused = down.message().await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(bad_fields(&refused), ["hello"]);

    let (up, mut down) = open(&server.url(), []).await;
    drop(up);
    let refused = down.message().await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_bad_hello_is_told_every_bad_field() {
    let server = TestServer::start().await;
    let bad = Hello {
        namespace: "no spaces".into(),
        ..hello("", &["good", "not good", "good"])
    };
    let refused = RawWorker::try_connect(&server.url(), bad).await.err();
    let refused = refused.expect("a refusal");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(reason(&refused), "INVALID_FIELDS");
    assert_eq!(
        bad_fields(&refused),
        [
            "hello.namespace",
            "hello.worker_id",
            "hello.agents[1].id",
            "hello.agents[2].id"
        ]
    );
    let request = GetAgentRequest {
        id: "good".into(),
        ..Default::default()
    };
    let unknown = server.agents().get_agent(request).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound, "nothing is half-registered");
}

#[tokio::test]
async fn hello_comes_once() {
    let server = TestServer::start().await;
    let mut worker = RawWorker::connect(&server.url(), hello("w", &["x"])).await;
    worker.send(Up::Hello(hello("w", &["x"])));
    let refused = worker.try_next().await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(bad_fields(&refused), ["hello"]);
}

#[tokio::test]
async fn welcome_tells_the_intervals_and_the_largest_message() {
    let server = TestServer::with(|config| {
        config.limits.lease_timeout = Duration::from_secs(9);
        config.limits.message_bytes_max = 3 << 20;
    })
    .await;
    let welcome = RawWorker::connect(&server.url(), hello("w", &["x"]))
        .await
        .welcome;
    let seconds = |span: Option<prost_types::Duration>| span.unwrap().seconds;
    assert_eq!(seconds(welcome.lease_timeout), 9);
    assert_eq!(seconds(welcome.heartbeat_interval), 3);
    assert_eq!(welcome.message_bytes_max, 3 << 20);
    assert!(welcome.adopted_tokens.is_empty() && welcome.lost_tokens.is_empty());
}

#[tokio::test]
async fn hello_registers_agents_that_are_not_known_and_leaves_others_as_they_are() {
    let mut server = TestServer::start().await;
    let described = |description: &str| Hello {
        agents: vec![Agent {
            id: "x".into(),
            description: description.into(),
            skills: vec!["reading".into()],
            ..Default::default()
        }],
        ..hello("w", &[])
    };
    let worker = RawWorker::connect(&server.url(), described("first")).await;
    drop(worker);
    server.restart().await;
    let _worker = RawWorker::connect(&server.url(), described("second")).await;
    let request = GetAgentRequest {
        id: "x".into(),
        ..Default::default()
    };
    let agent = server.agents().get_agent(request).await.unwrap();
    let agent = agent.into_inner().agent.unwrap();
    assert_eq!((agent.description.as_str(), agent.workers), ("first", 1));
    assert_eq!(agent.skills, ["reading"]);
}

#[tokio::test]
async fn a_task_tells_all_there_is_to_know() {
    let server = TestServer::start().await;
    server
        .register(
            "
name: told
steps:
  - id: outer
    block:
      steps: [ { id: a, agent: x, timeout: 1h, retry: { max_attempts: 2, initial_delay: 0.001s } } ]
",
        )
        .await;
    let id = server.begin("told", json!({"n": 1})).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let task = worker.take().await;
    assert_eq!(
        (&task.execution_id, task.step.as_str()),
        (&id, "outer/a"),
        "the step's path"
    );
    assert_eq!((task.agent.as_str(), task.skill.as_str()), ("x", ""));
    assert_eq!((task.workflow.as_str(), task.attempt), ("told", 1));
    assert_eq!(task.namespace, "default");
    assert_eq!(json_of(&task.input), json!({"n": 1}));
    assert_eq!(task.lease_timeout, worker.welcome.lease_timeout);
    assert!(!task.idempotency_key.is_empty());
    let created = server.get(&id).await.create_time.unwrap().seconds;
    let due = task.deadline.expect("a step with a timeout").seconds;
    assert!((created + 3600..created + 3600 + 60).contains(&due));

    worker.fail(&task.token, "unavailable", None);
    worker.acked().await;
    let again = worker.take().await;
    assert_eq!(again.attempt, 2);
    assert_eq!(again.idempotency_key, task.idempotency_key);
    assert_ne!(again.token, task.token);
}

#[tokio::test]
async fn an_accepted_task_runs_on_its_worker() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w-7", "x", 1).await;
    let task = worker.offered().await;
    let offered = server.get(&id).await.steps.remove(0);
    assert_eq!(offered.state(), StepState::Waiting);
    assert_eq!(offered.waiting_for, "offered to worker w-7");

    worker.accept(&[&task]);
    worker.settled().await;
    let running = server.get(&id).await.steps.remove(0);
    assert_eq!(running.state(), StepState::Running);
    assert_eq!(running.worker_id, "w-7");
    assert_eq!(running.waiting_for, "");

    worker.accept(&[&task]);
    worker.settled().await;
    worker.complete(&task.token, json!("done"));
    worker.acked().await;
    assert_eq!(server.ended(&id).await.state(), State::Completed);
}

#[tokio::test]
async fn accepting_what_was_never_offered_is_answered_with_cancel() {
    let server = TestServer::start().await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    let made_up = tutti::proto::Task {
        token: "made-up".into(),
        ..Default::default()
    };
    worker.accept(&[&made_up]);
    assert_eq!(worker.cancelled().await.tokens, ["made-up"]);
}

#[tokio::test]
async fn a_ping_comes_back_unchanged() {
    let server = TestServer::start().await;
    let mut worker = RawWorker::connect(&server.url(), hello("w", &["x"])).await;
    for nonce in [0, 7, u64::MAX] {
        worker.send(Up::Ping(Ping { nonce }));
        assert_eq!(worker.next().await, Down::Ping(Ping { nonce }));
    }
}

#[tokio::test]
async fn chunks_reach_those_who_watch_without_a_sequence() {
    let server = TestServer::start().await;
    server.register(TWICE).await;
    let id = server.begin("twice", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 2).await;
    let task = worker.take().await;
    let request = WatchExecutionRequest {
        execution_id: id,
        ..Default::default()
    };
    let watch = server.executions().watch_execution(request).await;
    let mut watch = watch.unwrap().into_inner();
    let started = async {
        loop {
            let event = watch.message().await.unwrap().unwrap().event.unwrap();
            if event.step == "a" && event.sequence > 2 {
                return event.sequence;
            }
        }
    };
    let sequence = started.await;

    worker.chunk("made-up", json!("nobody's"));
    worker.chunk(&task.token, json!("Once upon"));
    worker.chunk(&task.token, json!({"words": "a time"}));
    for data in [json!("Once upon"), json!({"words": "a time"})] {
        let message = watch.message().await.unwrap().unwrap();
        assert!(message.event.is_none());
        let chunk = message.chunk.unwrap();
        assert_eq!((chunk.step.as_str(), chunk.attempt), ("a", 1));
        assert_eq!(json_of(&chunk.data), data);
    }
    worker.complete(&task.token, json!("Once upon a time"));
    let event = watch.message().await.unwrap().unwrap().event.unwrap();
    assert_eq!(event.sequence, sequence + 1, "chunks take no sequence");
}

#[tokio::test]
async fn a_message_over_the_limit_ends_the_stream_and_leaves_the_task_its_worker_s() {
    let server = TestServer::with(|config| {
        config.limits.message_bytes_max = 2 << 10;
        config.limits.payload_bytes_max = 1 << 10;
    })
    .await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    let task = worker.hold().await;
    worker.complete(&task.token, json!("x".repeat(4 << 10)));
    let refused = worker.try_next().await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().contains("message_bytes_max"));
    let step = server.get(&id).await.steps.remove(0);
    assert_eq!(
        (step.state(), step.worker_id.as_str()),
        (StepState::Running, "w")
    );
}

#[tokio::test]
async fn a_message_of_a_later_version_is_passed_over() {
    let server = TestServer::start().await;
    let mut worker = RawWorker::connect(&server.url(), hello("w", &["x"])).await;
    worker.send_raw(WorkRequest { message: None });
    worker.settled().await;
}
