//! The only wiring point: opens the store, starts the engine and the agents around it, serves
//! the API, and brings all of it to rest in order.

pub mod offline;
mod serve;

use std::{net::SocketAddr, sync::Arc, time::SystemTime};

use tokio::net::TcpListener;

use crate::{
    agents::Hub,
    api::About,
    config::{Config, Data},
    core::limits::Limits,
    engine::{Engine, Options},
    store::{self, Store, memory::Memory, sled::SledStore},
};

/// A server that has what it needs and listens; clients are answered once it runs.
pub struct Server {
    config: Config,
    listener: TcpListener,
    address: SocketAddr,
    engine: Engine,
    hub: Hub,
    about: About,
}

/// Why a server cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken.
    #[error(
        "{0} is in use, perhaps by another tutti: stop that one, or choose another address with --listen"
    )]
    AddressInUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another address with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The store cannot be opened or closed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The store failed while serving: nothing more can be accepted.
    #[error(
        "the store failed: {0}; what was acknowledged is kept, start again once that is mended"
    )]
    StoreFailed(String),
    /// The transport failed.
    #[error("serving failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The server's own parts do not fit together.
    #[error("cannot put the server together: {0}")]
    Wiring(String),
}

impl Server {
    /// Takes the address, opens the store, and goes on with the executions that are open in it.
    ///
    /// # Errors
    /// `AddressInUse` and `Listen`; `Store` for a data directory that is in use, of a newer
    /// format, or damaged.
    pub async fn bind(config: Config) -> Result<Self, Error> {
        let start_time = SystemTime::now().into();
        let listener = listen(config.listen).await?;
        let address = listener
            .local_addr()
            .map_err(|e| no_listen(config.listen, e))?;
        let store = open(config.data.clone(), &config.limits).await?;
        let info = store.info();
        let hub = Hub::new(&config.limits);
        let options = Options {
            shards: config.shards,
            limits: config.limits.clone(),
            retention: config.retention.clone(),
        };
        let engine = Engine::start(store, Arc::new(hub.clone()), options).await?;
        hub.set_sink(engine.sink());
        let about = About {
            version: env!("CARGO_PKG_VERSION"),
            start_time,
            store: info.name,
            data_format: info.format,
        };
        Ok(Self {
            config,
            listener,
            address,
            engine,
            hub,
            about,
        })
    }

    /// Where it listens; with port 0 configured, the port it was given.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` ends, then comes to rest: new calls are refused, workers are told
    /// to go, watches end with UNAVAILABLE, calls that are open have `shutdown_grace` to finish,
    /// and what was accepted is durable when this returns.
    ///
    /// # Errors
    /// `StoreFailed` and `Transport` when it had to stop by itself; `Store` when the store
    /// cannot be closed.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        serve::run(self, shutdown).await
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|source| no_listen(address, source))
}

fn no_listen(address: SocketAddr, source: std::io::Error) -> Error {
    match source.kind() {
        std::io::ErrorKind::AddrInUse => Error::AddressInUse(address),
        _ => Error::Listen { address, source },
    }
}

async fn open(data: Data, limits: &Limits) -> Result<Arc<dyn Store>, Error> {
    let Data::Directory(path) = data else {
        return Ok(Arc::new(Memory::new()));
    };
    let options = store::sled::Options {
        pending_bytes_max: limits.pending_bytes_max,
        group_bytes_max: limits.group_bytes_max,
        ..store::sled::Options::default()
    };
    let opening = tokio::task::spawn_blocking(move || {
        let (store, opened) = SledStore::open(&path, options)?;
        let store::sled::Opened {
            commits_replayed,
            bytes_cut,
        } = opened;
        let path = path.display();
        tracing::info!(%path, commits_replayed, bytes_cut, "opened the data directory");
        Ok::<_, store::Error>(store)
    });
    let store = opening
        .await
        .map_err(|e| Error::Wiring(format!("opening the store: {e}")))?;
    Ok(Arc::new(store?))
}

#[cfg(test)]
mod tests;
