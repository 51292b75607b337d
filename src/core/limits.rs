//! Every bound of the kernel, named, with its default. Published by GetServerInfo; the
//! server's configuration may change them.

use std::time::Duration;

/// The bounds that the kernel and the rooms around it keep to.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The largest gRPC message taken, in bytes.
    pub message_bytes_max: usize,
    /// The largest input or output of an execution or step, in bytes as encoded Protobuf.
    pub payload_bytes_max: usize,
    /// The most steps of one definition, inner ones included.
    pub workflow_steps_max: usize,
    /// How deep steps may be nested.
    pub workflow_depth_max: usize,
    /// The largest definition, in bytes as encoded Protobuf.
    pub workflow_bytes_max: usize,
    /// The most executions that are open at once.
    pub open_executions_max: usize,
    /// The most events of one execution.
    pub execution_events_max: u64,
    /// The most calls of one execution in progress at once.
    pub parallel_steps_max: u32,
    /// The most attempts of a retry policy.
    pub retry_attempts_max: u32,
    /// The largest page of a list.
    pub page_size_max: usize,
    /// The longest expression, in bytes.
    pub expression_bytes_max: usize,
    /// The most credits a worker may hold.
    pub worker_credits_max: u32,
    /// How long a task's lease lasts without a heartbeat.
    pub lease_timeout: Duration,
    /// How long an offered task may stay unaccepted.
    pub accept_timeout: Duration,
    /// The least free space on the volume of the data directory, in bytes; with less, new
    /// executions are refused and accepted ones go on.
    pub disk_reserve_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 4 << 20,
            payload_bytes_max: 1 << 20,
            workflow_steps_max: 10_000,
            workflow_depth_max: 32,
            workflow_bytes_max: 2 << 20,
            open_executions_max: 1_000_000,
            execution_events_max: 1_000_000,
            parallel_steps_max: 1_000,
            retry_attempts_max: 100,
            page_size_max: 1_000,
            expression_bytes_max: 8 << 10,
            worker_credits_max: 10_000,
            lease_timeout: Duration::from_secs(30),
            accept_timeout: Duration::from_secs(5),
            disk_reserve_bytes: 256 << 20,
        }
    }
}
