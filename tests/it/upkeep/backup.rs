//! Copies of a whole store, and what becomes of them.

use std::path::Path;

use serde_json::json;
use tutti::proto::execution::State;

use super::{ECHO, blobs, files, ran};
use crate::{
    cli::{Said, binary, said},
    support::{TestServer, json_of},
};

/// Runs the binary against a server.
async fn tutti(server: &TestServer, args: &[&str]) -> Said {
    let mut command = binary();
    said(command.args(["--server", &server.url()]).args(args)).await
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn executions_go_on_where_a_backup_is_restored() {
    let mut server = TestServer::start().await;
    server.register(ECHO).await;
    let large = json!("x".repeat(50_000));
    let waiting = server.begin("echo", large.clone()).await;
    let begun = server.begin("echo", json!("begun")).await;
    let first = server.poll("x").await;
    assert_eq!(first.execution_id, waiting);
    server
        .complete(&first, json!("y".repeat(40_000)))
        .await
        .unwrap();
    let held = server.poll("x").await;
    assert_eq!(held.execution_id, begun);
    let worker = server.echo(&["busy"]);
    server
        .register("name: busy\nsteps: [ { id: a, agent: busy } ]")
        .await;
    let busy = async {
        for n in 0..50 {
            let id = server.begin("busy", json!(n)).await;
            server.ended(&id).await;
        }
    };
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("tutti.backup");
    let backup = ["backup", text(&file)];
    let (copied, ()) = tokio::join!(tutti(&server, &backup), busy);
    assert!(
        copied
            .exits(0)
            .out
            .contains("holds everything up to commit")
    );
    let again = tutti(&server, &backup).await.exits(2);
    assert!(again.err.contains("is there already"), "{}", again.err);
    worker.abort();
    server.stop().await;

    let data = place.path().join("restored");
    let restore = ["restore", text(&file), "--data", text(&data)];
    tutti(&server, &restore).await.exits(0);
    let twice = tutti(&server, &restore).await.exits(1);
    assert!(twice.err.contains("empty directory"), "{}", twice.err);
    let whole = tutti(&server, &["verify", "--data", text(&data)]).await;
    assert!(whole.exits(0).out.contains("all as they were written"));

    let restored = TestServer::with(|config| config.data = data.clone().into()).await;
    assert_eq!(json_of(&restored.get(&waiting).await.input), large);
    restored.complete(&held, json!("held over")).await.unwrap();
    let worker = restored.echo(&["x"]);
    let ended = restored.ended(&waiting).await;
    assert_eq!(
        (ended.state(), json_of(&ended.output)),
        (State::Completed, json!("y".repeat(40_000)))
    );
    assert_eq!(
        json_of(&restored.ended(&begun).await.output),
        json!("held over")
    );
    tutti(&restored, &["audit", "verify", "--all"])
        .await
        .exits(0);
    worker.abort();
}

#[tokio::test]
async fn a_stopped_directory_is_copied_and_a_changed_copy_is_refused() {
    let mut server = TestServer::start().await;
    server.register(ECHO).await;
    let worker = server.echo(&["x"]);
    ran(&server, json!("x".repeat(50_000))).await;
    worker.abort();
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("copy");
    let data = server.data();
    let offline = ["backup", text(&file), "--data", text(&data)];
    let in_use = tutti(&server, &offline).await.exits(1);
    assert!(in_use.err.contains("in use"), "{}", in_use.err);
    server.stop().await;
    tutti(&server, &offline).await.exits(0);

    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let data = place.path().join("restored");
    let refused = tutti(&server, &["restore", text(&file), "--data", text(&data)]).await;
    let refused = refused.exits(1);
    assert!(refused.err.contains("not whole"), "{}", refused.err);
    assert!(!refused.err.contains("damaged"), "{}", refused.err);
    let left = std::fs::read_dir(&data).unwrap().count();
    assert_eq!(left, 0, "what was begun is removed");
}

#[tokio::test]
async fn damage_of_a_stopped_directory_is_named() {
    let mut server = TestServer::start().await;
    server.register(ECHO).await;
    let worker = server.echo(&["x"]);
    let id = ran(&server, json!("x".repeat(50_000))).await;
    worker.abort();
    server.stop().await;
    let data = server.data();
    let verify = ["verify", "--data", text(&data)];
    let whole = tutti(&server, &verify).await.exits(0);
    assert!(whole.out.contains("1 execution, "), "{}", whole.out);
    let [blob] = blobs(&server).try_into().unwrap();
    std::fs::remove_file(&blob).unwrap();
    let broken = tutti(&server, &verify).await.exits(1);
    let line = format!(
        "execution {id} event 1: the blob {} is missing",
        blob.display()
    );
    assert!(broken.out.contains(&line), "{}", broken.out);
    assert!(broken.err.contains("tutti restore"), "{}", broken.err);
    let nowhere = tutti(&server, &["verify", "--data", "/nowhere/at/all"])
        .await
        .exits(1);
    assert!(
        nowhere.err.contains("there is no data directory"),
        "{}",
        nowhere.err
    );
}

#[tokio::test]
async fn what_was_removed_takes_no_space_after_a_compaction() {
    let server = TestServer::start().await;
    server.register(ECHO).await;
    let worker = server.echo(&["x"]);
    for n in 0..40 {
        ran(&server, json!({"n": n, "text": "x".repeat(30_000)})).await;
    }
    let size = || -> u64 {
        let state = files(&server.data()).into_iter();
        let state = state.filter(|path| !text(path).contains("/journal/"));
        state
            .map(|path| std::fs::metadata(path).map_or(0, |m| m.len()))
            .sum()
    };
    tutti(&server, &["compact"]).await.exits(0);
    let before = size();
    tutti(&server, &["retention", "set", "--count", "1"])
        .await
        .exits(0);
    let applied = tutti(&server, &["retention", "apply"]).await.exits(0);
    assert_eq!(
        applied.out,
        "39 executions, 0 request ids and 0 kept outputs removed\n"
    );
    let compacted = tutti(&server, &["compact", "--output", "json"]).await;
    let compacted = compacted.exits(0).json();
    assert!(compacted["bytes_after"].as_u64() < compacted["bytes_before"].as_u64());
    assert!(
        size() * 3 < before,
        "{before} bytes before, {} after",
        size()
    );
    let left = ran(&server, json!("still served")).await;
    assert_eq!(server.get(&left).await.state(), State::Completed);
    worker.abort();
}
