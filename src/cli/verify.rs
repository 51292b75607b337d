//! `tutti verify`: whether a data directory that no server has open is whole.

use std::path::PathBuf;

use serde_json::json;

use super::{
    failure::Failure,
    global::Global,
    output,
    output::{Paint, Tone},
    spinner,
};
use crate::server::offline::{self, Inspection, Verification};

/// Checks a stopped server's data directory: journal, state, chains of events, payloads
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads everything and changes nothing. Names segment and offset, or the execution and its event.

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
    progress.set_message(format!("checking {}", args.data.display()));
    let mut broken = Vec::new();
    let found = offline::verify(&args.data, &mut |one| broken.push(one));
    progress.finish_and_clear();
    let found = found.map_err(|error| Failure::Server(error.to_string()))?;
    output::print(&match global.json() {
        true => as_json(&found, &broken).to_string(),
        false => shown(&found, &broken, global.stdout()),
    })?;
    match broken.len() {
        0 => Ok(()),
        many => Err(Failure::Ended(format!(
            "{many} broken: restore a backup with `tutti restore`"
        ))),
    }
}

fn as_json(found: &Inspection, broken: &[Verification]) -> serde_json::Value {
    let broken = broken.iter().filter_map(|one| {
        let broken = one.broken.as_ref()?;
        Some(json!({
            "execution_id": one.id.to_string(),
            "sequence": broken.sequence,
            "reason": broken.reason,
        }))
    });
    json!({
        "commit": found.commit,
        "torn_bytes": found.torn_bytes,
        "executions": found.executions,
        "events": found.events,
        "broken": broken.collect::<Vec<_>>(),
    })
}

fn shown(found: &Inspection, broken: &[Verification], paint: Paint) -> String {
    let mut lines = Vec::new();
    for one in broken {
        if let Some(broken) = &one.broken {
            let id = paint.tone(Tone::Strong, &one.id.to_string());
            let (sequence, reason) = (broken.sequence, &broken.reason);
            lines.push(format!("execution {id} event {sequence}: {reason}"));
        }
    }
    if found.torn_bytes > 0 {
        let bytes = found.torn_bytes;
        lines.push(format!(
            "{bytes} bytes of a commit that a crash interrupted: the next start cuts them off"
        ));
    }
    let verdict = match broken.is_empty() {
        true => paint.tone(Tone::Good, "all as they were written"),
        false => paint.tone(Tone::Bad, "BROKEN"),
    };
    lines.push(format!(
        "journal and state are whole up to commit {}; {}, {}: {verdict}",
        found.commit,
        output::counted(found.executions, "execution"),
        output::counted(found.events, "event"),
    ));
    lines.join("\n")
}
