//! The requests of ExecutionService.

use std::collections::HashSet;

use prost::Message;
use uuid::Uuid;

use super::{Fields, Rejected};
use crate::{
    api::page::{AfterExecution, AfterSequence, AfterStep},
    core::{
        execution::{Query, StepState},
        limits::Limits,
        time::Time,
        value,
    },
    engine::Start,
    proto::{
        ExecutionFilter, ListEventsRequest, ListExecutionsRequest, ListStepsRequest,
        ResumeExecutionRequest, RunExecutionRequest, StartAndWatchRequest, StartExecutionRequest,
        WatchExecutionRequest, WatchExecutionsRequest, execution,
    },
};

/// The size of a page of events when the request leaves it out.
const EVENTS_PAGE_SIZE_DEFAULT: usize = 100;

/// An execution, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its namespace.
    pub namespace: String,
    /// Its id.
    pub id: Uuid,
}

/// A page of executions.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// The namespace.
    pub namespace: String,
    /// Which ones.
    pub filter: ExecutionFilter,
    /// After this one.
    pub cursor: Option<Uuid>,
    /// The most there may be.
    pub page_size: usize,
}

/// Events of an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// Whose.
    pub execution: Named,
    /// Only those with a greater sequence.
    pub after: u64,
    /// The most there may be.
    pub page_size: usize,
}

/// The start in a RunExecution.
pub fn of_run(request: RunExecutionRequest) -> StartExecutionRequest {
    StartExecutionRequest {
        namespace: request.namespace,
        workflow: request.workflow,
        version: request.version,
        definition: request.definition,
        input: request.input,
        request_id: request.request_id,
        labels: request.labels,
    }
}

/// The start in a StartAndWatch.
pub fn of_start_and_watch(request: StartAndWatchRequest) -> StartExecutionRequest {
    StartExecutionRequest {
        namespace: request.namespace,
        workflow: request.workflow,
        version: request.version,
        definition: request.definition,
        input: request.input,
        request_id: request.request_id,
        labels: request.labels,
    }
}

/// What to start.
pub fn start(request: StartExecutionRequest, limits: &Limits) -> Result<Start, Rejected> {
    let mut fields = Fields::new(limits);
    what_to_run(&mut fields, &request, limits);
    fields.payload("input", request.input.as_ref());
    let start = Start {
        namespace: fields.namespace(request.namespace),
        workflow: request.workflow,
        version: request.version,
        definition: request.definition,
        input: request.input,
        request_id: fields.optional_key("request_id", request.request_id),
        labels: fields.labels("labels", request.labels),
    };
    fields.finish(start)
}

/// The execution that a request names.
pub fn named(namespace: String, id: &str, limits: &Limits) -> Result<Named, Rejected> {
    let mut fields = Fields::new(limits);
    let named = read_named(&mut fields, namespace, id);
    fields.finish(named)
}

/// The execution that a request names, and why.
pub fn named_with_reason(
    namespace: String,
    id: &str,
    reason: String,
    limits: &Limits,
) -> Result<(Named, String), Rejected> {
    let mut fields = Fields::new(limits);
    let named = read_named(&mut fields, namespace, id);
    let reason = fields.reason(reason);
    fields.finish((named, reason))
}

/// Which execution, why, and what is written into its `vars`.
pub fn resume(
    request: ResumeExecutionRequest,
    limits: &Limits,
) -> Result<(Named, String, value::Struct), Rejected> {
    let mut fields = Fields::new(limits);
    let named = read_named(&mut fields, request.namespace, &request.execution_id);
    let reason = fields.reason(request.reason);
    let variables = request.variables.unwrap_or_default();
    let written = value::object(variables.fields.clone());
    fields.payload("variables", Some(&written));
    fields.finish((named, reason, variables))
}

/// Which executions to list.
pub fn list(request: ListExecutionsRequest, limits: &Limits) -> Result<List, Rejected> {
    let mut fields = Fields::new(limits);
    let list = List {
        namespace: fields.namespace(request.namespace),
        filter: read_filter(&mut fields, request.filter),
        cursor: fields
            .page_token(&request.page_token)
            .map(|AfterExecution(id)| id),
        page_size: fields.page_size(request.page_size, super::PAGE_SIZE_DEFAULT),
    };
    fields.finish(list)
}

