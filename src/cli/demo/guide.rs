//! What to try next, in lines that work as they are printed.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::cli::output::{Paint, Tone};

/// The default address: commands need no `--server` for it.
const DEFAULT_SERVER: &str = "http://127.0.0.1:7420";

/// The text, for a demo that serves at `server` (a URL) and has run `execution_id` (empty
/// when no run completed).
pub fn text(server: &str, execution_id: &str, paint: Paint) -> String {
    let tutti = command(&invoked(), server);
    let address = server.trim_start_matches("http://");
    let mut lines = vec![format!(
        "\n{}",
        paint.tone(Tone::Strong, "Still serving. Next:")
    )];
    for (what, line) in suggestions(&tutti, address, execution_id) {
        lines.push(paint.tone(Tone::Dim, &format!("\n  # {what}")));
        lines.push(format!("  {line}"));
    }
    lines.push(format!(
        "\n{}",
        paint.tone(Tone::Dim, "Ctrl-C ends the demo.")
    ));
    lines.join("\n")
}

fn suggestions(tutti: &str, address: &str, id: &str) -> Vec<(&'static str, String)> {
    let grpcurl = |body: &str, method: &str| {
        format!("grpcurl -plaintext -d '{body}' {address} tutti.v1.{method}")
    };
    let by_id = format!(r#"{{"execution_id":"{id}"}}"#);
    let text =
        r#"{"workflow":"content-analysis","input":{"text":"I love this. It works very well."}}"#;
    let mut all = vec![
        (
            "what the server offers, by reflection",
            format!("grpcurl -plaintext {address} list"),
        ),
        (
            "run a workflow from any language",
            grpcurl(text, "ExecutionService/RunExecution"),
        ),
    ];
    if !id.is_empty() {
        let watch = grpcurl(&by_id, "ExecutionService/WatchExecution");
        all.push(("every event of the last run, again", watch));
        all.push(("the same as a tree", format!("{tutti} watch {id}")));
    }
    all.extend([
        (
            "a workflow as a Mermaid diagram",
            format!("{tutti} graph ecommerce-order"),
        ),
        (
            "what ran, and who does the work",
            format!("{tutti} list && {tutti} agents"),
        ),
    ]);
    all
}

/// The program as it is written to call it again.
fn invoked() -> String {
    let program = env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let here = env::current_dir().unwrap_or_default();
    shown(&program, &here)
}

fn shown(program: &Path, here: &Path) -> String {
    let path = program.strip_prefix(here).unwrap_or(program);
    match path.to_str() {
        None | Some("") => "tutti".to_owned(),
        Some(path) => path.to_owned(),
    }
}

fn command(tutti: &str, server: &str) -> String {
    match server {
        DEFAULT_SERVER => tutti.to_owned(),
        server => format!("{tutti} --server {server}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_the_address_and_the_execution() {
        let text = text("http://127.0.0.1:9000", "0193", Paint::new(false));
        let watch = "grpcurl -plaintext -d '{\"execution_id\":\"0193\"}' 127.0.0.1:9000 \
                     tutti.v1.ExecutionService/WatchExecution";
        assert!(text.contains(watch), "{text}");
        assert!(
            text.contains("--server http://127.0.0.1:9000 watch 0193"),
            "{text}"
        );
        assert!(
            text.contains("grpcurl -plaintext 127.0.0.1:9000 list"),
            "{text}"
        );
    }

    #[test]
    fn without_an_execution_nothing_is_watched() {
        let text = text(DEFAULT_SERVER, "", Paint::new(false));
        assert!(!text.contains("watch"), "{text}");
        assert!(!text.contains("--server"), "{text}");
    }

    #[test]
    fn the_program_is_named_as_it_can_be_called_from_here() {
        let here = Path::new("/home/ada/tutti");
        assert_eq!(
            shown(Path::new("/home/ada/tutti/target/tutti"), here),
            "target/tutti"
        );
        assert_eq!(shown(Path::new("/usr/bin/tutti"), here), "/usr/bin/tutti");
        assert_eq!(shown(Path::new("tutti"), here), "tutti");
        assert_eq!(shown(Path::new(""), here), "tutti");
    }
}
