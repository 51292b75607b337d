//! The worker against a scripted server: every promise of the stream, from both sides.
#![allow(clippy::unwrap_used)]

mod fake;

use std::{sync::Arc, time::Duration};

use fake::{Fake, Session, soon};
use serde_json::{Value as Json, json};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};
use tutti_client::{
    Error, TaskError, TaskOutput, Worker, json,
    proto::{self, Welcome, result_ack::Outcome, work_request, work_response},
    worker::WorkerBuilder,
};

/// A worker that serves until told to stop.
struct Serving {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), Error>>,
}

impl Serving {
    fn begin(builder: WorkerBuilder) -> Self {
        let (stop, stopped) = oneshot::channel();
        let worker = builder.build().unwrap();
        let ended = tokio::spawn(worker.run(async { drop(stopped.await) }));
        Self { stop, ended }
    }

    /// Stops the worker, and sees it end its stream.
    async fn stop(self, session: Session) {
        self.stop.send(()).unwrap();
        ends(self.ended, session).await;
    }
}

/// Waits for the worker's end and for that of its stream.
async fn ends(ended: JoinHandle<Result<(), Error>>, session: Session) {
    let (ended, ()) = tokio::join!(soon("the worker's end", ended), session.ended());
    ended.unwrap().unwrap();
}

fn echo(fake: &Fake) -> WorkerBuilder {
    Worker::builder(&fake.address).agent("echo", |_, input: Json| async move { Ok(input) })
}

/// An agent `wait` whose tasks say when they begin, and end when they are let go.
fn waiting(fake: &Fake) -> (WorkerBuilder, mpsc::UnboundedReceiver<Json>, Arc<Notify>) {
    let (begun, begins) = mpsc::unbounded_channel();
    let go = Arc::new(Notify::new());
    let let_go = go.clone();
    let builder = Worker::builder(&fake.address).agent("wait", move |_, input: Json| {
        let (begun, let_go) = (begun.clone(), let_go.clone());
        async move {
            begun.send(input.clone()).unwrap();
            let_go.notified().await;
            Ok(input)
        }
    });
    (builder, begins, go)
}

fn token_of(results: &[proto::TaskResult]) -> &str {
    assert_eq!(results.len(), 1);
    &results[0].token
}

fn class_of(failures: &[proto::TaskFailure]) -> &str {
    assert_eq!(failures.len(), 1);
    &failures[0].error.as_ref().unwrap().class
}

#[tokio::test]
async fn a_task_is_accepted_done_and_acknowledged() {
    let mut fake = Fake::start().await;
    let agent = proto::Agent {
        id: "shout".into(),
        skills: vec!["noise".into()],
        ..Default::default()
    };
    let builder = Worker::builder(&fake.address)
        .worker_id("me")
        .max_concurrency(3)
        .agent_with(agent.clone(), |ctx, input: Json| async move {
            let told = json!({
                "said": input.as_str().unwrap().to_uppercase(),
                "key": ctx.idempotency_key(), "step": ctx.step(), "attempt": ctx.attempt(),
                "execution": ctx.execution_id(), "agent": ctx.agent(),
            });
            let usage = proto::Usage {
                input_tokens: 7,
                ..Default::default()
            };
            Ok(TaskOutput::from(told).usage(usage))
        });
    let worker = Serving::begin(builder);

    let (mut session, hello) = fake.welcomed().await;
    assert_eq!((hello.worker_id.as_str(), hello.max_concurrency), ("me", 3));
    assert_eq!(hello.agents, [agent]);
    let work_request::Message::Credit(credit) = session.next().await else {
        panic!("it asks for tasks first");
    };
    assert_eq!(credit.tasks, 3);

    session.hand_out("shout", &["hey"]);
    let work_request::Message::Accept(accept) = session.next().await else {
        panic!("it accepts before anything else");
    };
    assert_eq!(accept.tokens, ["hey"]);
    let mut results = session.results().await;
    let result = results.pop().unwrap();
    assert_eq!(result.usage.unwrap().input_tokens, 7);
    assert_eq!(
        json::to_json_or_null(result.output),
        json!({
            "said": "HEY", "key": "a key", "step": "a/step", "attempt": 2,
            "execution": "an execution", "agent": "shout",
        })
    );
    session.ack("hey", Outcome::Recorded);
    worker.stop(session).await;
}

