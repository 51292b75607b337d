//! `tutti audit`: whether events are as they were written.

use super::{
    failure::Failure,
    global::Global,
    json, output,
    output::{Paint, Tone},
    session,
};
use crate::proto::{BrokenChain, VerifyAuditRequest, VerifyAuditResponse};

/// Checks that what is recorded of executions was not changed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti audit verify                   all executions of the namespace
  tutti audit verify 0193f4c2-…        one; prints the head of its chain
  tutti audit verify --all             those of all namespaces
  tutti audit verify --output json | jq '.broken[]'

Exit code 1 when an execution is broken; each is named with its first broken event.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Follows hash chains and reads every payload; names the first broken event of each execution
    Verify {
        /// Only this execution
        id: Option<String>,

        /// The executions of all namespaces
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

/// Checks, tells how far it is on stderr, and prints what was found.
///
/// # Errors
/// `Failure::Ended` when something is broken; `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let Command::Verify { id, all } = args.command;
    let session = session::open(global).await?;
    let request = VerifyAuditRequest {
        namespace: match all {
            true => String::new(),
            false => session.namespace().to_owned(),
        },
        execution_id: id.unwrap_or_default(),
        all_namespaces: all,
    };
    let mut answers = session.system().verify_audit(request).await?.into_inner();
    let mut whole = VerifyAuditResponse::default();
    let progress = super::spinner::new(global);
    while let Some(mut told) = answers.message().await? {
        let mut broken = std::mem::take(&mut whole.broken);
        broken.append(&mut told.broken);
        progress.set_message(format!("{} checked", counted(&told)));
        whole = VerifyAuditResponse { broken, ..told };
    }
    progress.finish_and_clear();
    if !whole.done {
        return Err(Failure::Server("the check broke off".into()));
    }
    if global.json() {
        let name = "tutti.v1.VerifyAuditResponse";
        output::print(&json::pretty(&whole, name)?)?;
    } else {
        output::print(&shown(&whole, global.stdout()))?;
    }
    match whole.broken.len() {
        0 => Ok(()),
        1 => Err(Failure::Ended("one execution is broken".into())),
        many => Err(Failure::Ended(format!("{many} executions are broken"))),
    }
}

fn counted(told: &VerifyAuditResponse) -> String {
    let executions = output::counted(told.executions, "execution");
    format!("{executions}, {}", output::counted(told.events, "event"))
}

fn shown(whole: &VerifyAuditResponse, paint: Paint) -> String {
    let mut lines: Vec<String> = whole.broken.iter().map(|one| line(one, paint)).collect();
    let verdict = match whole.broken.is_empty() {
        true => paint.tone(Tone::Good, "all as they were written"),
        false => paint.tone(Tone::Bad, "BROKEN"),
    };
    lines.push(format!("{}: {verdict}", counted(whole)));
    if !whole.head.is_empty() {
        lines.push(format!("head {}", whole.head));
    }
    lines.join("\n")
}

fn line(broken: &BrokenChain, paint: Paint) -> String {
    format!(
        "execution {} event {}: {}",
        paint.tone(Tone::Strong, &broken.execution_id),
        broken.sequence,
        broken.reason
    )
}
