//! The one place that builds a `tonic::Status`: every error of the rooms below, by exhaustive
//! match, with exactly one `ErrorInfo` and the detail that its code calls for.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, QuotaViolation, StatusExt};

use super::convert::{Rejected, TooLarge};
use crate::{
    agents::Refusal,
    engine::{Error, Violation},
    proto::Finding,
};

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "tutti.dev";

/// The longest message of a status, in bytes.
const MESSAGE_BYTES_MAX: usize = 1 << 10;
/// The longest text of one violation, in bytes.
const VIOLATION_BYTES_MAX: usize = 512;
/// The most bytes of violations in one status. A status travels in HTTP/2 headers, base64
/// encoded; gRPC clients take 8 KiB of them unless told otherwise.
const VIOLATIONS_BYTES_MAX: usize = 4 << 10;
/// When agents that are missing may be there.
const AGENTS: Duration = Duration::from_secs(5);
/// When there may be room for another call.
const CROWD: Duration = Duration::from_secs(1);
/// When a server that shuts down may be back.
const RESTART: Duration = Duration::from_secs(1);

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Invalid { violations } => invalid(violations),
            Error::Definition { findings } => invalid_definition(message, findings),
            Error::NotFound { kind, name } => not_found(message, kind, &name),
            Error::RequestReused(id) => Refused::new(Code::AlreadyExists, "REQUEST_ID_REUSED")
                .about("request_id", &id)
                .resource("request", &id)
                .status(message),
            Error::State { subject, reason } => {
                Refused::new(Code::FailedPrecondition, "STATE_FORBIDS")
                    .precondition("STATE", &subject, &reason)
                    .status(message)
            }
            Error::AgentsMissing { workflow, missing } => {
                let refused = Refused::new(Code::FailedPrecondition, "AGENTS_MISSING");
                let refused = missing.iter().fold(refused, |refused, missing| {
                    refused.precondition("AGENT", &workflow, missing)
                });
                refused.retry_after(AGENTS).status(message)
            }
            Error::Exhausted {
                subject,
                message,
                retry_after,
            } => exhausted(&subject, message, retry_after),
            Error::StaleToken(_) => stale_token(message),
            Error::OutOfRange { after, last } => Refused::new(Code::OutOfRange, "SEQUENCE_UNKNOWN")
                .about("after_sequence", &after.to_string())
                .about("last_sequence", &last.to_string())
                .status(message),
            Error::Unavailable => shutting_down(),
            Error::DataLoss(_) => Refused::new(Code::DataLoss, "DATA_LOSS").status(message),
            Error::Internal(detail) => internal(&detail),
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Stale(_) => stale_token(message),
            Refusal::Invalid { field, message } => invalid(vec![Violation { field, message }]),
            Refusal::TooLarge { bytes, bytes_max } => oversize(&[TooLarge {
                field: "output".into(),
                limit: "payload_bytes_max",
                bytes,
                bytes_max,
            }]),
            Refusal::Unavailable => shutting_down(),
        }
    }
}

impl From<Rejected> for Status {
    fn from(rejected: Rejected) -> Self {
        let Rejected {
            mut invalid,
            too_large,
        } = rejected;
        if invalid.is_empty() {
            return oversize(&too_large);
        }
        invalid.extend(too_large.iter().map(|field| Violation {
            field: field.field.clone(),
            message: field.text(),
        }));
        self::invalid(invalid)
    }
}

/// The status of a call beyond those that may wait for their answer at once.
pub fn too_many_waiting(most: usize) -> Status {
    let message = format!("{most} calls wait for their answer, which is the limit");
    exhausted("calls_waiting_max", message, Some(CROWD))
}

/// The status of a call that the server's end cuts short: whether it took effect is unknown.
pub fn shutting_down() -> Status {
    Refused::new(Code::Unavailable, "SHUTTING_DOWN")
        .retry_after(RESTART)
        .status("the server is shutting down: try again".into())
}

/// What our own table says in place of a status that tonic built while it read a message;
/// `None` when that one is right as it is.
pub fn of_transport(status: &Status) -> Option<Status> {
    let text = status.message();
    if text.contains("message length too large") || text.contains("while decompressing message") {
        let message = format!("message_bytes_max: {text}");
        return Some(exhausted("message_bytes_max", message, None));
    }
    let undecodable = "failed to decode Protobuf message";
    (status.code() == Code::Internal && text.starts_with(undecodable)).then(|| {
        invalid(vec![Violation {
            field: "message".into(),
            message: text.to_owned(),
        }])
    })
}

/// The status of fields that are over their limits, and of nothing else wrong.
pub fn oversize(fields: &[TooLarge]) -> Status {
    let message = fields.iter().map(TooLarge::to_string).collect::<Vec<_>>();
    let violations = fields
        .iter()
        .map(|field| QuotaViolation::new(field.field.clone(), field.text()))
        .collect::<Vec<_>>();
    let mut refused = Refused::new(Code::ResourceExhausted, "TOO_LARGE");
    for field in fields.iter().take(1) {
        refused = refused.about("field", &field.field);
        refused = refused.about("limit", field.limit);
    }
    refused.details.set_quota_failure(violations);
    refused.status(message.join("; "))
}