#[tokio::test]
async fn results_that_are_ready_together_share_a_message() {
    let mut fake = Fake::start().await;
    let builder = Worker::builder(&fake.address).agent_fn("echo", Ok::<Json, TaskError>);
    let _worker = Serving::begin(builder);
    let (mut session, _) = fake.welcomed().await;
    session.hand_out("echo", &["a", "b", "c"]);
    let results = session.results().await;
    let tokens: Vec<&str> = results.iter().map(|r| r.token.as_str()).collect();
    assert_eq!(tokens, ["a", "b", "c"]);
}

#[tokio::test]
async fn credits_come_back_when_tasks_end() {
    let mut fake = Fake::start().await;
    let _worker = Serving::begin(echo(&fake).max_concurrency(1));
    let (mut session, _) = fake.welcomed().await;
    let credit = |message| match message {
        work_request::Message::Credit(credit) => Some(credit.tasks),
        _ => None,
    };
    assert_eq!(session.until(credit).await, 1);
    session.hand_out("echo", &["a"]);
    assert_eq!(session.until(credit).await, 1);
}

#[tokio::test]
async fn a_result_is_resent_on_each_stream_until_its_ack() {
    let mut fake = Fake::start().await;
    let worker = Serving::begin(echo(&fake));
    let (mut session, first_hello) = fake.welcomed().await;
    session.hand_out("echo", &["a"]);
    assert_eq!(token_of(&session.results().await), "a");
    session.cut();

    let (mut session, hello) = fake.welcomed().await;
    assert_eq!(hello.worker_id, first_hello.worker_id);
    assert_eq!(hello.held_tokens, ["a"]);
    assert_eq!(token_of(&session.results().await), "a");
    session.ack("a", Outcome::Recorded);
    worker.stop(session).await;
}

#[tokio::test]
async fn a_result_without_ack_is_repeated_on_the_same_stream() {
    let mut fake = Fake::start().await;
    let _worker = Serving::begin(echo(&fake));
    let mut session = fake.session().await;
    session.hello().await;
    session.welcome(beating());
    session.hand_out("echo", &["a"]);
    assert_eq!(token_of(&session.results().await), "a");
    assert_eq!(token_of(&session.results().await), "a");
}

#[tokio::test]
async fn a_result_the_server_does_not_want_is_dropped() {
    for outcome in [Outcome::TooLarge, Outcome::Stale] {
        let mut fake = Fake::start().await;
        let worker = Serving::begin(echo(&fake));
        let (mut session, _) = fake.welcomed().await;
        session.hand_out("echo", &["a"]);
        session.results().await;
        session.ack("a", outcome);
        worker.stop(session).await;
    }
}

#[tokio::test]
async fn a_running_task_is_held_over_a_lost_stream() {
    let mut fake = Fake::start().await;
    let (builder, mut begins, go) = waiting(&fake);
    let worker = Serving::begin(builder);
    let (session, _) = fake.welcomed().await;
    session.hand_out("wait", &["a"]);
    soon("the task", begins.recv()).await.unwrap();
    session.cut();

    let mut session = fake.session().await;
    assert_eq!(session.hello().await.held_tokens, ["a"]);
    session.welcome(Welcome {
        adopted_tokens: vec!["a".into()],
        ..Default::default()
    });
    go.notify_one();
    assert_eq!(token_of(&session.results().await), "a");
    session.ack("a", Outcome::Recorded);
    worker.stop(session).await;
    assert!(begins.try_recv().is_err(), "it ran once");
}

#[tokio::test]
async fn a_task_lost_meanwhile_is_stopped_and_not_reported() {
    let mut fake = Fake::start().await;
    let (builder, mut begins, _go) = waiting(&fake);
    let worker = Serving::begin(builder);
    let (session, _) = fake.welcomed().await;
    session.hand_out("wait", &["a"]);
    soon("the task", begins.recv()).await.unwrap();
    session.cut();

    let mut session = fake.session().await;
    session.hello().await;
    session.welcome(Welcome {
        lost_tokens: vec!["a".into()],
        ..Default::default()
    });
    // Nothing is held any more, so nothing keeps the worker from ending.
    worker.stop(session).await;
}

#[tokio::test]
async fn a_cancelled_handler_is_dropped() {
    let mut fake = Fake::start().await;
    let (builder, mut begins, _go) = waiting(&fake);
    let _worker = Serving::begin(builder);
    let (mut session, _) = fake.welcomed().await;
    session.hand_out("wait", &["a"]);
    soon("the task", begins.recv()).await.unwrap();
    session.cancel("a");
    assert_eq!(class_of(&session.failures().await), "cancelled");
}

