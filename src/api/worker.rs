//! WorkerService: hands tasks to workers. The stream's protocol belongs to the agents; here it
//! is bridged to gRPC.

use std::future::ready;

use futures::{FutureExt, Stream, StreamExt, TryStreamExt, stream};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument, instrument};

use super::{
    convert::worker as convert,
    deadline,
    follow::Messages,
    page::{self, AfterName, Bounds},
    reply::reply,
    status,
};
use crate::{
    agents::{Hub, Refusal, Session},
    core::limits::Limits,
    engine::Error,
    proto::{
        CompleteTaskRequest, CompleteTaskResponse, DrainWorkerRequest, DrainWorkerResponse,
        FailTaskRequest, FailTaskResponse, HeartbeatTaskRequest, HeartbeatTaskResponse, Hello,
        ListWorkersRequest, ListWorkersResponse, PollTasksRequest, PollTasksResponse, TaskFailure,
        WorkRequest, WorkResponse, work_request, work_response,
        worker_service_server::WorkerService,
    },
};

/// The service.
pub struct Service {
    hub: Hub,
    limits: Limits,
}

impl Service {
    /// The service over the agents.
    pub fn new(hub: Hub, limits: Limits) -> Self {
        Self { hub, limits }
    }
}

#[tonic::async_trait]
impl WorkerService for Service {
    type WorkStream = Messages<WorkResponse>;

    /// Answers at once: what a worker says first is read as part of the stream, for there are
    /// clients that send nothing before they have the answer.
    #[instrument(level = "debug", skip_all, fields(rpc = "Work"))]
    async fn work(
        &self,
        request: Request<Streaming<WorkRequest>>,
    ) -> Result<Response<Self::WorkStream>, Status> {
        let opening = open(self.hub.clone(), self.limits.clone(), request.into_inner());
        let down = stream::once(opening.in_current_span()).try_flatten();
        Ok(Response::new(down.boxed()))
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "PollTasks", worker_id = request.get_ref().worker_id))]
    async fn poll_tasks(
        &self,
        request: Request<PollTasksRequest>,
    ) -> Result<Response<PollTasksResponse>, Status> {
        let until = deadline::answer_by(&request);
        let poll = convert::poll(request.into_inner(), &self.limits)?;
        let wait = until.map_or(poll.wait, |until| poll.wait.min(until - Instant::now()));
        let convert::Poll {
            namespace,
            worker_id,
            agents,
            max_tasks,
            ..
        } = poll;
        let tasks = self
            .hub
            .poll(&namespace, &worker_id, &agents, max_tasks, wait)
            .await?;
        reply(PollTasksResponse { tasks }, &self.limits)
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "CompleteTask", token = request.get_ref().token))]
    async fn complete_task(
        &self,
        request: Request<CompleteTaskRequest>,
    ) -> Result<Response<CompleteTaskResponse>, Status> {
        let (token, output, usage) = convert::complete(request.into_inner(), &self.limits)?;
        self.hub.complete(&token, output, usage).await?;
        reply(CompleteTaskResponse {}, &self.limits)
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "FailTask", token = request.get_ref().token))]
    async fn fail_task(
        &self,
        request: Request<FailTaskRequest>,
    ) -> Result<Response<FailTaskResponse>, Status> {
        let failure = convert::fail(request.into_inner(), &self.limits)?;
        let TaskFailure {
            token,
            error,
            retry_after,
            usage,
        } = failure;
        self.hub.fail(&token, error, retry_after, usage).await?;
        reply(FailTaskResponse {}, &self.limits)
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "HeartbeatTask", token = request.get_ref().token))]
    async fn heartbeat_task(
        &self,
        request: Request<HeartbeatTaskRequest>,
    ) -> Result<Response<HeartbeatTaskResponse>, Status> {
        let token = convert::heartbeat(request.into_inner().token, &self.limits)?;
        let response = self.hub.heartbeat(&token).await?;
        reply(response, &self.limits)
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "ListWorkers", namespace = request.get_ref().namespace))]
    async fn list_workers(
        &self,
        request: Request<ListWorkersRequest>,
    ) -> Result<Response<ListWorkersResponse>, Status> {
        let list = convert::list(request.into_inner(), &self.limits)?;
        let bounds = Bounds {
            items_max: list.page_size,
            bytes_max: self.limits.message_bytes_max,
        };
        let convert::List {
            namespace,
            agent,
            after,
            page_size,
        } = &list;
        let found = self.hub.workers(namespace, agent, after, page_size + 1);
        let (workers, next_page_token) =
            page::cut(found, bounds, |w| AfterName(w.worker_id.clone()));
        let response = ListWorkersResponse {
            workers,
            next_page_token,
        };
        reply(response, &self.limits)
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "DrainWorker", worker_id = request.get_ref().worker_id))]
    async fn drain_worker(
        &self,
        request: Request<DrainWorkerRequest>,
    ) -> Result<Response<DrainWorkerResponse>, Status> {
        let (namespace, worker_id) = convert::drain(request.into_inner(), &self.limits)?;
        if !self.hub.drain_worker(&namespace, &worker_id) {
            return Err(unknown_worker(worker_id).into());
        }
        reply(DrainWorkerResponse {}, &self.limits)
    }
}

