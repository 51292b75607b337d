//! Data written by every released version is still read: `tests/formats/N` holds a directory
//! of format N as its first version wrote it.
//!
//! A new format gets a new directory: `TUTTI_WRITE_FORMAT=tests/formats/N cargo test --test it
//! formats` writes one with the version at hand.

use std::{fs, path::Path};

use serde_json::json;
use tutti::{
    core::{
        execution::{Execution, ExecutionState, StepState},
        plan, value,
    },
    proto::{Event, event},
    store::{
        Store as _,
        sled::{Options, SledStore},
    },
};
use uuid::Uuid;

use crate::support::{TestServer, json_of, start};

const WORKFLOW: &str = "
name: kept
labels: { team: a }
variables: { n: 1 }
steps:
  - id: tried
    agent: one
    retry: { initial_delay: 0.001s }
    save: { n: '{{ output.n }}' }
  - id: group
    depends_on: [tried]
    block: { mode: PARALLEL, steps: [ { id: a, agent: one }, { id: b, set: { seen: true } } ] }
  - id: left-out
    agent: one
    when: vars.n > 100
    depends_on: [tried]
";

#[tokio::test]
async fn what_every_released_version_wrote_is_read() {
    if let Ok(directory) = std::env::var("TUTTI_WRITE_FORMAT") {
        write(Path::new(&directory)).await;
    }
    let mut formats = 0;
    for entry in fs::read_dir("tests/formats").unwrap() {
        let kept = entry.unwrap().path();
        let copy = tempfile::tempdir().unwrap();
        copy_all(&kept, copy.path());
        let (store, _) = SledStore::open(copy.path(), Options::default()).unwrap();
        check(&store);
        formats += 1;
    }
    assert!(formats > 0);
}

fn check(store: &SledStore) {
    let version = store.workflow("default", "kept", None).unwrap().unwrap();
    assert_eq!((version.version, version.labels["team"].as_str()), (1, "a"));
    let page = store
        .executions("default", &Default::default(), None, 10)
        .unwrap();
    assert_eq!(page.items.len(), 2, "one ended, one open");
    let open = store.open_executions(None, 10).unwrap();
    let open: Vec<_> = open.iter().map(|open| open.id).collect();
    assert_eq!(open.len(), 1);
    let record = store.request("default", "kept-request").unwrap().unwrap();
    let ended = record.execution_id;
    let limits = Default::default();
    let plan = plan::compile(&version.workflow.unwrap(), &limits)
        .unwrap()
        .plan
        .into();
    let events = store.events(ended, 0, 1000).unwrap();
    let execution = Execution::replay(plan, &events).unwrap();
    assert_eq!(execution.state, ExecutionState::Completed);
    assert_eq!(json_of(&execution.output)["tried"], json!({"n": 42}));
    assert_eq!(
        value::to_json(&execution.vars),
        json!({"n": 42, "seen": true})
    );
    let left_out = execution.find("left-out").unwrap();
    assert_eq!(execution.run(left_out).state, StepState::Skipped);
    let has = |wanted: fn(&event::Kind) -> bool| {
        let mut kinds = events.iter().filter_map(|e: &Event| e.kind.as_ref());
        assert!(kinds.any(wanted), "{events:?}");
    };
    has(|k| matches!(k, event::Kind::StepRetryScheduled(_)));
    has(|k| matches!(k, event::Kind::StepSkipped(_)));
    has(|k| matches!(k, event::Kind::StepCompleted(c) if c.saved.is_some()));
    assert_eq!(
        store.events(open[0], 0, 10).unwrap()[0].execution_id,
        open[0].to_string()
    );
    assert_eq!(store.agents().unwrap()[0].1.id, "one");
}

/// A directory as this version writes it: only the journal, of which the state is made anew.
async fn write(directory: &Path) {
    let mut server = TestServer::start().await;
    server.register(WORKFLOW).await;
    let mut request = start("kept", json!({"text": "größer"}));
    request.request_id = "kept-request".into();
    let id = server.try_begin(request).await.unwrap();
    let task = server.poll("one").await;
    server.fail(&task, "unavailable").await.unwrap();
    for _ in 0..2 {
        let task = server.poll("one").await;
        server.complete(&task, json!({"n": 42})).await.unwrap();
    }
    server.ended(&id).await;
    server.begin("kept", json!(null)).await;
    let from = server.data();
    server.stop().await;
    fs::create_dir_all(directory.join("journal")).unwrap();
    fs::copy(from.join("FORMAT"), directory.join("FORMAT")).unwrap();
    for entry in fs::read_dir(from.join("journal")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let end = bytes
            .iter()
            .rposition(|b| *b != 0)
            .map_or(0, |last| last + 65);
        bytes.truncate(end);
        fs::write(
            directory.join("journal").join(path.file_name().unwrap()),
            bytes,
        )
        .unwrap();
    }
    assert!(Uuid::parse_str(&id).is_ok());
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_all(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}
