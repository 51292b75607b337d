//! `tutti agents`: who can do the work, and who is there.

use super::{
    failure::Failure,
    global::Global,
    json, output,
    output::Tone,
    paging, session,
    table::{Cell, Table},
    workflows::first_line,
};
use crate::proto::{
    Agent, ListAgentsRequest, ListAgentsResponse, ResetCircuitRequest,
    agent::{Circuit, State},
};

/// Lists agents with their workers and load
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti agents
  tutti agents --skill fraud-detection
  tutti agents reset-circuit fraud      give it tasks again, after it failed too often")]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    /// Only agents with this skill
    #[arg(long, value_name = "SKILL", default_value = "")]
    skill: String,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: usize,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Closes an agent's circuit: it is given tasks again at once
    ResetCircuit {
        /// The agent
        agent: String,
    },
}

async fn reset_circuit(id: &str, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let request = ResetCircuitRequest {
        namespace: session.namespace().to_owned(),
        id: id.to_owned(),
    };
    let response = session.agents().reset_circuit(request).await?.into_inner();
    if global.json() {
        return output::print(&json::pretty(&response, "tutti.v1.ResetCircuitResponse")?);
    }
    output::print(&format!("{id} is given tasks again"))
}

/// Prints the list, or does what is asked.
///
/// # Errors
/// `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    if let Some(Command::ResetCircuit { agent }) = &args.command {
        return reset_circuit(agent, global).await;
    }
    let session = session::open(global).await?;
    let (agents, next_page_token) = paging::collect(args.limit, |page_size, page_token| {
        let mut client = session.agents();
        let request = ListAgentsRequest {
            namespace: session.namespace().to_owned(),
            skill: args.skill.clone(),
            page_size,
            page_token,
            ..Default::default()
        };
        async move {
            let response = client.list_agents(request).await?.into_inner();
            Ok((response.agents, response.next_page_token))
        }
    })
    .await?;
    if global.json() {
        let response = ListAgentsResponse {
            agents,
            next_page_token,
        };
        return output::print(&json::pretty(&response, "tutti.v1.ListAgentsResponse")?);
    }
    let empty = "no agents (a worker that connects brings its own)";
    output::print(&table(&agents).render(global.stdout(), empty))
}

fn table(agents: &[Agent]) -> Table {
    let mut table = Table::new([
        "AGENT",
        "STATE",
        "WORKERS",
        "RUNNING",
        "WAITING",
        "SKILLS",
        "DESCRIPTION",
    ]);
    for agent in agents {
        table.row([
            Cell::new(&agent.id, Tone::Strong),
            state(agent),
            count(agent.workers, Tone::Warn),
            agent.running_tasks.to_string().into(),
            agent.waiting_tasks.to_string().into(),
            agent.skills.join(", ").into(),
            Cell::new(first_line(&agent.description), Tone::Dim),
        ]);
    }
    table
}

/// A number that stands out when it is zero.
fn count(count: u32, zero: Tone) -> Cell {
    Cell::new(
        count.to_string(),
        if count == 0 { zero } else { Tone::Plain },
    )
}

fn state(agent: &Agent) -> Cell {
    match agent.circuit() {
        Circuit::Open => return Cell::new("CIRCUIT OPEN", Tone::Bad),
        Circuit::HalfOpen => return Cell::new("CIRCUIT HALF OPEN", Tone::Warn),
        Circuit::Closed | Circuit::Unspecified => {}
    }
    match agent.state() {
        State::Unspecified | State::Active => Cell::new("ACTIVE", Tone::Good),
        State::Draining => Cell::new("DRAINING", Tone::Warn),
        State::Disabled => Cell::new("DISABLED", Tone::Dim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Paint;

    #[test]
    fn an_agent_shows_its_workers_and_load() {
        let agents = [Agent {
            id: "fraud".into(),
            skills: vec!["fraud-detection".into(), "risk".into()],
            description: "Scores an order.\nMore text.".into(),
            workers: 2,
            running_tasks: 1,
            ..Default::default()
        }];
        assert_eq!(
            table(&agents).render(Paint::new(false), ""),
            "AGENT  STATE   WORKERS  RUNNING  WAITING  SKILLS                 DESCRIPTION\n\
             fraud  ACTIVE  2        1        0        fraud-detection, risk  Scores an order."
        );
    }
}
