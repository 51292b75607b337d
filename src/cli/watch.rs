//! `tutti watch`: follows an execution to its end.

use super::{
    failure::Failure,
    global::Global,
    progress::{View, conclude, follow},
    session,
};

/// Follows an execution, from its first event to its last
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A lost connection is made again: no event is missed and none comes twice. The exit code tells
how the execution ended: 0 completed, 1 failed, cancelled or timed out.

Examples:
  tutti watch 0193f4c2-…
  tutti watch 0193f4c2-… --after 40 --output json    one event a line, from the 41st")]
pub struct Args {
    /// The execution
    id: String,

    /// Shows only events with a greater sequence
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0)]
    after: u64,
}

/// Shows the execution until it ends.
///
/// # Errors
/// `Failure::Ended` unless it completes; `Failure::Refused`; `Failure::Unreachable`;
/// `Failure::Interrupted`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let mut view = if global.json() {
        View::Json
    } else {
        View::progress(global)
    };
    let tree = follow(&session, &args.id, args.after, &mut view).await?;
    conclude(&tree)
}
