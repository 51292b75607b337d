//! What completed is undone: newest first, through restarts, whatever fails on the way.

use super::*;
use tutti::proto::event::Kind;

const ORDER: &str = "
name: order
on_failure: COMPENSATE
mode: SEQUENCE
steps:
  - { id: reserve, agent: stock, compensation: { agent: restock, input: '{{ result.items }}' } }
  - id: pay
    block:
      mode: SEQUENCE
      steps:
        - { id: charge, agent: bank, compensation: { agent: refund, retry: { max_attempts: 2, initial_delay: 0.01s } } }
  - { id: ship, agent: carrier }
";

#[tokio::test]
async fn the_whole_is_undone_newest_first_across_a_restart() {
    let mut server = TestServer::start().await;
    server.register(ORDER).await;
    let id = server.begin("order", json!({})).await;
    complete(&server, "stock", "reserve", json!({"items": [1, 2]})).await;
    complete(&server, "bank", "pay/charge", json!("charge 7")).await;
    fail(&server, "carrier", "ship", "no_truck").await;
    let execution = server.get(&id).await;
    assert_eq!(execution.state(), State::Compensating);
    assert_eq!(execution.error.as_ref().unwrap().class, "no_truck");
    fail(&server, "refund", "pay/charge/compensation", "unavailable").await;
    server.restart().await;
    assert_eq!(server.get(&id).await.state(), State::Compensating);
    complete(&server, "refund", "pay/charge/compensation", json!(null)).await;
    server.restart().await;
    let task = server.poll("restock").await;
    assert_eq!(json_of(&task.input), json!([1, 2]));
    server.complete(&task, json!(null)).await.unwrap();
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Failed);
    assert_eq!(step(&execution, "reserve").state(), StepState::Compensated);
    assert_eq!(
        step(&execution, "pay/charge").state(),
        StepState::Compensated
    );
    let call = step(&execution, "reserve/compensation");
    assert_eq!(
        (call.kind.as_str(), call.agent.as_str()),
        ("compensation", "restock")
    );
}

const ROUNDS: &str = "
name: rounds
mode: STATES
on_failure: COMPENSATE
steps:
  - { id: pay, agent: bank, compensation: { agent: refund }, next: [ { to: ship } ] }
  - { id: ship, agent: carrier, next: [ { when: output == 'later', to: pay }, { to: close } ] }
  - { id: close, agent: books }
";

#[tokio::test]
async fn each_run_of_a_state_is_undone_out_of_memory_and_across_restarts() {
    let mut server = TestServer::with(|config| {
        config.shards = std::num::NonZeroUsize::MIN;
        config.limits.resident_executions_max = 1;
    })
    .await;
    server.register(ROUNDS).await;
    let others = server.begin("rounds", json!({})).await;
    let id = server.begin("rounds", json!({})).await;
    server.terminate(&others).await;
    let mut keys = std::collections::BTreeSet::new();
    for (charge, ship) in [("first", "later"), ("second", "later"), ("third", "now")] {
        let task = server.poll("bank").await;
        assert_eq!(task.step, "pay");
        assert!(
            keys.insert(task.idempotency_key.clone()),
            "each is another charge"
        );
        server.complete(&task, json!(charge)).await.unwrap();
        complete(&server, "carrier", "ship", json!(ship)).await;
        server.restart().await;
    }
    let waiting = server.get(&id).await;
    assert_eq!(json_of(&step(&waiting, "pay").output), json!("third"));
    assert_eq!(json_of(&step(&waiting, "pay#1").output), json!("first"));
    assert!(
        waiting.steps.iter().all(|s| s.path != "ship#1"),
        "not to be undone"
    );
    fail(&server, "books", "close", "own").await;
    for (path, charge) in [("pay", "third"), ("pay#2", "second"), ("pay#1", "first")] {
        let task = server.poll("refund").await;
        assert_eq!(task.step, format!("{path}/compensation"));
        assert_eq!(json_of(&task.input), json!(charge));
        server.restart().await;
        server.complete(&task, json!(null)).await.unwrap();
    }
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Failed);
    for path in ["pay", "pay#1", "pay#2"] {
        assert_eq!(step(&execution, path).state(), StepState::Compensated);
        let call = step(&execution, &format!("{path}/compensation"));
        assert_eq!(call.state(), StepState::Completed);
    }
}

#[tokio::test]
async fn a_saga_whose_compensation_fails_undoes_the_rest_and_tells_it() {
    let server = TestServer::start().await;
    server
        .register(
            "
name: trip
steps:
  - id: book
    on_error: CONTINUE
    saga:
      steps:
        - { id: flight, agent: airline, compensation: { agent: unflight } }
        - { id: hotel, agent: hotels, compensation: { agent: unhotel } }
        - { id: car, agent: cars }
",
        )
        .await;
    let id = server.begin("trip", json!({})).await;
    complete(&server, "airline", "book/flight", json!("ticket")).await;
    complete(&server, "hotels", "book/hotel", json!("room")).await;
    fail(&server, "cars", "book/car", "sold_out").await;
    fail(&server, "unhotel", "book/hotel/compensation", "refused").await;
    complete(&server, "unflight", "book/flight/compensation", json!(null)).await;
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Completed, "the step may fail");
    let book = step(&execution, "book");
    assert_eq!(
        (book.kind.as_str(), book.state()),
        ("saga", StepState::Failed)
    );
    let error = book.error.as_ref().unwrap();
    assert_eq!(error.class, "sold_out");
    assert!(
        error.message.contains("book/hotel/compensation failed"),
        "{error:?}"
    );
    assert_eq!(
        step(&execution, "book/flight").state(),
        StepState::Compensated
    );
    assert_eq!(step(&execution, "book/hotel").state(), StepState::Completed);
    let told: Vec<String> = events(&server, &id)
        .await
        .into_iter()
        .filter(|e| {
            matches!(
                e.kind,
                Some(
                    Kind::StepCompensating(_)
                        | Kind::StepCompensated(_)
                        | Kind::CompensationFailed(_)
                )
            )
        })
        .map(|e| e.step)
        .collect();
    assert_eq!(told, ["book", "book/hotel", "book/flight"]);
}
