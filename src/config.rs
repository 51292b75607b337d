//! What a server is started with. Every value has a default that suits one machine.

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    path::PathBuf,
    time::Duration,
};

use crate::{core::limits::Limits, proto::Retention};

/// The configuration of one server.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where it listens. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where it keeps what must last.
    pub data: Data,
    /// The bounds it keeps to; GetServerInfo publishes them.
    pub limits: Limits,
    /// How long ended executions are kept where no rule says otherwise. Default: for ever.
    pub retention: Retention,
    /// How many shards run executions; each uses one core at most. Default: one a core.
    pub shards: NonZeroUsize,
    /// How long calls that are open may take to finish once the server is told to stop.
    pub shutdown_grace: Duration,
    /// The transport's settings.
    pub transport: Transport,
}

/// Where a server keeps what must last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// In this directory, made when missing.
    Directory(PathBuf),
    /// Nowhere: all is lost when the process ends.
    Memory,
}

/// The settings of HTTP/2 and TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transport {
    /// The most calls open at once on one connection; told to clients, which then wait.
    pub streams_per_connection_max: u32,
    /// Bytes that a client may send of one call before they are taken.
    pub stream_window_bytes: u32,
    /// Bytes that a client may send of all calls of a connection before they are taken.
    pub connection_window_bytes: u32,
    /// How often a silent connection is asked for a sign of life.
    pub keepalive_interval: Duration,
    /// How long the answer may take before the connection is given up.
    pub keepalive_timeout: Duration,
}

impl From<PathBuf> for Data {
    fn from(directory: PathBuf) -> Self {
        Self::Directory(directory)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7420)),
            data: Data::Directory("./tutti-data".into()),
            limits: Limits::default(),
            retention: Retention::default(),
            shards: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            shutdown_grace: Duration::from_secs(10),
            transport: Transport::default(),
        }
    }
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            streams_per_connection_max: 10_000,
            stream_window_bytes: 1 << 20,
            connection_window_bytes: 8 << 20,
            keepalive_interval: Duration::from_secs(20),
            keepalive_timeout: Duration::from_secs(20),
        }
    }
}
