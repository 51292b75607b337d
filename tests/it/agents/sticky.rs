//! `select: STICKY`: a conversation stays with its agent, waits for it and holds up no other, and
//! all of that outlives memory and a restart.

use std::collections::BTreeMap;

use serde_json::json;
use tutti::proto::{Agent, ListEventsRequest, ValidateWorkflowRequest, agent::State, event};

use super::{agent, put, set_state, worker_of};
use crate::{
    support::{TestServer, json_of},
    workers::raw::RawWorker,
};

const TALK: &str = "
name: talk
steps: [ { id: say, call: { skill: talking, select: STICKY, key: input.user } } ]
";

const USERS: i64 = 12;

async fn talkers(server: &TestServer, worker: &str, agents: &[&str]) -> RawWorker {
    worker_of("talking", server, worker, agents).await
}

async fn say(server: &TestServer, user: i64) -> String {
    server.begin("talk", json!({ "user": user })).await
}

/// Who each user's next task went to; each is done at once.
async fn homes(server: &TestServer, worker: &mut RawWorker) -> BTreeMap<i64, String> {
    let mut homes = BTreeMap::new();
    for user in 0..USERS {
        say(server, user).await;
        let task = worker.take().await;
        assert_eq!(json_of(&task.input), json!({ "user": user }));
        worker.complete(&task.token, json!("said"));
        worker.acked().await;
        homes.insert(user, task.agent);
    }
    homes
}

#[tokio::test]
async fn a_user_stays_with_an_agent_until_it_cannot_be_reached() {
    let server = TestServer::start().await;
    server.register(TALK).await;
    let mut worker = talkers(&server, "w", &["a", "b"]).await;
    let first = homes(&server, &mut worker).await;
    assert_eq!(homes(&server, &mut worker).await, first);
    assert!(
        ["a", "b"]
            .iter()
            .all(|id| first.values().any(|home| home == id))
    );

    set_state(&server, "a", State::Draining).await;
    let moved = homes(&server, &mut worker).await;
    assert!(moved.values().all(|home| home == "b"));
    set_state(&server, "a", State::Active).await;
    assert_eq!(
        homes(&server, &mut worker).await,
        first,
        "it has its own back"
    );
}

#[tokio::test]
async fn a_task_waits_for_its_busy_agent_and_others_pass_it() {
    let server = TestServer::start().await;
    server.register(TALK).await;
    let mut worker = talkers(&server, "w", &["a", "b"]).await;
    let homes = homes(&server, &mut worker).await;
    let of = |id: &str| *homes.iter().find(|(_, home)| *home == id).unwrap().0;
    put(
        &server,
        Agent {
            max_concurrency: 1,
            ..agent("a", &["talking"])
        },
    )
    .await;
    say(&server, of("a")).await;
    let busy = worker.hold().await;
    let waits = say(&server, of("a")).await;
    for _ in 0..3 {
        say(&server, of("b")).await;
        assert_eq!(worker.hold().await.agent, "b");
    }
    let words = "its key goes to agent 'a': agent 'a' has as many tasks as its limit of 1 allows";
    assert_eq!(server.get(&waits).await.steps[0].waiting_for, words);
    worker.complete(&busy.token, json!("said"));
    worker.acked().await;
    let task = worker.take().await;
    assert_eq!((task.execution_id, task.agent.as_str()), (waits, "a"));
}

#[tokio::test]
async fn the_key_outlives_memory_and_a_restart() {
    let mut server = TestServer::with(|config| {
        config.shards = std::num::NonZeroUsize::MIN;
        config.limits.resident_executions_max = 1;
    })
    .await;
    server.register(TALK).await;
    let mut worker = talkers(&server, "w", &["a", "b"]).await;
    let homes = homes(&server, &mut worker).await;
    drop(worker);
    let mut ids = Vec::new();
    for user in 0..USERS {
        ids.push(say(&server, user).await);
    }
    let request = ListEventsRequest {
        execution_id: ids[3].clone(),
        ..Default::default()
    };
    let events = server.executions().list_events(request).await.unwrap();
    let told = events
        .into_inner()
        .events
        .into_iter()
        .find_map(|e| match e.kind {
            Some(event::Kind::StepScheduled(e)) => Some(e.sticky_key),
            _ => None,
        });
    assert_eq!(told.unwrap(), "3");

    server.restart().await;
    let mut b = talkers(&server, "of-b", &["b"]).await;
    let of_b = homes.values().filter(|home| *home == "b").count();
    for _ in 0..of_b {
        let task = b.take().await;
        let user = json_of(&task.input)["user"].as_i64().unwrap();
        assert_eq!(homes[&user], "b", "a's are waited for");
    }
    b.settled().await;
    let mut a = talkers(&server, "of-a", &["a"]).await;
    for _ in of_b..homes.len() {
        let task = a.take().await;
        let user = json_of(&task.input)["user"].as_i64().unwrap();
        assert_eq!(homes[&user], "a");
    }
}

#[tokio::test]
async fn a_sticky_call_without_a_key_and_a_key_without_one_are_findings() {
    let server = TestServer::start().await;
    let request = ValidateWorkflowRequest {
        source: "
name: wrong
steps:
  - { id: a, call: { skill: s, select: STICKY } }
  - { id: b, call: { skill: s, key: input.user } }
"
        .into(),
        ..Default::default()
    };
    let answer = server.workflows().validate_workflow(request).await.unwrap();
    let answer = answer.into_inner();
    let found = answer.findings.iter().map(|f| (&*f.path, &*f.rule));
    let found: Vec<_> = found.collect();
    assert_eq!(
        found,
        [
            ("steps[0].call.key", "required"),
            ("steps[1].call.key", "conflict")
        ]
    );
}
