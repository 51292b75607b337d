//! `select: STICKY`: which agent a key goes to, how long, and who else is held up by that.

use std::{collections::BTreeMap, time::Duration};

use super::{invariants::check, rig::*};
use crate::{
    agents::Dispatch as _,
    core::{
        plan::{Select, Target},
        value,
    },
    proto::{
        Agent, Breaker, Fail, TaskFailure, agent::State, work_request::Message as Up,
        work_response::Message as Down,
    },
};

const AGENTS: [&str; 3] = ["a", "b", "c"];
const KEYS: std::ops::Range<u64> = 0..60;

fn sticky(key: u64) -> Target {
    let key = format!("user {key}");
    to_skill("sum", &[], Select::Sticky(key.into()))
}

fn summing() -> Rig {
    let rig = rig();
    for id in AGENTS {
        rig.put(skilled(id, "sum", &[]));
    }
    rig
}

/// The agent that each key goes to, found by a task for each, which is done at once.
async fn homes(rig: &Rig, worker: &mut TestWorker, first: u64) -> BTreeMap<u64, String> {
    for key in KEYS {
        rig.hub.enqueue(offer(first + key, sticky(key)));
    }
    let tasks = worker.tasks().await;
    worker.accept(&tasks).await;
    for task in &tasks {
        worker.complete(task, value::null()).await;
    }
    worker.acks().await;
    let home = |task| (sequence(task) - first, task.agent.clone());
    tasks.iter().map(home).collect()
}

#[tokio::test(start_paused = true)]
async fn a_key_stays_with_its_agent_and_keys_are_spread() {
    let rig = summing();
    let mut worker = rig.connect("w", &AGENTS).await;
    worker.credit(1_000).await;
    let first = homes(&rig, &mut worker, 0).await;
    assert_eq!(first.len(), 60);
    for agent in AGENTS {
        let keys = first.values().filter(|home| *home == agent).count();
        assert!((10..=30).contains(&keys), "{agent} has {keys} of 60 keys");
    }
    assert_eq!(homes(&rig, &mut worker, 100).await, first);

    let other = rig_of_others().await;
    assert_eq!(other, first, "names and keys alone count");
}

