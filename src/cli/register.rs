//! `tutti register`: a definition becomes an immutable, numbered version.

use tonic::Code;
use tutti_client::Client;

use super::{
    failure::Failure, findings, global::Global, json, output, session, source::SourceFile,
};
use crate::proto::{RegisterWorkflowRequest, RegisterWorkflowResponse, ValidateWorkflowRequest};

/// Registers a definition as the next version of its name
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The same content again gives the version it has already.

Examples:
  tutti register examples/ecommerce-order.yaml
  generate-definition | tutti register -")]
pub struct Args {
    /// The definition, YAML or JSON; - for stdin
    file: String,
}

/// Registers and prints the version.
///
/// # Errors
/// `Failure::Invalid` once every finding is printed; `Failure::Refused`; `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let file = SourceFile::read(&args.file)?;
    let session = session::open(global).await?;
    let response = register(&session, &file, global).await?;
    findings::print(&file.label, &response.findings, global.stderr());
    if global.json() {
        return output::print(&json::pretty(
            &response,
            "tutti.v1.RegisterWorkflowResponse",
        )?);
    }
    output::print(&said(&response))
}

/// Registers; on a definition that is not valid prints where each error is.
async fn register(
    session: &Client,
    file: &SourceFile,
    global: &Global,
) -> Result<RegisterWorkflowResponse, Failure> {
    let request = RegisterWorkflowRequest {
        namespace: session.namespace().to_owned(),
        source: file.text.clone(),
        workflow: None,
    };
    match session.workflows().register_workflow(request).await {
        Ok(response) => Ok(response.into_inner()),
        Err(status) if status.code() == Code::InvalidArgument => {
            let request = ValidateWorkflowRequest {
                namespace: session.namespace().to_owned(),
                source: file.text.clone(),
                workflow: None,
            };
            let checked = session.workflows().validate_workflow(request).await?;
            let found = checked.into_inner().findings;
            if found.is_empty() {
                return Err(status.into());
            }
            findings::print(&file.label, &found, global.stderr());
            Err(Failure::Invalid(String::new()))
        }
        Err(status) => Err(status.into()),
    }
}

fn said(response: &RegisterWorkflowResponse) -> String {
    let what = if response.created {
        "registered"
    } else {
        "unchanged"
    };
    format!("{} version {} ({what})", response.name, response.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_tells_whether_a_version_was_made() {
        let mut response = RegisterWorkflowResponse {
            name: "hello".into(),
            version: 2,
            created: true,
            findings: vec![],
        };
        assert_eq!(said(&response), "hello version 2 (registered)");
        response.created = false;
        assert_eq!(said(&response), "hello version 2 (unchanged)");
    }
}
