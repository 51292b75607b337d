//! `tutti workflows`: what is registered.

use super::{
    failure::Failure,
    global::Global,
    json, output,
    output::Tone,
    paging, session,
    start::label,
    table::{Cell, Table},
    time,
};
use crate::proto::{ListWorkflowsRequest, ListWorkflowsResponse, WorkflowVersion};

/// Lists registered workflows, or all versions of one
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti workflows
  tutti workflows ecommerce-order
  tutti workflows --label team=credit --output json")]
pub struct Args {
    /// All versions of this one; left out: the newest of each
    name: Option<String>,

    /// Only those that carry this label
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: usize,
}

/// Prints the list.
///
/// # Errors
/// `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let (workflows, next_page_token) = paging::collect(args.limit, |page_size, page_token| {
        let mut client = session.workflows();
        let request = ListWorkflowsRequest {
            namespace: session.namespace().to_owned(),
            name: args.name.clone().unwrap_or_default(),
            labels: args.labels.iter().cloned().collect(),
            page_size,
            page_token,
        };
        async move {
            let response = client.list_workflows(request).await?.into_inner();
            Ok((response.workflows, response.next_page_token))
        }
    })
    .await?;
    if global.json() {
        let response = ListWorkflowsResponse {
            workflows,
            next_page_token,
        };
        return output::print(&json::pretty(&response, "tutti.v1.ListWorkflowsResponse")?);
    }
    let empty = "no workflows registered (`tutti register FILE` registers one)";
    output::print(&table(&workflows).render(global.stdout(), empty))
}

fn table(workflows: &[WorkflowVersion]) -> Table {
    let mut table = Table::new(["NAME", "VERSION", "REGISTERED", "DESCRIPTION"]);
    let now = time::now();
    for workflow in workflows {
        table.row([
            Cell::new(&workflow.name, Tone::Strong),
            workflow.version.to_string().into(),
            time::stamp_ago(workflow.create_time.as_ref(), now).into(),
            Cell::new(first_line(&workflow.description), Tone::Dim),
        ]);
    }
    table
}

/// The first line of a text.
pub fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
