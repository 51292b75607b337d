//! Results: recorded once, answered however often they come, and held against the limits.

use std::time::Duration;

use serde_json::json;
use tutti::{
    core::value,
    proto::{
        Complete, ListEventsRequest, TaskResult, Usage, event, execution::State,
        result_ack::Outcome, step_execution::State as StepState, work_request::Message as Up,
    },
};

use super::{ONE, TWICE, raw::RawWorker};
use crate::support::{TestServer, json_of};

/// The kinds of an execution's events, one after the other.
async fn events(server: &TestServer, id: &str) -> Vec<event::Kind> {
    let request = ListEventsRequest {
        execution_id: id.into(),
        page_size: 1000,
        ..Default::default()
    };
    let events = server.executions().list_events(request).await.unwrap();
    let events = events.into_inner().events.into_iter();
    events.map(|event| event.kind.unwrap()).collect()
}

#[tokio::test]
async fn the_ack_comes_when_the_step_has_completed() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    let task = worker.take().await;
    worker.complete(&task.token, json!({"answer": 42}));
    assert_eq!(worker.acked().await, (task.token, Outcome::Recorded));
    let execution = server.get(&id).await;
    assert_eq!(execution.state(), State::Completed);
    assert_eq!(execution.steps[0].state(), StepState::Completed);
    assert_eq!(json_of(&execution.steps[0].output), json!({"answer": 42}));
}

#[tokio::test]
async fn a_result_said_again_is_recorded_once_and_acknowledged_again() {
    let server = TestServer::start().await;
    server
        .register("name: two\nmode: SEQUENCE\nsteps: [ { id: a, agent: x }, { id: b, agent: y } ]")
        .await;
    let id = server.begin("two", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    let task = worker.take().await;
    for output in ["first", "second", "third"] {
        worker.complete(&task.token, json!(output));
        assert_eq!(worker.acked().await.1, Outcome::Recorded);
    }
    assert_eq!(
        json_of(&server.get(&id).await.steps[0].output),
        json!("first")
    );
    let last = server.poll("y").await;
    server.complete(&last, json!("end")).await.unwrap();
    server.ended(&id).await;
    worker.complete(&task.token, json!("fourth"));
    assert_eq!(
        worker.acked().await.1,
        Outcome::Recorded,
        "also once the execution has ended"
    );
    let completed = |kind: &event::Kind| matches!(kind, event::Kind::StepCompleted(_));
    let events = events(&server, &id).await;
    assert_eq!(events.iter().filter(|kind| completed(kind)).count(), 2);
}

#[tokio::test]
async fn results_in_one_message_are_acknowledged_each() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let ids = [
        server.begin("one", json!(1)).await,
        server.begin("one", json!(2)).await,
    ];
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 2).await;
    let tasks = [worker.take().await, worker.take().await];
    let mut tokens: Vec<_> = tasks.iter().map(|t| t.token.clone()).collect();
    tokens.push("made-up".into());
    let result = |token: &String| TaskResult {
        token: token.clone(),
        output: tasks[0].input.clone(),
        usage: Some(Usage {
            input_tokens: 3,
            output_tokens: 4,
            cost: 0.5,
        }),
    };
    let results = tokens.iter().map(result).collect();
    worker.send(Up::Complete(Complete { results }));
    let mut acks = [
        worker.acked().await,
        worker.acked().await,
        worker.acked().await,
    ];
    let mut expected = [
        (tokens[0].clone(), Outcome::Recorded),
        (tokens[1].clone(), Outcome::Recorded),
        ("made-up".into(), Outcome::Stale),
    ];
    acks.sort_by(|a, b| a.0.cmp(&b.0));
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(acks, expected);
    for id in ids {
        let usage = server.get(&id).await.steps[0].usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (3, 4));
        assert_eq!(usage.cost, 0.5);
    }
}

#[tokio::test]
async fn a_token_that_holds_nothing_is_stale_and_changes_nothing() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 1).await;
    let task = worker.hold().await;
    let before = server.get(&id).await.last_sequence;
    let mut near = task.token.clone().into_bytes();
    let last = near.last_mut().unwrap();
    *last = if *last == b'0' { b'1' } else { b'0' };
    let near = String::from_utf8(near).unwrap();
    for token in ["", "made-up", &"0".repeat(64), &"f".repeat(64), &near] {
        worker.complete(token, json!("forged"));
        let ack = worker.ack().await;
        assert_eq!((ack.token.as_str(), ack.outcome()), (token, Outcome::Stale));
        assert!(!ack.message.is_empty(), "says why");
        worker.fail(token, "forged", None);
        assert_eq!(worker.acked().await.1, Outcome::Stale);
    }
    assert_eq!(server.get(&id).await.last_sequence, before);
    worker.complete(&task.token, json!("own"));
    assert_eq!(worker.acked().await.1, Outcome::Recorded);
    assert_eq!(json_of(&server.ended(&id).await.output), json!("own"));
}

