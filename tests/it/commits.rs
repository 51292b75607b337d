//! What is made durable as one has bounds, and the server goes on at each of them.

use futures::future::join_all;
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tutti::proto::execution::State;

use crate::support::{TestServer, json_of, start};

const STEPS: &str = "
name: steps
mode: SEQUENCE
steps:
  - { id: a, agent: one }
  - { id: b, agent: two }
";

/// The limit that a refusal names.
fn exhausted(refused: &Status) -> String {
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    let details = refused.get_error_details();
    details.quota_failure().unwrap().violations[0]
        .subject
        .clone()
}

/// Starts executions at once, over one connection.
async fn burst(
    server: &TestServer,
    inputs: impl Iterator<Item = serde_json::Value>,
) -> Vec<Result<String, Status>> {
    let client = server.executions();
    let starts = inputs.map(|input| {
        let mut client = client.clone();
        async move {
            let started = client.start_execution(start("steps", input)).await?;
            Ok(started.into_inner().execution_id)
        }
    });
    join_all(starts).await
}

#[tokio::test]
async fn a_change_larger_than_a_group_may_be_is_refused_and_the_server_goes_on() {
    let server = TestServer::with(|config| config.limits.group_bytes_max = 8 << 10).await;
    let steps = (0..600).map(|n| format!("\n  - {{ id: s{n}, agent: one }}"));
    let large = format!("name: steps\nsteps:{}", steps.collect::<String>());
    let parsed = tutti::core::definition::parse(&large);
    let request = tutti::proto::RegisterWorkflowRequest {
        workflow: parsed.workflow,
        ..Default::default()
    };
    let refused = server.workflows().register_workflow(request).await;
    assert_eq!(exhausted(&refused.unwrap_err()), "group_bytes_max");
    assert_eq!(server.register(STEPS).await, 1, "nothing of it was kept");
    let worker = server.echo(&["one", "two"]);
    let id = server.begin("steps", json!("small")).await;
    assert_eq!(server.ended(&id).await.state(), State::Completed);
    worker.abort();
}

/// Inputs that come to several times what a group may hold, and large ones among them.
#[tokio::test]
async fn a_burst_that_does_not_fit_into_one_group_is_taken_in_several() {
    let mut server = TestServer::with(|config| config.limits.group_bytes_max = 6 << 20).await;
    server.register(STEPS).await;
    let input = |n: usize| {
        json!(format!("{n:06}").repeat(if n.is_multiple_of(20) { 20_000 } else { 3_000 }))
    };
    let begun = burst(&server, (0..400).map(input)).await;
    let begun: Vec<_> = begun.into_iter().map(Result::unwrap).collect();
    let worker = server.echo(&["one", "two"]);
    for id in &begun {
        assert_eq!(server.ended(id).await.state(), State::Completed);
    }
    worker.abort();
    server.restart().await;
    for (n, id) in begun.iter().enumerate() {
        assert_eq!(json_of(&server.get(id).await.output), input(n));
    }
}

/// A start that finds the memory full only once it was let in is refused at once. Whether one
/// does is a race with the store's own thread, so bursts follow each other until one is.
#[tokio::test]
async fn a_start_that_finds_the_stores_memory_full_is_refused_and_accepted_work_goes_on() {
    let server = TestServer::with(|config| config.limits.pending_bytes_max = 1 << 10).await;
    server.register(STEPS).await;
    let worker = server.echo(&["one", "two"]);
    let refused = loop {
        let answers = burst(&server, (0..400).map(|n| json!(n))).await;
        let (accepted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        for id in accepted {
            let ended = server.ended(&id.unwrap()).await;
            assert_eq!(ended.state(), State::Completed);
        }
        if let Some(Err(refused)) = refused.into_iter().next() {
            break refused;
        }
    };
    assert_eq!(exhausted(&refused), "pending_bytes_max");
    let details = refused.get_error_details();
    assert!(details.retry_info().unwrap().retry_delay.is_some());
    worker.abort();
}
