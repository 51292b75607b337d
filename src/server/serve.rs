//! Serving and coming to rest: the transport around the API, health and reflection.

use std::time::Duration;

use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};
use tonic::{
    service::{Routes, RoutesBuilder},
    transport::server::TcpIncoming,
};
use tonic_health::{
    ServingStatus,
    server::{HealthReporter, health_reporter},
};
use tonic_web::GrpcWebLayer;
use tower::util::{MapRequestLayer, MapResponseLayer};

use super::{Error, Server};
use crate::{
    api::{self, Api},
    config::Transport,
    proto::FILE_DESCRIPTOR_SET,
};

/// How often an idle connection is probed by TCP, below HTTP/2's own keepalive.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// Serves until `shutdown` ends or the server cannot go on, then brings everything to rest.
pub(super) async fn run(server: Server, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    let Server {
        config,
        listener,
        address,
        engine,
        hub,
        about,
    } = server;
    let (stopper, stop) = api::stop();
    let (let_go, letting_go) = oneshot::channel::<()>();
    let timers = tokio::spawn(hub.clone().run(async {
        let _ = letting_go.await;
    }));
    let (health, routes) = routes(Api {
        engine: engine.handle(),
        hub: hub.clone(),
        stop,
        about,
    })
    .await?;
    let (go_away, going_away) = oneshot::channel();
    let incoming = TcpIncoming::from(listener)
        .with_nodelay(Some(true))
        .with_keepalive(Some(TCP_KEEPALIVE));
    let serving = transport(&config.transport)
        .layer(MapRequestLayer::new(api::mark_arrival))
        .layer(GrpcWebLayer::new())
        .layer(MapResponseLayer::new(api::say_in_our_words))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, async {
            let _ = going_away.await;
        });
    let mut serving = std::pin::pin!(serving);
    tracing::info!(%address, "serving");

    let (ended, open) = tokio::select! {
        served = &mut serving => (served.map_err(Error::from), false),
        reason = failed(engine.failure()) => (Err(Error::StoreFailed(reason)), true),
        () = shutdown => (Ok(()), true),
    };
    tracing::info!("coming to rest");
    not_serving(&health).await;
    stopper.stop();
    hub.shutdown("the server is shutting down");
    let _ = go_away.send(());
    close_health(health).await;
    if open && timeout(config.shutdown_grace, serving).await.is_err() {
        tracing::warn!(grace = ?config.shutdown_grace, "some calls did not finish in time");
    }
    drop(let_go);
    if let Err(error) = timers.await {
        tracing::error!(%error, "the agents' timers ended badly");
    }
    let rested = engine.shutdown().await.map_err(Error::from);
    ended.and(rested)
}

/// Ends with the reason once the store has failed.
async fn failed(mut failure: watch::Receiver<Option<String>>) -> String {
    let reason = match failure.wait_for(Option::is_some).await {
        Ok(reason) => reason.clone(),
        Err(_) => None,
    };
    reason.unwrap_or_else(|| "its thread is gone".into())
}

fn transport(settings: &Transport) -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(settings.streams_per_connection_max)
        .initial_stream_window_size(settings.stream_window_bytes)
        .initial_connection_window_size(settings.connection_window_bytes)
        .http2_keepalive_interval(Some(settings.keepalive_interval))
        .http2_keepalive_timeout(Some(settings.keepalive_timeout))
}

/// The API, health checks, and reflection in both versions that clients ask for.
async fn routes(api: Api) -> Result<(HealthReporter, Routes), Error> {
    let mut routes = RoutesBuilder::default();
    api::add_services(&mut routes, api);
    let (health, health_service) = health_reporter();
    for name in api::SERVICE_NAMES {
        health
            .set_service_status(name, ServingStatus::Serving)
            .await;
    }
    let wiring = |e: tonic_reflection::server::Error| Error::Wiring(e.to_string());
    routes
        .add_service(health_service)
        .add_service(reflection().build_v1().map_err(wiring)?)
        .add_service(reflection().build_v1alpha().map_err(wiring)?);
    Ok((health, routes.routes()))
}

/// Knows the details of errors too, so that who has nothing but reflection can read them.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// The names that health checks may ask for; the empty one is the whole server.
fn health_names() -> impl Iterator<Item = &'static str> {
    api::SERVICE_NAMES.into_iter().chain([""])
}

async fn not_serving(health: &HealthReporter) {
    for name in health_names() {
        health
            .set_service_status(name, ServingStatus::NotServing)
            .await;
    }
}

/// Ends the health watches that are open: they have said NOT_SERVING, and would hold their
/// connections for ever.
async fn close_health(mut health: HealthReporter) {
    for name in health_names() {
        health.clear_service_status(name).await;
    }
}
