//! Refusals of the kernel and failures of the store, as the engine's errors.

use std::time::Duration;

use uuid::Uuid;

use super::{Error, Violation};
use crate::{core::decide::Rejection, store};

/// How long to wait before a refused start is tried again.
const START_RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long to wait before a start is tried again that a full disk refused.
const DISK_RETRY_AFTER: Duration = Duration::from_secs(30);

/// Why a command for an execution was refused.
pub fn of_command(id: Uuid, rejection: Rejection) -> Error {
    match rejection {
        Rejection::Stale => Error::StaleToken(rejection.to_string()),
        Rejection::Ended(state) => Error::State {
            subject: format!("execution {id}"),
            reason: format!("has ended ({})", state.as_str_name()),
        },
        Rejection::NotPaused(state) => Error::State {
            subject: format!("execution {id}"),
            reason: format!("is not PAUSED ({})", state.as_str_name()),
        },
        Rejection::Input(violations) => Error::Invalid {
            violations: violations
                .into_iter()
                .map(|v| Violation {
                    field: format!("input{}", v.pointer),
                    message: v.message,
                })
                .collect(),
        },
        Rejection::Variable { name, message } => Error::Invalid {
            violations: vec![Violation {
                field: "input".into(),
                message: format!(
                    "the workflow's variable {name} cannot be made from it: {message}"
                ),
            }],
        },
    }
}

/// Why an execution that is open cannot be deleted.
pub fn still_open(id: Uuid) -> Error {
    Error::State {
        subject: format!("execution {id}"),
        reason: "has not ended: cancel or terminate it first".into(),
    }
}

/// Why no more executions are accepted.
pub fn too_many_open(max: usize) -> Error {
    Error::Exhausted {
        subject: "open_executions_max".into(),
        message: format!("{max} executions are open, which is the limit"),
        retry_after: Some(START_RETRY_AFTER),
    }
}

/// Why no more executions are accepted while the disk is all but full.
pub fn disk_full(free: u64, reserve: u64) -> Error {
    Error::Exhausted {
        subject: "disk_reserve_bytes".into(),
        message: format!(
            "{free} bytes are free on the server's disk, {reserve} are kept for what was accepted"
        ),
        retry_after: Some(DISK_RETRY_AFTER),
    }
}

/// Why no more executions are accepted while the store's state is too far behind its journal.
pub fn store_behind(max: u64) -> Error {
    Error::Exhausted {
        subject: "pending_bytes_max".into(),
        message: format!("{max} bytes wait to be taken over into the state, which is the limit"),
        retry_after: Some(START_RETRY_AFTER),
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Damaged(what) => Self::DataLoss(what),
            store::Error::Unsupported(name) => Self::State {
                subject: format!("the store `{name}`"),
                reason: "keeps nothing on disk".into(),
            },
            store::Error::TooLarge { .. } => Self::Exhausted {
                subject: "group_bytes_max".into(),
                message: error.to_string(),
                retry_after: None,
            },
            other => Self::Internal(other.to_string()),
        }
    }
}
