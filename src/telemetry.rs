//! Logs: tracing to standard error, as text for people or as JSON for collectors.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people; in colour on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directives make no sense.
    #[error(
        "the log filter {filter:?} is not valid: {reason}; give for example `info` or `warn,tutti=debug`"
    )]
    Filter {
        /// The directives.
        filter: String,
        /// What is wrong with them.
        reason: String,
    },
    /// Something else in the process logs already.
    #[error("logging was set up before in this process")]
    Twice,
}

/// Begins to log, for the whole process, what `filter` lets through: a level, or directives as
/// `tracing_subscriber::EnvFilter` takes them (`info`, `warn,tutti=debug`, `tutti::api=trace`).
///
/// # Errors
/// `Filter` for directives that make no sense, `Twice` when something logs already.
pub fn init(format: Format, filter: &str) -> Result<(), Error> {
    let filter = parse(filter)?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = match format {
        Format::Text => {
            let colour = std::io::stderr().is_terminal();
            lines.with_ansi(colour).try_init()
        }
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
    begun.map_err(|_| Error::Twice)
}

fn parse(filter: &str) -> Result<EnvFilter, Error> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|e| Error::Filter {
            filter: filter.to_owned(),
            reason: e.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_taken_and_nonsense_is_refused_with_an_example() {
        assert!(parse("warn,tutti=debug").is_ok());
        let refused = parse("tutti=loud").expect_err("no such level").to_string();
        assert!(refused.contains("tutti=loud") && refused.contains("warn,tutti=debug"));
    }
}
