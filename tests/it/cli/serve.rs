//! `tutti serve` as a process: what it refuses to start with, and how it ends.

use std::{path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use tutti::proto::{GetServerInfoRequest, system_service_client::SystemServiceClient};

use super::{Said, binary, said};
use crate::support::{PATIENCE, TestServer};

/// A server process that listens.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    async fn start(data: &Path) -> Self {
        Self::with(data, &[]).await
    }

    async fn with(data: &Path, more: &[&str]) -> Self {
        let mut command = binary();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
        let mut child = command
            .arg(data)
            .args(more)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let line = line.expect("it listens").unwrap().unwrap();
        let address = line.strip_prefix("listening on ").expect("its address");
        let url = format!("http://{address}");
        Self { child, url }
    }

    /// Sends a signal and waits for the exit code.
    async fn ends_on(&mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.await.unwrap().success());
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("it ends").unwrap().code()
    }
}

async fn refused(listen: &str, data: &Path) -> Said {
    let mut command = binary();
    command.args(["serve", "--listen", listen, "--data"]);
    said(command.arg(data)).await.exits(1)
}

#[tokio::test]
async fn an_address_in_use_is_one_line_with_the_way_out() {
    let server = TestServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let address = server.address.to_string();
    let said = refused(&address, directory.path()).await;
    let line = said.one_line();
    assert!(
        line.starts_with(&format!("error: {address} is in use")),
        "{line}"
    );
    assert!(line.contains("--listen"), "{line}");
    assert_eq!(said.out, "");
}

#[tokio::test]
async fn a_data_directory_in_use_is_one_line_with_the_way_out() {
    let server = TestServer::start().await;
    let said = refused("127.0.0.1:0", &server.data()).await;
    let line = said.one_line();
    assert!(line.contains("in use") && line.contains("--data"), "{line}");
    assert!(line.contains(server.data().to_str().unwrap()), "{line}");
    assert_eq!(said.out, "", "it never says that it listens");
}

#[tokio::test]
async fn a_data_directory_that_is_a_file_is_one_line_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    std::fs::write(&path, "not a directory").unwrap();
    let said = refused("127.0.0.1:0", &path).await;
    assert!(
        said.one_line().contains(path.to_str().unwrap()),
        "{}",
        said.err
    );
}

#[tokio::test]
async fn a_signal_ends_it_in_order_and_what_was_accepted_goes_on_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut served = Served::start(&data).await;
    let at = |url: &str, args: &[&str]| {
        let mut command = binary();
        command.args(["--server", url]).args(args);
        command
    };
    let held = directory.path().join("held.yaml");
    std::fs::write(&held, "name: held\nsteps: [ { id: a, agent: nobody } ]").unwrap();
    let held = held.to_str().unwrap();
    let started = said(&mut at(&served.url, &["start", held])).await.exits(0);
    let id = started.out.trim().to_owned();
    let mut watching = at(&served.url, &["watch", &id]).spawn().unwrap();
    let mut told = BufReader::new(watching.stderr.take().unwrap()).lines();
    let first = tokio::time::timeout(PATIENCE, told.next_line()).await;
    assert!(first.expect("it watches").unwrap().is_some());
    assert_eq!(
        served.ends_on("TERM").await,
        Some(0),
        "though someone watches"
    );
    watching.kill().await.unwrap();

    let mut served = Served::start(&data).await;
    let execution = said(&mut at(&served.url, &["get", &id, "-o", "json"])).await;
    assert_eq!(execution.exits(0).json()["state"], "RUNNING");
    assert_eq!(served.ends_on("INT").await, Some(0));
}

#[tokio::test]
async fn limits_are_set_by_the_names_that_are_published() {
    let directory = tempfile::tempdir().unwrap();
    let more = [
        "--limit",
        "payload_bytes_max=64KiB",
        "--limit",
        "lease_timeout=2m",
    ];
    let served = Served::with(directory.path(), &more).await;
    let mut system = SystemServiceClient::connect(served.url.clone())
        .await
        .unwrap();
    let info = system
        .get_server_info(GetServerInfoRequest {})
        .await
        .unwrap();
    let limits = info.into_inner().limits.unwrap();
    assert_eq!(limits.payload_bytes_max, 64 << 10);
    assert_eq!(limits.lease_timeout.unwrap().seconds, 120);

    let mut command = binary();
    command.args(["serve", "--limit", "lease_timout=2m", "--data"]);
    let said = said(command.arg(directory.path().join("other")))
        .await
        .exits(2);
    let line = said.one_line();
    assert!(line.contains("did you mean lease_timeout?"), "{line}");
}
