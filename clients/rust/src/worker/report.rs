//! How an attempt ended, as it is sent to the server and kept until that is acknowledged.

use prost::Message as _;

use super::{TaskError, TaskOutput};
use crate::{json, proto};

/// How many messages deep an output may be nested: decoders refuse more than 100 in all.
pub(super) const LEVELS_MAX: usize = 90;

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Report {
    /// With an output.
    Done(proto::TaskResult),
    /// With a failure.
    Failed(proto::TaskFailure),
}

impl Report {
    /// What a handler gave.
    pub(super) fn new(token: &str, outcome: Result<TaskOutput, TaskError>) -> Self {
        match outcome {
            Ok(output) => Self::done(token, output),
            Err(error) => Self::failed(token, error),
        }
    }

    pub(super) fn failed(token: &str, error: TaskError) -> Self {
        Self::Failed(proto::TaskFailure {
            token: token.to_owned(),
            error: Some(proto::Error {
                class: error.class,
                message: error.message,
                step: String::new(),
            }),
            retry_after: error.retry_after.and_then(|wait| wait.try_into().ok()),
            usage: error.usage,
        })
    }

    fn done(token: &str, output: TaskOutput) -> Self {
        let (value, levels) = json::from_json_measured(output.output);
        if levels > LEVELS_MAX {
            let message = "the output is nested too deeply to be sent";
            return Self::failed(token, TaskError::new("limit", message));
        }
        Self::Done(proto::TaskResult {
            token: token.to_owned(),
            output: Some(value),
            usage: output.usage,
        })
    }

    /// Its size in a message, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Done(result) => result.encoded_len(),
            Self::Failed(failure) => failure.encoded_len(),
        }
    }
}

/// A report to be sent, with its size in a message.
#[derive(Debug, PartialEq)]
pub(super) struct Parcel {
    pub(super) report: Report,
    pub(super) bytes: usize,
}

/// A report in the fewest bytes, for keeping: a copy that is rarely needed again.
#[derive(Debug)]
pub(super) enum Kept {
    /// An encoded `TaskResult`.
    Done(Vec<u8>),
    /// An encoded `TaskFailure`.
    Failed(Vec<u8>),
}

impl Kept {
    pub(super) fn new(report: &Report) -> Self {
        match report {
            Report::Done(result) => Self::Done(result.encode_to_vec()),
            Report::Failed(failure) => Self::Failed(failure.encode_to_vec()),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Done(bytes) | Self::Failed(bytes) => bytes.len(),
        }
    }

    /// The report again.
    pub(super) fn parcel(&self) -> Parcel {
        Parcel {
            report: self.report(),
            bytes: self.bytes(),
        }
    }

    fn report(&self) -> Report {
        const OWN: &str = "it was encoded from this message, and is not nested too deeply";
        match self {
            Self::Done(b) => Report::Done(proto::TaskResult::decode(&**b).expect(OWN)),
            Self::Failed(b) => Report::Failed(proto::TaskFailure::decode(&**b).expect(OWN)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value as Json, json};

    use super::*;

    fn nested(depth: usize) -> Json {
        (0..depth).fold(json!(1), |inner, _| json!({ "a": inner }))
    }

    #[test]
    fn what_is_kept_is_what_was_reported() {
        let done = Report::new("t", Ok(nested(LEVELS_MAX / 3).into()));
        let error = TaskError::rate_limited("slow down", Duration::from_millis(1500));
        let failed = Report::new("t", Err(error));
        for report in [done, failed] {
            assert_eq!(Kept::new(&report).report(), report);
            assert_eq!(Kept::new(&report).bytes(), report.bytes());
        }
    }

    #[test]
    fn an_output_too_deep_for_decoders_becomes_a_failure_of_class_limit() {
        let Report::Failed(failure) = Report::new("t", Ok(nested(31).into())) else {
            panic!("it cannot be sent");
        };
        assert_eq!(failure.error.expect("it has one").class, "limit");
    }
}
