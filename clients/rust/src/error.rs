//! Why a call of this crate did not do what it was asked. One enum for the whole crate.

use std::error::Error as _;

use tonic::{Code, Status};

/// Why a call did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not `host:port` or an `http://` URL.
    #[error("`{address}` is no server address: {reason}; write it like 127.0.0.1:7420")]
    Address {
        /// As it was given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No connection could be made.
    #[error("cannot reach the server at {address}: {source}")]
    Connect {
        /// The server's address.
        address: String,
        /// Why.
        source: tonic::transport::Error,
    },
    /// The server refused the call, or the connection broke.
    #[error("{}: {}", .0.code(), .0.message())]
    Status(Box<Status>),
    /// The server broke a promise of the API.
    #[error("the server does not keep to the protocol: {0}")]
    Protocol(String),
    /// A worker was put together wrongly.
    #[error("bad worker: {0}")]
    Worker(String),
}

impl Error {
    /// The gRPC code, when the server or the connection gave one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Status(status) => Some(status.code()),
            _ => None,
        }
    }

    /// True when the same call may succeed later: the server was not reached, is shutting
    /// down, or the connection broke.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. } => true,
            Self::Status(status) => is_transient(status),
            _ => false,
        }
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

/// True for UNAVAILABLE, and for what a broken connection is turned into: such a status has
/// the transport's error as its source, one that a server sent has none.
pub(crate) fn is_transient(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable => true,
        Code::Unknown | Code::Internal | Code::Cancelled => status.source().is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unavailable_is_transient_and_a_servers_refusal_is_not() {
        assert!(Error::from(Status::unavailable("shutting down")).is_transient());
        assert!(!Error::from(Status::internal("bug")).is_transient());
        assert!(!Error::from(Status::not_found("no such execution")).is_transient());
    }

    #[test]
    fn a_broken_connection_is_transient() {
        let broken = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "reset by peer");
        let status = Status::from_error(Box::new(broken));
        assert!(Error::from(status).is_transient());
    }
}
