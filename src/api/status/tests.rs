use super::*;

fn details(status: &Status) -> ErrorDetails {
    status.get_error_details()
}

/// Code and reason; the domain is checked on the way.
fn told(status: &Status) -> (Code, String) {
    let details = details(status);
    let info = details.error_info().expect("every status has an ErrorInfo");
    assert_eq!(info.domain, DOMAIN);
    (status.code(), info.reason.clone())
}

fn violation(field: &str, message: &str) -> Violation {
    Violation {
        field: field.into(),
        message: message.into(),
    }
}

fn bad_fields(status: &Status) -> Vec<(String, String)> {
    let details = details(status);
    let bad = details.bad_request().expect("a BadRequest");
    let fields = bad.field_violations.iter();
    fields
        .map(|v| (v.field.clone(), v.description.clone()))
        .collect()
}

#[test]
fn bad_fields_are_all_in_the_bad_request() {
    let violations = vec![
        violation("a", "required"),
        violation("input/x", "not a number"),
    ];
    let status = Status::from(Error::Invalid { violations });
    assert_eq!(
        told(&status),
        (Code::InvalidArgument, "INVALID_FIELDS".into())
    );
    assert_eq!(status.message(), "a: required; input/x: not a number");
    let fields = [("a", "required"), ("input/x", "not a number")];
    assert_eq!(
        bad_fields(&status),
        fields.map(|(f, m)| (f.into(), m.into()))
    );
}

#[test]
fn findings_carry_hint_and_position() {
    let finding = Finding {
        path: "steps[0].when".into(),
        message: "unknown step `pya`".into(),
        hint: "did you mean `pay`?".into(),
        line: 4,
        column: 11,
        ..Default::default()
    };
    let status = Status::from(Error::Definition {
        findings: vec![finding],
    });
    assert_eq!(
        told(&status),
        (Code::InvalidArgument, "INVALID_DEFINITION".into())
    );
    let text = "unknown step `pya` (did you mean `pay`?), line 4 column 11";
    assert_eq!(bad_fields(&status), [("steps[0].when".into(), text.into())]);
}

#[test]
fn what_does_not_fit_into_headers_is_counted() {
    let one = |i: usize| violation(&format!("steps[{i}].id"), &"x".repeat(2000));
    let violations = (0..1000).map(one).collect();
    let status = Status::from(Error::Invalid { violations });
    let fields = bad_fields(&status);
    let (_, last) = fields.last().expect("at least one");
    assert_eq!(
        *last,
        format!("{} more violations", 1000 - (fields.len() - 1))
    );
    assert!(status.details().len() + status.message().len() < 6 << 10);
}

#[test]
fn an_unknown_thing_names_its_resource() {
    let status = Status::from(Error::NotFound {
        kind: "workflow version",
        name: "order 7".into(),
    });
    assert_eq!(
        told(&status),
        (Code::NotFound, "WORKFLOW_VERSION_NOT_FOUND".into())
    );
    let details = details(&status);
    let resource = details.resource_info().expect("a ResourceInfo");
    assert_eq!(resource.resource_type, "workflow version");
    assert_eq!(resource.resource_name, "order 7");
}

#[test]
fn a_reused_request_id_already_exists() {
    let status = Status::from(Error::RequestReused("once".into()));
    assert_eq!(
        told(&status),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".into())
    );
    let details = details(&status);
    let resource = details.resource_info().expect("a ResourceInfo");
    assert_eq!(resource.resource_name, "once");
}

#[test]
fn a_forbidding_state_is_a_failed_precondition() {
    let status = Status::from(Error::State {
        subject: "execution 1".into(),
        reason: "has ended (COMPLETED)".into(),
    });
    assert_eq!(
        told(&status),
        (Code::FailedPrecondition, "STATE_FORBIDS".into())
    );
    let details = details(&status);
    let failure = details
        .precondition_failure()
        .expect("a PreconditionFailure");
    assert_eq!(failure.violations[0].subject, "execution 1");
    assert_eq!(failure.violations[0].description, "has ended (COMPLETED)");
}

#[test]
fn a_limit_tells_when_to_come_back_if_that_helps() {
    let exhausted = |retry_after| Error::Exhausted {
        subject: "open_executions_max".into(),
        message: "1000000 executions are open".into(),
        retry_after,
    };
    let status = Status::from(exhausted(Some(Duration::from_secs(2))));
    assert_eq!(
        told(&status),
        (Code::ResourceExhausted, "LIMIT_REACHED".into())
    );
    let with = details(&status);
    let quota = with.quota_failure().expect("a QuotaFailure");
    assert_eq!(quota.violations[0].subject, "open_executions_max");
    let retry = with.retry_info().expect("a RetryInfo");
    assert_eq!(retry.retry_delay, Some(Duration::from_secs(2)));
    let without = details(&Status::from(exhausted(None)));
    assert!(without.retry_info().is_none());
}