fn invalid(violations: Vec<Violation>) -> Status {
    let message = violations.iter().map(ToString::to_string);
    let message = message.collect::<Vec<_>>().join("; ");
    let violations = violations
        .into_iter()
        .map(|v| FieldViolation::new(v.field, v.message));
    bad_request("INVALID_FIELDS", message, violations.collect())
}

fn invalid_definition(message: String, findings: Vec<Finding>) -> Status {
    let violations = findings.into_iter().map(|finding| {
        let mut text = finding.message;
        if !finding.hint.is_empty() {
            text = format!("{text} ({})", finding.hint);
        }
        if finding.line > 0 {
            text = format!("{text}, line {} column {}", finding.line, finding.column);
        }
        FieldViolation::new(finding.path, text)
    });
    bad_request("INVALID_DEFINITION", message, violations.collect())
}

fn bad_request(reason: &'static str, message: String, violations: Vec<FieldViolation>) -> Status {
    let mut refused = Refused::new(Code::InvalidArgument, reason)
        .about("violations", &violations.len().to_string());
    refused.details.set_bad_request(bounded(violations));
    refused.status(message)
}

fn not_found(message: String, kind: &'static str, name: &str) -> Status {
    let reason = match kind {
        "workflow" => "WORKFLOW_NOT_FOUND",
        "workflow version" => "WORKFLOW_VERSION_NOT_FOUND",
        "execution" => "EXECUTION_NOT_FOUND",
        "agent" => "AGENT_NOT_FOUND",
        "worker" => "WORKER_NOT_FOUND",
        _ => "NOT_FOUND",
    };
    Refused::new(Code::NotFound, reason)
        .resource(kind, name)
        .status(message)
}

fn exhausted(subject: &str, message: String, retry_after: Option<Duration>) -> Status {
    let mut refused =
        Refused::new(Code::ResourceExhausted, "LIMIT_REACHED").about("limit", subject);
    refused
        .details
        .add_quota_failure_violation(subject, cut(message.clone(), VIOLATION_BYTES_MAX));
    if let Some(delay) = retry_after {
        refused = refused.retry_after(delay);
    }
    refused.status(message)
}

fn stale_token(message: String) -> Status {
    Refused::new(Code::FailedPrecondition, "STALE_TOKEN")
        .precondition("TOKEN", "token", &message)
        .status(message)
}

/// Keeps the detail in the log, under an incident id that the caller is told.
fn internal(detail: &str) -> Status {
    let incident = uuid::Uuid::new_v4().to_string();
    tracing::error!(incident, detail, "a call failed by a broken invariant");
    Refused::new(Code::Internal, "INTERNAL")
        .about("incident", &incident)
        .status(format!(
            "internal error; the log tells of incident {incident}"
        ))
}

/// A status in the making.
struct Refused {
    code: Code,
    reason: &'static str,
    metadata: Vec<(String, String)>,
    details: ErrorDetails,
}

impl Refused {
    fn new(code: Code, reason: &'static str) -> Self {
        Self {
            code,
            reason,
            metadata: Vec::new(),
            details: ErrorDetails::new(),
        }
    }

    fn about(mut self, key: &str, value: &str) -> Self {
        let value = cut(value.to_owned(), VIOLATION_BYTES_MAX);
        self.metadata.push((key.to_owned(), value));
        self
    }

    fn resource(mut self, kind: &str, name: &str) -> Self {
        let name = cut(name.to_owned(), VIOLATION_BYTES_MAX);
        self.details.set_resource_info(kind, name, "", "");
        self
    }

    fn precondition(mut self, kind: &str, subject: &str, reason: &str) -> Self {
        let reason = cut(reason.to_owned(), VIOLATION_BYTES_MAX);
        self.details
            .add_precondition_failure_violation(kind, subject, reason);
        self
    }

    fn retry_after(mut self, delay: Duration) -> Self {
        self.details.set_retry_info(Some(delay));
        self
    }

    fn status(mut self, message: String) -> Status {
        let metadata: std::collections::HashMap<_, _> = self.metadata.into_iter().collect();
        self.details.set_error_info(self.reason, DOMAIN, metadata);
        Status::with_error_details(self.code, cut(message, MESSAGE_BYTES_MAX), self.details)
    }
}

/// As many violations as a status can carry; the last one then counts those left out.
fn bounded(violations: Vec<FieldViolation>) -> Vec<FieldViolation> {
    let count = violations.len();
    let mut bytes = 0;
    let mut kept: Vec<_> = violations
        .into_iter()
        .map(|v| FieldViolation::new(v.field, cut(v.description, VIOLATION_BYTES_MAX)))
        .take_while(|v| {
            bytes += v.field.len() + v.description.len();
            bytes <= VIOLATIONS_BYTES_MAX
        })
        .collect();
    if kept.len() < count {
        let rest = format!("{} more violations", count - kept.len());
        kept.push(FieldViolation::new("", rest));
    }
    kept
}

/// The text, cut at a character's boundary so that it has at most `bytes_max` bytes.
fn cut(mut text: String, bytes_max: usize) -> String {
    const MORE: &str = "…";
    if text.len() > bytes_max {
        let mut end = bytes_max - MORE.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(MORE);
    }
    text
}

#[cfg(test)]
mod tests;
