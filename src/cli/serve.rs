//! `tutti serve`: the server, until it is asked to end.

use std::{net::SocketAddr, path::PathBuf};

use super::{failure::Failure, output, signals, time};
use crate::{
    config::{Config, Data},
    proto::Retention,
    server::{self, Server},
    telemetry,
};

/// Serves the API, with its state in a directory
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prints `listening on ADDRESS` on stdout once it serves; logs go to stderr. SIGINT and SIGTERM
end it in order: what was accepted is kept and goes on at the next start.

Examples:
  tutti serve
  tutti serve --listen 0.0.0.0:7420 --data /var/lib/tutti --log-format json
  tutti serve --limit payload_bytes_max=1MiB --limit lease_timeout=2m")]
pub struct Args {
    /// The address to listen on; port 0 takes a free one
    #[arg(
        long,
        env = "TUTTI_LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:7420"
    )]
    listen: SocketAddr,

    /// The directory of the state; made when it is not there
    #[arg(
        long,
        env = "TUTTI_DATA",
        value_name = "DIR",
        default_value = "./tutti-data"
    )]
    data: PathBuf,

    /// Sets a limit, by the name GetServerInfo publishes: payload_bytes_max=8MiB; may be repeated
    #[arg(
        long = "limit",
        env = "TUTTI_LIMITS",
        value_name = "NAME=VALUE",
        value_delimiter = ','
    )]
    limits: Vec<String>,

    /// Removes ended executions after this long where no rule says otherwise: 30d
    #[arg(long, env = "TUTTI_RETENTION", value_name = "AGE", value_parser = time::parse_span)]
    retention: Option<prost_types::Duration>,

    /// Keeps at most this many ended executions of each workflow where no rule says otherwise
    #[arg(
        long,
        env = "TUTTI_RETENTION_COUNT",
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    retention_count: Option<u64>,

    #[command(flatten)]
    log: LogArgs,
}

/// How a server logs.
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// How log lines are written
    #[arg(
        long,
        env = "TUTTI_LOG_FORMAT",
        value_enum,
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub log_format: telemetry::Format,

    /// What is logged: a level, or directives such as `info,tutti::engine=debug`
    #[arg(long, env = "TUTTI_LOG", default_value = "info", value_name = "LEVEL")]
    pub log_level: String,
}

/// Serves until a signal comes.
///
/// # Errors
/// `Failure::Server` with what to do: an address or a directory in use, a damaged store.
pub async fn run(args: Args) -> Result<(), Failure> {
    log(args.log.log_format, &args.log.log_level)?;
    let retention = Retention {
        max_age: args.retention,
        max_count: args.retention_count.unwrap_or_default(),
        ..Retention::default()
    };
    let server = bind(args.listen, args.data, &args.limits, retention).await?;
    output::print(&format!("listening on {}", server.local_addr()))?;
    server.run(signals::shutdown()).await.map_err(failed)
}

/// Begins to log.
///
/// # Errors
/// `Failure::Usage` for directives that make no sense.
pub fn log(format: telemetry::Format, level: &str) -> Result<(), Failure> {
    telemetry::init(format, level).map_err(|e| Failure::Usage(e.to_string()))
}

/// Opens the store and takes the address.
///
/// # Errors
/// `Failure::Usage` for limits that make no sense, `Failure::Server`.
pub async fn bind(
    listen: SocketAddr,
    data: PathBuf,
    limits: &[String],
    retention: Retention,
) -> Result<Server, Failure> {
    let mut config = Config {
        listen,
        retention,
        data: Data::Directory(data),
        ..Config::default()
    };
    config.limits.set(limits).map_err(Failure::Usage)?;
    Server::bind(config).await.map_err(failed)
}

fn failed(error: server::Error) -> Failure {
    Failure::Server(error.to_string())
}