/// Which events to list.
pub fn events(request: ListEventsRequest, limits: &Limits) -> Result<Events, Rejected> {
    let mut fields = Fields::new(limits);
    let token = fields.page_token(&request.page_token);
    let events = Events {
        execution: read_named(&mut fields, request.namespace, &request.execution_id),
        after: token.map_or(request.after_sequence, |AfterSequence(sequence)| sequence),
        page_size: fields.page_size(request.page_size, EVENTS_PAGE_SIZE_DEFAULT),
    };
    fields.finish(events)
}

/// Which steps to list.
pub fn steps(request: ListStepsRequest, limits: &Limits) -> Result<(Named, Query), Rejected> {
    let mut fields = Fields::new(limits);
    let token = fields.page_token(&request.page_token);
    let mut states = Vec::with_capacity(request.states.len());
    for (i, state) in request.states.iter().enumerate() {
        match StepState::try_from(*state) {
            Err(_) | Ok(StepState::Unspecified) => {
                fields.reject(format!("states[{i}]"), format!("{state} is no state"));
            }
            Ok(state) => states.push(state),
        }
    }
    let query = Query {
        path_prefix: request.path_prefix,
        states,
        after: token.map_or(Vec::new(), |AfterStep(place)| place),
        limit: fields.page_size(request.page_size, super::PAGE_SIZE_DEFAULT),
        bytes_max: limits.message_bytes_max,
    };
    let named = read_named(&mut fields, request.namespace, &request.execution_id);
    fields.finish((named, query))
}

/// Which execution to follow.
pub fn watch(request: WatchExecutionRequest, limits: &Limits) -> Result<(Named, u64), Rejected> {
    let named = named(request.namespace, &request.execution_id, limits)?;
    Ok((named, request.after_sequence))
}

/// Which executions to follow.
pub fn watch_all(
    request: WatchExecutionsRequest,
    limits: &Limits,
) -> Result<(String, ExecutionFilter), Rejected> {
    let mut fields = Fields::new(limits);
    let namespace = fields.namespace(request.namespace);
    let filter = read_filter(&mut fields, request.filter);
    fields.finish((namespace, filter))
}

fn what_to_run(fields: &mut Fields<'_>, request: &StartExecutionRequest, limits: &Limits) {
    match (&request.definition, request.workflow.is_empty()) {
        (None, true) => fields.reject("workflow", "required: give this or `definition`"),
        (None, false) => {
            fields.lower_name("workflow", request.workflow.clone());
        }
        (Some(_), false) => fields.reject("definition", "give `workflow` or this, not both"),
        (Some(definition), true) => {
            if request.version != 0 {
                fields.reject("version", "goes with `workflow`, not with `definition`");
            }
            let most = limits.workflow_bytes_max;
            fields.size(
                "definition",
                "workflow_bytes_max",
                definition.encoded_len(),
                most,
            );
        }
    }
}

fn read_named(fields: &mut Fields<'_>, namespace: String, id: &str) -> Named {
    Named {
        namespace: fields.namespace(namespace),
        id: fields.execution_id(id),
    }
}

fn read_filter(fields: &mut Fields<'_>, filter: Option<ExecutionFilter>) -> ExecutionFilter {
    let mut filter = filter.unwrap_or_default();
    if !filter.workflow.is_empty() {
        filter.workflow = fields.lower_name("filter.workflow", filter.workflow);
    }
    for (i, state) in filter.states.iter().enumerate() {
        if matches!(
            execution::State::try_from(*state),
            Err(_) | Ok(execution::State::Unspecified)
        ) {
            fields.reject(
                format!("filter.states[{i}]"),
                format!("{state} is no state"),
            );
        }
    }
    let distinct: HashSet<i32> = filter.states.drain(..).collect();
    filter.states.extend(distinct);
    filter.states.sort_unstable();
    filter.labels = fields.labels("filter.labels", filter.labels);
    if !filter.parent_execution_id.is_empty() {
        let parent = fields.uuid("filter.parent_execution_id", &filter.parent_execution_id);
        filter.parent_execution_id = parent.to_string();
    }
    read_span(fields, &filter);
    filter
}

fn read_span(fields: &mut Fields<'_>, filter: &ExecutionFilter) {
    let (from, until) = (filter.create_time_from, filter.create_time_until);
    for (field, stamp) in [("from", from), ("until", until)] {
        if stamp.is_some_and(|stamp| !(0..1_000_000_000).contains(&stamp.nanos)) {
            let field = format!("filter.create_time_{field}");
            fields.reject(field, "nanos are not between 0 and 999999999");
        }
    }
    if let (Some(from), Some(until)) = (from.map(Time::from), until.map(Time::from))
        && from > until
    {
        fields.reject("filter.create_time_until", "before create_time_from");
    }
}
