//! A server that is kept in order: what it keeps and how long, and whether that is whole.

mod audit;
mod backup;
mod blobs;
mod retention;

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::support::TestServer;

const ECHO: &str =
    "name: echo\nmode: SEQUENCE\nsteps: [ { id: a, agent: x }, { id: b, agent: x } ]";

/// Runs `echo` to its end: the execution's id.
async fn ran(server: &TestServer, input: Json) -> String {
    let id = server.begin("echo", input).await;
    server.ended(&id).await;
    id
}

/// The files of blobs.
fn blobs(server: &TestServer) -> Vec<PathBuf> {
    files(&server.data().join("blobs"))
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}
