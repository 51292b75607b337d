//! The services of the fake: what is scripted goes to the test, the rest is unimplemented.

use futures::stream::BoxStream;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::{ReceiverStream, UnboundedReceiverStream};
use tonic::{Request, Response, Status, Streaming};
use tutti_client::proto::{
    self, WorkRequest, WorkResponse, execution_service_server::ExecutionService,
    worker_service_server::WorkerService,
};

use super::{Run, Session, Watched};

pub struct Workers(pub mpsc::UnboundedSender<Session>);

#[tonic::async_trait]
impl WorkerService for Workers {
    type WorkStream = BoxStream<'static, Result<WorkResponse, Status>>;

    async fn work(
        &self,
        request: Request<Streaming<WorkRequest>>,
    ) -> Result<Response<Self::WorkStream>, Status> {
        let (down, sent) = mpsc::unbounded_channel();
        let up = request.into_inner();
        self.0.send(Session { up, down }).ok();
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(sent))))
    }

    async fn poll_tasks(
        &self,
        _: Request<proto::PollTasksRequest>,
    ) -> Result<Response<proto::PollTasksResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn complete_task(
        &self,
        _: Request<proto::CompleteTaskRequest>,
    ) -> Result<Response<proto::CompleteTaskResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn fail_task(
        &self,
        _: Request<proto::FailTaskRequest>,
    ) -> Result<Response<proto::FailTaskResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn heartbeat_task(
        &self,
        _: Request<proto::HeartbeatTaskRequest>,
    ) -> Result<Response<proto::HeartbeatTaskResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn list_workers(
        &self,
        _: Request<proto::ListWorkersRequest>,
    ) -> Result<Response<proto::ListWorkersResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn drain_worker(
        &self,
        _: Request<proto::DrainWorkerRequest>,
    ) -> Result<Response<proto::DrainWorkerResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }
}

pub struct Executions {
    pub new_watch: mpsc::UnboundedSender<Watched>,
    pub new_run: mpsc::UnboundedSender<Run>,
}

#[tonic::async_trait]
impl ExecutionService for Executions {
    type WatchExecutionStream = ReceiverStream<Result<proto::WatchExecutionResponse, Status>>;
    type StartAndWatchStream = BoxStream<'static, Result<proto::StartAndWatchResponse, Status>>;
    type WatchExecutionsStream = BoxStream<'static, Result<proto::WatchExecutionsResponse, Status>>;

    async fn watch_execution(
        &self,
        request: Request<proto::WatchExecutionRequest>,
    ) -> Result<Response<Self::WatchExecutionStream>, Status> {
        let (down, sent) = mpsc::channel(16);
        let request = request.into_inner();
        self.new_watch.send(Watched { request, down }).ok();
        Ok(Response::new(ReceiverStream::new(sent)))
    }

    async fn start_execution(
        &self,
        _: Request<proto::StartExecutionRequest>,
    ) -> Result<Response<proto::StartExecutionResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn run_execution(
        &self,
        request: Request<proto::RunExecutionRequest>,
    ) -> Result<Response<proto::RunExecutionResponse>, Status> {
        let (answer, answered) = oneshot::channel();
        let request = request.into_inner();
        self.new_run.send(Run { request, answer }).ok();
        answered.await.unwrap().map(Response::new)
    }

    async fn start_and_watch(
        &self,
        _: Request<proto::StartAndWatchRequest>,
    ) -> Result<Response<Self::StartAndWatchStream>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn get_execution(
        &self,
        _: Request<proto::GetExecutionRequest>,
    ) -> Result<Response<proto::GetExecutionResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn list_executions(
        &self,
        _: Request<proto::ListExecutionsRequest>,
    ) -> Result<Response<proto::ListExecutionsResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn pause_execution(
        &self,
        _: Request<proto::PauseExecutionRequest>,
    ) -> Result<Response<proto::PauseExecutionResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn resume_execution(
        &self,
        _: Request<proto::ResumeExecutionRequest>,
    ) -> Result<Response<proto::ResumeExecutionResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn list_steps(
        &self,
        _: Request<proto::ListStepsRequest>,
    ) -> Result<Response<proto::ListStepsResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn list_events(
        &self,
        _: Request<proto::ListEventsRequest>,
    ) -> Result<Response<proto::ListEventsResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn watch_executions(
        &self,
        _: Request<proto::WatchExecutionsRequest>,
    ) -> Result<Response<Self::WatchExecutionsStream>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn cancel_execution(
        &self,
        _: Request<proto::CancelExecutionRequest>,
    ) -> Result<Response<proto::CancelExecutionResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn terminate_execution(
        &self,
        _: Request<proto::TerminateExecutionRequest>,
    ) -> Result<Response<proto::TerminateExecutionResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }

    async fn delete_execution(
        &self,
        _: Request<proto::DeleteExecutionRequest>,
    ) -> Result<Response<proto::DeleteExecutionResponse>, Status> {
        Err(Status::unimplemented("not scripted"))
    }
}
