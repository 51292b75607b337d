//! `tutti graph`: a definition as a Mermaid diagram. A file needs no server.

use super::{
    failure::Failure,
    findings,
    global::Global,
    json, output, session,
    source::{SourceFile, Subject},
    validate,
};
use crate::{
    core::plan::mermaid,
    proto::{GetWorkflowRequest, Graph, ValidateWorkflowRequest},
};

/// Draws a definition as a Mermaid diagram; a FILE needs no server
#[derive(Debug, clap::Args)]
#[command(after_help = "\
GitHub, GitLab and mermaid.live show the diagram as a picture.

Examples:
  tutti graph examples/ecommerce-order.yaml
  tutti graph ecommerce-order@2
  tutti graph ecommerce-order --output json | jq '.nodes[] | {path, depends_on}'")]
pub struct Args {
    /// A definition's FILE, or a registered NAME or NAME@VERSION
    #[arg(value_name = "FILE|NAME")]
    subject: String,
}

/// Prints the diagram.
///
/// # Errors
/// `Failure::Invalid` once the findings of a file are printed; `Failure::Refused`;
/// `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let graph = match Subject::of(&args.subject)? {
        Subject::File(file) => graph_of_file(&file, global)?,
        Subject::Registered { name, version } => graph_of_name(name, version, global).await?,
    };
    if global.json() {
        return output::print(&json::pretty(&graph, "tutti.v1.Graph")?);
    }
    output::print(mermaid(&graph).trim_end())
}

fn graph_of_file(file: &SourceFile, global: &Global) -> Result<Graph, Failure> {
    let checked = validate::check(&file.text);
    findings::print(&file.label, &checked.findings, global.stderr());
    match checked.graph {
        Some(graph) if checked.valid => Ok(graph),
        _ => Err(Failure::Invalid(String::new())),
    }
}

async fn graph_of_name(name: String, version: u32, global: &Global) -> Result<Graph, Failure> {
    let session = session::open(global).await?;
    let namespace = session.namespace().to_owned();
    let request = GetWorkflowRequest {
        namespace: namespace.clone(),
        name,
        version,
    };
    let mut workflows = session.workflows();
    let found = workflows.get_workflow(request).await?.into_inner();
    let request = ValidateWorkflowRequest {
        namespace,
        workflow: found.workflow.and_then(|v| v.workflow),
        source: String::new(),
    };
    let checked = workflows.validate_workflow(request).await?.into_inner();
    Ok(checked.graph.unwrap_or_default())
}
