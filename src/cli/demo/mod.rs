//! `tutti demo`: a server, a worker with its agents and three workflows, in one process. The
//! parts speak to each other as strangers do: gRPC over TCP, the public worker stream.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use tokio::{sync::watch, task::JoinHandle};
use tutti_client::Client;

use super::{
    failure::Failure,
    global::Global,
    output,
    output::{Paint, Tone},
    serve, session, signals,
};
use crate::telemetry;

mod agents;
mod guide;
mod scenario;

/// Serves, connects agents, and runs three workflows to watch
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Runs the content analysis, the order and the document pipeline of examples/, then keeps serving
and tells what to try next.

Examples:
  tutti demo
  tutti demo --once                          ends after the runs
  tutti demo --listen 127.0.0.1:0            on a free port
  tutti demo --data ./tutti-demo-data        keeps the state")]
pub struct Args {
    /// Ends after the runs; the exit code tells whether all completed
    #[arg(long)]
    once: bool,

    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7420")]
    listen: SocketAddr,

    /// Where the state is kept; left out: a temporary directory, removed at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// What is logged, on stderr
    #[arg(long, env = "TUTTI_LOG", default_value = "warn", value_name = "LEVEL")]
    log_level: String,
}

/// Runs the demo.
///
/// # Errors
/// `Failure::Server` when it cannot serve; with `--once` `Failure::Ended` when a run failed.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    serve::log(telemetry::Format::Text, &args.log_level)?;
    let data = Data::open(args.data)?;
    let server = serve::bind(args.listen, data.path().to_owned(), &[], Default::default()).await?;
    let address = reachable(server.local_addr());
    let (stop, stopped) = watch::channel(());
    let serving = tokio::spawn(server.run(until_dropped(stopped)));
    let shown = present(address, &data, args.once, global).await;
    drop(stop);
    let served = joined(serving).await;
    shown.and(served.map_err(|e| Failure::Server(e.to_string())))
}

/// Connects agents, runs everything, and then waits for the end.
async fn present(
    address: SocketAddr,
    data: &Data,
    once: bool,
    global: &Global,
) -> Result<(), Failure> {
    let global = Global {
        server: format!("http://{address}"),
        ..global.clone()
    };
    let worker = agents::worker(&global.server)?;
    let (stop, stopped) = watch::channel(());
    let working = tokio::spawn(worker.run(until_dropped(stopped)));
    let shown = show(address, data, once, &global).await;
    drop(stop);
    let worked = joined(working).await;
    let outcome = shown.and(worked.map_err(Failure::from));
    outcome.map_err(|failure| within(failure, &global.server))
}

async fn show(
    address: SocketAddr,
    data: &Data,
    once: bool,
    global: &Global,
) -> Result<(), Failure> {
    let paint = global.stdout();
    output::print(&greeting(address, data.path(), paint))?;
    let client = session::open(global).await?;
    let ran = run_all(&client, global).await;
    if once || matches!(ran, Err(Failure::Interrupted(_))) {
        return ran.map(drop).map_err(quietly_interrupted);
    }
    let last = ran.as_ref().ok().cloned().unwrap_or_default();
    if let Err(failure) = &ran {
        eprintln!("error: {failure}");
    }
    output::print(&guide::text(&global.server, &last, paint))?;
    signals::shutdown().await;
    Ok(())
}

/// Runs every scenario, also after one that failed. Gives the id of the last execution.
async fn run_all(client: &Client, global: &Global) -> Result<String, Failure> {
    let all = scenario::all()?;
    let mut last = String::new();
    let mut failed = None;
    for (number, scenario) in (1..).zip(&all) {
        let heading = format!("\n{number}/{}  {}", all.len(), scenario.title);
        output::print(&global.stdout().tone(Tone::Strong, &heading))?;
        match scenario.run(client, global).await {
            Ok(id) => last = id,
            Err(failure @ Failure::Ended(_)) => failed = Some(failure),
            Err(failure) => return Err(failure),
        }
    }
    failed.map_or(Ok(last), Err)
}

fn greeting(address: SocketAddr, data: &Path, paint: Paint) -> String {
    let facts = format!(
        "serving on {address}, state in {}, {} agents on one worker",
        data.display(),
        agents::count()
    );
    format!("{}  {facts}", paint.tone(Tone::Strong, "tutti demo"))
}

/// A refusal is by the demo's own server, not by the one that the options name.
fn within(failure: Failure, server: &str) -> Failure {
    match failure {
        Failure::Refused(_) | Failure::Unreachable(_) => {
            let report = failure.report(server).unwrap_or_default();
            Failure::Server(report.trim_start_matches("error: ").to_owned())
        }
        failure => failure,
    }
}

/// In a demo nothing goes on after Ctrl-C: there is nothing to follow or to cancel.
fn quietly_interrupted(failure: Failure) -> Failure {
    match failure {
        Failure::Interrupted(_) => Failure::Interrupted("the demo was interrupted".to_owned()),
        failure => failure,
    }
}

/// Ends when the sender is dropped.
async fn until_dropped(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}

/// What a task gave; a panic goes on here.
async fn joined<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Where a server that listens on `address` is reached from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        ip if !ip.is_unspecified() => address,
        IpAddr::V4(_) => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        IpAddr::V6(_) => SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), address.port()),
    }
}

/// Where the demo keeps its state.
enum Data {
    /// A directory that was given; it stays.
    Kept(PathBuf),
    /// One that is removed at the end.
    Temporary(tempfile::TempDir),
}

impl Data {
    fn open(given: Option<PathBuf>) -> Result<Self, Failure> {
        if let Some(path) = given {
            return Ok(Self::Kept(path));
        }
        let made = tempfile::Builder::new().prefix("tutti-demo-").tempdir();
        made.map(Self::Temporary).map_err(|source| Failure::Io {
            context: "making a temporary directory (choose another with --data)".to_owned(),
            source,
        })
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(directory) => directory.path(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_every_address_is_reached_on_the_loopback() {
        let reach = |text: &str| reachable(text.parse().expect("an address")).to_string();
        assert_eq!(reach("0.0.0.0:7420"), "127.0.0.1:7420");
        assert_eq!(reach("[::]:7420"), "[::1]:7420");
        assert_eq!(reach("192.0.2.1:7420"), "192.0.2.1:7420");
    }

    #[test]
    fn without_a_directory_the_state_is_removed_at_the_end() {
        let data = Data::open(None).expect("a temporary directory");
        let path = data.path().to_owned();
        assert!(path.is_dir());
        drop(data);
        assert!(!path.exists());
    }
}
