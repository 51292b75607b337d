//! Following one execution over broken connections, without gap or duplicate.

use std::time::Duration;

use futures::{StreamExt as _, future, stream, stream::BoxStream};
use tonic::{Status, Streaming, transport::Channel};

use crate::{
    Error,
    patience::Patience,
    proto::{self, execution_service_client::ExecutionServiceClient},
};

/// What a watch tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// A fact about the execution.
    Event(Box<proto::Event>),
    /// Provisional output of a step; may be lost, and is repeated by nothing.
    Chunk(proto::Chunk),
}

/// The events of an execution in order, from the one asked for to the last. An error is the
/// last item.
pub type EventStream = BoxStream<'static, Result<proto::Event, Error>>;

/// The events of an execution in order, and its provisional output between them. An error is
/// the last item.
pub type UpdateStream = BoxStream<'static, Result<Update, Error>>;

/// Keeps only the events.
pub(crate) fn events(updates: UpdateStream) -> EventStream {
    updates
        .filter_map(|update| {
            future::ready(match update {
                Ok(Update::Event(event)) => Some(Ok(*event)),
                Ok(Update::Chunk(_)) => None,
                Err(error) => Some(Err(error)),
            })
        })
        .boxed()
}

/// One watch: where it stands, and the connection it has at the moment.
pub(crate) struct Watch {
    pub(crate) service: ExecutionServiceClient<Channel>,
    pub(crate) namespace: String,
    pub(crate) execution_id: String,
    /// The sequence of the last event given.
    pub(crate) sequence: u64,
    /// How long the server may be out of reach.
    pub(crate) patience: Duration,
}

impl Watch {
    /// The updates after `sequence`.
    pub(crate) fn updates(self) -> UpdateStream {
        let first = State {
            patience: Patience::new(self.patience),
            watch: self,
            stream: None,
        };
        stream::unfold(Some(first), |state| async move {
            let mut state = state?;
            match state.next().await {
                Ok(update) => update.map(|update| (Ok(update), Some(state))),
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }
}

struct State {
    watch: Watch,
    stream: Option<Streaming<proto::WatchExecutionResponse>>,
    patience: Patience,
}

impl State {
    /// The next update, connecting as often as it takes; `None` after the last event.
    async fn next(&mut self) -> Result<Option<Update>, Error> {
        loop {
            match self.receive().await {
                Ok(None) => return Ok(None),
                Ok(Some(message)) => {
                    self.patience.reached();
                    if let Some(update) = self.accept(message)? {
                        return Ok(Some(update));
                    }
                }
                Err(status) => self.lost(status).await?,
            }
        }
    }

    async fn receive(&mut self) -> Result<Option<proto::WatchExecutionResponse>, Status> {
        if self.stream.is_none() {
            let request = proto::WatchExecutionRequest {
                namespace: self.watch.namespace.clone(),
                execution_id: self.watch.execution_id.clone(),
                after_sequence: self.watch.sequence,
            };
            let response = self.watch.service.watch_execution(request).await?;
            self.stream = Some(response.into_inner());
        }
        match &mut self.stream {
            Some(stream) => stream.message().await,
            None => Ok(None),
        }
    }

    /// What a message tells that was not told before.
    fn accept(&mut self, message: proto::WatchExecutionResponse) -> Result<Option<Update>, Error> {
        if let Some(chunk) = message.chunk {
            return Ok(Some(Update::Chunk(chunk)));
        }
        let Some(event) = message.event else {
            return Ok(None);
        };
        let expected = self.watch.sequence + 1;
        if event.sequence < expected {
            return Ok(None);
        }
        if event.sequence > expected {
            let got = event.sequence;
            let told = format!(
                "event {got} of {} came instead of {expected}",
                event.execution_id
            );
            return Err(Error::Protocol(told));
        }
        self.watch.sequence = event.sequence;
        Ok(Some(Update::Event(Box::new(event))))
    }

    /// Waits before the next connection, or says that there is to be none.
    async fn lost(&mut self, status: Status) -> Result<(), Error> {
        tracing::debug!(%status, after_sequence = self.watch.sequence, "watch again");
        self.stream = None;
        self.patience.after(status).await
    }
}