#[tokio::test]
async fn a_handler_can_tidy_up_after_a_cancel() {
    let mut fake = Fake::start().await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    let builder = Worker::builder(&fake.address).agent("tidy", move |ctx, _| {
        let begun = begun.clone();
        async move {
            ctx.finish_on_cancel();
            begun.send(()).unwrap();
            ctx.cancelled().await;
            tokio::task::yield_now().await;
            Ok(json!("tidied up"))
        }
    });
    let _worker = Serving::begin(builder);
    let (mut session, _) = fake.welcomed().await;
    session.hand_out("tidy", &["a"]);
    soon("the task", begins.recv()).await.unwrap();
    session.cancel("a");
    let results = session.results().await;
    assert_eq!(
        json::to_json_or_null(results[0].output.clone()),
        json!("tidied up")
    );
}

#[tokio::test]
async fn a_panic_fails_its_attempt_and_nothing_else() {
    let mut fake = Fake::start().await;
    let builder = echo(&fake)
        .agent("panic", |_, input: Json| async move {
            match input {
                Json::String(token) => panic!("cannot do {token}"),
                other => Ok(other),
            }
        })
        .agent_fn("panic-inline", |_| -> Result<Json, TaskError> {
            panic!("at once")
        });
    let _worker = Serving::begin(builder);
    let (mut session, _) = fake.welcomed().await;
    for (agent, words) in [("panic", "cannot do a"), ("panic-inline", "at once")] {
        session.hand_out(agent, &["a"]);
        let failures = session.failures().await;
        assert_eq!(class_of(&failures), "agent_error");
        assert!(failures[0].error.as_ref().unwrap().message.contains(words));
        session.ack("a", Outcome::Recorded);
    }
    session.hand_out("echo", &["b"]);
    assert_eq!(token_of(&session.results().await), "b");
}

#[tokio::test]
async fn a_failure_carries_its_class_and_wait() {
    let mut fake = Fake::start().await;
    let wait = Duration::from_millis(2500);
    let builder = Worker::builder(&fake.address).agent("busy", move |_, _| async move {
        Err::<Json, _>(TaskError::rate_limited("later", wait))
    });
    let _worker = Serving::begin(builder);
    let (mut session, _) = fake.welcomed().await;
    session.hand_out("busy", &["a"]);
    let failures = session.failures().await;
    assert_eq!(class_of(&failures), "rate_limited");
    assert_eq!(
        Duration::try_from(failures[0].retry_after.unwrap()).unwrap(),
        wait
    );
}

#[tokio::test]
async fn a_result_too_large_for_a_message_fails_with_class_limit() {
    let mut fake = Fake::start().await;
    let builder = Worker::builder(&fake.address)
        .agent_fn("large", |_| Ok::<_, TaskError>(json!("x".repeat(5000))));
    let _worker = Serving::begin(builder);
    let mut session = fake.session().await;
    session.hello().await;
    session.welcome(Welcome {
        message_bytes_max: 4096,
        ..Default::default()
    });
    session.hand_out("large", &["a"]);
    assert_eq!(class_of(&session.failures().await), "limit");
}

#[tokio::test]
async fn a_task_of_an_agent_it_does_not_serve_is_refused() {
    let mut fake = Fake::start().await;
    let _worker = Serving::begin(echo(&fake));
    let (mut session, _) = fake.welcomed().await;
    session.hand_out("someone-else", &["a"]);
    assert_eq!(class_of(&session.failures().await), "refused");
}

#[tokio::test]
async fn chunks_come_before_the_result() {
    let mut fake = Fake::start().await;
    let builder = Worker::builder(&fake.address).agent("talk", |ctx, _| async move {
        assert!(ctx.chunk(json!("Hel")) && ctx.chunk(json!("lo")));
        Ok(json!("Hello"))
    });
    let _worker = Serving::begin(builder);
    let (mut session, _) = fake.welcomed().await;
    session.hand_out("talk", &["a"]);
    let mut said = Vec::new();
    loop {
        match session.next().await {
            work_request::Message::Chunk(chunk) => {
                assert_eq!(chunk.token, "a");
                said.push(json::to_json_or_null(chunk.data));
            }
            work_request::Message::Complete(_) => break,
            _ => {}
        }
    }
    assert_eq!(said, [json!("Hel"), json!("lo")]);
}

/// A Welcome that asks for heartbeats in quick succession.
fn beating() -> Welcome {
    Welcome {
        heartbeat_interval: Some(prost_types::Duration {
            seconds: 0,
            nanos: 1_000_000,
        }),
        ..Default::default()
    }
}

