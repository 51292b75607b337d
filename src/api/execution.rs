//! ExecutionService: starts, follows and ends executions.

use prost::Message;
use tokio::time::{Instant, timeout_at};
use tonic::{Request, Response, Status};
use tracing::instrument;
use uuid::Uuid;

use super::{
    convert::execution as convert,
    deadline,
    follow::{self, Messages},
    omit,
    page::{self, AfterExecution, AfterSequence, AfterStep, Bounds, Cursor},
    reply::reply,
    stop::Stop,
};
use crate::{
    core::limits::Limits,
    engine::{Handle, Watched},
    proto::{
        CancelExecutionRequest, CancelExecutionResponse, DeleteExecutionRequest,
        DeleteExecutionResponse, Event, Execution, GetExecutionRequest, GetExecutionResponse,
        ListEventsRequest, ListEventsResponse, ListExecutionsRequest, ListExecutionsResponse,
        ListStepsRequest, ListStepsResponse, PauseExecutionRequest, PauseExecutionResponse,
        ResumeExecutionRequest, ResumeExecutionResponse, RunExecutionRequest, RunExecutionResponse,
        StartAndWatchRequest, StartAndWatchResponse, StartExecutionRequest, StartExecutionResponse,
        TerminateExecutionRequest, TerminateExecutionResponse, WatchExecutionRequest,
        WatchExecutionResponse, WatchExecutionsRequest, WatchExecutionsResponse,
        execution_service_server::ExecutionService,
    },
};

/// Events read at once: a page of large ones is not read whole before it is cut.
const EVENTS_BATCH: usize = 100;

/// The service.
pub struct Service {
    engine: Handle,
    stop: Stop,
}

impl Service {
    /// The service over an engine.
    pub fn new(engine: Handle, stop: Stop) -> Self {
        Self { engine, stop }
    }

    fn limits(&self) -> &Limits {
        self.engine.limits()
    }

    fn bounds(&self, items_max: usize) -> Bounds {
        let bytes_max = self.limits().message_bytes_max;
        Bounds {
            items_max,
            bytes_max,
        }
    }

    /// Starts what a request asks for: the namespace and the execution's id.
    async fn start(&self, request: StartExecutionRequest) -> Result<(String, Uuid), Status> {
        let start = convert::start(request, self.limits())?;
        let namespace = start.namespace.clone();
        let id = self.engine.start(start).await?;
        Ok((namespace, id))
    }

    /// Ends when the caller's time or the server's is up.
    async fn patience(&self, until: Option<Instant>) {
        let mut stop = self.stop.clone();
        match until {
            Some(until) => drop(timeout_at(until, stop.wait()).await),
            None => stop.wait().await,
        }
    }

    /// The execution, without the payloads that no message could hold.
    fn fitted(&self, execution: Execution) -> Execution {
        omit::fitted(execution, self.limits().message_bytes_max)
    }

    /// One event more than the page holds, if there is one and the page is not full of bytes.
    async fn events(&self, query: &convert::Events) -> Result<Vec<Event>, Status> {
        let convert::Named { namespace, id } = &query.execution;
        let (mut events, mut bytes) = (Vec::<Event>::new(), 0);
        let bytes_max = self.limits().message_bytes_max;
        while events.len() <= query.page_size && bytes <= bytes_max {
            let after = events.last().map_or(query.after, |event| event.sequence);
            let limit = EVENTS_BATCH.min(query.page_size + 1 - events.len());
            let room = bytes_max - bytes;
            let page = self.engine.events(namespace, *id, after, limit, room);
            let page = page.await?;
            let (batch, last) = (page.items, page.next.is_none());
            bytes += batch.iter().map(Message::encoded_len).sum::<usize>();
            events.extend(batch);
            if last {
                break;
            }
        }
        Ok(events)
    }
}

