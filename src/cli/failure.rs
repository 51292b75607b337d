//! Why a command did not do what it was asked, what is said about it and with which exit
//! code: 1 failed, 2 wrong usage or invalid, 3 unreachable, 130 interrupted.

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::time;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no connection to the server.
    #[error("cannot reach the server: {0}")]
    Unreachable(String),
    /// The server refused the request.
    #[error("{}", refusal(.0))]
    Refused(#[from] Status),
    /// What the user gave cannot be used; says what to do.
    #[error("{0}")]
    Usage(String),
    /// A definition has errors; they are already printed, or are this text.
    #[error("{0}")]
    Invalid(String),
    /// The execution ended otherwise than COMPLETED.
    #[error("{0}")]
    Ended(String),
    /// The server in this process could not be run.
    #[error("{0}")]
    Server(String),
    /// A file, a terminal or a pipe failed.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: String,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A broken invariant.
    #[error("{0} (this is a bug in tutti: please report it)")]
    Internal(String),
    /// Interrupted from the keyboard; says what goes on.
    #[error("{0}")]
    Interrupted(String),
    /// Whoever read the output has gone; nothing to say, and nobody to say it to.
    #[error("the output was closed")]
    Closed,
}

impl From<tutti_client::Error> for Failure {
    fn from(error: tutti_client::Error) -> Self {
        use tutti_client::Error;
        match error {
            Error::Connect { source, .. } => Self::Unreachable(source.to_string()),
            Error::Status(status) => Self::Refused(*status),
            Error::Address { .. } => Self::Usage(error.to_string()),
            Error::Protocol(_) | Error::Worker(_) => Self::Server(error.to_string()),
        }
    }
}

impl Failure {
    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Unreachable(_) => 3,
            Self::Refused(status) => refusal_exit_code(status.code()),
            Self::Usage(_) | Self::Invalid(_) => 2,
            Self::Ended(_) | Self::Server(_) | Self::Io { .. } | Self::Internal(_) => 1,
            Self::Interrupted(_) => 130,
        }
    }

    /// What is said on stderr, with the way out; `None` when everything has been said.
    pub fn report(&self, server: &str) -> Option<String> {
        match self {
            Self::Closed => None,
            Self::Invalid(text) if text.is_empty() => None,
            Self::Interrupted(text) => Some(text.clone()),
            Self::Unreachable(_) => Some(unreachable(server)),
            Self::Refused(status) if status.code() == Code::Unavailable => {
                Some(unavailable(status, server))
            }
            _ => Some(format!("error: {self}")),
        }
    }
}

fn unreachable(server: &str) -> String {
    format!(
        "error: cannot reach {server}: is `tutti serve` running? (choose another with --server)"
    )
}

/// A server that answers UNAVAILABLE says why; a broken connection has no details.
fn unavailable(status: &Status, server: &str) -> String {
    if status.details().is_empty() {
        return unreachable(server);
    }
    format!("error: {server} does not serve now: {}", refusal(status))
}

fn refusal_exit_code(code: Code) -> u8 {
    match code {
        Code::Unavailable | Code::DeadlineExceeded => 3,
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::Unimplemented => 2,
        _ => 1,
    }
}

/// What a status says with its details: one line, or one and a line for each violation.
fn refusal(status: &Status) -> String {
    let mut said = headline(status);
    let mut violations = violations(status);
    violations.retain(|(subject, why)| !(said.contains(subject) && said.contains(why)));
    match violations.as_slice() {
        [] => {}
        [(about, why)] => said = format!("{said}: {}", subject(about, why)),
        many => many.iter().for_each(|(about, why)| {
            said.push_str("\n  ");
            said.push_str(&subject(about, why));
        }),
    }
    if let Some(hint) = way_out(status) {
        said = format!("{said} ({hint})");
    }
    said
}

fn headline(status: &Status) -> String {
    match (status.message(), status.code()) {
        ("", code) => code.description().to_owned(),
        (message, Code::Internal | Code::Unknown) => format!("the server failed: {message}"),
        (message, _) => message.to_owned(),
    }
}

/// Every violation that the details name: subject and description.
fn violations(status: &Status) -> Vec<(String, String)> {
    let details = status.get_error_details();
    let mut found = Vec::new();
    if let Some(bad) = details.bad_request() {
        let fields = bad.field_violations.iter();
        found.extend(fields.map(|v| (v.field.clone(), v.description.clone())));
    }
    if let Some(precondition) = details.precondition_failure() {
        let all = precondition.violations.iter();
        found.extend(all.map(|v| (v.subject.clone(), v.description.clone())));
    }
    if let Some(quota) = details.quota_failure() {
        let all = quota.violations.iter();
        found.extend(all.map(|v| (v.subject.clone(), v.description.clone())));
    }
    found
}

fn subject(subject: &str, description: &str) -> String {
    match subject {
        "" => description.to_owned(),
        _ => format!("{subject}: {description}"),
    }
}

