//! Turns an address into a connection, with the same settings for clients and workers.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use crate::Error;

/// The largest message taken from the server, in bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;

/// A server's address, checked, with the settings of connections to it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    address: String,
    endpoint: Endpoint,
}

impl Server {
    /// Takes `host:port` or an `http://` URL.
    pub(crate) fn new(address: &str) -> Result<Self, Error> {
        let bad = |reason: String| Error::Address {
            address: address.to_owned(),
            reason,
        };
        let url = if address.contains("://") {
            address.to_owned()
        } else {
            format!("http://{address}")
        };
        let endpoint = Endpoint::from_shared(url).map_err(|e| bad(e.to_string()))?;
        if endpoint.uri().host().is_none_or(str::is_empty) {
            return Err(bad("it names no host".into()));
        }
        Ok(Self {
            address: address.to_owned(),
            endpoint: configure(endpoint),
        })
    }

    /// Connects; gives up after 5 s.
    pub(crate) async fn connect(&self) -> Result<Channel, Error> {
        self.endpoint
            .connect()
            .await
            .map_err(|source| Error::Connect {
                address: self.address.clone(),
                source,
            })
    }

    /// A channel that connects at its first call.
    pub(crate) fn connect_lazy(&self) -> Channel {
        self.endpoint.connect_lazy()
    }
}

fn configure(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_and_port_or_a_url() {
        for good in ["127.0.0.1:7420", "localhost:1", "http://[::1]:7420"] {
            assert!(Server::new(good).is_ok(), "{good}");
        }
        for bad in ["", "not an address", "http://"] {
            let error = Server::new(bad).expect_err(bad);
            assert!(error.to_string().contains("127.0.0.1:7420"), "{error}");
        }
    }
}
