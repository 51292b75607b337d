//! `tutti backup`: a copy of a server's whole store, or of a data directory that no server has.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{failure::Failure, global::Global, output, session, spinner};
use crate::{
    proto::{BackupTrailer, CreateBackupRequest, create_backup_response::Part},
    server::offline,
};

/// Writes a copy of the server's whole store into a file, while the server goes on
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The copy is consistent: it holds what was committed up to one moment, payloads included. The
file is there only once it is whole and checked.

Examples:
  tutti backup tutti-2026-05-01.backup
  tutti backup /backup/tutti.backup --data /var/lib/tutti   of a stopped server's directory
  tutti restore tutti-2026-05-01.backup --data ./restored")]
pub struct Args {
    /// The file to write; must not be there yet
    file: PathBuf,

    /// Copies this data directory instead, which no server may have open
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Writes the copy, tells how far it is on stderr, and says how large it is.
///
/// # Errors
/// `Failure::Usage` when the file is there; `Failure::Io`; `Failure::Server` when the copy is
/// not whole; `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    if args.file.exists() {
        let file = args.file.display();
        let words = format!("{file} is there already: choose another name, or remove it");
        return Err(Failure::Usage(words));
    }
    let unfinished = args.file.with_extension("unfinished");
    let written = match &args.data {
        Some(data) => of_directory(data, &unfinished, global),
        None => of_server(&unfinished, global).await,
    };
    let placed = written.and_then(|copy| {
        std::fs::rename(&unfinished, &args.file).map_err(failed("write", &args.file))?;
        Ok(copy)
    });
    let copy = placed.inspect_err(|_| {
        // What is half written is of no use; that it cannot be removed changes nothing.
        let _ = std::fs::remove_file(&unfinished);
    })?;
    if global.json() {
        let copy = serde_json::json!({
            "file": args.file.display().to_string(),
            "commit": copy.commit,
            "bytes": copy.bytes,
        });
        return output::print(&copy.to_string());
    }
    output::print(&format!(
        "{} holds everything up to commit {}, {}",
        args.file.display(),
        copy.commit,
        spinner::size(copy.bytes)
    ))
}

/// What was copied.
struct Copy {
    commit: u64,
    bytes: u64,
}

async fn of_server(path: &Path, global: &Global) -> Result<Copy, Failure> {
    let session = session::open(global).await?;
    let mut parts = session
        .system()
        .create_backup(CreateBackupRequest {})
        .await?
        .into_inner();
    let mut file = File::create(path).map_err(failed("create", path))?;
    let progress = spinner::new(global);
    let (mut hash, mut bytes, mut trailer) = (Sha256::new(), 0, None);
    while let Some(message) = parts.message().await? {
        match message.part {
            Some(Part::Chunk(chunk)) => {
                hash.update(&chunk);
                bytes += chunk.len() as u64;
                file.write_all(&chunk).map_err(failed("write", path))?;
                progress.set_message(format!("{} copied", spinner::size(bytes)));
            }
            Some(Part::Trailer(end)) => trailer = Some(end),
            Some(Part::Header(_)) | None => {}
        }
    }
    progress.finish_and_clear();
    file.sync_all().map_err(failed("write", path))?;
    let trailer: BackupTrailer = trailer
        .ok_or_else(|| Failure::Server("the backup broke off: nothing is kept of it".into()))?;
    if trailer.sha256 != hash.finalize().as_slice() || trailer.bytes != bytes {
        let words = "the backup arrived with another checksum than it was sent with: try again";
        return Err(Failure::Server(words.into()));
    }
    let commit = trailer.commit;
    Ok(Copy { commit, bytes })
}

fn of_directory(data: &Path, path: &Path, global: &Global) -> Result<Copy, Failure> {
    let progress = spinner::new(global);
    progress.set_message(format!("copying {}", data.display()));
    let file = File::create(path).map_err(failed("create", path))?;
    let mut file = BufWriter::new(file);
    let copied = offline::backup(data, &mut file);
    progress.finish_and_clear();
    let copied = copied.map_err(|error| Failure::Server(error.to_string()))?;
    let file = file
        .into_inner()
        .map_err(|error| failed("write", path)(error.into_error()))?;
    file.sync_all().map_err(failed("write", path))?;
    Ok(Copy {
        commit: copied.commit,
        bytes: copied.bytes,
    })
}

/// Turns an I/O error into a failure that says what was being done to which file.
pub fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let context = format!("cannot {what} {}", path.display());
    |source| Failure::Io { context, source }
}
