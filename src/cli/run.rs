//! `tutti run`: starts an execution, shows it, and prints what it gave.

use super::{
    failure::Failure,
    global::Global,
    json, output,
    progress::{View, conclude, follow},
    session,
    start::StartArgs,
};
use crate::core::value;

/// Starts an execution, shows it while it runs, and prints its output
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Progress goes to stderr, the output to stdout as JSON; with --output json the whole execution
is printed instead. The exit code tells how it ended: 0 completed, 1 failed, cancelled or timed
out, 2 not valid, 3 no server. Ctrl-C stops the watching, not the execution.

Examples:
  tutti run examples/hello.yaml --set name=Ada
  tutti run examples/ecommerce-order.yaml --input @examples/ecommerce-order.json
  tutti run examples/content-analysis.yaml --set text=@examples/alice.txt | jq .sentiment
  tutti run ecommerce-order@2 --input - < order.json")]
pub struct Args {
    #[command(flatten)]
    start: StartArgs,
}

/// Runs to the end.
///
/// # Errors
/// `Failure::Ended` unless it completes; else those of `start` and `watch`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let start = args.start.read()?;
    let session = session::open(global).await?;
    let id = start.start(&session, global).await?;
    let mut view = View::progress(global);
    let tree = follow(&session, &id, 0, &mut view).await?;
    if global.json() {
        let execution = session.get(&id).await?;
        output::print(&json::pretty(&execution, "tutti.v1.Execution")?)?;
        return conclude(&tree);
    }
    conclude(&tree)?;
    output::print(&json::pretty_value(
        tree.output.as_ref().unwrap_or(&value::null()),
    )?)
}
