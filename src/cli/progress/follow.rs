//! Follows an execution to its end: events into the tree, the tree into the view.

use std::{pin::pin, time::Duration};

use futures::StreamExt as _;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tutti_client::Client;

use super::{tree::Tree, view::View, words::said};
use crate::{
    cli::{failure::Failure, paging, signals, time},
    proto::{Event, GetExecutionRequest, ListEventsRequest, execution::State, step_execution},
};

/// How often the tree is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// A step that waits this long gets a word on what it waits for, asked again as often.
const WAIT_NOTED_AFTER: Duration = Duration::from_secs(2);

/// Shows an execution until it ends. Events up to `after` are taken in silently. A lost
/// connection is made again by the client: no event is missed, none shown twice.
///
/// # Errors
/// `Failure::Refused` for an unknown execution, `Failure::Unreachable` when the server stays
/// away, `Failure::Interrupted` on Ctrl-C: the execution then goes on.
pub async fn follow(
    client: &Client,
    id: &str,
    after: u64,
    view: &mut View,
) -> Result<Tree, Failure> {
    let mut tree = Tree::of(&client.get(id).await?);
    for event in past(client, id, after).await? {
        tree.apply(&event);
    }
    let shown = show(client, id, after, &mut tree, view).await;
    view.finish(&tree);
    shown.map(|()| tree)
}

async fn show(
    client: &Client,
    id: &str,
    after: u64,
    tree: &mut Tree,
    view: &mut View,
) -> Result<(), Failure> {
    let mut events = client.watch_after(id, after);
    let mut frames = frames();
    let mut interrupt = pin!(signals::interrupt());
    let mut noted = Instant::now();
    loop {
        tokio::select! {
            // The past is taken in as a whole before anything is drawn.
            biased;
            () = &mut interrupt => return Err(interrupted(id)),
            event = events.next() => match event {
                None => return Ok(()),
                Some(event) => {
                    let event = event?;
                    tree.apply(&event);
                    view.event(tree, &event)?;
                }
            },
            _ = frames.tick() => {
                if noted.elapsed() >= WAIT_NOTED_AFTER && waits_long(tree) {
                    note_waiting(client, id, tree, view).await;
                    noted = Instant::now();
                }
                view.tick(tree);
            }
        }
    }
}

fn frames() -> Interval {
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
    frames
}

/// The events up to `after`.
async fn past(client: &Client, id: &str, after: u64) -> Result<Vec<Event>, Failure> {
    let limit = usize::try_from(after).unwrap_or(usize::MAX);
    let (events, _) = paging::collect(limit, |page_size, page_token| {
        let mut executions = client.executions();
        let request = ListEventsRequest {
            namespace: client.namespace().to_owned(),
            execution_id: id.to_owned(),
            after_sequence: 0,
            page_size,
            page_token,
        };
        async move {
            let response = executions.list_events(request).await?.into_inner();
            Ok((response.events, response.next_page_token))
        }
    })
    .await?;
    Ok(events)
}

fn waits_long(tree: &Tree) -> bool {
    let now = time::now();
    tree.rows.iter().any(|row| {
        row.state == step_execution::State::Waiting
            && row.since.is_some_and(|s| now.since(s) >= WAIT_NOTED_AFTER)
    })
}

/// Asks what steps wait for. The events tell the rest, so that a failure here changes nothing.
async fn note_waiting(client: &Client, id: &str, tree: &mut Tree, view: &mut View) {
    let request = GetExecutionRequest {
        namespace: client.namespace().to_owned(),
        execution_id: id.to_owned(),
    };
    let Ok(response) = client.executions().get_execution(request).await else {
        return;
    };
    let steps = response.into_inner().execution.unwrap_or_default().steps;
    let before: Vec<String> = tree.rows.iter().map(|r| r.note.clone()).collect();
    tree.note_waiting(&steps);
    for (row, before) in tree.rows.iter().zip(before) {
        if row.note != before {
            view.waiting(&row.path, &row.note);
        }
    }
}

fn interrupted(id: &str) -> Failure {
    Failure::Interrupted(format!(
        "{id} goes on: `tutti watch {id}` follows it, `tutti cancel {id}` ends it"
    ))
}

/// Says how an execution ended.
///
/// # Errors
/// `Failure::Ended` unless it completed.
pub fn conclude(tree: &Tree) -> Result<(), Failure> {
    if tree.state == State::Completed {
        return Ok(());
    }
    let what = match tree.state {
        State::Failed => "failed",
        State::TimedOut => "timed out",
        State::Cancelled => "was cancelled",
        _ => "has not ended",
    };
    let mut text = format!("{} {what}", tree.execution_id);
    if let Some(error) = &tree.error {
        if !error.step.is_empty() {
            text.push_str(&format!(" in step {}", error.step));
        }
        let why = match tree.state {
            State::Cancelled => error.message.clone(),
            _ => said(Some(error)),
        };
        if !why.is_empty() {
            text.push_str(&format!(": {why}"));
        }
    }
    Err(Failure::Ended(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Error;

    fn ended(state: State, error: Option<Error>) -> Tree {
        let mut tree = Tree::default();
        tree.execution_id = "0193".into();
        tree.state = state;
        tree.error = error;
        tree
    }

    fn error(class: &str, message: &str, step: &str) -> Option<Error> {
        Some(Error {
            class: class.into(),
            message: message.into(),
            step: step.into(),
        })
    }

    #[test]
    fn an_execution_that_completed_is_no_failure() {
        assert!(conclude(&ended(State::Completed, None)).is_ok());
    }

    #[test]
    fn every_other_end_says_where_and_why_and_exits_with_1() {
        for (tree, expected) in [
            (
                ended(State::Failed, error("refused", "no money", "pay")),
                "0193 failed in step pay: refused: no money",
            ),
            (
                ended(State::TimedOut, error("timeout", "", "")),
                "0193 timed out: timeout",
            ),
            (
                ended(State::Cancelled, error("cancelled", "ordered twice", "")),
                "0193 was cancelled: ordered twice",
            ),
            (
                ended(State::Cancelled, error("cancelled", "", "")),
                "0193 was cancelled",
            ),
        ] {
            let failure = conclude(&tree).expect_err("it did not complete");
            assert_eq!(failure.to_string(), expected);
            assert_eq!(failure.exit_code(), 1);
        }
    }
}
