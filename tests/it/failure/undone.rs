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