/// What the user can do, where the status tells.
fn way_out(status: &Status) -> Option<String> {
    let details = status.get_error_details();
    if status.code() == Code::NotFound {
        let resource = details.resource_info()?;
        return listing(&resource.resource_type)
            .map(|c| format!("`tutti {c}` lists what there is"));
    }
    if status.code() == Code::Unimplemented {
        return Some("is it a tutti server of this version?".to_owned());
    }
    let delay = details.retry_info()?.retry_delay?;
    if status.message().contains("try again") {
        return None;
    }
    Some(format!("try again in {}", time::span(delay)))
}

/// The subcommand that lists resources of a type.
fn listing(resource_type: &str) -> Option<&'static str> {
    let known = [
        ("workflow", "workflows"),
        ("execution", "list"),
        ("agent", "agents"),
        ("worker", "workers"),
    ];
    let lower = resource_type.to_ascii_lowercase();
    known
        .into_iter()
        .find(|(word, _)| lower.contains(word))
        .map(|(_, command)| command)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic_types::ErrorDetails;

    use super::*;

    const SERVER: &str = "http://127.0.0.1:7420";

    fn report(code: Code, message: &str, details: ErrorDetails) -> String {
        let status = Status::with_error_details(code, message, details);
        Failure::from(status).report(SERVER).expect("it is said")
    }

    #[test]
    fn exit_codes_tell_the_kinds_of_failure_apart() {
        let of = |code| Failure::from(Status::new(code, "")).exit_code();
        assert_eq!(of(Code::InvalidArgument), 2);
        assert_eq!(of(Code::NotFound), 2);
        assert_eq!(of(Code::Unavailable), 3);
        assert_eq!(of(Code::Internal), 1);
        assert_eq!(Failure::Ended("failed".into()).exit_code(), 1);
        assert_eq!(Failure::Usage("bad".into()).exit_code(), 2);
        assert_eq!(Failure::Unreachable("refused".into()).exit_code(), 3);
        assert_eq!(Failure::Interrupted("stopped".into()).exit_code(), 130);
        assert_eq!(Failure::Closed.exit_code(), 0);
    }

    #[test]
    fn an_unreachable_server_is_one_line_with_the_way_out() {
        let expected = "error: cannot reach http://127.0.0.1:7420: is `tutti serve` running? \
                        (choose another with --server)";
        let failure = Failure::Unreachable("connection refused".into());
        assert_eq!(failure.report(SERVER).as_deref(), Some(expected));
        let broken = Failure::from(Status::unavailable("tcp connect error"));
        assert_eq!(broken.report(SERVER).as_deref(), Some(expected));
    }

    #[test]
    fn one_bad_field_stays_on_the_line_and_several_get_one_each() {
        let one = ErrorDetails::with_bad_request_violation("execution_id", "is not a UUID");
        assert_eq!(
            report(Code::InvalidArgument, "invalid request", one),
            "error: invalid request: execution_id: is not a UUID"
        );
        let mut two = ErrorDetails::with_bad_request_violation("input/items", "is required");
        two.add_bad_request_violation("input/total", "is not a number");
        assert_eq!(
            report(Code::InvalidArgument, "the input breaks its schema", two),
            "error: the input breaks its schema\n  input/items: is required\n  \
             input/total: is not a number"
        );
    }

    #[test]
    fn what_the_message_says_already_is_not_said_twice() {
        let mut details = ErrorDetails::with_bad_request_violation("a", "is missing");
        details.add_bad_request_violation("b", "is missing");
        assert_eq!(
            report(
                Code::InvalidArgument,
                "a: is missing; b: is missing",
                details
            ),
            "error: a: is missing; b: is missing"
        );
        let ended = ErrorDetails::with_precondition_failure_violation(
            "STATE",
            "execution 1",
            "has ended (CANCELLED)",
        );
        let message = "execution 1 has ended (CANCELLED)";
        assert_eq!(
            report(Code::FailedPrecondition, message, ended),
            "error: execution 1 has ended (CANCELLED)"
        );
    }

    #[test]
    fn an_unknown_resource_names_the_command_that_lists_them() {
        let details = ErrorDetails::with_resource_info("tutti.v1.Workflow", "helo", "", "");
        assert_eq!(
            report(
                Code::NotFound,
                "workflow \"helo\" is not registered",
                details
            ),
            "error: workflow \"helo\" is not registered (`tutti workflows` lists what there is)"
        );
    }

    #[test]
    fn a_limit_names_what_it_is_about_and_when_to_retry() {
        let mut details = ErrorDetails::with_quota_failure_violation(
            "open_executions_max",
            "1000000 executions are open",
        );
        details.set_retry_info(Some(Duration::from_secs(2)));
        assert_eq!(
            report(Code::ResourceExhausted, "too much is open", details),
            "error: too much is open: open_executions_max: 1000000 executions are open \
             (try again in 2.0 s)"
        );
    }
}
