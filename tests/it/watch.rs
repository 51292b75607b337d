//! Watches: every event once and in order, whoever is cut off, slow, late or early.

mod many;

use std::sync::Arc;

use serde_json::json;
use tokio::sync::{Notify, Semaphore};
use tonic::{Code, Status, Streaming, transport::Channel};
use tonic_types::StatusExt as _;
use tutti::proto::{
    Event, ListEventsRequest, StartAndWatchRequest, WatchExecutionRequest, WatchExecutionResponse,
    event::Kind, execution::State, execution_service_client::ExecutionServiceClient,
};
use tutti_client::{TaskContext, TaskError, Worker};

use crate::support::{PATIENCE, TestServer, json_of, start};

const STEPS: usize = 30;
const CUTS: usize = 10;

fn long() -> String {
    let steps = (0..STEPS).map(|n| format!("  - {{ id: s{n}, agent: work }}\n"));
    format!(
        "name: long\nmode: SEQUENCE\nsteps:\n{}",
        steps.collect::<String>()
    )
}

async fn try_watch(
    server: &TestServer,
    id: &str,
    after_sequence: u64,
) -> Result<Streaming<WatchExecutionResponse>, Status> {
    let request = WatchExecutionRequest {
        execution_id: id.into(),
        after_sequence,
        ..Default::default()
    };
    let answer = server.executions().watch_execution(request).await?;
    Ok(answer.into_inner())
}

async fn watch(server: &TestServer, id: &str, after: u64) -> Streaming<WatchExecutionResponse> {
    try_watch(server, id, after).await.unwrap()
}

/// The next event; `None` when the stream has ended.
async fn next(stream: &mut Streaming<WatchExecutionResponse>) -> Option<Event> {
    let message = tokio::time::timeout(PATIENCE, stream.message()).await;
    let message = message.expect("the next event in time").unwrap()?;
    Some(message.event.expect("an event"))
}

/// All events to the end of the stream.
async fn rest(mut stream: Streaming<WatchExecutionResponse>) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = next(&mut stream).await {
        events.push(event);
    }
    events
}

fn sequences(events: &[Event]) -> Vec<u64> {
    events.iter().map(|e| e.sequence).collect()
}

/// Asserts that these are the events 1 to the last, each once, and that the last ends it.
fn whole(events: &[Event]) {
    let all: Vec<u64> = (1..=events.len() as u64).collect();
    assert_eq!(sequences(events), all);
    let last = &events.last().unwrap().kind;
    assert!(
        matches!(last, Some(Kind::ExecutionCompleted(_))),
        "{last:?}"
    );
}

/// A small generator, the same on every machine (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }
}

/// Serves `work`, each task once it gets a permit.
fn held_back(server: &TestServer, permits: &Arc<Semaphore>) -> tokio::task::JoinHandle<()> {
    let permits = Arc::clone(permits);
    let work = move |_: TaskContext, input: serde_json::Value| {
        let permits = Arc::clone(&permits);
        async move {
            permits.acquire().await.unwrap().forget();
            Ok::<_, TaskError>(input)
        }
    };
    let worker = Worker::builder(server.url()).agent("work", work).build();
    let run = worker.unwrap().run(std::future::pending());
    tokio::spawn(async move { drop(run.await) })
}

#[tokio::test]
async fn a_watcher_cut_off_and_resumed_ten_times_sees_each_sequence_once() {
    let server = TestServer::start().await;
    server.register(&long()).await;
    let permits = Arc::new(Semaphore::new(0));
    let worker = held_back(&server, &permits);
    for seed in 0..10 {
        println!("seed {seed}");
        let mut random = Random(seed);
        let id = server.begin("long", json!("x")).await;
        let mut seen: Vec<Event> = Vec::new();
        for cut in 0..CUTS {
            // So many events are sure to come before more work is let through: the start,
            // three of each step done, two of the one that is held back.
            let sure = 1 + 3 * (cut * STEPS / CUTS) + 2;
            let wanted = seen.len() + random.below(sure - seen.len() + 1);
            let after = seen.last().map_or(0, |e| e.sequence);
            let mut stream = watch(&server, &id, after).await;
            while seen.len() < wanted {
                seen.push(next(&mut stream).await.expect("it goes on"));
            }
            permits.add_permits(STEPS / CUTS);
        }
        let after = seen.last().map_or(0, |e| e.sequence);
        seen.extend(rest(watch(&server, &id, after).await).await);
        whole(&seen);
        assert_eq!(seen.len(), 1 + 3 * STEPS + 1);
    }
    worker.abort();
}

#[tokio::test]
async fn a_watcher_resumes_over_a_restart_of_the_server() {
    let mut server = TestServer::start().await;
    server.register(&long()).await;
    let permits = Arc::new(Semaphore::new(5));
    let worker = held_back(&server, &permits);
    let id = server.begin("long", json!("x")).await;
    let mut stream = watch(&server, &id, 0).await;
    let mut seen = Vec::new();
    while seen.len() < 1 + 3 * 5 {
        seen.push(next(&mut stream).await.expect("it goes on"));
    }
    server.restart().await;
    permits.add_permits(STEPS - 5);
    let after = seen.len() as u64;
    seen.extend(rest(watch(&server, &id, after).await).await);
    whole(&seen);
    worker.abort();
}

