//! `tutti verify`: whether a data directory that no server has open is whole.

use std::path::PathBuf;

use super::{failure::Failure, global::Global, output, output::Tone, spinner};
use crate::server::offline;

/// Checks a stopped server's data directory: journal, state, chains of events, payloads
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads everything and changes nothing that matters: what a crash left unfinished is brought to
its end, as at any start. Names segment and offset, or the execution and its event.

Examples:
  tutti verify --data /var/lib/tutti
  tutti verify --data /var/lib/tutti --output json

Exit code 1 when something is not as it was written.")]
pub struct Args {
    /// The directory, which no server may have open
    #[arg(
        long,
        env = "TUTTI_DATA",
        value_name = "DIR",
        default_value = "./tutti-data"
    )]
    data: PathBuf,
}

/// Checks and prints what was found.
///
/// # Errors
/// `Failure::Server` with the first damage, `Failure::Ended` when chains are broken.
pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let progress = spinner::new(global);
    let checked = offline::verify(&args.data, &mut |executions| {
        progress.set_message(format!("{executions} executions checked"));
    });
    progress.finish_and_clear();
    let checked = checked.map_err(|error| Failure::Server(error.to_string()))?;
    if global.json() {
        output::print(&checked.to_json().to_string())?;
    } else {
        let paint = global.stdout();
        for (id, broken) in &checked.broken {
            let id = paint.tone(Tone::Strong, &id.to_string());
            let (sequence, reason) = (broken.sequence, &broken.reason);
            output::print(&format!("execution {id} event {sequence}: {reason}"))?;
        }
        let verdict = match checked.broken.is_empty() {
            true => paint.tone(Tone::Good, "all as they were written"),
            false => paint.tone(Tone::Bad, "BROKEN"),
        };
        output::print(&format!(
            "journal and state are whole; {} executions, {} events: {verdict}",
            checked.executions, checked.events
        ))?;
    }
    match checked.broken.len() {
        0 => Ok(()),
        many => Err(Failure::Ended(format!(
            "{many} broken: restore a backup with `tutti restore`"
        ))),
    }
}
