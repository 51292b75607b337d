//! `tutti bench`: measures a server over the public API alone. Server, worker and load are
//! processes of their own; with `--connect` the server is another's. One file a scenario, each
//! of which gives cells; `rig` holds the processes, `load` drives calls, `cell` shows results.

use std::{path::PathBuf, time::Duration};

use clap::Subcommand;

use super::{failure::Failure, global::Global, signals};

mod cell;
mod disk;
mod growth;
mod load;
mod map;
mod open;
mod payload;
mod process;
mod progress;
mod rig;
mod role;
mod runs;
mod watch;

use progress::Progress;
use rig::Rig;

/// Measures workflows per second, latencies, memory and restarts
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Starts a server on a free port with a temporary directory, and a worker, as processes of their
own; this process is the load. Build with --release. Results go to stdout, as a table or with
--output json as one object a line; times are milliseconds, sizes are bytes.

Examples:
  tutti bench                                          the scenario `steps`
  tutti bench steps --concurrency 1,16,64,256 --seconds 10
  tutti bench fan-out --width 100 --concurrency 1
  tutti bench map --items 100000 --parallel 1000
  tutti bench open --executions 210000                 open executions, kill -9, restart
  tutti bench watch --watchers 8
  tutti bench steps --connect 127.0.0.1:7420           against a server that runs already
  tutti bench all --output json > bench.jsonl")]
pub struct Args {
    #[command(subcommand)]
    scenario: Option<Scenario>,

    #[command(flatten)]
    settings: Settings,
}

/// What all scenarios take.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    /// Measures the server at this address instead of starting one
    #[arg(long, global = true, value_name = "HOST:PORT")]
    connect: Option<String>,

    /// How long each cell is measured, after a warm-up of a fifth of it
    #[arg(long, global = true, value_name = "N", default_value_t = 5,
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,

    /// Where the server that is started keeps its state; left out: a temporary directory, removed
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "connect")]
    data: Option<PathBuf>,
}

impl Settings {
    fn span(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

#[derive(Debug, Subcommand)]
enum Scenario {
    Steps(runs::Steps),
    FanOut(runs::FanOut),
    Start(runs::Start),
    Map(map::Args),
    Watch(watch::Args),
    Payload(payload::Args),
    Open(open::Args),
    Disk(disk::Args),
    Growth(growth::Args),
    All(All),
    #[command(hide = true)]
    Role(role::Args),
}

/// Every scenario with its defaults, one after another
#[derive(Debug, clap::Args)]
struct All {
    /// Leaves out `growth` and makes `open` and `disk` a tenth as large
    #[arg(long)]
    quick: bool,
}

/// Measures, or plays the part that another `tutti bench` started it for.
///
/// # Errors
/// `Failure::Server` when a process cannot be started, `Failure::Unreachable`,
/// `Failure::Refused`, `Failure::Usage` for a scenario that needs a server of its own;
/// `Failure::Ended` when calls failed.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    if let Some(Scenario::Role(role)) = args.scenario {
        return role::run(role).await;
    }
    let scenario = args
        .scenario
        .unwrap_or_else(|| Scenario::Steps(runs::Steps::default()));
    let mut out = cell::Report::new(global);
    tokio::select! {
        done = measure(scenario, &args.settings, &mut out) => done?,
        () = signals::shutdown() => return Err(Failure::Interrupted("interrupted".into())),
    }
    out.finish()
}

async fn measure(
    scenario: Scenario,
    settings: &Settings,
    out: &mut cell::Report,
) -> Result<(), Failure> {
    match scenario {
        Scenario::Steps(args) => args.run(settings, out).await,
        Scenario::FanOut(args) => args.run(settings, out).await,
        Scenario::Start(args) => args.run(settings, out).await,
        Scenario::Map(args) => args.run(settings, out).await,
        Scenario::Watch(args) => args.run(settings, out).await,
        Scenario::Payload(args) => args.run(settings, out).await,
        Scenario::Open(args) => args.run(settings, out).await,
        Scenario::Disk(args) => args.run(settings, out).await,
        Scenario::Growth(args) => args.run(settings, out).await,
        Scenario::All(All { quick }) => all(quick, settings, out).await,
        Scenario::Role(_) => Ok(()),
    }
}

async fn all(quick: bool, settings: &Settings, out: &mut cell::Report) -> Result<(), Failure> {
    runs::Steps::default().run(settings, out).await?;
    runs::FanOut::default().run(settings, out).await?;
    runs::Start::default().run(settings, out).await?;
    map::Args::default().run(settings, out).await?;
    watch::Args::default().run(settings, out).await?;
    payload::Args::default().run(settings, out).await?;
    if settings.connect.is_some() {
        return Ok(());
    }
    open::Args::sized(quick).run(settings, out).await?;
    disk::Args::sized(quick).run(settings, out).await?;
    if !quick {
        growth::Args::default().run(settings, out).await?;
    }
    Ok(())
}
