//! SystemService: what the server says of itself.

use prost_types::Timestamp;
use tonic::{Request, Response, Status};
use tracing::instrument;

use super::reply::reply;
use crate::{
    core::{limits::Limits, time},
    proto::{
        self, GetServerInfoRequest, GetServerInfoResponse, system_service_server::SystemService,
    },
};

/// Step kinds that workflows may use.
const STEP_KINDS: [&str; 6] = ["agent", "call", "block", "switch", "set", "each"];
/// Abilities that a client may ask for by name.
const CAPABILITIES: [&str; 8] = [
    "chunks",
    "definition-source",
    "grpc-web",
    "gzip",
    "inline-definition",
    "request-id",
    "worker-poll",
    "worker-stream",
];

/// What is known of the process only where it is put together.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// The server's version, semver.
    pub version: &'static str,
    /// When the process started.
    pub start_time: Timestamp,
    /// The store's name.
    pub store: &'static str,
    /// The version of the store's format on disk.
    pub data_format: u32,
}

/// The service.
pub struct Service {
    about: About,
    limits: Limits,
}

impl Service {
    /// The service of a server with these limits.
    pub fn new(about: About, limits: Limits) -> Self {
        Self { about, limits }
    }
}

#[tonic::async_trait]
impl SystemService for Service {
    #[instrument(level = "debug", skip_all, fields(rpc = "GetServerInfo"))]
    async fn get_server_info(
        &self,
        _request: Request<GetServerInfoRequest>,
    ) -> Result<Response<GetServerInfoResponse>, Status> {
        let info = GetServerInfoResponse {
            version: self.about.version.to_owned(),
            start_time: Some(self.about.start_time),
            store: self.about.store.to_owned(),
            data_format: self.about.data_format,
            limits: Some(published(&self.limits)),
            step_kinds: STEP_KINDS.map(str::to_owned).to_vec(),
            capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
        };
        reply(info, &self.limits)
    }
}

/// Every limit. Destructured, so that one added to the kernel is published or does not compile.
fn published(limits: &Limits) -> proto::Limits {
    let Limits {
        message_bytes_max,
        payload_bytes_max,
        workflow_steps_max,
        workflow_depth_max,
        workflow_bytes_max,
        open_executions_max,
        execution_events_max,
        parallel_steps_max,
        each_items_max,
        each_parallel_max,
        execution_steps_shown_max,
        retry_attempts_max,
        page_size_max,
        expression_bytes_max,
        worker_credits_max,
        lease_timeout,
        accept_timeout,
        disk_reserve_bytes,
        pending_bytes_max,
    } = limits;
    proto::Limits {
        message_bytes_max: wide(*message_bytes_max),
        payload_bytes_max: wide(*payload_bytes_max),
        workflow_steps_max: narrow(*workflow_steps_max),
        workflow_depth_max: narrow(*workflow_depth_max),
        workflow_bytes_max: wide(*workflow_bytes_max),
        open_executions_max: wide(*open_executions_max),
        execution_events_max: *execution_events_max,
        parallel_steps_max: *parallel_steps_max,
        each_items_max: narrow(*each_items_max),
        each_parallel_max: *each_parallel_max,
        execution_steps_shown_max: narrow(*execution_steps_shown_max),
        retry_attempts_max: *retry_attempts_max,
        page_size_max: narrow(*page_size_max),
        expression_bytes_max: narrow(*expression_bytes_max),
        worker_credits_max: *worker_credits_max,
        lease_timeout: Some(time::message(*lease_timeout)),
        accept_timeout: Some(time::message(*accept_timeout)),
        disk_reserve_bytes: *disk_reserve_bytes,
        pending_bytes_max: wide(*pending_bytes_max),
    }
}

fn wide(limit: usize) -> u64 {
    u64::try_from(limit).unwrap_or(u64::MAX)
}

fn narrow(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_server_tells_its_version_limits_and_step_kinds() {
        let about = About {
            version: "1.2.3",
            start_time: Timestamp::default(),
            store: "memory",
            data_format: 0,
        };
        let service = Service::new(about, Limits::default());
        let response = service
            .get_server_info(Request::new(GetServerInfoRequest {}))
            .await;
        let info = response.expect("always answers").into_inner();
        assert_eq!(
            (info.version.as_str(), info.store.as_str()),
            ("1.2.3", "memory")
        );
        assert_eq!(info.step_kinds, STEP_KINDS);
        let limits = info.limits.expect("limits");
        assert_eq!(limits.payload_bytes_max, 16 << 20);
        assert_eq!(limits.lease_timeout.expect("a span").seconds, 30);
    }
}
