//! Watches of the engine as streams of a call. Nothing is buffered here: an item is asked for
//! when the caller's flow control has room for it.

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use tonic::Status;

use super::{status, stop::Stop};
use crate::{
    agents::AgentWatch,
    engine::{Audit, Audited, Backup, Error, Part, Watch, WatchAll, Watched},
    proto::{Execution, WatchAgentsResponse},
};

/// The messages of a stream and the error that may end it.
pub type Messages<M> = BoxStream<'static, Result<M, Status>>;

/// Something that can be followed.
pub trait Source: Send + 'static {
    /// What it gives.
    type Item: Send;
    /// The next item; `None` after the last. Cancel safe.
    fn next(&mut self) -> impl Future<Output = Option<Result<Self::Item, Error>>> + Send;
}

impl Source for Watch {
    type Item = Watched;

    fn next(&mut self) -> impl Future<Output = Option<Result<Watched, Error>>> + Send {
        Watch::next(self)
    }
}

impl Source for WatchAll {
    type Item = Execution;

    fn next(&mut self) -> impl Future<Output = Option<Result<Execution, Error>>> + Send {
        WatchAll::next(self)
    }
}

impl Source for Audit {
    type Item = Audited;

    fn next(&mut self) -> impl Future<Output = Option<Result<Audited, Error>>> + Send {
        Audit::next(self)
    }
}

impl Source for Backup {
    type Item = Part;

    fn next(&mut self) -> impl Future<Output = Option<Result<Part, Error>>> + Send {
        Backup::next(self)
    }
}

impl Source for AgentWatch {
    type Item = WatchAgentsResponse;

    /// A watch of agents ends only with the server.
    async fn next(&mut self) -> Option<Result<WatchAgentsResponse, Error>> {
        let next = AgentWatch::next(self).await;
        Some(next.ok_or(Error::Unavailable))
    }
}

/// Streams a source's items, each as a message, until its end, an error, or the server's end.
pub fn stream<S: Source, M: Send + 'static>(
    source: S,
    stop: Stop,
    message: fn(S::Item) -> M,
) -> Messages<M> {
    let open = Some((source, stop));
    stream::unfold(open, move |open| async move {
        let (mut source, mut stop) = open?;
        let next = tokio::select! {
            biased;
            () = stop.wait() => Some(Err(status::shutting_down())),
            next = source.next() => next.map(|item| item.map_err(Status::from)),
        };
        match next? {
            Ok(item) => Some((Ok(message(item)), Some((source, stop)))),
            Err(status) => Some((Err(status), None)),
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use tonic::Code;

    use super::{super::stop::stop, *};

    /// Gives what it holds, then waits for ever.
    struct Items(VecDeque<Option<Result<u32, Error>>>);

    impl Source for Items {
        type Item = u32;

        async fn next(&mut self) -> Option<Result<u32, Error>> {
            match self.0.pop_front() {
                Some(item) => item,
                None => std::future::pending().await,
            }
        }
    }

    fn items<const N: usize>(items: [Option<Result<u32, Error>>; N]) -> Items {
        Items(items.into())
    }

    async fn codes(stream: Messages<u32>) -> Vec<Result<u32, Code>> {
        let results = stream.map(|item| item.map_err(|status| status.code()));
        results.collect().await
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_source() {
        let (_stopper, stop) = stop();
        let source = items([Some(Ok(1)), Some(Ok(2)), None]);
        let stream = stream(source, stop, |item| item * 10);
        assert_eq!(codes(stream).await, [Ok(10), Ok(20)]);
    }

    #[tokio::test]
    async fn an_error_is_the_last_item() {
        let (_stopper, stop) = stop();
        let lost = Error::DataLoss("gone".into());
        let source = items([Some(Ok(1)), Some(Err(lost)), Some(Ok(2))]);
        let stream = stream(source, stop, |item| item);
        assert_eq!(codes(stream).await, [Ok(1), Err(Code::DataLoss)]);
    }

    #[tokio::test]
    async fn the_servers_end_ends_an_open_stream_with_unavailable() {
        let (stopper, stop) = stop();
        let mut stream = stream(items([Some(Ok(1))]), stop, |item| item);
        let first = stream.next().await.expect("an item");
        assert_eq!(first.expect("no error"), 1);
        stopper.stop();
        assert_eq!(codes(stream).await, [Err(Code::Unavailable)]);
    }
}
