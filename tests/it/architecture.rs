//! The table of who may import whom (ARCHITECTURE.md), and the sizes of files and functions.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each room and what its files must not name.
const NEVER: [(&str, &[&str]); 6] = [
    (
        "src/core",
        &[
            "tokio",
            "tonic",
            "sled",
            "rand",
            "SystemTime",
            "Instant::now",
            "crate::store",
            "crate::engine",
            "crate::agents",
            "crate::api",
            "crate::server",
            "crate::cli",
        ],
    ),
    (
        "src/store",
        &[
            "tonic",
            "crate::engine",
            "crate::agents",
            "crate::api",
            "crate::server",
            "crate::cli",
        ],
    ),
    (
        "src/agents",
        &[
            "tonic",
            "sled",
            "crate::store",
            "crate::engine",
            "crate::api",
            "crate::server",
            "crate::cli",
        ],
    ),
    (
        "src/engine",
        &["tonic", "sled", "crate::api", "crate::server", "crate::cli"],
    ),
    (
        "src/api",
        &["sled", "crate::store", "crate::server", "crate::cli"],
    ),
    (
        "src/cli",
        &[
            "crate::store",
            "crate::engine",
            "crate::agents",
            "crate::api",
        ],
    ),
];

/// The most lines of a file, its tests not counted.
const LINES_MAX: usize = 400;
/// The most lines of a function.
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn rooms_import_only_what_they_may() {
    let mut broken = Vec::new();
    for (room, never) in NEVER {
        for file in sources(Path::new(room)) {
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in code_lines(&text) {
                for name in never {
                    if names(line, name) {
                        broken.push(format!(
                            "{}:{number}: {room} must not name {name}",
                            file.display()
                        ));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_say_what_they_own_and_stay_small() {
    let mut broken = Vec::new();
    for root in ["src", "clients/rust/src"] {
        for file in sources(Path::new(root)) {
            let text = fs::read_to_string(&file).unwrap();
            if !text.starts_with("//!") {
                broken.push(format!("{}: does not open with //!", file.display()));
            }
            let lines = text
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap_or("")
                .lines()
                .count();
            if lines > LINES_MAX && !is_test(&file) {
                broken.push(format!(
                    "{}: {lines} lines, at most {LINES_MAX}",
                    file.display()
                ));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn functions_stay_small() {
    let mut broken = Vec::new();
    for root in ["src", "clients/rust/src", "proto/src"] {
        for file in sources(Path::new(root)) {
            let text = fs::read_to_string(&file).unwrap();
            for (first, length) in functions(&text) {
                if length > FUNCTION_LINES_MAX {
                    let place = format!("{}:{first}", file.display());
                    broken.push(format!(
                        "{place}: {length} lines, at most {FUNCTION_LINES_MAX}"
                    ));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The first line and the length of every function, as rustfmt writes them: a function ends
/// at the brace that stands as far in as it began.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let words = line.trim_start();
        let begins = words.starts_with("fn ") || words.contains(" fn ");
        if !begins || words.starts_with("//") || words.contains('"') {
            continue;
        }
        let end = lines[at..]
            .iter()
            .position(|l| indent(l) == indent(line) && (l.trim() == "}" || l.ends_with(';')));
        if let Some(length) = end {
            found.push((at + 1, length + 1));
        }
    }
    found
}

fn is_test(file: &Path) -> bool {
    file.components()
        .any(|c| c.as_os_str() == "tests" || c.as_os_str() == "tests.rs")
}

/// True when the line names it as a whole word.
fn names(line: &str, name: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    line.match_indices(name).any(|(at, _)| {
        edge(line[..at].chars().next_back()) && edge(line[at + name.len()..].chars().next())
    })
}

/// Lines that are code, numbered: neither comments nor what follows the file's tests.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
    code.lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn sources(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") && !is_test(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}