#[tokio::test]
async fn heartbeats_name_the_tasks_held() {
    let mut fake = Fake::start().await;
    let (builder, mut begins, _go) = waiting(&fake);
    let _worker = Serving::begin(builder);
    let mut session = fake.session().await;
    session.hello().await;
    session.welcome(beating());
    session.hand_out("wait", &["a"]);
    soon("the task", begins.recv()).await.unwrap();
    for _ in 0..3 {
        let tokens = session
            .until(|message| match message {
                work_request::Message::Heartbeat(heartbeat) => Some(heartbeat.tokens),
                _ => None,
            })
            .await;
        assert_eq!(tokens, ["a"]);
    }
}

async fn draining(session: &mut Session) {
    session
        .until(|message| matches!(message, work_request::Message::Draining(_)).then_some(()))
        .await;
}

#[tokio::test]
async fn a_shutdown_finishes_the_tasks_and_waits_for_their_acks() {
    let mut fake = Fake::start().await;
    let (builder, mut begins, go) = waiting(&fake);
    let worker = Serving::begin(builder);
    let (mut session, _) = fake.welcomed().await;
    session.hand_out("wait", &["a"]);
    soon("the task", begins.recv()).await.unwrap();

    worker.stop.send(()).unwrap();
    draining(&mut session).await;
    session.hand_out("wait", &["too late"]);
    go.notify_one();
    assert_eq!(token_of(&session.results().await), "a");
    assert!(!worker.ended.is_finished(), "the ack has not come");
    session.ack("a", Outcome::Recorded);
    ends(worker.ended, session).await;
    assert!(
        begins.try_recv().is_err(),
        "a draining worker takes nothing"
    );
}

#[tokio::test]
async fn a_result_is_delivered_even_if_the_stream_breaks_while_draining() {
    let mut fake = Fake::start().await;
    let (builder, mut begins, go) = waiting(&fake);
    let worker = Serving::begin(builder);
    let (mut session, _) = fake.welcomed().await;
    session.hand_out("wait", &["a"]);
    soon("the task", begins.recv()).await.unwrap();
    worker.stop.send(()).unwrap();
    draining(&mut session).await;
    session.cut();
    go.notify_one();

    let (mut session, _) = fake.welcomed().await;
    draining(&mut session).await;
    assert_eq!(token_of(&session.results().await), "a");
    session.ack("a", Outcome::Recorded);
    ends(worker.ended, session).await;
}

#[tokio::test]
async fn tasks_that_exceed_the_grace_period_fail_as_unavailable() {
    let mut fake = Fake::start().await;
    let (builder, mut begins, _go) = waiting(&fake);
    let worker = Serving::begin(builder.grace_period(Duration::ZERO));
    let (mut session, _) = fake.welcomed().await;
    session.hand_out("wait", &["a"]);
    soon("the task", begins.recv()).await.unwrap();
    worker.stop.send(()).unwrap();
    assert_eq!(class_of(&session.failures().await), "unavailable");
    session.ack("a", Outcome::Recorded);
    ends(worker.ended, session).await;
}

#[tokio::test]
async fn a_worker_asked_to_drain_does_and_ends() {
    let mut fake = Fake::start().await;
    let worker = Serving::begin(echo(&fake));
    let (mut session, _) = fake.welcomed().await;
    session.send(work_response::Message::Drain(proto::Drain {}));
    draining(&mut session).await;
    ends(worker.ended, session).await;
}

#[tokio::test]
async fn a_worker_sent_away_comes_back_with_what_it_holds() {
    let mut fake = Fake::start().await;
    let (builder, mut begins, _go) = waiting(&fake);
    let _worker = Serving::begin(builder);
    let (session, _) = fake.welcomed().await;
    session.hand_out("wait", &["a"]);
    soon("the task", begins.recv()).await.unwrap();
    session.send(work_response::Message::GoAway(proto::GoAway::default()));
    let (_session, hello) = fake.welcomed().await;
    assert_eq!(hello.held_tokens, ["a"]);
}

#[tokio::test]
async fn a_worker_that_is_refused_ends_with_the_reason() {
    let mut fake = Fake::start().await;
    let worker = Serving::begin(echo(&fake));
    let session = fake.session().await;
    session.refuse("agents[0].id: not a name");
    let refused = soon("the worker's end", worker.ended)
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(refused.code(), Some(tonic::Code::InvalidArgument));
}

#[tokio::test]
async fn a_worker_without_server_stops_when_asked() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let builder = Worker::builder(address).agent_fn("echo", Ok::<Json, TaskError>);
    let worker = Serving::begin(builder);
    worker.stop.send(()).unwrap();
    soon("the worker's end", worker.ended)
        .await
        .unwrap()
        .unwrap();
}
