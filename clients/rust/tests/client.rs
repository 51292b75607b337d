//! The client against a scripted server: what it does when connections break.
#![allow(clippy::unwrap_used)]

mod fake;

use fake::{Fake, Watched, soon};
use futures::StreamExt as _;
use serde_json::json;
use tonic::{Code, Status};
use tutti_client::{
    Client, Error, Start, Update,
    proto::{self, execution::State},
};

fn event(sequence: u64) -> proto::WatchExecutionResponse {
    proto::WatchExecutionResponse {
        event: Some(proto::Event {
            execution_id: "e".into(),
            sequence,
            ..Default::default()
        }),
        chunk: None,
    }
}

async fn tell(watched: &Watched, sequences: impl IntoIterator<Item = u64>) {
    for sequence in sequences {
        watched.down.send(Ok(event(sequence))).await.unwrap();
    }
}

#[tokio::test]
async fn a_watch_cut_twice_gives_each_event_once_and_ends_with_the_stream() {
    let mut fake = Fake::start().await;
    let client = Client::connect(&fake.address)
        .await
        .unwrap()
        .with_namespace("ns");
    let events = tokio::spawn(client.watch_after("e", 1).collect::<Vec<_>>());

    let first = fake.watch().await;
    assert_eq!(
        (
            first.request.namespace.as_str(),
            first.request.execution_id.as_str()
        ),
        ("ns", "e")
    );
    assert_eq!(first.request.after_sequence, 1);
    tell(&first, [2, 3]).await;
    first
        .down
        .send(Err(Status::unavailable("shutting down")))
        .await
        .unwrap();

    let second = fake.watch().await;
    assert_eq!(second.request.after_sequence, 3);
    tell(&second, [3, 4]).await;
    second
        .down
        .send(Err(Status::unavailable("again")))
        .await
        .unwrap();

    let third = fake.watch().await;
    assert_eq!(third.request.after_sequence, 4);
    tell(&third, [5]).await;
    drop(third);

    let events = soon("the end", events).await.unwrap();
    let sequences: Vec<u64> = events.into_iter().map(|e| e.unwrap().sequence).collect();
    assert_eq!(sequences, [2, 3, 4, 5]);
}

#[tokio::test]
async fn a_refused_watch_ends_with_the_refusal() {
    let mut fake = Fake::start().await;
    let client = Client::connect(&fake.address).await.unwrap();
    let events = tokio::spawn(client.watch("e").collect::<Vec<_>>());
    let watched = fake.watch().await;
    watched
        .down
        .send(Err(Status::not_found("no such execution")))
        .await
        .unwrap();
    let events = soon("the end", events).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].as_ref().unwrap_err().code(), Some(Code::NotFound));
}

#[tokio::test]
async fn a_gap_in_the_events_is_an_error() {
    let mut fake = Fake::start().await;
    let client = Client::connect(&fake.address).await.unwrap();
    let mut events = client.watch("e");
    let (first, watched) = tokio::join!(events.next(), async {
        let watched = fake.watch().await;
        tell(&watched, [1, 3]).await;
        watched
    });
    assert_eq!(first.unwrap().unwrap().sequence, 1);
    assert!(matches!(events.next().await, Some(Err(Error::Protocol(_)))));
    assert!(events.next().await.is_none());
    drop(watched);
}

#[tokio::test]
async fn updates_carry_the_chunks_between_the_events() {
    let mut fake = Fake::start().await;
    let client = Client::connect(&fake.address).await.unwrap();
    let updates = tokio::spawn(client.updates("e", 0).collect::<Vec<_>>());
    let watched = fake.watch().await;
    let chunk = proto::Chunk {
        step: "write".into(),
        ..Default::default()
    };
    tell(&watched, [1]).await;
    let message = proto::WatchExecutionResponse {
        event: None,
        chunk: Some(chunk.clone()),
    };
    watched.down.send(Ok(message)).await.unwrap();
    drop(watched);
    let updates = soon("the end", updates).await.unwrap();
    assert!(matches!(&updates[0], Ok(Update::Event(event)) if event.sequence == 1));
    assert!(matches!(&updates[1], Ok(Update::Chunk(told)) if *told == chunk));
}

#[tokio::test]
async fn a_run_is_repeated_under_its_request_id_until_the_execution_has_ended() {
    let mut fake = Fake::start().await;
    let client = Client::connect(&fake.address).await.unwrap();
    let start = Start::workflow("w").input(json!({ "n": 1 }));
    let running = tokio::spawn(async move { client.run(start).await });

    let first = fake.run().await;
    first
        .answer
        .send(Err(Status::unavailable("shutting down")))
        .unwrap();
    let second = fake.run().await;
    second.answer.send(Ok(standing(State::Running))).unwrap();
    let third = fake.run().await;
    third.answer.send(Ok(standing(State::Failed))).unwrap();

    assert!(!first.request.request_id.is_empty());
    assert_eq!(first.request, second.request);
    assert_eq!(first.request, third.request);
    let execution = soon("the end", running).await.unwrap().unwrap();
    assert_eq!(execution.state(), State::Failed);
}

#[tokio::test]
async fn a_refused_run_is_not_repeated() {
    let mut fake = Fake::start().await;
    let client = Client::connect(&fake.address).await.unwrap();
    let running = tokio::spawn(async move { client.run(Start::workflow("w")).await });
    let refusal = Err(Status::not_found("no such workflow"));
    fake.run().await.answer.send(refusal).unwrap();
    let refused = soon("the refusal", running).await.unwrap().unwrap_err();
    assert_eq!(refused.code(), Some(Code::NotFound));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_so() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let error = Client::connect(&address).await.unwrap_err();
    assert!(error.is_transient());
    assert!(error.to_string().contains(&address), "{error}");
}

fn standing(state: State) -> proto::RunExecutionResponse {
    proto::RunExecutionResponse {
        execution_id: "e".into(),
        execution: Some(proto::Execution {
            state: state.into(),
            ..Default::default()
        }),
    }
}