#[tonic::async_trait]
impl ExecutionService for Service {
    #[instrument(level = "debug", skip_all, fields(rpc = "StartExecution", workflow = request.get_ref().workflow))]
    async fn start_execution(
        &self,
        request: Request<StartExecutionRequest>,
    ) -> Result<Response<StartExecutionResponse>, Status> {
        let (_, id) = self.start(request.into_inner()).await?;
        let execution_id = id.to_string();
        reply(StartExecutionResponse { execution_id }, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "RunExecution", workflow = request.get_ref().workflow))]
    async fn run_execution(
        &self,
        request: Request<RunExecutionRequest>,
    ) -> Result<Response<RunExecutionResponse>, Status> {
        let until = deadline::answer_by(&request);
        let start = convert::start(convert::of_run(request.into_inner()), self.limits())?;
        let execution = self.engine.run(start, self.patience(until)).await?;
        let response = RunExecutionResponse {
            execution_id: execution.execution_id.clone(),
            execution: Some(self.fitted(execution)),
        };
        reply(response, self.limits())
    }

    type StartAndWatchStream = Messages<StartAndWatchResponse>;

    #[instrument(level = "debug", skip_all, fields(rpc = "StartAndWatch", workflow = request.get_ref().workflow))]
    async fn start_and_watch(
        &self,
        request: Request<StartAndWatchRequest>,
    ) -> Result<Response<Self::StartAndWatchStream>, Status> {
        let request = convert::of_start_and_watch(request.into_inner());
        let (namespace, id) = self.start(request).await?;
        let watch = self.engine.watch(&namespace, id, 0).await?;
        let stream = follow::stream(watch, self.stop.clone(), |item| {
            let (event, chunk) = split(item);
            StartAndWatchResponse { event, chunk }
        });
        Ok(Response::new(stream))
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "GetExecution", execution_id = request.get_ref().execution_id))]
    async fn get_execution(
        &self,
        request: Request<GetExecutionRequest>,
    ) -> Result<Response<GetExecutionResponse>, Status> {
        let request = request.into_inner();
        let named = convert::named(request.namespace, &request.execution_id, self.limits())?;
        let execution = self.engine.execution(&named.namespace, named.id).await?;
        let execution = Some(self.fitted(execution));
        reply(GetExecutionResponse { execution }, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "ListExecutions", namespace = request.get_ref().namespace))]
    async fn list_executions(
        &self,
        request: Request<ListExecutionsRequest>,
    ) -> Result<Response<ListExecutionsResponse>, Status> {
        let list = convert::list(request.into_inner(), self.limits())?;
        let (namespace, limit) = (&list.namespace, list.page_size);
        let found = self
            .engine
            .executions(namespace, list.filter, list.cursor, limit)
            .await?;
        let place =
            |last: &Execution| AfterExecution(last.execution_id.parse().unwrap_or_default());
        let (executions, cut) = page::cut(found.items, self.bounds(limit), place);
        let next = found.next.map(|id| AfterExecution(id).token());
        let response = ListExecutionsResponse {
            executions,
            next_page_token: if cut.is_empty() {
                next.unwrap_or_default()
            } else {
                cut
            },
        };
        reply(response, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "ListSteps", execution_id = request.get_ref().execution_id))]
    async fn list_steps(
        &self,
        request: Request<ListStepsRequest>,
    ) -> Result<Response<ListStepsResponse>, Status> {
        let (named, query) = convert::steps(request.into_inner(), self.limits())?;
        let limit = query.limit;
        let listed = self.engine.steps(&named.namespace, named.id, query).await?;
        let (mut places, steps): (Vec<_>, Vec<_>) = listed.steps.into_iter().unzip();
        let count = steps.len();
        let (steps, cut) = page::cut(steps, self.bounds(limit), |_| AfterStep(Vec::new()));
        places.truncate(steps.len());
        let more = listed.more || steps.len() < count || !cut.is_empty();
        let next = places.pop().filter(|_| more);
        let response = ListStepsResponse {
            steps,
            next_page_token: next.map_or(String::new(), |place| AfterStep(place).token()),
        };
        reply(response, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "ListEvents", execution_id = request.get_ref().execution_id))]
    async fn list_events(
        &self,
        request: Request<ListEventsRequest>,
    ) -> Result<Response<ListEventsResponse>, Status> {
        let query = convert::events(request.into_inner(), self.limits())?;
        let found = self.events(&query).await?;
        let place = |last: &Event| AfterSequence(last.sequence);
        let (events, next_page_token) = page::cut(found, self.bounds(query.page_size), place);
        let response = ListEventsResponse {
            events,
            next_page_token,
        };
        reply(response, self.limits())
    }

    type WatchExecutionStream = Messages<WatchExecutionResponse>;

    #[instrument(level = "debug", skip_all, fields(rpc = "WatchExecution", execution_id = request.get_ref().execution_id))]
    async fn watch_execution(
        &self,
        request: Request<WatchExecutionRequest>,
    ) -> Result<Response<Self::WatchExecutionStream>, Status> {
        let (named, after) = convert::watch(request.into_inner(), self.limits())?;
        let watch = self.engine.watch(&named.namespace, named.id, after).await?;
        let stream = follow::stream(watch, self.stop.clone(), |item| {
            let (event, chunk) = split(item);
            WatchExecutionResponse { event, chunk }
        });
        Ok(Response::new(stream))
    }

    type WatchExecutionsStream = Messages<WatchExecutionsResponse>;

    #[instrument(level = "debug", skip_all, fields(rpc = "WatchExecutions", namespace = request.get_ref().namespace))]
    async fn watch_executions(
        &self,
        request: Request<WatchExecutionsRequest>,
    ) -> Result<Response<Self::WatchExecutionsStream>, Status> {
        let (namespace, filter) = convert::watch_all(request.into_inner(), self.limits())?;
        let watch = self.engine.watch_all(&namespace, filter).await?;
        let stream = follow::stream(watch, self.stop.clone(), |execution| {
            let execution = Some(execution);
            WatchExecutionsResponse { execution }
        });
        Ok(Response::new(stream))
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "CancelExecution", execution_id = request.get_ref().execution_id))]
    async fn cancel_execution(
        &self,
        request: Request<CancelExecutionRequest>,
    ) -> Result<Response<CancelExecutionResponse>, Status> {
        let CancelExecutionRequest {
            namespace,
            execution_id: id,
            reason,
        } = request.into_inner();
        let (named, reason) = convert::named_with_reason(namespace, &id, reason, self.limits())?;
        let execution = self
            .engine
            .cancel(&named.namespace, named.id, reason)
            .await?;
        let execution = Some(self.fitted(execution));
        reply(CancelExecutionResponse { execution }, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "TerminateExecution", execution_id = request.get_ref().execution_id))]
    async fn terminate_execution(
        &self,
        request: Request<TerminateExecutionRequest>,
    ) -> Result<Response<TerminateExecutionResponse>, Status> {
        let TerminateExecutionRequest {
            namespace,
            execution_id: id,
            reason,
        } = request.into_inner();
        let (named, reason) = convert::named_with_reason(namespace, &id, reason, self.limits())?;
        let execution = self
            .engine
            .terminate(&named.namespace, named.id, reason)
            .await?;
        let execution = Some(self.fitted(execution));
        reply(TerminateExecutionResponse { execution }, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "PauseExecution", execution_id = request.get_ref().execution_id))]
    async fn pause_execution(
        &self,
        request: Request<PauseExecutionRequest>,
    ) -> Result<Response<PauseExecutionResponse>, Status> {
        let PauseExecutionRequest {
            namespace,
            execution_id: id,
            reason,
        } = request.into_inner();
        let (named, reason) = convert::named_with_reason(namespace, &id, reason, self.limits())?;
        let execution = self
            .engine
            .pause(&named.namespace, named.id, reason)
            .await?;
        let execution = Some(self.fitted(execution));
        reply(PauseExecutionResponse { execution }, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "ResumeExecution", execution_id = request.get_ref().execution_id))]
    async fn resume_execution(
        &self,
        request: Request<ResumeExecutionRequest>,
    ) -> Result<Response<ResumeExecutionResponse>, Status> {
        let (named, reason, variables) = convert::resume(request.into_inner(), self.limits())?;
        let execution = self
            .engine
            .resume(&named.namespace, named.id, reason, variables)
            .await?;
        let execution = Some(self.fitted(execution));
        reply(ResumeExecutionResponse { execution }, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "DeleteExecution", execution_id = request.get_ref().execution_id))]
    async fn delete_execution(
        &self,
        request: Request<DeleteExecutionRequest>,
    ) -> Result<Response<DeleteExecutionResponse>, Status> {
        let request = request.into_inner();
        let named = convert::named(request.namespace, &request.execution_id, self.limits())?;
        self.engine.delete(&named.namespace, named.id).await?;
        reply(DeleteExecutionResponse {}, self.limits())
    }
}

fn split(item: Watched) -> (Option<Event>, Option<crate::proto::Chunk>) {
    match item {
        Watched::Event(event) => (Some(*event), None),
        Watched::Chunk(chunk) => (None, Some(chunk)),
    }
}
