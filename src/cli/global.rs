//! Options that every subcommand takes.

use std::io::IsTerminal as _;

use clap::{Args, ValueEnum};

use super::output::Paint;

/// Options that every subcommand takes.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The server to talk to
    #[arg(
        long,
        global = true,
        env = "TUTTI_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:7420",
        value_parser = server,
        help_heading = "Global options"
    )]
    pub server: String,

    /// The namespace to work in
    #[arg(
        long,
        global = true,
        env = "TUTTI_NAMESPACE",
        value_name = "NAME",
        default_value = "default",
        help_heading = "Global options"
    )]
    pub namespace: String,

    /// How results are printed
    #[arg(
        long,
        short,
        global = true,
        value_enum,
        default_value_t,
        help_heading = "Global options"
    )]
    pub output: Format,

    /// Prints without colours (as does the variable NO_COLOR)
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_color: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For programs: one JSON document, with the API's field names
    Json,
}

impl Global {
    /// How stdout is painted.
    pub fn stdout(&self) -> Paint {
        Paint::new(self.colours_wanted() && std::io::stdout().is_terminal())
    }

    /// How stderr is painted.
    pub fn stderr(&self) -> Paint {
        Paint::new(self.colours_wanted() && std::io::stderr().is_terminal())
    }

    /// True when results are to be JSON.
    pub fn json(&self) -> bool {
        self.output == Format::Json
    }

    /// As <https://no-color.org> has it: any value but the empty one switches colours off.
    fn colours_wanted(&self) -> bool {
        !self.no_color && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
    }
}

/// A server's address; `http://` is understood when there is no scheme.
fn server(text: &str) -> Result<String, String> {
    let url = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let uri: tonic::transport::Uri = url
        .parse()
        .map_err(|e| format!("{e}; write it as http://HOST:PORT"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(host)) if !host.is_empty() => Ok(url),
        (Some("http"), _) => Err("it names no host; write it as http://HOST:PORT".to_owned()),
        _ => Err("only http is spoken; write it as http://HOST:PORT".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::server;

    #[test]
    fn a_server_without_a_scheme_is_taken_as_http() {
        assert_eq!(
            server("localhost:7420").as_deref(),
            Ok("http://localhost:7420")
        );
        assert_eq!(server("http://a:1").as_deref(), Ok("http://a:1"));
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_form_to_write() {
        for bad in ["https://a:1", "http://", "a b"] {
            let refused = server(bad).expect_err(bad);
            assert!(refused.contains("http://HOST:PORT"), "{refused}");
        }
    }
}
