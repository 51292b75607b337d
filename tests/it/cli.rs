//! The built binary as people and scripts meet it: what it prints where, and its exit codes.

mod chat;
mod definitions;
mod executions;
mod serve;

use std::{path::Path, process::Stdio};

use serde_json::Value as Json;
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::support::{PATIENCE, TestServer};

/// Nobody listens here: ports that tests take are above 1023.
const NOWHERE: &str = "http://127.0.0.1:1";

/// What a command line said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Asserts the exit code; everything is shown when it is another.
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    /// stdout as JSON, in which whole numbers are written as such.
    pub fn json(&self) -> Json {
        let fraction = regex::Regex::new(r"[\s:\[,]-?\d+\.0+[\s,\]}]").unwrap();
        assert!(!fraction.is_match(&self.out), "{}", self.out);
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }

    /// stderr as the one line that it is.
    pub fn one_line(&self) -> &str {
        let mut lines = self.err.lines();
        let line = lines.next().expect("a line on stderr");
        assert_eq!(lines.next(), None, "{}", self.err);
        line
    }
}

/// The binary, untouched by the environment of whoever runs the tests.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tutti"));
    for name in ["SERVER", "NAMESPACE", "LISTEN", "DATA", "LOG", "LOG_FORMAT"] {
        command.env_remove(format!("TUTTI_{name}"));
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the binary to its end.
pub async fn said(command: &mut Command) -> Said {
    let ended = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = ended.expect("it ends").unwrap();
    Said {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Without a server.
async fn alone(args: &[&str]) -> Said {
    said(binary().args(["--server", NOWHERE]).args(args)).await
}

/// Against a server.
async fn at(server: &TestServer, args: &[&str]) -> Said {
    said(binary().args(["--server", &server.url()]).args(args)).await
}

/// Against a server, with text on stdin.
async fn fed(server: &TestServer, args: &[&str], stdin: &str) -> Said {
    let mut command = binary();
    command.args(["--server", &server.url()]).args(args);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(stdin.as_bytes()).await.unwrap();
    drop(pipe);
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = ended.expect("it ends").unwrap();
    Said {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Writes a file; its path as text.
fn file(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const GREET: &str = "
name: greet
description: Greets somebody.
steps:
  - { id: hello, agent: greeter, input: { text: 'Hello {{ input.name }}', n: '{{ input.n + 1 }}' } }
output: '{{ steps.hello.output }}'
";

#[tokio::test]
async fn a_server_out_of_reach_is_one_line_with_the_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let greet = file(directory.path(), "greet.yaml", GREET);
    let id = "018f6b1c-3c5e-7a90-9b1d-1f2e3d4c5b6a";
    for args in [
        &["run", &greet] as &[&str],
        &["run", "greet"],
        &["start", "greet"],
        &["register", &greet],
        &["watch", id],
        &["get", id],
        &["list"],
        &["events", id],
        &["cancel", id],
        &["agents"],
        &["graph", "greet"],
    ] {
        let said = alone(args).await.exits(3);
        let line = said.one_line();
        assert!(line.starts_with("error: cannot reach http://127.0.0.1:1"));
        assert!(line.contains("tutti serve") && line.contains("--server"));
        assert_eq!(said.out, "");
    }
}

#[tokio::test]
async fn wrong_usage_exits_with_2_and_says_what_is_right() {
    for (args, part) in [
        (&["frobnicate"] as &[&str], "unrecognized subcommand"),
        (&["list", "--state", "flying"], "possible values"),
        (&["run"], "<FILE|NAME>"),
        (&["run", "greet", "--input", "{"], "--input is not JSON"),
        (&["run", "greet@x"], "NAME@3"),
        (&["run", "no-such.yaml"], "cannot read no-such.yaml"),
        (&["--server", "https://a:1", "list"], "http://HOST:PORT"),
    ] {
        let said = said(binary().args(args)).await.exits(2);
        assert!(said.err.contains(part), "{args:?}: {}", said.err);
        assert_eq!(said.out, "");
    }
}

#[tokio::test]
async fn completions_are_printed_for_every_shell() {
    for (shell, mark) in [
        ("bash", "complete -F _tutti"),
        ("zsh", "#compdef tutti"),
        ("fish", "complete -c tutti"),
    ] {
        let said = alone(&["completions", shell]).await.exits(0);
        assert!(said.out.contains(mark) && said.out.contains("register"));
        assert_eq!(said.err, "");
    }
}

#[tokio::test]
async fn every_command_says_what_it_does_with_examples() {
    let help = alone(&["--help"]).await.exits(0).out;
    for command in [
        "serve",
        "demo",
        "validate",
        "register",
        "run",
        "start",
        "watch",
        "get",
        "list",
        "events",
        "cancel",
        "agents",
        "graph",
        "completions",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        let own = alone(&[command, "--help"]).await.exits(0).out;
        assert!(own.contains(&format!("tutti {command}")), "{own}");
    }
}