#[tokio::test]
async fn a_watch_begins_after_the_sequence_it_names_and_ends_after_the_last_event() {
    let server = TestServer::start().await;
    server.register(&long()).await;
    let worker = server.echo(&["work"]);
    let id = server.begin("long", json!("x")).await;
    let live = rest(watch(&server, &id, 0).await).await;
    whole(&live);
    assert_eq!(server.get(&id).await.state(), State::Completed);
    let past = rest(watch(&server, &id, 0).await).await;
    assert_eq!(past, live, "an ended execution is told alike");
    let last = live.len() as u64;
    let some = rest(watch(&server, &id, last - 3).await).await;
    assert_eq!(some, live[live.len() - 3..]);
    assert_eq!(
        rest(watch(&server, &id, last).await).await,
        [],
        "it has all"
    );
    let request = ListEventsRequest {
        execution_id: id.clone(),
        page_size: 1000,
        ..Default::default()
    };
    let listed = server.executions().list_events(request).await.unwrap();
    assert_eq!(listed.into_inner().events, live, "and listed alike");
    worker.abort();
}

#[tokio::test]
async fn a_sequence_that_is_not_there_is_out_of_range() {
    let server = TestServer::start().await;
    server.register(&long()).await;
    let id = server.begin("long", json!("x")).await;
    let last = server.get(&id).await.last_sequence;
    let refused = try_watch(&server, &id, last + 1).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange);
    let details = refused.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(info.reason, "SEQUENCE_UNKNOWN");
    assert_eq!(info.metadata["last_sequence"], last.to_string());
    assert!(try_watch(&server, &id, last).await.is_ok());
}

#[tokio::test]
async fn a_watcher_that_does_not_read_while_thousands_of_events_pass_misses_none() {
    let server = TestServer::start().await;
    let calls = (0..700).map(|n| format!("  - {{ id: s{n}, agent: work }}\n"));
    let sets = (0..700).map(|n| format!("{{ id: v{n}, set: {{ v{n}: {n} }} }}, "));
    let block = format!(
        "  - {{ id: wide, block: {{ mode: PARALLEL, steps: [ {} ] }} }}\n",
        sets.collect::<String>()
    );
    let steps = calls.collect::<String>() + &block;
    server
        .register(&format!("name: busy\nmode: SEQUENCE\nsteps:\n{steps}"))
        .await;
    // A window that a few events fill, so that the server cannot send the rest ahead.
    let narrow = Channel::from_shared(server.url())
        .unwrap()
        .initial_stream_window_size(65_535)
        .initial_connection_window_size(65_535)
        .connect_lazy();
    let id = server.begin("busy", json!("x".repeat(1000))).await;
    let request = WatchExecutionRequest {
        execution_id: id.clone(),
        ..Default::default()
    };
    let slow = ExecutionServiceClient::new(narrow)
        .watch_execution(request)
        .await
        .unwrap()
        .into_inner();
    let worker = server.echo(&["work"]);
    let done = server.ended(&id).await;
    let events = rest(slow).await;
    whole(&events);
    assert_eq!(events.len() as u64, done.last_sequence);
    assert!(events.len() > 700 * 4, "{}", events.len());
    worker.abort();
}

#[tokio::test]
async fn a_start_can_be_watched_from_its_first_event() {
    let server = TestServer::start().await;
    server.register(&long()).await;
    let worker = server.echo(&["work"]);
    let request = StartAndWatchRequest {
        workflow: "long".into(),
        input: start("", json!("x")).input,
        ..Default::default()
    };
    let answer = server.executions().start_and_watch(request).await;
    let mut stream = answer.unwrap().into_inner();
    let mut events = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        events.push(message.event.expect("an event"));
    }
    whole(&events);
    let id = &events[0].execution_id;
    assert_eq!(server.get(id).await.last_sequence, events.len() as u64);
    worker.abort();
}

#[tokio::test]
async fn provisional_output_is_shown_to_watchers_and_not_kept() {
    let server = TestServer::start().await;
    server
        .register("name: talk\nsteps: [ { id: say, agent: talker } ]")
        .await;
    let heard = Arc::new(Notify::new());
    let enough = Arc::clone(&heard);
    let talk = move |ctx: TaskContext, _: serde_json::Value| {
        let enough = Arc::clone(&enough);
        async move {
            ctx.chunk(json!({"words": "once upon"}));
            enough.notified().await;
            Ok::<_, TaskError>(json!("once upon a time"))
        }
    };
    let id = server.begin("talk", json!(null)).await;
    let mut stream = watch(&server, &id, 0).await;
    let first = next(&mut stream).await.unwrap();
    assert!(matches!(first.kind, Some(Kind::ExecutionStarted(_))));
    let worker = Worker::builder(server.url()).agent("talker", talk).build();
    let worker = tokio::spawn(worker.unwrap().run(std::future::pending()));
    let (mut chunks, mut events) = (Vec::new(), vec![first]);
    while let Some(message) = stream.message().await.unwrap() {
        assert!(message.chunk.is_some() != message.event.is_some());
        if let Some(chunk) = message.chunk {
            chunks.push(chunk);
            heard.notify_one();
        }
        events.extend(message.event);
    }
    let [chunk] = &chunks[..] else {
        panic!("{chunks:?}")
    };
    assert_eq!(
        (&*chunk.execution_id, &*chunk.step, chunk.attempt),
        (&*id, "say", 1)
    );
    assert_eq!(json_of(&chunk.data), json!({"words": "once upon"}));
    whole(&events);
    let again = rest(watch(&server, &id, 0).await).await;
    assert_eq!(again, events, "a watch from the start hears no chunk");
    worker.abort();
}
