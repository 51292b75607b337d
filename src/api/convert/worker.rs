//! The unary requests of WorkerService.

use std::time::Duration;

use super::{Fields, Rejected};
use crate::{
    agents,
    api::page::AfterName,
    core::{
        limits::Limits,
        value::{self, Value},
    },
    proto::{
        CompleteTaskRequest, DrainWorkerRequest, FailTaskRequest, Hello, ListWorkersRequest,
        PollTasksRequest, TaskFailure, Usage,
    },
};

/// The most tasks of one poll.
const TASKS_MAX: u32 = 100;
/// The longest wait of one poll.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The longest wait that a worker may ask for before the next attempt.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A poll for tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// The namespace.
    pub namespace: String,
    /// Who asks.
    pub worker_id: String,
    /// For which agents; at least one.
    pub agents: Vec<String>,
    /// The most tasks; at least 1.
    pub max_tasks: u32,
    /// How long to wait for the first.
    pub wait: Duration,
}

/// A page of workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The namespace.
    pub namespace: String,
    /// Only those that serve this agent, when not empty.
    pub agent: String,
    /// Only those with a greater id.
    pub after: String,
    /// The most there may be.
    pub page_size: usize,
}

/// Who a worker is; its agents are checked too.
pub fn hello(mut hello: Hello, limits: &Limits) -> Result<Hello, Rejected> {
    let mut fields = Fields::new(limits);
    hello.namespace = fields.namespace_at("hello.namespace", hello.namespace);
    for (field, message) in agents::validate_hello(&hello) {
        fields.reject(format!("hello.{field}"), message);
    }
    fields.finish(hello)
}

/// What to poll for.
pub fn poll(request: PollTasksRequest, limits: &Limits) -> Result<Poll, Rejected> {
    let mut fields = Fields::new(limits);
    if request.agents.is_empty() {
        fields.reject("agents", "required: at least one");
    }
    let agents = request.agents.into_iter().enumerate();
    let poll = Poll {
        namespace: fields.namespace(request.namespace),
        worker_id: fields.key("worker_id", request.worker_id),
        agents: agents
            .map(|(i, id)| fields.id(&format!("agents[{i}]"), id))
            .collect(),
        max_tasks: fields.count("max_tasks", request.max_tasks, 1, TASKS_MAX),
        wait: fields.span("wait_timeout", request.wait_timeout.as_ref(), WAIT_MAX),
    };
    fields.finish(poll)
}

/// The output of a task: its token, what the agent gave, what it used. Its size is for the hub
/// to judge: an attempt whose output is too large has failed.
pub fn complete(
    request: CompleteTaskRequest,
    limits: &Limits,
) -> Result<(String, Value, Option<Usage>), Rejected> {
    let mut fields = Fields::new(limits);
    required_token(&mut fields, &request.token);
    read_usage(&mut fields, request.usage.as_ref());
    let output = request.output.unwrap_or_else(value::null);
    fields.json("output", &output);
    fields.finish((request.token, output, request.usage))
}

/// The failure of a task.
pub fn fail(request: FailTaskRequest, limits: &Limits) -> Result<TaskFailure, Rejected> {
    let mut fields = Fields::new(limits);
    required_token(&mut fields, &request.token);
    fields.span("retry_after", request.retry_after.as_ref(), RETRY_AFTER_MAX);
    read_usage(&mut fields, request.usage.as_ref());
    let failure = TaskFailure {
        token: request.token,
        error: request.error,
        retry_after: request.retry_after,
        usage: request.usage,
    };
    fields.finish(failure)
}

/// The token of a task that is still worked on.
pub fn heartbeat(token: String, limits: &Limits) -> Result<String, Rejected> {
    let mut fields = Fields::new(limits);
    required_token(&mut fields, &token);
    fields.finish(token)
}

/// Which workers to list.
pub fn list(request: ListWorkersRequest, limits: &Limits) -> Result<List, Rejected> {
    let mut fields = Fields::new(limits);
    let after = fields.page_token(&request.page_token);
    let mut agent = request.agent;
    if !agent.is_empty() {
        agent = fields.id("agent", agent);
    }
    let list = List {
        namespace: fields.namespace(request.namespace),
        agent,
        after: after.map_or_else(String::new, |AfterName(id)| id),
        page_size: fields.page_size(request.page_size, super::PAGE_SIZE_DEFAULT),
    };
    fields.finish(list)
}

/// The worker to drain: its namespace and id.
pub fn drain(request: DrainWorkerRequest, limits: &Limits) -> Result<(String, String), Rejected> {
    let mut fields = Fields::new(limits);
    let namespace = fields.namespace(request.namespace);
    let worker_id = fields.key("worker_id", request.worker_id);
    fields.finish((namespace, worker_id))
}

/// Only that there is a token: whether it holds a task is for the hub to say.
fn required_token(fields: &mut Fields<'_>, token: &str) {
    if token.is_empty() {
        fields.reject("token", "required");
    }
}

fn read_usage(fields: &mut Fields<'_>, usage: Option<&Usage>) {
    if usage.is_some_and(|usage| !usage.cost.is_finite() || usage.cost < 0.0) {
        fields.reject("usage.cost", "not a number from 0");
    }
}