/// The same agents in another room, in another order.
async fn rig_of_others() -> BTreeMap<u64, String> {
    let rig = rig();
    for id in ["c", "a", "b"] {
        rig.put(skilled(id, "sum", &[]));
    }
    let mut worker = rig.connect("w", &["b", "c", "a"]).await;
    worker.credit(1_000).await;
    homes(&rig, &mut worker, 0).await
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_goes_moves_its_own_keys_only_and_has_them_back() {
    let rig = summing();
    let mut worker = rig.connect("w", &AGENTS).await;
    worker.credit(1_000).await;
    let all = homes(&rig, &mut worker, 0).await;
    let gone = |state: State| Agent {
        state: state.into(),
        ..skilled("b", "sum", &[])
    };
    for (first, agent) in [
        (100, gone(State::Disabled)),
        (200, gone(State::Draining)),
        (300, agent("b")),
    ] {
        rig.put(agent);
        let moved = homes(&rig, &mut worker, first).await;
        for (key, home) in &moved {
            assert_ne!(home, "b");
            assert!(all[key] == "b" || all[key] == *home, "{key} moved");
        }
    }
    rig.put(skilled("b", "sum", &[]));
    assert_eq!(homes(&rig, &mut worker, 400).await, all);
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_busy_agent_holds_up_nobody_else() {
    let rig = summing();
    let mut worker = rig.connect("w", &AGENTS).await;
    worker.credit(1_000).await;
    let homes = homes(&rig, &mut worker, 0).await;
    let of = |agent: &str| *homes.iter().find(|(_, home)| *home == agent).unwrap().0;
    rig.put(Agent {
        max_concurrency: 1,
        ..skilled("a", "sum", &[])
    });
    for sequence in 100..105 {
        rig.hub.enqueue(offer(sequence, sticky(of("a"))));
    }
    for (sequence, agent) in [(105, "b"), (106, "c"), (107, "b")] {
        rig.hub.enqueue(offer(sequence, sticky(of(agent))));
    }
    let tasks = worker.tasks().await;
    let sequences: Vec<_> = tasks.iter().map(sequence).collect();
    assert_eq!(sequences, [100, 105, 106, 107]);
    assert_eq!(
        rig.waiting_for(102).unwrap(),
        "its key goes to agent 'a': agent 'a' has as many tasks as its limit of 1 allows \
         (1 task before it)"
    );
    worker.accept(&tasks).await;
    worker.complete(&tasks[0], value::null()).await;
    let down = worker.messages().await;
    let Down::Tasks(next) = &down[0] else {
        panic!("{down:?}");
    };
    assert_eq!(sequence(&next.tasks[0]), 101, "in order");
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_has_gone_is_waited_for_as_long_as_a_lease() {
    let rig = summing();
    let mut b = rig.connect("b", &["b"]).await;
    let mut rest_of = rig.connect("rest", &["a", "c"]).await;
    b.credit(1_000).await;
    rest_of.credit(1_000).await;
    for key in KEYS {
        rig.hub.enqueue(offer(key, sticky(key)));
    }
    let of_b: Vec<_> = b.tasks().await.iter().map(sequence).collect();
    let others = rest_of.tasks().await;
    assert_eq!(of_b.len() + others.len(), 60);
    rest_of.accept(&others).await;
    for task in &others {
        rest_of.complete(task, value::null()).await;
    }
    rest_of.acks().await;

    drop(b);
    rest().await;
    assert!(rest_of.tasks().await.is_empty(), "they wait for it");
    let words = "its key goes to agent 'b': no worker serves agent 'b'";
    assert_eq!(rig.waiting_for(of_b[0]).unwrap(), words);
    pass(Duration::from_secs(20)).await;
    let mut b = rig.connect("b", &["b"]).await;
    b.credit(1_000).await;
    assert_eq!(b.sequences().await, of_b, "it is back in time");

    drop(b);
    pass(Duration::from_secs(29)).await;
    assert!(rest_of.tasks().await.is_empty());
    pass(Duration::from_secs(2)).await;
    let mut moved = rest_of.sequences().await;
    moved.sort_unstable();
    assert_eq!(moved, of_b);
    check(&rig.hub);
}

fn is_tasks(message: &Down) -> bool {
    matches!(message, Down::Tasks(_))
}

#[tokio::test(start_paused = true)]
async fn nobody_who_can_be_reached_is_waited_for() {
    let rig = rig();
    rig.hub.enqueue(offer(1, sticky(1)));
    assert_eq!(
        rig.waiting_for(1).unwrap(),
        "no registered agent has skill 'sum'"
    );
    rig.put(skilled("a", "sum", &[]));
    let lacks = "its key goes to agent 'a': no worker serves agent 'a'";
    assert_eq!(rig.waiting_for(1).unwrap(), lacks);
    pass(Duration::from_secs(31)).await;
    assert_eq!(
        rig.waiting_for(1).unwrap(),
        "no worker serves an agent with skill 'sum'"
    );
    rig.put(skilled("b", "sum", &[]));
    let mut worker = rig.connect("w", &["b"]).await;
    worker.credit(1).await;
    assert_eq!(worker.sequences().await, [1]);
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_polls_keeps_its_keys_between_two_polls() {
    let rig = summing();
    let served = AGENTS.map(|id| id.to_owned());
    let hub = &rig.hub;
    let poll = async |agents: &[String], span| hub.poll("", "p", agents, 100, span).await.unwrap();
    rig.hub.enqueue(offer(1, sticky(1)));
    let task = poll(&served, Duration::ZERO).await.remove(0);
    let home = task.agent.clone();
    rig.hub
        .complete(&task.token, value::null(), None)
        .await
        .unwrap();
    rig.hub.enqueue(offer(2, sticky(1)));
    let others: Vec<_> = served.iter().filter(|id| **id != home).cloned().collect();
    let none = poll(&others, Duration::from_secs(10)).await;
    assert!(none.is_empty(), "they are not its agent");
    let again = poll(&[home], Duration::ZERO).await;
    assert_eq!(sequence(&again[0]), 2);
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn while_its_circuit_is_open_an_agent_has_no_keys() {
    let rig = summing();
    rig.put(Agent {
        breaker: Some(Breaker {
            failures: 1,
            open_timeout: Some(prost_types::Duration {
                seconds: 10,
                nanos: 0,
            }),
        }),
        ..skilled("b", "sum", &[])
    });
    let mut worker = rig.connect("w", &AGENTS).await;
    worker.credit(1_000).await;
    let all = homes(&rig, &mut worker, 0).await;
    rig.enqueue("b", [99]);
    let tasks = worker.tasks().await;
    worker.accept(&tasks).await;
    let failure = TaskFailure {
        token: tasks[0].token.clone(),
        ..TaskFailure::default()
    };
    let failures = vec![failure];
    worker.say(Up::Fail(Fail { failures })).await;
    worker.acks().await;
    let moved = homes(&rig, &mut worker, 100).await;
    for (key, home) in &moved {
        assert_ne!(home, "b");
        assert!(all[key] == "b" || all[key] == *home, "{key} moved");
    }
    assert!(rig.hub.reset_circuit("default", "b"));
    assert_eq!(homes(&rig, &mut worker, 200).await, all);
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_changes_queues_like_a_task() {
    let rig = summing();
    for key in KEYS {
        rig.wait(&sticky(key), [key]);
    }
    check(&rig.hub);
    let mut worker = rig.connect("w", &["c"]).await;
    worker.credit(1_000).await;
    let of_c = worker.tasks().await.len();
    assert!((10..=30).contains(&of_c), "{of_c} of 60 keys");
    check(&rig.hub);
    assert!(rig.hub.remove_agent("default", "a"));
    assert!(rig.hub.remove_agent("default", "b"));
    let mut all = of_c;
    while all < 60 {
        let more = worker.tasks().await.len();
        assert!(more > 0, "{all} of 60 tasks came");
        all += more;
    }
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_lets_offers_pass_is_not_there() {
    let rig = rig();
    rig.put(skilled("a", "sum", &[]));
    let silent = rig.connect("silent", &["a"]).await;
    silent.credit(1_000).await;
    for key in KEYS {
        rig.hub.enqueue(offer(key, sticky(key)));
    }
    pass(Duration::from_secs(6)).await;
    rig.put(skilled("b", "sum", &[]));
    let mut other = rig.connect("other", &["b"]).await;
    other.credit(1_000).await;
    let tasks = other.tasks().await;
    other.accept(&tasks).await;
    assert!((15..=45).contains(&tasks.len()), "{} of 60", tasks.len());
    pass(Duration::from_secs(20)).await;
    assert!(!other.messages().await.iter().any(is_tasks));
    pass(Duration::from_secs(10)).await;
    let rest = other.messages().await.into_iter().filter_map(|m| match m {
        Down::Tasks(tasks) => Some(tasks.tasks.len()),
        _ => None,
    });
    assert_eq!(tasks.len() + rest.sum::<usize>(), 60);
    check(&rig.hub);
}
