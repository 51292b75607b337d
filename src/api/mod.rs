//! The public API, `tutti.v1`: one file per service, each handler convert, submit, convert.
//! Knows the wire; what happens is decided by the engine, the worker protocol by the agents.
//! Only `status` builds a `Status`.

mod agent;
mod convert;
mod deadline;
mod definition;
mod execution;
mod follow;
mod omit;
mod page;
mod reply;
mod status;
mod stop;
mod system;
mod transport;
mod waiting;
mod worker;
mod workflow;

pub use status::DOMAIN;
pub use stop::{Stop, Stopper, stop};
pub use system::About;
pub use transport::{mark_arrival, say_in_our_words};

use tonic::{
    codec::CompressionEncoding::Gzip,
    service::{LayerExt as _, RoutesBuilder},
};
use tower::util::MapFutureLayer;
use waiting::Waiting;

use crate::{
    agents::Hub,
    engine::Handle,
    proto::{
        agent_service_server::AgentServiceServer, execution_service_server::ExecutionServiceServer,
        system_service_server::SystemServiceServer, worker_service_server::WorkerServiceServer,
        workflow_service_server::WorkflowServiceServer,
    },
};

/// The names of all services, as health checks ask for them.
pub const SERVICE_NAMES: [&str; 5] = [
    crate::proto::workflow_service_server::SERVICE_NAME,
    crate::proto::execution_service_server::SERVICE_NAME,
    crate::proto::agent_service_server::SERVICE_NAME,
    crate::proto::worker_service_server::SERVICE_NAME,
    crate::proto::system_service_server::SERVICE_NAME,
];

/// What the services are made from.
pub struct Api {
    /// What runs executions.
    pub engine: Handle,
    /// What knows agents and workers.
    pub hub: Hub,
    /// Tells of the server's end.
    pub stop: Stop,
    /// What the server says of itself.
    pub about: About,
}

/// Sets on a service what holds for all: the limits on messages, and gzip.
macro_rules! bounded {
    ($service:expr, $bytes_max:expr) => {
        $service
            .max_decoding_message_size($bytes_max)
            .max_encoding_message_size($bytes_max)
            .accept_compressed(Gzip)
    };
}

/// Counts a service's calls among those that wait for their answer.
macro_rules! counted {
    ($waiting:expr, $service:expr) => {{
        let waiting = $waiting.clone();
        MapFutureLayer::new(move |answer| waiting.clone().answered(answer)).named_layer($service)
    }};
}

/// Adds every service to `routes`.
pub fn add_services(routes: &mut RoutesBuilder, api: Api) {
    let Api {
        engine,
        hub,
        stop,
        about,
    } = api;
    let limits = engine.limits().clone();
    let bytes_max = limits.message_bytes_max;
    let workflows = WorkflowServiceServer::new(workflow::Service::new(engine.clone()));
    let executions = execution::Service::new(engine.clone(), stop.clone());
    let executions = ExecutionServiceServer::new(executions);
    let agents = agent::Service::new(engine.clone(), hub.clone(), stop.clone());
    let agents = AgentServiceServer::new(agents);
    let workers = worker::Service::new(hub, limits.clone());
    // Nothing is compressed on the way to workers: their streams carry many small tasks, and
    // whoever advertises gzip, as some clients always do, would pay for it with latency.
    let workers = WorkerServiceServer::new(workers);
    let system = SystemServiceServer::new(system::Service::new(about, engine, stop));
    let workflows = bounded!(workflows, bytes_max).send_compressed(Gzip);
    let executions = bounded!(executions, bytes_max).send_compressed(Gzip);
    let agents = bounded!(agents, bytes_max).send_compressed(Gzip);
    let workers = bounded!(workers, bytes_max);
    let system = bounded!(system, bytes_max).send_compressed(Gzip);
    let waiting = Waiting::new(limits.calls_waiting_max);
    routes
        .add_service(counted!(waiting, workflows))
        .add_service(counted!(waiting, executions))
        .add_service(counted!(waiting, agents))
        .add_service(counted!(waiting, workers))
        .add_service(counted!(waiting, system));
}
