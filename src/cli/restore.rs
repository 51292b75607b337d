//! `tutti restore`: a data directory from a backup.

use std::{fs::File, io::BufReader, path::PathBuf};

use super::{backup::failed, failure::Failure, global::Global, output, spinner};
use crate::server::offline;

/// Makes a data directory of a backup, for `tutti serve --data`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The directory must be empty or not there. It is no data directory before all of the backup is
read and its checksums fit, and empty again when they do not; executions that were open go on when
a server starts over it.

Examples:
  tutti restore tutti-2026-05-01.backup --data ./restored
  tutti serve --data ./restored")]
pub struct Args {
    /// The file that `tutti backup` wrote
    file: PathBuf,

    /// The directory to make
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

/// Restores and says so.
///
/// # Errors
/// `Failure::Io`, `Failure::Server` with what is wrong with the file or the directory.
pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let file = File::open(&args.file).map_err(failed("open", &args.file))?;
    let progress = spinner::new(global);
    progress.set_message(format!("restoring {}", args.data.display()));
    let restored = offline::restore(&mut BufReader::new(file), &args.data);
    progress.finish_and_clear();
    let restored =
        restored.map_err(|error| Failure::Server(format!("{}: {error}", args.file.display())))?;
    if global.json() {
        let restored = serde_json::json!({
            "data": args.data.display().to_string(),
            "commit": restored.commit,
        });
        return output::print(&restored.to_string());
    }
    output::print(&format!(
        "{} holds everything up to commit {}: serve it with `tutti serve --data {}`",
        args.data.display(),
        restored.commit,
        args.data.display()
    ))
}
