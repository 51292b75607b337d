//! `tutti completions`: the completion script of a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, failure::Failure, output};

/// Prints the completion script of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti completions bash > ~/.local/share/bash-completion/completions/tutti
  tutti completions zsh  > \"${fpath[1]}/_tutti\"
  tutti completions fish > ~/.config/fish/completions/tutti.fish")]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script on stdout.
///
/// # Errors
/// `Failure::Io` when stdout cannot be written.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tutti", &mut script);
    output::print(String::from_utf8_lossy(&script).trim_end())
}
