//! Tasks whose executions are not in memory: they keep their place, and are fetched when
//! someone has room for them.

use super::{invariants::check, rig::*};
use crate::{
    agents::Dispatch as _,
    core::{plan::Select, time::Time, value},
    proto::Agent,
};

#[tokio::test(start_paused = true)]
async fn a_ticket_becomes_a_task_with_its_input_when_a_worker_has_room() {
    let rig = rig();
    rig.put(agent("a"));
    rig.wait(&to_agent("a"), 1..=3);
    let mut worker = rig.connect("w", &["a"]).await;
    assert!(rig.told().await.is_empty(), "nobody has room yet");
    worker.credit(2).await;
    assert_eq!(worker.sequences().await, [1, 2]);
    assert_eq!(rig.agent("a").waiting_tasks, 3, "two of them are offered");
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_stands_where_its_task_stood() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1, 2, 4]);
    rig.wait(&to_agent("a"), [2, 3]);
    let mut late = offer(0, to_agent("a"));
    late.schedule_time = Time::from_nanos(5);
    rig.hub.enqueue(late);
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(9).await;
    assert_eq!(worker.sequences().await, [1, 2, 3, 4, 0]);
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_out_stays_whole_when_its_execution_leaves() {
    let rig = rig();
    rig.put(agent("a"));
    rig.enqueue("a", [1, 2]);
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(1).await;
    let tasks = worker.tasks().await;
    rig.wait(&to_agent("a"), [1, 2]);
    worker.accept(&tasks).await;
    worker.complete(&tasks[0], value::null()).await;
    assert_eq!(worker.acks().await.len(), 1);
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_can_be_withdrawn_and_what_is_behind_it_goes_on() {
    let rig = rig();
    rig.put(agent("a"));
    rig.wait(&to_agent("a"), [1]);
    rig.enqueue("a", [2]);
    rig.hold_answers(true);
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(1).await;
    assert!(worker.sequences().await.is_empty(), "it is being fetched");
    rig.hub.withdraw(key(1), "not wanted");
    assert_eq!(worker.sequences().await, [2]);
    rig.hold_answers(false);
    rest().await;
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_no_more_makes_room_for_the_next() {
    let rig = rig();
    rig.put(agent("a"));
    rig.wait(&to_agent("a"), [1, 2]);
    rig.sink.asleep.lock().unwrap().remove(&key(1));
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(1).await;
    assert_eq!(worker.sequences().await, [2]);
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn while_one_agents_task_is_fetched_another_is_served() {
    let rig = rig();
    rig.put(agent("asleep"));
    rig.put(agent("awake"));
    rig.wait(&to_agent("asleep"), [1]);
    rig.enqueue("awake", [2, 3]);
    rig.hold_answers(true);
    let mut worker = rig.connect("w", &["asleep", "awake"]).await;
    worker.credit(3).await;
    assert_eq!(worker.sequences().await, [2, 3]);
    rig.hold_answers(false);
    assert_eq!(worker.sequences().await, [1]);
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_fetched_than_there_is_room_for_and_a_little_ahead() {
    let rig = rig();
    rig.put(agent("a"));
    rig.wait(&to_agent("a"), 1..=100);
    let mut worker = rig.connect("w", &["a"]).await;
    worker.credit(1).await;
    assert_eq!(worker.sequences().await, [1]);
    assert_eq!(rig.sink.asleep.lock().unwrap().len(), 96);
    worker.credit(50).await;
    let given = worker.sequences().await;
    assert_eq!(given, (2..=51).collect::<Vec<_>>());
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn limits_hold_for_what_is_fetched() {
    let rig = rig();
    rig.put(Agent {
        max_concurrency: 1,
        ..skilled("a", "sum", &[])
    });
    rig.wait(&to_skill("sum", &[], Select::LeastLoaded), [1, 2]);
    let (worker, tasks) = rig.working("w", &["a"], 9).await;
    assert_eq!(tasks.len(), 1);
    let words = "all workers of agents with skill 'sum' are busy";
    assert_eq!(rig.waiting_for(2).unwrap(), words);
    drop(worker);
    check(&rig.hub);
}

#[tokio::test(start_paused = true)]
async fn what_a_ticket_waits_for_is_told() {
    let rig = rig();
    rig.wait(&to_agent("a"), [1]);
    rig.wait(&to_skill("sum", &[], Select::RoundRobin), [2, 3]);
    let words = |sequence| rig.waiting_for(sequence).unwrap();
    assert_eq!(words(1), "agent 'a' is not registered");
    let nobody = "no registered agent has skill 'sum'";
    assert_eq!(words(2), nobody);
    assert_eq!(words(3), format!("{nobody} (1 task before it)"));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_comes_back_with_a_ticket_keeps_its_task() {
    let mut rig = rig();
    let (worker, tasks) = {
        rig.put(agent("a"));
        rig.enqueue("a", [1]);
        rig.working("w", &["a"], 1).await
    };
    drop(worker);
    rig.stop().await;
    // The acceptance was lost with the server that it was told.
    let rig = super::rig::rig();
    rig.wait(&to_agent("a"), [1]);
    let mut hello = hello("w", &["a"]);
    hello.held_tokens = vec![tasks[0].token.clone()];
    let (_worker, welcome) = rig.connect_with(hello).await;
    assert_eq!(welcome.adopted_tokens, [tasks[0].token.clone()]);
    check(&rig.hub);
}
