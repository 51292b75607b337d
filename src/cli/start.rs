//! `tutti start`: starts an execution and leaves it to the server. What starting needs is
//! shared with `run`.

use std::collections::HashMap;

use tutti_client::Client;

use super::{
    failure::Failure,
    findings,
    global::Global,
    input::InputArgs,
    json, output, session,
    source::{SourceFile, Subject},
};
use crate::proto::{
    StartExecutionRequest, StartExecutionResponse, ValidateWorkflowRequest, Workflow,
};

/// Starts an execution and prints its id
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti start ecommerce-order --input @examples/ecommerce-order.json
  tutti start ecommerce-order@2 --label tenant=acme --request-id order-4711
  tutti watch $(tutti start hello --set name=Ada)")]
pub struct Args {
    #[command(flatten)]
    start: StartArgs,
}

/// What to start, with what.
#[derive(Clone, Debug, clap::Args)]
pub struct StartArgs {
    /// A definition's FILE (nothing stays registered), or a registered NAME or NAME@VERSION
    #[arg(value_name = "FILE|NAME")]
    pub subject: String,

    #[command(flatten)]
    pub input: InputArgs,

    /// A label of the execution, for finding it
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub labels: Vec<(String, String)>,

    /// Makes the start idempotent: the same id and input give the same execution
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
}

/// Starts and prints the execution's id.
///
/// # Errors
/// `Failure::Usage`, `Failure::Invalid`, `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let request = args.start.read()?;
    let session = session::open(global).await?;
    let execution_id = request.start(&session, global).await?;
    if global.json() {
        let response = StartExecutionResponse { execution_id };
        return output::print(&json::pretty(&response, "tutti.v1.StartExecutionResponse")?);
    }
    output::print(&execution_id)
}

/// A start whose files are read.
#[derive(Debug)]
pub struct Start {
    request: StartExecutionRequest,
    file: Option<SourceFile>,
    input: InputArgs,
}

impl StartArgs {
    /// Reads what the arguments name.
    ///
    /// # Errors
    /// `Failure::Usage`.
    pub fn read(&self) -> Result<Start, Failure> {
        let mut request = StartExecutionRequest {
            input: self.input.read()?,
            request_id: self.request_id.clone().unwrap_or_default(),
            labels: self.labels.iter().cloned().collect::<HashMap<_, _>>(),
            ..Default::default()
        };
        let file = match Subject::of(&self.subject)? {
            Subject::File(file) => Some(file),
            Subject::Registered { name, version } => {
                request.workflow = name;
                request.version = version;
                None
            }
        };
        let input = self.input.clone();
        Ok(Start {
            request,
            file,
            input,
        })
    }
}

/// What is to be started several times, understood once.
#[derive(Clone, Debug)]
pub struct Chosen {
    request: StartExecutionRequest,
}

impl Chosen {
    /// Takes a FILE or a NAME.
    ///
    /// # Errors
    /// `Failure::Usage`; `Failure::Invalid` once every finding of a definition is printed.
    pub async fn of(subject: &str, session: &Client, global: &Global) -> Result<Self, Failure> {
        let mut request = StartExecutionRequest {
            namespace: session.namespace().to_owned(),
            ..Default::default()
        };
        match Subject::of(subject)? {
            Subject::File(file) => {
                request.definition = Some(understand(session, &file, global).await?);
            }
            Subject::Registered { name, version } => {
                request.workflow = name;
                request.version = version;
            }
        }
        Ok(Self { request })
    }

    /// The start, without an input.
    pub fn request(&self) -> StartExecutionRequest {
        self.request.clone()
    }
}

impl Start {
    /// Starts and returns the execution's id.
    ///
    /// # Errors
    /// `Failure::Invalid` once every finding of a definition is printed; `Failure::Refused`.
    pub async fn start(self, session: &Client, global: &Global) -> Result<String, Failure> {
        let mut request = self.request;
        session.namespace().clone_into(&mut request.namespace);
        if let Some(file) = self.file {
            request.definition = Some(understand(session, &file, global).await?);
        }
        let started = session.executions().start_execution(request).await;
        let started = started.map_err(|status| self.input.refused(status))?;
        Ok(started.into_inner().execution_id)
    }
}

/// The definition as the server reads the file; errors in it are printed with their place.
async fn understand(
    session: &Client,
    file: &SourceFile,
    global: &Global,
) -> Result<Workflow, Failure> {
    let request = ValidateWorkflowRequest {
        namespace: session.namespace().to_owned(),
        source: file.text.clone(),
        workflow: None,
    };
    let checked = session.workflows().validate_workflow(request).await?;
    let checked = checked.into_inner();
    findings::print(&file.label, &checked.findings, global.stderr());
    match checked.workflow {
        Some(workflow) if checked.valid => Ok(workflow),
        _ => Err(Failure::Invalid(String::new())),
    }
}

/// `KEY=VALUE`; without a value the label is empty.
pub fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    match key {
        "" => Err("the key is missing; write it as KEY=VALUE".to_owned()),
        _ => Ok((key.to_owned(), value.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_without_a_value_is_empty_and_one_without_a_key_refused() {
        assert_eq!(label("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(label("urgent"), Ok(("urgent".into(), String::new())));
        assert!(label("=x").is_err());
    }
}
