//! The command line: one file per subcommand, and what they share. Talks to a server only
//! by gRPC, except `serve` and `demo`, which are one, and `validate` and `graph`, which read
//! files without one.
//!
//! Results go to stdout, progress and errors to stderr. `failure` says which exit code
//! means what.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod agents;
mod audit;
mod backup;
mod bench;
mod cancel;
mod chat;
mod compact;
mod completions;
mod delete;
mod demo;
mod diff;
mod events;
mod failure;
mod findings;
mod get;
mod global;
mod graph;
mod input;
mod json;
mod list;
mod output;
mod paging;
mod pause;
mod progress;
mod register;
mod restore;
mod retention;
mod run;
mod serve;
mod session;
mod signals;
mod source;
mod spinner;
mod start;
mod steps;
mod table;
mod time;
mod validate;
mod verify;
mod watch;
mod workers;
mod workflows;

use failure::Failure;
use global::Global;

/// A durable orchestrator for AI agents.
#[derive(Debug, Parser)]
#[command(
    name = "tutti",
    version,
    propagate_version = true,
    after_help = "\
Examples:
  tutti demo                                   see agents at work, on this machine alone
  tutti serve --data ./tutti-data              serve the API on 127.0.0.1:7420
  tutti run examples/hello.yaml --set name=Ada run a definition and watch it
  tutti list --state running                   what is in progress
  tutti watch 0193f4c2-…                       follow an execution

Exit codes: 0 done, 1 failed (or the execution did), 2 wrong usage or invalid,
3 the server cannot be reached, 130 interrupted."
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Demo(demo::Args),
    Validate(validate::Args),
    Graph(graph::Args),
    Register(register::Args),
    Workflows(workflows::Args),
    Diff(diff::Args),
    Run(run::Args),
    Chat(chat::Args),
    Start(start::Args),
    Watch(watch::Args),
    Get(get::Args),
    Steps(steps::Args),
    List(list::Args),
    Events(events::Args),
    Cancel(cancel::Args),
    Pause(pause::Args),
    Resume(pause::ResumeArgs),
    Delete(delete::Args),
    Agents(agents::Args),
    Workers(workers::Args),
    Retention(retention::Args),
    Audit(audit::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Verify(verify::Args),
    Compact(compact::Args),
    Bench(bench::Args),
    Completions(completions::Args),
}

/// Does what the command line says. Errors are told on stderr, in one line where one will do.
pub async fn run(cli: Cli) -> ExitCode {
    let global = &cli.global;
    let outcome = match cli.command {
        Command::Serve(args) => serve::run(args).await,
        Command::Demo(args) => demo::run(args, global).await,
        Command::Validate(args) => validate::run(&args, global),
        Command::Graph(args) => graph::run(args, global).await,
        Command::Register(args) => register::run(args, global).await,
        Command::Workflows(args) => workflows::run(args, global).await,
        Command::Diff(args) => diff::run(args, global).await,
        Command::Run(args) => run::run(args, global).await,
        Command::Chat(args) => chat::run(args, global).await,
        Command::Start(args) => start::run(args, global).await,
        Command::Watch(args) => watch::run(args, global).await,
        Command::Get(args) => get::run(args, global).await,
        Command::Steps(args) => steps::run(args, global).await,
        Command::List(args) => list::run(args, global).await,
        Command::Events(args) => events::run(args, global).await,
        Command::Cancel(args) => cancel::run(args, global).await,
        Command::Pause(args) => pause::run(args, global).await,
        Command::Resume(args) => pause::resume(args, global).await,
        Command::Delete(args) => delete::run(args, global).await,
        Command::Agents(args) => agents::run(args, global).await,
        Command::Workers(args) => workers::run(args, global).await,
        Command::Retention(args) => retention::run(args, global).await,
        Command::Audit(args) => audit::run(args, global).await,
        Command::Backup(args) => backup::run(args, global).await,
        Command::Restore(args) => restore::run(&args, global),
        Command::Verify(args) => verify::run(&args, global),
        Command::Compact(args) => compact::run(args, global).await,
        Command::Bench(args) => bench::run(args, global).await,
        Command::Completions(args) => completions::run(&args),
    };
    conclude(outcome, global)
}

fn conclude(outcome: Result<(), Failure>, global: &Global) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(report) = failure.report(&global.server) {
                eprintln!("{report}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_may_follow_the_subcommand() {
        let cli = Cli::try_parse_from(["tutti", "list", "-o", "json", "--server", "example:1"])
            .expect("the line parses");
        assert_eq!(cli.global.output, global::Format::Json);
        assert_eq!(cli.global.server, "http://example:1");
    }
}
