//! `tutti steps`: the steps of an execution, the items of collections among them, as many as
//! there are.

use clap::ValueEnum;

use super::{failure::Failure, get, global::Global, json, output, paging, session, time};
use crate::proto::{ListStepsRequest, ListStepsResponse, step_execution::State};

/// Lists the steps of an execution, items of collections among them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti steps 0193f4c2-…
  tutti steps 0193f4c2-… --state FAILED --within docs
  tutti steps 0193f4c2-… --within 'docs[17]' --output json")]
pub struct Args {
    /// The execution
    id: String,

    /// Only this step and those within it
    #[arg(long, value_name = "PATH", default_value = "")]
    within: String,

    /// Only steps in this state; repeat it for several
    #[arg(long = "state", value_enum, value_name = "STATE", ignore_case = true)]
    states: Vec<StateName>,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 200)]
    limit: usize,
}

/// States as they are written on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum StateName {
    Pending,
    Waiting,
    Running,
    Retrying,
    Completed,
    Failed,
    Skipped,
    Cancelled,
    Compensated,
}

impl From<StateName> for State {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Pending => Self::Pending,
            StateName::Waiting => Self::Waiting,
            StateName::Running => Self::Running,
            StateName::Retrying => Self::Retrying,
            StateName::Completed => Self::Completed,
            StateName::Failed => Self::Failed,
            StateName::Skipped => Self::Skipped,
            StateName::Cancelled => Self::Cancelled,
            StateName::Compensated => Self::Compensated,
        }
    }
}

/// Prints the list.
///
/// # Errors
/// `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let states: Vec<i32> = args.states.iter().map(|s| State::from(*s).into()).collect();
    let (steps, next_page_token) = paging::collect(args.limit, |page_size, page_token| {
        let mut client = session.executions();
        let request = ListStepsRequest {
            namespace: session.namespace().to_owned(),
            execution_id: args.id.clone(),
            path_prefix: args.within.clone(),
            states: states.clone(),
            page_size,
            page_token,
        };
        async move {
            let response = client.list_steps(request).await?.into_inner();
            Ok((response.steps, response.next_page_token))
        }
    })
    .await?;
    let response = ListStepsResponse {
        steps,
        next_page_token,
    };
    if global.json() {
        return output::print(&json::pretty(&response, "tutti.v1.ListStepsResponse")?);
    }
    let table = get::table(&response.steps, time::now());
    output::print(&table.render(global.stdout(), "no such steps"))?;
    if !response.next_page_token.is_empty() {
        eprintln!("there are more: ask for them with --limit");
    }
    Ok(())
}
