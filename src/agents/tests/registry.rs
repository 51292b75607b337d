//! Agents and workers as they are listed and watched.

use std::{collections::HashMap, time::Duration};

use futures::FutureExt as _;

use super::rig::*;
use crate::{
    agents::Dispatch as _,
    core::value,
    proto::{Agent, agent::State},
};

#[tokio::test(start_paused = true)]
async fn an_agent_is_seen_with_its_workers_and_load() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", 1..=4);
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(2).await;
    let tasks = worker.tasks().await;
    worker.accept(&tasks[..1]).await;
    let seen = rig.agent("a");
    assert_eq!(seen.state(), State::Active);
    assert_eq!((seen.workers, seen.running_tasks), (1, 1));
    assert_eq!(seen.waiting_tasks, 3, "one of them offered");
    assert_eq!(rig.hub.agent("other", "a"), None);
}

#[tokio::test(start_paused = true)]
async fn agents_are_listed_by_id_in_pages_and_by_what_they_can_do() {
    let rig = rig();
    rig.enqueue("unregistered", [1]);
    rig.put(skilled("c", "sum", &[("gpu", "1")]));
    rig.put(skilled("a", "sum", &[]));
    rig.put(agent("b"));
    let list = |skill: &str, labels: &HashMap<_, _>, after: &str, limit| {
        let agents = rig.hub.agents("default", skill, labels, after, limit);
        agents.into_iter().map(|a| a.id).collect::<Vec<_>>()
    };
    let none = HashMap::new();
    assert_eq!(list("", &none, "", 9), ["a", "b", "c"]);
    assert_eq!(list("", &none, "", 2), ["a", "b"]);
    assert_eq!(list("", &none, "b", 2), ["c"]);
    assert_eq!(list("sum", &none, "", 9), ["a", "c"]);
    let gpu = HashMap::from([("gpu".to_owned(), "1".to_owned())]);
    assert_eq!(list("sum", &gpu, "", 9), ["c"]);
}

#[tokio::test(start_paused = true)]
async fn an_agent_is_created_once_and_replaced_after() {
    let rig = rig();
    assert!(rig.hub.put_agent("default", skilled("a", "sum", &[])));
    assert!(!rig.hub.put_agent("default", skilled("a", "other", &[])));
    let found = |skill| {
        rig.hub
            .agents("default", skill, &HashMap::new(), "", 9)
            .len()
    };
    assert_eq!((found("sum"), found("other")), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn workers_are_listed_while_connected_or_holding_tasks() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (gone, tasks) = rig.working("gone", &["a"], 3).await;
    let _other = rig.connect("other", &["b"]).await;
    let list = |agent: &str, after: &str, limit| {
        let workers = rig.hub.workers("default", agent, after, limit);
        let ids = workers.into_iter().map(|w| (w.worker_id, w.connected));
        ids.collect::<Vec<_>>()
    };
    let of = |id: &str, connected| (id.to_owned(), connected);
    assert_eq!(list("", "", 9), [of("gone", true), of("other", true)]);
    assert_eq!(list("", "", 1), [of("gone", true)]);
    assert_eq!(list("", "gone", 9), [of("other", true)]);
    assert_eq!(list("a", "", 9), [of("gone", true)]);
    let worker = rig.hub.workers("default", "a", "", 1).remove(0);
    assert_eq!((worker.credits, worker.running_tasks), (2, 1));
    assert_eq!(worker.agents, ["a"]);
    assert!(worker.connect_time.is_some());
    drop(gone);
    assert_eq!(list("a", "", 9), [of("gone", false)]);
    let done = rig.hub.complete(&tasks[0].token, value::null(), None);
    assert_eq!(done.await, Ok(()));
    assert!(list("a", "", 9).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_all_agents_and_then_what_changes() {
    let rig = rig();
    rig.put(agent("a"));
    rig.put(agent("b"));
    let mut watch = rig.hub.watch_agents("default");
    let mut next = async || {
        let told = watch.next().await.unwrap();
        (told.agent.unwrap(), told.deregistered)
    };
    assert_eq!(next().await.0.id, "a");
    assert_eq!(next().await.0.id, "b");
    for i in 1..=5 {
        rig.enqueue("a", [i]);
    }
    let (changed, _) = next().await;
    assert_eq!((&*changed.id, changed.waiting_tasks), ("a", 5), "as one");
    rig.hub.remove_agent("default", "b");
    let (gone, deregistered) = next().await;
    assert_eq!((&*gone.id, deregistered), ("b", true));
    rig.put(Agent {
        state: State::Disabled.into(),
        ..agent("a")
    });
    assert_eq!(next().await.0.state(), State::Disabled);
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_of_its_namespace_only_and_ends_with_the_server() {
    let rig = rig();
    let mut watch = rig.hub.watch_agents("other");
    rig.put(agent("a"));
    pass(Duration::from_secs(1)).await;
    assert!(watch.next().now_or_never().is_none());
    rig.hub.shutdown("bye");
    assert_eq!(watch.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_schema_that_is_null_is_none() {
    let rig = rig();
    rig.put(Agent {
        input_schema: Some(value::null()),
        ..agent("a")
    });
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(1).await;
    rig.hub.enqueue(offer(1, to_agent("a")));
    assert_eq!(worker.sequences().await, [1]);
}
