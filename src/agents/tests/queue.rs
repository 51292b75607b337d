//! Who is given which task, and in what order.

use super::rig::*;
use crate::{
    agents::Dispatch as _,
    core::{plan::Select, value},
    proto::{Agent, agent::State},
};

#[tokio::test(start_paused = true)]
async fn a_queue_is_first_in_first_out() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", 1..=5);
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(3).await;
    assert_eq!(worker.sequences().await, [1, 2, 3]);
    worker.credit(2).await;
    assert_eq!(worker.sequences().await, [4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_task_goes_to_a_worker_that_waits_for_it() {
    let rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(1).await;
    rig.enqueue("a", [1]);
    assert_eq!(worker.sequences().await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_task_is_queued_once_however_often_it_is_told() {
    let rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(9).await;
    rig.enqueue("a", [1, 1]);
    assert_eq!(worker.sequences().await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_deep_queue_does_not_starve_another() {
    let rig = rig();
    rig.put(agent("deep"));
    rig.put(agent("new"));
    rig.enqueue("deep", 1..=100);
    rig.enqueue("new", 101..=103);
    let mut worker = rig.connect("w", &["deep", "new"]).await;
    worker.credit(6).await;
    assert_eq!(worker.sequences().await, [1, 101, 2, 102, 3, 103]);
}

#[tokio::test(start_paused = true)]
async fn workers_of_an_agent_are_served_in_turn() {
    let rig = rig();
    let mut one = rig.connect("w1", &["a"]).await;
    let mut other = rig.connect("w2", &["a"]).await;
    one.credit(9).await;
    other.credit(9).await;
    rig.enqueue("a", 1..=4);
    assert_eq!(one.sequences().await, [1, 3]);
    assert_eq!(other.sequences().await, [2, 4]);
}

#[tokio::test(start_paused = true)]
async fn namespaces_do_not_mix() {
    let rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(9).await;
    let mut elsewhere = offer(1, to_agent("a"));
    elsewhere.namespace = "other".into();
    rig.hub.enqueue(elsewhere);
    assert!(worker.sequences().await.is_empty());
    assert_eq!(rig.waiting_for(1).unwrap(), "agent 'a' is not registered");
}

#[tokio::test(start_paused = true)]
async fn max_concurrency_holds_over_all_workers() {
    let rig = rig();
    rig.put(Agent {
        max_concurrency: 2,
        ..agent("a")
    });
    rig.enqueue("a", 1..=5);
    let (mut one, tasks) = rig.working("w1", &["a"], 9).await;
    let mut other = rig.connect("w2", &["a"]).await;
    other.credit(9).await;
    assert_eq!(tasks.len(), 2);
    assert!(other.sequences().await.is_empty());
    assert_eq!(
        rig.waiting_for(5).unwrap(),
        "agent 'a' has as many tasks as its limit of 2 allows (2 tasks before it)"
    );
    one.complete(&tasks[0], value::null()).await;
    assert_eq!(one.acks().await.len(), 1);
    assert_eq!(other.sequences().await, [3]);
}

#[tokio::test(start_paused = true)]
async fn a_workers_own_limit_holds_for_offered_and_running() {
    let rig = rig();
    let mut hello = hello("w", &["a"]);
    hello.max_concurrency = 2;
    let (mut worker, _) = rig.connect_with(hello).await;
    worker.credit(9).await;
    rig.enqueue("a", 1..=4);
    let tasks = worker.tasks().await;
    assert_eq!(tasks.len(), 2);
    worker.accept(&tasks).await;
    assert!(worker.sequences().await.is_empty());
    worker.complete(&tasks[1], value::null()).await;
    let down = worker.messages().await;
    assert_eq!(down.len(), 2, "an ack and a task: {down:?}");
    assert_eq!(rig.agent("a").waiting_tasks, 2);
}

#[tokio::test(start_paused = true)]
async fn a_skill_finds_each_agent_in_turn() {
    let rig = rig();
    for id in ["a", "b", "c"] {
        rig.put(skilled(id, "sum", &[]));
    }
    let mut worker = rig.connect("w", &["a", "b", "c"]).await;
    worker.credit(9).await;
    for sequence in 1..=6 {
        rig.hub
            .enqueue(offer(sequence, to_skill("sum", &[], Select::RoundRobin)));
    }
    let tasks = worker.tasks().await;
    let agents: Vec<_> = tasks.iter().map(|t| t.agent.as_str()).collect();
    assert_eq!(agents, ["a", "b", "c", "a", "b", "c"]);
    assert!(tasks.iter().all(|t| t.skill == "sum"));
}

#[tokio::test(start_paused = true)]
async fn a_skill_finds_the_agent_with_the_fewest_tasks() {
    let rig = rig();
    rig.put(skilled("a", "sum", &[]));
    rig.put(skilled("b", "sum", &[]));
    rig.enqueue("a", [1, 2]);
    let (mut worker, _) = rig.working("w", &["a", "b"], 9).await;
    for sequence in 3..=5 {
        rig.hub
            .enqueue(offer(sequence, to_skill("sum", &[], Select::LeastLoaded)));
    }
    let tasks = worker.tasks().await;
    let agents: Vec<_> = tasks.iter().map(|t| t.agent.as_str()).collect();
    assert_eq!(
        agents,
        ["b", "b", "a"],
        "on a tie the one served longest ago"
    );
}

#[tokio::test(start_paused = true)]
async fn a_skill_goes_only_to_agents_that_can_take_it_now() {
    let rig = rig();
    rig.put(skilled("idle", "sum", &[]));
    rig.put(skilled("busy", "sum", &[]));
    let mut worker = rig.connect("w", &["busy"]).await;
    worker.credit(9).await;
    for sequence in 1..=3 {
        rig.hub
            .enqueue(offer(sequence, to_skill("sum", &[], Select::LeastLoaded)));
    }
    assert_eq!(worker.sequences().await, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_skill_wants_all_its_labels() {
    let rig = rig();
    rig.put(skilled("plain", "sum", &[]));
    rig.put(skilled("gpu", "sum", &[("gpu", "1"), ("zone", "b")]));
    let target = to_skill("sum", &[("gpu", "1"), ("zone", "b")], Select::RoundRobin);
    rig.hub.enqueue(offer(1, target));
    let mut worker = rig.connect("w", &["plain", "gpu"]).await;
    worker.credit(1).await;
    let tasks = worker.tasks().await;
    assert_eq!(tasks[0].agent, "gpu");
}

#[tokio::test(start_paused = true)]
async fn a_task_by_name_and_one_by_skill_are_taken_in_the_order_they_came() {
    let rig = rig();
    rig.put(skilled("a", "sum", &[]));
    rig.enqueue("a", [1]);
    rig.hub
        .enqueue(offer(2, to_skill("sum", &[], Select::RoundRobin)));
    rig.enqueue("a", [3]);
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(3).await;
    assert_eq!(worker.sequences().await, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn an_agent_registered_later_is_found_by_the_skill() {
    let rig = rig();
    rig.hub
        .enqueue(offer(1, to_skill("sum", &[], Select::RoundRobin)));
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(1).await;
    assert!(worker.sequences().await.is_empty());
    rig.put(skilled("a", "sum", &[]));
    assert_eq!(worker.sequences().await, [1]);
}

#[tokio::test(start_paused = true)]
async fn only_an_active_agent_is_given_tasks() {
    let rig = rig();
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(9).await;
    for (state, word) in [(State::Disabled, "disabled"), (State::Draining, "draining")] {
        rig.put(Agent {
            state: state.into(),
            ..skilled("a", "sum", &[])
        });
        rig.enqueue("a", [1]);
        rig.hub
            .enqueue(offer(2, to_skill("sum", &[], Select::RoundRobin)));
        assert!(worker.sequences().await.is_empty());
        assert_eq!(rig.waiting_for(1).unwrap(), format!("agent 'a' is {word}"));
        assert_eq!(
            rig.waiting_for(2).unwrap(),
            "no active agent has skill 'sum'"
        );
    }
    rig.put(skilled("a", "sum", &[]));
    assert_eq!(worker.sequences().await, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn tasks_of_a_deregistered_agent_wait_on() {
    let rig = rig();
    rig.enqueue("a", [1]);
    let mut worker = rig.connect("w", &["a"]).await;
    assert!(rig.hub.remove_agent("default", "a"));
    assert!(!rig.hub.remove_agent("default", "a"));
    worker.credit(1).await;
    assert!(worker.sequences().await.is_empty());
    assert_eq!(rig.waiting_for(1).unwrap(), "agent 'a' is not registered");
    rig.put(agent("a"));
    assert_eq!(worker.sequences().await, [1]);
}

#[tokio::test(start_paused = true)]
async fn what_a_task_waits_for_is_said() {
    let rig = rig();
    rig.enqueue("a", [1]);
    rig.hub
        .enqueue(offer(2, to_skill("sum", &[], Select::RoundRobin)));
    let says = |sequence| rig.waiting_for(sequence);
    assert_eq!(says(1).unwrap(), "agent 'a' is not registered");
    assert_eq!(says(2).unwrap(), "no registered agent has skill 'sum'");
    rig.put(skilled("a", "sum", &[]));
    assert_eq!(says(1).unwrap(), "no worker serves agent 'a'");
    assert_eq!(
        says(2).unwrap(),
        "no worker serves an agent with skill 'sum'"
    );
    rig.enqueue("a", 3..=5);
    let worker = rig.connect("w", &["a"]).await;
    assert_eq!(says(1).unwrap(), "all workers of agent 'a' are busy");
    assert_eq!(
        says(5).unwrap(),
        "all workers of agent 'a' are busy (3 tasks before it)"
    );
    assert_eq!(
        says(2).unwrap(),
        "all workers of agents with skill 'sum' are busy"
    );
    worker.credit(1).await;
    assert_eq!(says(1).unwrap(), "offered to worker w");
    let target = to_skill("sum", &[("gpu", "1")], Select::RoundRobin);
    rig.hub.enqueue(offer(6, target));
    assert_eq!(
        says(6).unwrap(),
        "no active agent with skill 'sum' has the labels gpu=1"
    );
    assert_eq!(says(99), None);
}

#[tokio::test(start_paused = true)]
async fn a_task_in_progress_waits_for_nothing() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1]);
    let (_worker, tasks) = rig.working("w", &["a"], 1).await;
    assert_eq!(tasks.len(), 1);
    assert_eq!(rig.waiting_for(1), None);
}

#[tokio::test(start_paused = true)]
async fn an_input_that_breaks_the_schema_fails_without_a_worker() {
    let rig = rig();
    rig.put(Agent {
        input_schema: Some(requires("url")),
        ..agent("a")
    });
    rig.enqueue("a", [1]);
    assert_refused_input(&rig.told().await);
    assert_eq!(rig.waiting_for(1), None);
}

#[tokio::test(start_paused = true)]
async fn an_input_found_to_break_the_schema_later_costs_no_credit() {
    let rig = rig();
    let picky = Agent {
        input_schema: Some(requires("url")),
        ..skilled("a", "sum", &[])
    };
    rig.put(picky);
    rig.hub
        .enqueue(offer(1, to_skill("sum", &[], Select::RoundRobin)));
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(1).await;
    assert!(worker.sequences().await.is_empty());
    assert_refused_input(&rig.told().await);
    assert_eq!(rig.hub.workers("default", "", "", 9)[0].credits, 1);
}

#[track_caller]
fn assert_refused_input(told: &[Told]) {
    match told {
        [
            Told::Accepted(accepted, held),
            Told::Failed(failed, lease, failure),
        ] => {
            assert_eq!((accepted, failed), (&key(1), &key(1)));
            assert_eq!((held.worker_id.as_str(), held.agent.as_str()), ("", "a"));
            assert_eq!(held.lease, *lease);
            assert_eq!(failure.class, "validation");
            assert!(failure.message.contains("url"), "{}", failure.message);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_tasks_wait_without_harm() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", 1..=100_000);
    assert_eq!(rig.agent("a").waiting_tasks, 100_000);
    assert_eq!(
        rig.waiting_for(100_000).unwrap(),
        "no worker serves agent 'a' (more than 1000 tasks before it)"
    );
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(2).await;
    assert_eq!(worker.sequences().await, [1, 2]);
    for sequence in (3..=100_000).rev() {
        rig.hub.withdraw(key(sequence), "");
    }
    assert_eq!(rig.agent("a").waiting_tasks, 2, "those offered");
}

#[tokio::test(start_paused = true)]
async fn priority_goes_first_and_keys_take_turns_within_it() {
    let rig = rig();
    rig.put(agent("a"));
    let put = |sequence, priority, key: &str| {
        let mut offer = offer(sequence, to_agent("a"));
        offer.priority = priority;
        offer.fairness_key = key.into();
        rig.hub.enqueue(offer);
    };
    for sequence in 1..=4 {
        put(sequence, 5, "many");
    }
    put(5, 9, "late");
    put(6, 5, "few");
    put(7, 5, "few");
    put(8, 1, "urgent");
    for (sequence, before) in [(8, 0), (1, 1), (6, 2), (2, 3), (5, 7)] {
        let words = rig.waiting_for(sequence).unwrap();
        let told = match before {
            0 => String::new(),
            1 => " (1 task before it)".into(),
            n => format!(" ({n} tasks before it)"),
        };
        assert!(
            words.ends_with(&format!("agent 'a'{told}")),
            "{sequence}: {words}"
        );
    }
    // Where they stand is kept when they leave memory.
    for sequence in [2, 6] {
        let mut offer = offer(sequence, to_agent("a"));
        offer.fairness_key = if sequence == 2 { "many" } else { "few" }.into();
        rig.hub.wait(ticket(&offer));
        rig.sink.asleep.lock().unwrap().insert(key(sequence), offer);
    }
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(2).await;
    assert_eq!(worker.sequences().await, [8, 1]);
    worker.credit(9).await;
    assert_eq!(worker.sequences().await, [6, 2, 7, 3, 4, 5]);
}
