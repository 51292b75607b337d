//! `tutti compact`: gives the space of what was deleted back to the disk.

use super::{failure::Failure, global::Global, json, output, session, spinner};
use crate::proto::CompactStoreRequest;

/// Rewrites the server's store so that what was deleted takes no space any more
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The server goes on meanwhile. It takes up to as much free space as the store has.

Examples:
  tutti compact
  tutti compact --output json | jq .bytes_after")]
pub struct Args {}

/// Compacts and says how much that gave.
///
/// # Errors
/// `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(_args: Args, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let progress = spinner::new(global);
    progress.set_message("compacting");
    let compacted = session.system().compact_store(CompactStoreRequest {}).await;
    progress.finish_and_clear();
    let compacted = compacted?.into_inner();
    if global.json() {
        let name = "tutti.v1.CompactStoreResponse";
        return output::print(&json::pretty(&compacted, name)?);
    }
    output::print(&format!(
        "{} before, {} after",
        spinner::size(compacted.bytes_before),
        spinner::size(compacted.bytes_after)
    ))
}
