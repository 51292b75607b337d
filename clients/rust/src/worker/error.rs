//! What a handler says when it cannot give an output.

use std::time::Duration;

use tonic::{Code, Status};

use crate::proto;

/// A failed attempt: its class decides, by the step's retry policy, whether there is another.
///
/// Classes are lower-case words: `timeout`, `unavailable`, `rate_limited`, `invalid_output`,
/// `validation`, `expression`, `limit`, `budget`, `refused`, `auth`, `agent_error`,
/// `cancelled`, or one of your own. Errors that carry no class of their own become
/// `agent_error`: `?` works on strings, boxed, I/O, JSON and gRPC errors.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{class}: {message}")]
pub struct TaskError {
    /// What kind of failure it is.
    pub class: String,
    /// What happened, in words; the server keeps 8 KiB.
    pub message: String,
    /// The least wait before the next attempt, if there is one.
    pub retry_after: Option<Duration>,
    /// What the attempt used all the same.
    pub usage: Option<proto::Usage>,
}

impl TaskError {
    /// A failure of a class.
    pub fn new(class: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class: class.into(),
            message: message.into(),
            retry_after: None,
            usage: None,
        }
    }

    /// The agent failed; retried unless the step says otherwise.
    pub fn agent_error(message: impl Into<String>) -> Self {
        Self::new("agent_error", message)
    }

    /// The input is not what the agent can work on; not retried unless the step says so.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("validation", message)
    }

    /// Something that the agent needs is out of reach; retried.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new("unavailable", message)
    }

    /// Too much was asked of something that the agent needs; retried, at the earliest after
    /// `retry_after`.
    pub fn rate_limited(message: impl Into<String>, retry_after: Duration) -> Self {
        Self::new("rate_limited", message).retry_after(retry_after)
    }

    /// Waits at least this long before the next attempt.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Says what the attempt used all the same.
    pub fn usage(mut self, usage: proto::Usage) -> Self {
        self.usage = Some(usage);
        self
    }
}

impl From<String> for TaskError {
    fn from(message: String) -> Self {
        Self::agent_error(message)
    }
}

impl From<&str> for TaskError {
    fn from(message: &str) -> Self {
        Self::agent_error(message)
    }
}

impl From<Box<dyn std::error::Error + Send + Sync>> for TaskError {
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => *error,
            Err(error) => Self::agent_error(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for TaskError {
    fn from(error: serde_json::Error) -> Self {
        Self::validation(error.to_string())
    }
}

impl From<tokio::time::error::Elapsed> for TaskError {
    fn from(error: tokio::time::error::Elapsed) -> Self {
        Self::new("timeout", error.to_string())
    }
}

impl From<std::io::Error> for TaskError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected,
            TimedOut,
        };
        let class = match error.kind() {
            TimedOut => "timeout",
            ConnectionRefused | ConnectionReset | ConnectionAborted | NotConnected | BrokenPipe => {
                "unavailable"
            }
            _ => "agent_error",
        };
        Self::new(class, error.to_string())
    }
}

impl From<Status> for TaskError {
    fn from(status: Status) -> Self {
        let class = match status.code() {
            Code::DeadlineExceeded => "timeout",
            Code::Unavailable => "unavailable",
            Code::ResourceExhausted => "rate_limited",
            Code::InvalidArgument | Code::OutOfRange => "validation",
            Code::Unauthenticated | Code::PermissionDenied => "auth",
            Code::Cancelled => "cancelled",
            _ => "agent_error",
        };
        Self::new(class, status.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(boxed: bool) -> Result<(), TaskError> {
        if boxed {
            let inner: Box<dyn std::error::Error + Send + Sync> =
                Box::new(TaskError::rate_limited("slow down", Duration::from_secs(3)));
            Err(inner)?;
        }
        Err("no idea")?
    }

    #[test]
    fn words_are_an_agent_error_and_a_boxed_task_error_stays_itself() {
        assert_eq!(fails(false), Err(TaskError::agent_error("no idea")));
        let kept = fails(true).expect_err("it fails");
        assert_eq!(kept.class, "rate_limited");
        assert_eq!(kept.retry_after, Some(Duration::from_secs(3)));
    }

    #[test]
    fn common_errors_get_the_class_that_fits() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(TaskError::from(refused).class, "unavailable");
        assert_eq!(
            TaskError::from(Status::permission_denied("no")).class,
            "auth"
        );
        let bad = serde_json::from_str::<u8>("x").expect_err("not a number");
        assert_eq!(TaskError::from(bad).class, "validation");
    }
}
