//! `tutti workers`: the processes that serve agents.

use super::{
    failure::Failure,
    global::Global,
    json, output,
    output::Tone,
    paging, session,
    table::{Cell, Table},
    time,
};
use crate::proto::{ListWorkersRequest, ListWorkersResponse, Worker};

/// Lists the workers connected, or known to hold tasks
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti workers
  tutti workers --agent payment-processing-agent")]
pub struct Args {
    /// Only workers that serve this agent
    #[arg(long, value_name = "ID", default_value = "")]
    agent: String,

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
    let (workers, next_page_token) = paging::collect(args.limit, |page_size, page_token| {
        let mut client = session.workers();
        let request = ListWorkersRequest {
            namespace: session.namespace().to_owned(),
            agent: args.agent.clone(),
            page_size,
            page_token,
        };
        async move {
            let response = client.list_workers(request).await?.into_inner();
            Ok((response.workers, response.next_page_token))
        }
    })
    .await?;
    if global.json() {
        let response = ListWorkersResponse {
            workers,
            next_page_token,
        };
        return output::print(&json::pretty(&response, "tutti.v1.ListWorkersResponse")?);
    }
    output::print(&table(&workers).render(global.stdout(), "no workers connected"))
}

fn table(workers: &[Worker]) -> Table {
    let mut table = Table::new([
        "WORKER",
        "STATE",
        "RUNNING",
        "CREDITS",
        "CONNECTED",
        "AGENTS",
    ]);
    let now = time::now();
    for worker in workers {
        table.row([
            Cell::new(&worker.worker_id, Tone::Strong),
            state(worker),
            worker.running_tasks.to_string().into(),
            worker.credits.to_string().into(),
            time::stamp_ago(worker.connect_time.as_ref(), now).into(),
            agents(&worker.agents).into(),
        ]);
    }
    table
}

/// The first agents by name, the rest by number.
fn agents(ids: &[String]) -> String {
    const SHOWN: usize = 3;
    match ids.len().checked_sub(SHOWN) {
        None | Some(0) => ids.join(", "),
        Some(more) => format!("{} and {more} more", ids[..SHOWN].join(", ")),
    }
}

fn state(worker: &Worker) -> Cell {
    match (worker.connected, worker.draining) {
        (false, _) => Cell::new("AWAY", Tone::Warn),
        (true, true) => Cell::new("DRAINING", Tone::Warn),
        (true, false) => Cell::new("CONNECTED", Tone::Good),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_of_many_agents_stays_on_its_line() {
        let ids = |n: usize| (0..n).map(|i| format!("a{i}")).collect::<Vec<_>>();
        assert_eq!(agents(&ids(3)), "a0, a1, a2");
        assert_eq!(agents(&ids(17)), "a0, a1, a2 and 14 more");
    }
}
