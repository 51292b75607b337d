//! How tasks reach workers and results come back: the stream message by message, the leases
//! behind it, the same by single calls, and what a step says while it waits.

mod cancel;
pub mod clock;
mod credit;
mod departure;
mod durable;
mod lease;
mod poll;
pub mod raw;
mod reconnect;
mod result;
mod stream;
mod waiting;

use tonic_types::StatusExt as _;

/// A workflow of one step, which one attempt of agent `x` does.
const ONE: &str = "name: one\nmode: SEQUENCE\nsteps: [ { id: a, agent: x } ]";

/// The same with a second attempt at once.
const TWICE: &str = "
name: twice
mode: SEQUENCE
steps: [ { id: a, agent: x, retry: { max_attempts: 2, initial_delay: 0.001s, jitter: 0 } } ]
";

/// The fields that a refusal names, in its order.
pub fn bad_fields(status: &tonic::Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.bad_request().expect("BadRequest in the details");
    let fields = violations.field_violations.iter();
    fields.map(|v| v.field.clone()).collect()
}

/// The reason of a refusal.
pub fn reason(status: &tonic::Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().expect("ErrorInfo in the details");
    assert_eq!(info.domain, "tutti.dev");
    info.reason.clone()
}