fn unknown_worker(name: String) -> Error {
    Error::NotFound {
        kind: "worker",
        name,
    }
}

/// Connects a worker whose first message is Hello: the messages down to it.
async fn open<U>(
    hub: Hub,
    limits: Limits,
    mut up: U,
) -> Result<impl Stream<Item = Result<WorkResponse, Status>>, Status>
where
    U: Stream<Item = Result<WorkRequest, Status>> + Unpin + Send + 'static,
{
    let hello = convert::hello(first(&mut up).await?, &limits)?;
    let (session, welcome, down) = hub.connect(hello).await?;
    let (failed, failure) = oneshot::channel();
    tokio::spawn(listen(session, up, failed).in_current_span());
    let welcome = message(work_response::Message::Welcome(welcome));
    Ok(stream::once(ready(Ok(welcome))).chain(downward(down, failure)))
}

async fn first<U>(up: &mut U) -> Result<Hello, Status>
where
    U: Stream<Item = Result<WorkRequest, Status>> + Unpin,
{
    let first = up.next().await.transpose().map_err(of_transport)?;
    match first.and_then(|request| request.message) {
        Some(work_request::Message::Hello(hello)) => Ok(hello),
        _ => Err(Status::from(Refusal::Invalid {
            field: "hello".into(),
            message: "the first message must be Hello".into(),
        })),
    }
}

/// Hands what a worker says to its session until the worker hangs up or the stream down to it
/// is gone. The session ends with this.
async fn listen<U>(session: Session, mut up: U, mut failed: oneshot::Sender<Status>)
where
    U: Stream<Item = Result<WorkRequest, Status>> + Unpin,
{
    let refused = loop {
        let next = tokio::select! {
            next = up.next() => next,
            () = failed.closed() => return,
        };
        match next {
            None => return,
            Some(Err(status)) => break of_transport(status),
            Some(Ok(WorkRequest { message: None })) => {}
            Some(Ok(WorkRequest {
                message: Some(message),
            })) => {
                if let Err(refusal) = session.handle(message).await {
                    break Status::from(refusal);
                }
            }
        }
    };
    // Without a receiver the stream down is gone, and nobody is there to be told.
    let _ = failed.send(refused);
}

/// The messages down, until the hub has no more or the worker broke the protocol.
fn downward(
    down: mpsc::Receiver<work_response::Message>,
    failure: oneshot::Receiver<Status>,
) -> impl Stream<Item = Result<WorkResponse, Status>> {
    let open = Some((down, failure.fuse()));
    stream::unfold(open, |open| async move {
        let (mut down, mut failure) = open?;
        tokio::select! {
            biased;
            Ok(status) = &mut failure => Some((Err(status), None)),
            next = down.recv() => Some((Ok(message(next?)), Some((down, failure)))),
        }
    })
}

fn message(message: work_response::Message) -> WorkResponse {
    WorkResponse {
        message: Some(message),
    }
}

fn of_transport(status: Status) -> Status {
    status::of_transport(&status).unwrap_or(status)
}
