use super::*;
use crate::{
    core::value,
    proto::{
        CancelExecutionRequest, DiffWorkflowsRequest, ExecutionFilter, ListEventsRequest,
        ListExecutionsRequest, ListWorkflowsRequest, PollTasksRequest, StartExecutionRequest,
        Workflow, execution::State,
    },
};

fn limits() -> Limits {
    Limits::default()
}

/// The fields named by a rejection, in order.
fn bad<T: fmt::Debug>(read: Result<T, Rejected>) -> Vec<String> {
    let rejected = read.expect_err("a bad request");
    let invalid = rejected
        .invalid
        .into_iter()
        .map(|violation| violation.field);
    let large = rejected.too_large.into_iter().map(|field| field.field);
    invalid.chain(large).collect()
}

#[test]
fn a_start_lists_every_bad_field_at_once() {
    let request = StartExecutionRequest {
        namespace: "Upper".into(),
        workflow: "has space".into(),
        request_id: "r".repeat(129),
        input: Some(value::list(vec![value::number(f64::NAN)])),
        labels: HashMap::from([(String::new(), "x".into())]),
        ..Default::default()
    };
    let fields = bad(execution::start(request, &limits()));
    assert_eq!(
        fields,
        [
            "workflow",
            "input/0",
            "namespace",
            "request_id",
            "labels[\"\"]"
        ]
    );
}

#[test]
fn a_start_names_a_workflow_or_brings_a_definition() {
    let neither = StartExecutionRequest::default();
    assert_eq!(bad(execution::start(neither, &limits())), ["workflow"]);
    let both = StartExecutionRequest {
        workflow: "a".into(),
        definition: Some(Workflow::default()),
        ..Default::default()
    };
    assert_eq!(bad(execution::start(both, &limits())), ["definition"]);
    let versioned = StartExecutionRequest {
        version: 2,
        definition: Some(Workflow::default()),
        ..Default::default()
    };
    assert_eq!(bad(execution::start(versioned, &limits())), ["version"]);
}

#[test]
fn a_payload_over_its_limit_names_field_and_limit() {
    let limits = Limits {
        payload_bytes_max: 10,
        ..limits()
    };
    let request = StartExecutionRequest {
        workflow: "a".into(),
        input: Some(value::string("longer than ten bytes")),
        ..Default::default()
    };
    let rejected = execution::start(request, &limits).expect_err("too large");
    assert_eq!(rejected.invalid, []);
    let text = rejected.too_large[0].to_string();
    assert_eq!(text, "input has 23 bytes, payload_bytes_max is 10");
}

#[test]
fn a_good_start_comes_through_with_the_default_namespace() {
    let request = StartExecutionRequest {
        workflow: "order".into(),
        version: 3,
        request_id: "once".into(),
        ..Default::default()
    };
    let start = execution::start(request, &limits()).expect("a good request");
    assert_eq!(
        (start.namespace.as_str(), start.workflow.as_str()),
        ("default", "order")
    );
    assert_eq!((start.version, start.request_id.as_str()), (3, "once"));
}

#[test]
fn an_execution_id_is_uuid_text_with_dashes() {
    let good = "018f6b1c-3c5e-7a90-9b1d-1f2e3d4c5b6a";
    let named = execution::named(String::new(), good, &limits()).expect("a UUID");
    assert_eq!(named.id.to_string(), good);
    for text in [
        "",
        "42",
        "018f6b1c3c5e7a909b1d1f2e3d4c5b6a",
        "{018f6b1c-3c5e-7a90-9b1d-1f2e3d4c5b6a}",
    ] {
        let read = execution::named(String::new(), text, &limits());
        assert_eq!(bad(read), ["execution_id"], "{text}");
    }
}

#[test]
fn a_cancel_lists_id_namespace_and_reason() {
    let request = CancelExecutionRequest {
        namespace: "a b".into(),
        execution_id: "nope".into(),
        reason: "r".repeat(1025),
    };
    let read = execution::named_with_reason(
        request.namespace,
        &request.execution_id,
        request.reason,
        &limits(),
    );
    assert_eq!(bad(read), ["namespace", "execution_id", "reason"]);
}

#[test]
fn a_list_checks_its_page_and_its_filter() {
    let stamp = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let request = ListExecutionsRequest {
        filter: Some(ExecutionFilter {
            states: vec![State::Failed.into(), 99, 0],
            create_time_from: stamp(20),
            create_time_until: stamp(10),
            ..Default::default()
        }),
        page_size: -1,
        page_token: "made up".into(),
        ..Default::default()
    };
    let fields = bad(execution::list(request, &limits()));
    let states = ["filter.states[1]", "filter.states[2]"];
    assert_eq!(fields[..2], states);
    assert_eq!(
        fields[2..],
        ["filter.create_time_until", "page_token", "page_size"]
    );
}

#[test]
fn a_page_is_at_most_what_the_limit_allows() {
    let request = |page_size| ListEventsRequest {
        execution_id: Uuid::from_u128(1).to_string(),
        page_size,
        ..Default::default()
    };
    assert_eq!(
        bad(execution::events(request(1001), &limits())),
        ["page_size"]
    );
    let read = execution::events(request(0), &limits()).expect("the default");
    assert_eq!(read.page_size, 100);
}

#[test]
fn the_token_of_a_page_goes_before_the_sequence_asked_for_first() {
    use crate::api::page::AfterSequence;
    let request = ListEventsRequest {
        execution_id: Uuid::from_u128(1).to_string(),
        after_sequence: 5,
        page_token: AfterSequence(105).token(),
        ..Default::default()
    };
    let read = execution::events(request, &limits()).expect("a good request");
    assert_eq!(read.after, 105);
}

#[test]
fn a_definition_is_given_once_and_within_its_limit() {
    let read = |workflow, source: &str, limits: &Limits| {
        workflow::definition(String::new(), workflow, source.into(), limits)
    };
    assert_eq!(bad(read(None, "", &limits())), ["workflow"]);
    assert_eq!(
        bad(read(Some(Workflow::default()), "name: a", &limits())),
        ["source"]
    );
    let small = Limits {
        workflow_bytes_max: 3,
        ..limits()
    };
    let named = Workflow {
        name: "too-long".into(),
        ..Default::default()
    };
    assert_eq!(bad(read(Some(named), "", &small)), ["workflow"]);
}

#[test]
fn a_list_of_versions_takes_no_token_of_a_list_of_names() {
    use crate::api::page::AfterName;
    let request = ListWorkflowsRequest {
        name: "order".into(),
        page_token: AfterName("order".into()).token(),
        ..Default::default()
    };
    assert_eq!(bad(workflow::list(request, &limits())), ["page_token"]);
}

#[test]
fn a_diff_needs_a_name() {
    let request = DiffWorkflowsRequest::default();
    assert_eq!(bad(workflow::diff(request, &limits())), ["name"]);
}

#[test]
fn a_poll_lists_every_bad_field_at_once() {
    let request = PollTasksRequest {
        agents: vec!["good".into(), "not good".into()],
        max_tasks: 101,
        wait_timeout: Some(prost_types::Duration {
            seconds: -1,
            nanos: 0,
        }),
        ..Default::default()
    };
    let fields = bad(worker::poll(request, &limits()));
    assert_eq!(
        fields,
        ["worker_id", "agents[1]", "max_tasks", "wait_timeout"]
    );
}
