//! The books of a worker, told as what happens and what it then says.

use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::*;
use crate::{proto, worker::chunk::ChunkRoom};

fn token(name: &str) -> Arc<str> {
    Arc::from(name)
}

/// Begins a task whose handler never ends by itself.
fn begin(ledger: &mut Ledger, name: &str) -> (TaskContext, tokio::task::JoinHandle<()>) {
    assert!(ledger.offered(name));
    let (notes, _) = mpsc::unbounded_channel();
    let task = proto::Task::default();
    let context = TaskContext::new(token(name), task, notes, ChunkRoom::default());
    let handler = tokio::spawn(std::future::pending());
    ledger.begin(token(name), context.clone(), handler.abort_handle());
    (context, handler)
}

fn done(name: &str, output: Json) -> Report {
    Report::new(name, Ok(output.into()))
}

fn class(parcel: Option<Parcel>) -> String {
    match parcel.expect("there is a report").report {
        Report::Failed(failure) => failure.error.expect("it has an error").class,
        Report::Done(result) => panic!("unexpected {result:?}"),
    }
}

#[test]
fn credits_fill_the_capacity_and_come_back_when_tasks_end() {
    let mut ledger = Ledger::new(4);
    assert_eq!(ledger.take_credit(), 4);
    assert_eq!(ledger.take_credit(), 0);
    for name in ["a", "b"] {
        assert!(ledger.offered(name));
        ledger.keep(token(name), done(name, json!(1)));
    }
    assert_eq!(ledger.take_credit(), 2);
}

#[test]
fn small_credits_are_held_back_while_the_server_has_more() {
    let mut ledger = Ledger::new(100);
    assert_eq!(ledger.take_credit(), 100);
    for n in 0..24 {
        assert!(ledger.offered(&n.to_string()));
    }
    assert_eq!(ledger.take_credit(), 0);
    assert!(ledger.offered("one more"));
    assert_eq!(ledger.take_credit(), 25);
}

#[test]
fn a_new_stream_begins_without_credits() {
    let mut ledger = Ledger::new(4);
    ledger.take_credit();
    ledger.connected(0);
    assert_eq!(ledger.take_credit(), 4);
}

#[test]
fn no_tasks_are_asked_for_while_too_many_bytes_wait_for_acks() {
    let mut ledger = Ledger::new(4);
    let large = json!("x".repeat(KEPT_BYTES_MAX));
    ledger.keep(token("a"), done("a", large));
    assert_eq!(ledger.take_credit(), 0);
    ledger.acked("a");
    assert_eq!(ledger.take_credit(), 4);
}

#[test]
fn a_draining_ledger_takes_nothing() {
    let mut ledger = Ledger::new(4);
    ledger.drain();
    assert_eq!(ledger.take_credit(), 0);
    assert!(!ledger.offered("a"));
    assert!(ledger.is_draining() && ledger.is_empty());
}

#[test]
fn a_report_is_repeated_after_two_beats_and_on_a_new_stream_until_its_ack() {
    let mut ledger = Ledger::new(4);
    let sent = ledger.keep(token("a"), done("a", json!({ "n": 1 })));
    assert_eq!(ledger.beat(), []);
    assert_eq!(ledger.beat(), [Parcel { ..sent }]);
    assert_eq!(ledger.beat(), []);
    assert_eq!(ledger.unacked().len(), 1);
    assert_eq!(ledger.tokens(), ["a"]);
    ledger.acked("a");
    assert_eq!(ledger.unacked(), []);
    assert!(ledger.is_empty());
}

#[test]
fn a_result_larger_than_a_message_becomes_a_failure() {
    let mut ledger = Ledger::new(4);
    ledger.connected(1000);
    let parcel = ledger.keep(token("a"), done("a", json!("x".repeat(1000))));
    assert_eq!(class(Some(parcel)), "limit");
}

#[tokio::test]
async fn a_cancelled_handler_is_dropped_and_reports_that() {
    let mut ledger = Ledger::new(4);
    let (context, handler) = begin(&mut ledger, "a");
    ledger.cancel("a");
    assert!(context.is_cancelled());
    assert!(handler.await.expect_err("it was aborted").is_cancelled());
    assert_eq!(ledger.running(), 1, "until its end is noted");
    assert_eq!(class(ledger.end(&token("a"), None)), "cancelled");
    assert_eq!(ledger.running(), 0);
}

#[tokio::test]
async fn a_handler_that_finishes_itself_is_not_dropped_until_the_worker_ends() {
    let mut ledger = Ledger::new(4);
    let (context, handler) = begin(&mut ledger, "a");
    context.finish_on_cancel();
    ledger.cancel("a");
    context.cancelled().await;
    tokio::task::yield_now().await;
    assert!(!handler.is_finished());
    ledger.abandon();
    assert!(handler.await.expect_err("it was aborted").is_cancelled());
}

#[tokio::test]
async fn a_task_given_up_is_to_be_tried_elsewhere() {
    let mut ledger = Ledger::new(4);
    let (_, handler) = begin(&mut ledger, "a");
    ledger.abandon();
    assert!(handler.await.expect_err("it was aborted").is_cancelled());
    assert_eq!(class(ledger.end(&token("a"), None)), "unavailable");
}

#[tokio::test]
async fn a_lost_task_is_stopped_and_its_end_is_nobodys_business() {
    let mut ledger = Ledger::new(4);
    let (context, _) = begin(&mut ledger, "a");
    ledger.keep(token("b"), done("b", json!(1)));
    ledger.lose("a");
    ledger.lose("b");
    assert!(context.is_cancelled());
    assert!(ledger.is_empty());
    assert_eq!(ledger.end(&token("a"), None), None);
    assert_eq!(ledger.running(), 0);
}
