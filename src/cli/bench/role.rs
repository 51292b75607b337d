//! The parts that `tutti bench` starts as processes of their own: a server, and a worker. Each
//! ends when its standard input closes, so that none is left behind, however the bench ends.

use std::{net::SocketAddr, path::PathBuf};

use tokio::sync::oneshot;
use tutti_client::Worker;

use crate::{
    cli::{failure::Failure, output, serve},
    proto::Retention,
    telemetry,
};

/// The most tasks that the worker has in progress at once.
const TASKS_MAX: u32 = 2048;

/// A part of a bench
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, clap::Subcommand)]
enum Role {
    /// Serves
    Server {
        #[arg(long)]
        data: PathBuf,
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        #[arg(long = "limit")]
        limits: Vec<String>,
    },
    /// Serves agents
    Worker {
        #[arg(long)]
        address: String,
    },
}

/// Plays the part until standard input closes.
pub async fn run(args: Args) -> Result<(), Failure> {
    match args.role {
        Role::Server {
            data,
            listen,
            limits,
        } => {
            serve::log(telemetry::Format::Text, "warn")?;
            let server = serve::bind(listen, data, &limits, Retention::default()).await?;
            output::print(&format!("listening on {}", server.local_addr()))?;
            let served = server.run(closed()).await;
            served.map_err(|e| Failure::Server(e.to_string()))
        }
        Role::Worker { address } => Ok(worker(&address)?.run(closed()).await?),
    }
}

/// `echo` gives back what it is given, `join` how many things it is given.
fn worker(address: &str) -> Result<Worker, Failure> {
    let worker = Worker::builder(address)
        .agent_fn("bench-echo", Ok)
        .agent_fn("bench-join", |input| {
            let members = input.as_object().map_or(0, serde_json::Map::len);
            Ok(serde_json::json!({ "joined": members }))
        })
        .max_concurrency(TASKS_MAX)
        .build()?;
    Ok(worker)
}

/// Ends when standard input closes. Reads it in a thread that nobody waits for.
async fn closed() {
    let (ended, end) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        drop(ended);
    });
    let _ = end.await;
}
