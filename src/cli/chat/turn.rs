//! One turn of a chat: an execution from its start to its answer.

use std::{
    collections::HashMap,
    io::{self, Write as _},
    pin::pin,
};

use futures::StreamExt as _;
use tutti_client::{Client, Update};

use super::{
    answer::Screen,
    conversation::{Conversation, content},
};
use crate::{
    cli::{failure::Failure, progress::said, signals, start::Chosen},
    proto::{Execution, execution::State},
};

/// Starts the turn, shows what comes of it, and gives the answer's text.
///
/// # Errors
/// `Failure::Ended` when it does not complete or its output is no message;
/// `Failure::Interrupted` on Ctrl-C: the execution is cancelled then.
pub async fn run(
    session: &Client,
    chosen: &Chosen,
    labels: &HashMap<String, String>,
    conversation: &Conversation,
    screen: &mut Screen,
) -> Result<String, Failure> {
    let mut request = chosen.request();
    request.input = Some(conversation.input());
    request.labels.clone_from(labels);
    let started = session.executions().start_execution(request).await?;
    let id = started.into_inner().execution_id;
    let mut updates = session.updates(&id, 0);
    let mut interrupt = pin!(signals::interrupt());
    loop {
        tokio::select! {
            update = updates.next() => match update.transpose()? {
                Some(Update::Chunk(chunk)) => show(&screen.chunk(&chunk))?,
                Some(Update::Event(_)) => {}
                None => break,
            },
            () = &mut interrupt => {
                session.cancel(&id, "taken back in a chat").await?;
                return Err(Failure::Interrupted("taken back".to_owned()));
            }
        }
    }
    answer(&session.get(&id).await?)
}

/// The text that a turn gave.
fn answer(execution: &Execution) -> Result<String, Failure> {
    let id = &execution.execution_id;
    if execution.state() != State::Completed {
        let state = execution.state().as_str_name();
        let why = said(execution.error.as_ref());
        return Err(Failure::Ended(format!("{id} ended as {state}: {why}")));
    }
    execution.output.as_ref().and_then(content).ok_or_else(|| {
        Failure::Ended(format!(
            "{id} gave no message: let the workflow have `output: {{ role: assistant, content: … }}`"
        ))
    })
}

/// Prints text as it comes.
///
/// # Errors
/// `Failure::Closed` when nobody reads any more, `Failure::Io`.
pub fn show(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let shown = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    shown.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::Io {
            context: "writing the answer".to_owned(),
            source: error,
        },
    })
}
