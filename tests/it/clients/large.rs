//! Payloads of the largest size, through the client and its worker.

use futures::StreamExt as _;
use prost::Message as _;
use serde_json::json;
use tokio::time::timeout;
use tonic::Code;
use tonic_types::StatusExt as _;
use tutti::proto::execution::State;
use tutti_client::{Client, Error, EventStream, Start};

use crate::support::{PATIENCE, TestServer, json_of};

const TWO: &str = "name: two\nmode: SEQUENCE\nsteps: [ { id: a, agent: x }, { id: b, agent: x } ]";
const PAYLOAD_BYTES_MAX: usize = 16 << 20;
/// What a text takes beside its bytes: a tag and a length of four bytes.
const TEXT_FRAME_BYTES: usize = 5;

#[tokio::test]
async fn payloads_of_16_mib_go_through_two_steps_and_come_back() {
    let server = TestServer::start().await;
    server.register(TWO).await;
    let worker = server.echo(&["x"]);
    let client = Client::connect(&server.url()).await.unwrap();
    let largest = PAYLOAD_BYTES_MAX - TEXT_FRAME_BYTES;
    for bytes in [largest - 100_000, largest] {
        let input = json!("x".repeat(bytes));
        let start = Start::workflow("two").input(input.clone());
        let run = timeout(PATIENCE, client.run(start)).await.unwrap().unwrap();
        assert_eq!(run.state(), State::Completed, "{:?}", run.error);
        assert!(json_of(&run.output) == input, "the output is the input");
        // Six payloads do not fit into one answer.
        assert_eq!(
            run.omitted_fields[..2],
            ["steps[0].input", "steps[0].output"]
        );
        assert!(json_of(&run.input) == input);
        let all = event_bytes(client.watch(&run.execution_id)).await;
        assert!(all > 6 * bytes, "its events hold all of them");
    }
    worker.abort();
}

/// The size of all events.
async fn event_bytes(mut events: EventStream) -> usize {
    let mut bytes = 0;
    while let Some(event) = events.next().await {
        bytes += event.unwrap().encoded_len();
    }
    bytes
}

#[tokio::test]
async fn a_larger_payload_is_refused_at_once_and_says_which_limit() {
    let server = TestServer::start().await;
    server.register(TWO).await;
    let client = Client::connect(&server.url()).await.unwrap();
    let input = json!("x".repeat(PAYLOAD_BYTES_MAX - TEXT_FRAME_BYTES + 1));
    let refused = client.run(Start::workflow("two").input(input)).await;
    let Err(Error::Status(status)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(status.code(), Code::ResourceExhausted);
    let said = format!(
        "input has {} bytes, payload_bytes_max is {PAYLOAD_BYTES_MAX}",
        PAYLOAD_BYTES_MAX + 1
    );
    assert_eq!(status.message(), said);
    assert!(status.get_error_details().retry_info().is_none());
}
