//! `tutti retention`: how long ended executions are kept.

use crate::proto::{
    ApplyRetentionRequest, DeleteRetentionRequest, ListRetentionRequest, ListRetentionResponse,
    Retention, SetRetentionRequest,
};

use super::{
    failure::Failure,
    global::Global,
    json, output,
    output::Tone,
    session,
    table::{Cell, Table},
    time,
};

/// Says how long ended executions are kept
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A workflow's rule beats its namespace's, which beats the server's (`tutti serve --retention`).
An execution that fits neither the age nor the count is removed within a minute, with its
events and payloads. Open executions never are.

Examples:
  tutti retention set --age 30d                      for all workflows of the namespace
  tutti retention set order --age 7d --count 10000   for one workflow
  tutti retention set audit-trail --keep             one that is kept for ever
  tutti retention list
  tutti retention delete order
  tutti retention apply                              now, and say how many")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Sets the rule of a workflow or of the namespace
    Set {
        /// The workflow; left out: all of the namespace that have no rule of their own
        workflow: Option<String>,

        /// Removed this long after its end: 90s, 2h, 30d
        #[arg(long, value_name = "AGE", value_parser = time::parse_span)]
        age: Option<prost_types::Duration>,

        /// The most ended executions kept of each workflow
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        count: Option<u64>,

        /// Everything is kept, whatever holds around it
        #[arg(long, conflicts_with_all = ["age", "count"])]
        keep: bool,
    },
    /// Lists the rules of the namespace
    List,
    /// Takes the rule of a workflow or of the namespace back
    Delete {
        /// The workflow; left out: the namespace's own rule
        workflow: Option<String>,
    },
    /// Removes now what is to be removed, in all namespaces
    Apply,
}

/// Does what was asked and says so.
///
/// # Errors
/// `Failure::Usage`, `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    match args.command {
        Command::Set {
            workflow,
            age,
            count,
            keep,
        } => {
            if age.is_none() && count.is_none() && !keep {
                let words = "say how long: --age 30d, --count 1000, or --keep for ever";
                return Err(Failure::Usage(words.into()));
            }
            let retention = Retention {
                namespace: global.namespace.clone(),
                workflow: workflow.unwrap_or_default(),
                max_age: age,
                max_count: count.unwrap_or_default(),
                update_time: None,
            };
            set(retention, global).await
        }
        Command::List => list(global).await,
        Command::Delete { workflow } => delete(workflow.unwrap_or_default(), global).await,
        Command::Apply => apply(global).await,
    }
}

async fn set(retention: Retention, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let request = SetRetentionRequest {
        retention: Some(retention),
    };
    let set = session.system().set_retention(request).await?.into_inner();
    if global.json() {
        return output::print(&json::pretty(&set, "tutti.v1.SetRetentionResponse")?);
    }
    let rule = set.retention.unwrap_or_default();
    output::print(&format!("{}: {}", subject(&rule), said(&rule)))
}

async fn list(global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let request = ListRetentionRequest {
        namespace: session.namespace().to_owned(),
    };
    let listed = session.system().list_retention(request).await?.into_inner();
    if global.json() {
        return output::print(&json::pretty(&listed, "tutti.v1.ListRetentionResponse")?);
    }
    output::print(&table(&listed).render(global.stdout(), ""))
}

fn table(listed: &ListRetentionResponse) -> Table {
    let mut table = Table::new(["FOR", "KEPT", "SET"]);
    let now = time::now();
    for rule in &listed.retentions {
        table.row([
            Cell::new(subject(rule), Tone::Strong),
            said(rule).into(),
            Cell::new(time::stamp_ago(rule.update_time.as_ref(), now), Tone::Dim),
        ]);
    }
    let server = listed.server_default.clone().unwrap_or_default();
    table.row([
        Cell::new("all others", Tone::Dim),
        said(&server).into(),
        Cell::new("by `tutti serve`", Tone::Dim),
    ]);
    table
}

fn subject(rule: &Retention) -> String {
    match rule.workflow.as_str() {
        "" => format!("namespace {}", rule.namespace),
        workflow => workflow.to_owned(),
    }
}

/// A rule in words.
fn said(rule: &Retention) -> String {
    let age = time::message_span(rule.max_age.as_ref());
    match (age.as_str(), rule.max_count) {
        ("", 0) => "for ever".to_owned(),
        ("", count) => format!("the newest {count} of each workflow"),
        (age, 0) => format!("for {age}"),
        (age, count) => format!("for {age}, at most the newest {count} of each workflow"),
    }
}

async fn delete(workflow: String, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let rule = Retention {
        namespace: session.namespace().to_owned(),
        workflow,
        ..Retention::default()
    };
    let request = DeleteRetentionRequest {
        namespace: rule.namespace.clone(),
        workflow: rule.workflow.clone(),
    };
    let answer = session.system().delete_retention(request).await?;
    let answer = answer.into_inner();
    if global.json() {
        return output::print(&json::pretty(&answer, "tutti.v1.DeleteRetentionResponse")?);
    }
    let outcome = match answer.deleted {
        true => "has no rule of its own any more",
        false => "had no rule of its own",
    };
    output::print(&format!("{} {outcome}", subject(&rule)))
}

async fn apply(global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let mut system = session.system();
    let removed = system.apply_retention(ApplyRetentionRequest {}).await?;
    let removed = removed.into_inner();
    if global.json() {
        return output::print(&json::pretty(&removed, "tutti.v1.ApplyRetentionResponse")?);
    }
    output::print(&format!(
        "{}, {} and {} removed",
        output::counted(removed.executions, "execution"),
        output::counted(removed.request_ids, "request id"),
        output::counted(removed.outputs, "kept output"),
    ))
}