#[test]
fn a_stale_token_is_the_same_from_engine_and_agents() {
    let engine = Status::from(Error::StaleToken("the task has ended".into()));
    let agents = Status::from(Refusal::Stale("the task has ended".into()));
    for status in [engine, agents] {
        assert_eq!(
            told(&status),
            (Code::FailedPrecondition, "STALE_TOKEN".into())
        );
        let details = details(&status);
        let failure = details
            .precondition_failure()
            .expect("a PreconditionFailure");
        assert_eq!(failure.violations[0].subject, "token");
    }
}

#[test]
fn a_sequence_that_is_not_there_tells_the_last() {
    let status = Status::from(Error::OutOfRange { after: 9, last: 4 });
    assert_eq!(told(&status), (Code::OutOfRange, "SEQUENCE_UNKNOWN".into()));
    let details = details(&status);
    let metadata = &details.error_info().expect("an ErrorInfo").metadata;
    assert_eq!(metadata["last_sequence"], "4");
}

#[test]
fn shutting_down_is_unavailable_for_a_while() {
    for status in [
        Status::from(Error::Unavailable),
        Status::from(Refusal::Unavailable),
        shutting_down(),
    ] {
        assert_eq!(told(&status), (Code::Unavailable, "SHUTTING_DOWN".into()));
        assert!(details(&status).retry_info().is_some());
    }
}

#[test]
fn data_loss_is_told_and_an_internal_error_is_not() {
    let lost = Status::from(Error::DataLoss("segment 3 is unreadable".into()));
    assert_eq!(told(&lost), (Code::DataLoss, "DATA_LOSS".into()));
    assert_eq!(lost.message(), "segment 3 is unreadable");
    let internal = Status::from(Error::Internal("secret".into()));
    assert_eq!(told(&internal), (Code::Internal, "INTERNAL".into()));
    assert!(!internal.message().contains("secret"));
}

#[test]
fn a_bad_field_of_a_worker_is_a_bad_request() {
    let status = Status::from(Refusal::Invalid {
        field: "hello.worker_id".into(),
        message: "required".into(),
    });
    assert_eq!(
        told(&status),
        (Code::InvalidArgument, "INVALID_FIELDS".into())
    );
    assert_eq!(
        bad_fields(&status),
        [("hello.worker_id".into(), "required".into())]
    );
}

fn large() -> TooLarge {
    TooLarge {
        field: "input".into(),
        limit: "payload_bytes_max",
        bytes: 11,
        bytes_max: 10,
    }
}

#[test]
fn a_field_over_its_limit_names_both_and_is_not_to_be_retried() {
    let status = Status::from(Rejected {
        invalid: vec![],
        too_large: vec![large()],
    });
    assert_eq!(told(&status), (Code::ResourceExhausted, "TOO_LARGE".into()));
    assert_eq!(
        status.message(),
        "input has 11 bytes, payload_bytes_max is 10"
    );
    let details = details(&status);
    let quota = details.quota_failure().expect("a QuotaFailure");
    assert_eq!(quota.violations[0].subject, "input");
    assert!(details.retry_info().is_none());
}

#[test]
fn with_other_fields_bad_a_large_one_is_among_them() {
    let status = Status::from(Rejected {
        invalid: vec![violation("workflow", "required")],
        too_large: vec![large()],
    });
    assert_eq!(status.code(), Code::InvalidArgument);
    let fields: Vec<_> = bad_fields(&status)
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(fields, ["workflow", "input"]);
}

#[test]
fn what_tonic_says_of_a_message_is_said_in_our_words() {
    let large = "Error, decoded message length too large: found 9 bytes, the limit is: 8 bytes";
    let status = of_transport(&Status::out_of_range(large)).expect("ours");
    assert_eq!(
        told(&status),
        (Code::ResourceExhausted, "LIMIT_REACHED".into())
    );
    assert!(status.message().contains("message_bytes_max"));
    let deep = "failed to decode Protobuf message: Value.kind: recursion limit reached";
    let status = of_transport(&Status::internal(deep)).expect("ours");
    assert_eq!(
        told(&status),
        (Code::InvalidArgument, "INVALID_FIELDS".into())
    );
    assert!(of_transport(&Status::internal("internal error")).is_none());
}

#[test]
fn a_text_is_cut_between_characters() {
    assert_eq!(cut("äöü".into(), 5), "ä…");
    assert_eq!(cut("abc".into(), 3), "abc");
}
