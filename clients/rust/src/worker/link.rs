//! A stream to the server: opened with Hello, ready once Welcome has come.

use std::time::Duration;

use futures::{StreamExt as _, stream::ReadyChunks};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::{
    Error,
    endpoint::{MESSAGE_BYTES_MAX, Server},
    proto::{
        self, work_request, work_response::Message, worker_service_client::WorkerServiceClient,
    },
};

/// How long Welcome may take after Hello.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(15);
/// How long the server may take to end the stream after the worker did.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Messages that wait to be written; each is bounded in bytes.
const UP_MESSAGES_MAX: usize = 16;
/// Messages that are handled together when they have come together.
const DOWN_MESSAGES_MAX: usize = 32;

/// An open stream.
pub(super) struct Link {
    pub(super) up: mpsc::Sender<proto::WorkRequest>,
    pub(super) down: ReadyChunks<Streaming<proto::WorkResponse>>,
    pub(super) welcome: proto::Welcome,
}

/// Why there is no stream, or none any more.
#[derive(Debug)]
pub(super) enum Broken {
    /// Connecting again may help.
    Lost(Error),
    /// The server asks to connect again, at the earliest after this wait.
    GoAway(Duration),
    /// The server does not take this worker.
    Refused(Error),
}

impl From<Status> for Broken {
    fn from(status: Status) -> Self {
        Self::Lost(status.into())
    }
}

impl Link {
    /// Connects and says hello.
    pub(super) async fn open(server: Server, hello: proto::Hello) -> Result<Self, Broken> {
        let channel = server.connect().await.map_err(Broken::Lost)?;
        let opening = Self::greet(channel, hello);
        timeout(WELCOME_TIMEOUT, opening)
            .await
            .map_err(|_| Broken::Lost(Error::Protocol("no Welcome came after Hello".into())))?
    }

    async fn greet(
        channel: tonic::transport::Channel,
        hello: proto::Hello,
    ) -> Result<Self, Broken> {
        let (up, sent) = mpsc::channel(UP_MESSAGES_MAX);
        let message = Some(work_request::Message::Hello(hello));
        up.try_send(proto::WorkRequest { message })
            .expect("a new channel has room");
        let mut service =
            WorkerServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
        let response = service.work(ReceiverStream::new(sent)).await;
        let mut down = response.map_err(refused)?.into_inner();
        match down
            .message()
            .await
            .map_err(refused)?
            .and_then(|m| m.message)
        {
            Some(Message::Welcome(welcome)) => Ok(Self {
                up,
                down: down.ready_chunks(DOWN_MESSAGES_MAX),
                welcome,
            }),
            Some(Message::GoAway(go_away)) => Err(Broken::GoAway(wait_of(&go_away))),
            other => Err(Broken::Lost(Error::Protocol(format!(
                "instead of Welcome came {other:?}"
            )))),
        }
    }

    /// Ends the stream, after everything that was sent has been written.
    pub(super) async fn close(self) {
        let Self { up, mut down, .. } = self;
        drop(up);
        let ended = async { while down.next().await.is_some() {} };
        if timeout(CLOSE_TIMEOUT, ended).await.is_err() {
            tracing::debug!("the server did not end the stream in time");
        }
    }
}

/// The least wait before connecting again.
pub(super) fn wait_of(go_away: &proto::GoAway) -> Duration {
    let wait = go_away.retry_after.and_then(|wait| wait.try_into().ok());
    wait.unwrap_or_default()
}

/// What an answer to Hello other than Welcome means.
fn refused(status: Status) -> Broken {
    match status.code() {
        Code::InvalidArgument
        | Code::FailedPrecondition
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::Unimplemented => Broken::Refused(status.into()),
        _ => Broken::Lost(status.into()),
    }
}