#[tokio::test]
async fn the_result_of_an_earlier_attempt_is_stale() {
    let server = TestServer::start().await;
    server.register(TWICE).await;
    let id = server.begin("twice", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 2).await;
    let first = worker.take().await;
    worker.fail(&first.token, "unavailable", None);
    worker.acked().await;
    let second = worker.take().await;
    worker.complete(&first.token, json!("late"));
    assert_eq!(worker.acked().await, (first.token, Outcome::Stale));
    worker.complete(&second.token, json!("in time"));
    assert_eq!(worker.acked().await, (second.token, Outcome::Recorded));
    assert_eq!(json_of(&server.ended(&id).await.output), json!("in time"));
}

#[tokio::test]
async fn an_output_over_the_limit_is_too_large_and_not_retried() {
    let server = TestServer::with(|config| config.limits.payload_bytes_max = 1 << 10).await;
    server.register(TWICE).await;
    let id = server.begin("twice", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 2).await;
    let task = worker.take().await;
    for _ in 0..2 {
        worker.complete(&task.token, json!("x".repeat(2 << 10)));
        let ack = worker.ack().await;
        assert_eq!(ack.outcome(), Outcome::TooLarge);
        assert!(ack.message.contains("1024"), "{}", ack.message);
    }
    let execution = server.ended(&id).await;
    let step = &execution.steps[0];
    assert_eq!((step.state(), step.attempt), (StepState::Failed, 1));
    let error = step.error.clone().unwrap();
    assert_eq!(error.class, "limit");
    assert!(error.message.contains("1024"), "{}", error.message);
    worker.settled().await;
}

#[tokio::test]
async fn an_output_that_json_cannot_write_fails_the_attempt() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let id = server.begin("one", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 2).await;
    let task = worker.take().await;
    let output = value::object([("n", value::list(vec![value::number(f64::NAN)]))]);
    let result = TaskResult {
        token: task.token.clone(),
        output: Some(output),
        usage: Some(Usage {
            input_tokens: 3,
            output_tokens: 4,
            cost: f64::INFINITY,
        }),
    };
    worker.send(Up::Complete(Complete {
        results: vec![result],
    }));
    assert_eq!(worker.acked().await, (task.token, Outcome::Recorded));
    let execution = server.ended(&id).await;
    let error = execution.error.unwrap();
    assert_eq!(error.class, "invalid_output");
    assert!(error.message.contains("/n/0"), "{}", error.message);
    let usage = execution.steps[0].usage.unwrap();
    assert_eq!((usage.input_tokens, usage.cost), (3, 0.0));
}

#[tokio::test]
async fn a_failure_is_recorded_with_its_class() {
    let server = TestServer::start().await;
    server.register(ONE).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 2).await;
    for (said, kept) in [("quota_exceeded", "quota_exceeded"), ("", "agent_error")] {
        let id = server.begin("one", json!(1)).await;
        let task = worker.take().await;
        worker.fail(&task.token, said, None);
        assert_eq!(worker.acked().await, (task.token, Outcome::Recorded));
        let execution = server.get(&id).await;
        assert_eq!(execution.state(), State::Failed);
        let error = execution.error.unwrap();
        assert_eq!(
            (error.class.as_str(), error.message.as_str(), &*error.step),
            (kept, "the agent says no", "a")
        );
    }
}

#[tokio::test]
async fn the_next_attempt_waits_as_long_as_the_worker_says() {
    let server = TestServer::start().await;
    server.register(TWICE).await;
    let id = server.begin("twice", json!(1)).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 2).await;
    let task = worker.take().await;
    worker.fail(&task.token, "rate_limited", Some(Duration::from_secs(3600)));
    assert_eq!(worker.acked().await.1, Outcome::Recorded);
    let execution = server.get(&id).await;
    assert_eq!(execution.steps[0].state(), StepState::Retrying);
    let created = execution.create_time.unwrap().seconds;
    let due = execution.steps[0].next_attempt_time.unwrap().seconds;
    assert!(due >= created + 3600);
    worker.fail(&task.token, "rate_limited", None);
    assert_eq!(worker.acked().await.1, Outcome::Recorded, "said again");
    worker.complete(&task.token, json!("after all"));
    assert_eq!(worker.acked().await.1, Outcome::Stale, "it has failed");
    assert_eq!(server.get(&id).await.steps[0].state(), StepState::Retrying);
}
