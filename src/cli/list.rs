//! `tutti list`: executions, the newest first.

use clap::ValueEnum;

use super::{
    failure::Failure,
    global::Global,
    json, output,
    output::Tone,
    paging,
    progress::state_tone,
    session,
    start::label,
    table::{Cell, Table},
    time,
};
use crate::{
    core::time::Time,
    proto::{
        Execution, ExecutionFilter, ListExecutionsRequest, ListExecutionsResponse, execution::State,
    },
};

/// Lists executions, the newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti list --state running --state waiting
  tutti list --workflow ecommerce-order --since 2h
  tutti list --label tenant=acme --limit 200 --output json
  tutti list --parent 0193f4c2-…                 what its steps started")]
pub struct Args {
    /// Only executions of this workflow
    #[arg(long, value_name = "NAME", default_value = "")]
    workflow: String,

    /// Only executions in this state; repeat it for several
    #[arg(long = "state", value_enum, value_name = "STATE", ignore_case = true)]
    states: Vec<StateName>,

    /// Only executions that carry this label (KEY alone: any value)
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// Only children of this execution
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    parent: String,

    /// Only executions started since: an age (90s, 15m, 2h, 7d) or a time (RFC 3339)
    #[arg(long, value_name = "AGE|TIME", value_parser = since)]
    since: Option<Time>,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

/// States as they are written on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum StateName {
    Pending,
    Running,
    Paused,
    Waiting,
    Compensating,
    Completed,
    Failed,
    Cancelled,
    TimedOut,
}

impl From<StateName> for State {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Pending => Self::Pending,
            StateName::Running => Self::Running,
            StateName::Paused => Self::Paused,
            StateName::Waiting => Self::Waiting,
            StateName::Compensating => Self::Compensating,
            StateName::Completed => Self::Completed,
            StateName::Failed => Self::Failed,
            StateName::Cancelled => Self::Cancelled,
            StateName::TimedOut => Self::TimedOut,
        }
    }
}

/// Prints the list.
///
/// # Errors
/// `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let filter = filter(&args);
    let (executions, next_page_token) = paging::collect(args.limit, |page_size, page_token| {
        let mut client = session.executions();
        let request = ListExecutionsRequest {
            namespace: session.namespace().to_owned(),
            filter: Some(filter.clone()),
            page_size,
            page_token,
        };
        async move {
            let response = client.list_executions(request).await?.into_inner();
            Ok((response.executions, response.next_page_token))
        }
    })
    .await?;
    let response = ListExecutionsResponse {
        executions,
        next_page_token,
    };
    if global.json() {
        return output::print(&json::pretty(&response, "tutti.v1.ListExecutionsResponse")?);
    }
    let empty = match filter == ExecutionFilter::default() {
        true => "no executions (`tutti run FILE` starts one)",
        false => "no executions like that (`tutti list` shows all)",
    };
    output::print(&table(&response.executions, time::now()).render(global.stdout(), empty))?;
    if !response.next_page_token.is_empty() {
        eprintln!("there are more: ask for them with --limit");
    }
    Ok(())
}

fn filter(args: &Args) -> ExecutionFilter {
    ExecutionFilter {
        workflow: args.workflow.clone(),
        states: args.states.iter().map(|s| State::from(*s).into()).collect(),
        create_time_from: args.since.map(Into::into),
        create_time_until: None,
        labels: args.labels.iter().cloned().collect(),
        parent_execution_id: args.parent.clone(),
    }
}

fn table(executions: &[Execution], now: Time) -> Table {
    let mut table = Table::new([
        "EXECUTION",
        "WORKFLOW",
        "STATE",
        "PROGRESS",
        "STARTED",
        "TOOK",
        "ERROR",
    ]);
    for execution in executions {
        table.row([
            Cell::new(&execution.execution_id, Tone::Strong),
            workflow(execution).into(),
            Cell::new(
                execution.state().as_str_name(),
                state_tone(execution.state()),
            ),
            format!("{:.0} %", execution.progress_percent).into(),
            time::stamp_ago(execution.create_time.as_ref(), now).into(),
            time::message_span(execution.elapsed.as_ref()).into(),
            Cell::new(class(execution), Tone::Bad),
        ]);
    }
    table
}

/// The workflow with its version; one that came with the start has none.
pub fn workflow(execution: &Execution) -> String {
    match execution.version {
        0 => execution.workflow.clone(),
        version => format!("{} v{version}", execution.workflow),
    }
}

fn class(execution: &Execution) -> &str {
    execution.error.as_ref().map_or("", |e| e.class.as_str())
}

fn since(text: &str) -> Result<Time, String> {
    time::parse_since(text, time::now())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::{cli::output::Paint, proto::Error};

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn every_option_narrows_the_filter() {
        let line = [
            "list",
            "--workflow",
            "w",
            "--state",
            "RUNNING",
            "--state",
            "timed_out",
        ];
        let more = ["--label", "a=b", "--since", "1970-01-01T00:00:07Z"];
        let parsed = Line::try_parse_from(line.into_iter().chain(more)).expect("it parses");
        let filter = filter(&parsed.args);
        assert_eq!(filter.workflow, "w");
        let states: Vec<State> = filter.states().collect();
        assert_eq!(states, [State::Running, State::TimedOut]);
        assert_eq!(filter.labels.get("a").map(String::as_str), Some("b"));
        assert_eq!(filter.create_time_from.map(|t| t.seconds), Some(7));
    }

    #[test]
    fn a_row_tells_how_far_it_is_and_why_it_failed() {
        let second = 1_000_000_000;
        let executions = [Execution {
            execution_id: "0193".into(),
            workflow: "order".into(),
            version: 2,
            state: State::Failed.into(),
            progress_percent: 42.857,
            create_time: Some(Time::from_nanos(0).into()),
            elapsed: "2.5s".parse().ok(),
            error: Some(Error {
                class: "timeout".into(),
                ..Default::default()
            }),
            ..Default::default()
        }];
        assert_eq!(
            table(&executions, Time::from_nanos(90 * second)).render(Paint::new(false), ""),
            "EXECUTION  WORKFLOW  STATE   PROGRESS  STARTED    TOOK   ERROR\n\
             0193       order v2  FAILED  43 %      1 min ago  2.5 s  timeout"
        );
    }
}
