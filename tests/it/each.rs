//! Collections over a real server with real workers: order, failures, batches, pages, and a
//! server that is killed in the middle.

mod killed;

use serde_json::{Value as Json, json};
use tutti::proto::{ListStepsRequest, StepExecution, execution::State, step_execution};
use tutti_client::{TaskContext, TaskError, Worker};

use crate::support::{TestServer, json_of};

/// Serves the agent `double`: numbers times two, lists added up; refuses 13.
fn doubles(server: &TestServer) {
    let work = |_: TaskContext, input: Json| async move {
        match &input {
            Json::Number(n) if n.as_u64() == Some(13) => Err(TaskError::new("refused", "not 13")),
            Json::Number(n) => Ok(json!(n.as_u64().unwrap_or(0) * 2)),
            Json::Array(list) => Ok(json!(list.iter().filter_map(Json::as_u64).sum::<u64>())),
            other => Err(TaskError::new("refused", format!("{other} is no number"))),
        }
    };
    let worker = Worker::builder(server.url())
        .agent("double", work)
        .max_concurrency(64)
        .build()
        .unwrap();
    tokio::spawn(async move { drop(worker.run(std::future::pending()).await) });
}

async fn pages(server: &TestServer, request: ListStepsRequest) -> Vec<Vec<StepExecution>> {
    let (mut pages, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListStepsRequest {
            page_token,
            ..request.clone()
        };
        let answer = server.executions().list_steps(request).await.unwrap();
        let answer = answer.into_inner();
        pages.push(answer.steps);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return pages;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_over_a_list_gives_its_outputs_in_order_and_is_paged() {
    let server = TestServer::with(|config| config.limits.execution_steps_shown_max = 20).await;
    server
        .register(
            "
name: map
mode: SEQUENCE
steps:
  - id: all
    each: { items: input, max_failures: 5, steps: [ { id: one, agent: double } ] }
  - { id: sum, agent: double, input: '{{ steps.all.output.filter(n, n != null) }}' }
output: { sum: '{{ steps.sum.output }}', all: '{{ steps.all.output }}', failed: '{{ steps.all.failures }}' }
",
        )
        .await;
    doubles(&server);
    let numbers: Vec<u64> = (0..300).collect();
    let id = server.begin("map", json!(numbers)).await;
    let ended = server.ended(&id).await;
    assert_eq!(ended.state(), State::Completed, "{:?}", ended.error);
    let output = json_of(&ended.output);
    let doubled: Vec<Json> = numbers
        .iter()
        .map(|n| if *n == 13 { Json::Null } else { json!(n * 2) })
        .collect();
    assert_eq!(output["all"], json!(doubled));
    assert_eq!(output["sum"], json!(300 * 299 - 26));
    assert_eq!(output["failed"][0]["index"], json!(13));
    assert_eq!(output["failed"][0]["error"]["class"], json!("refused"));

    assert_eq!(ended.steps.len(), 20, "what GetExecution shows is bounded");
    assert_eq!(ended.steps_left_out, 302 - 20);
    let failed = ended.steps.iter().find(|s| s.path == "all[13]");
    assert_eq!(
        failed.unwrap().state(),
        step_execution::State::Failed,
        "what failed is shown"
    );
    let counts = ended.steps[0].items.unwrap();
    assert_eq!(
        (
            counts.total,
            counts.completed,
            counts.failed,
            counts.running
        ),
        (300, 299, 1, 0)
    );

    let all = pages(
        &server,
        ListStepsRequest {
            execution_id: id.clone(),
            page_size: 100,
            ..Default::default()
        },
    )
    .await;
    let paths: Vec<String> = all.concat().into_iter().map(|step| step.path).collect();
    let items = (0..300).map(|n| format!("all[{n}]"));
    let expected: Vec<String> = ["all".into()]
        .into_iter()
        .chain(items)
        .chain(["sum".into()])
        .collect();
    assert_eq!(paths, expected);
    assert_eq!(all.len(), 4);
    assert_eq!(json_of(&all[0][8].input), json!(7));
    assert_eq!(json_of(&all[0][8].output), json!(14));

    let request = ListStepsRequest {
        execution_id: id,
        path_prefix: "all".into(),
        states: vec![step_execution::State::Failed.into()],
        ..Default::default()
    };
    let failed = pages(&server, request).await.concat();
    let paths: Vec<&str> = failed.iter().map(|step| step.path.as_str()).collect();
    assert_eq!(paths, ["all[13]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_lists_and_steps_of_items_in_progress_are_listed() {
    let server = TestServer::start().await;
    server
        .register(
            "
name: batches
steps:
  - id: sums
    each: { items: input, batch_size: 3, max_parallel: 2, steps: [ { id: add, agent: double } ] }
output: '{{ steps.sums.output }}'
",
        )
        .await;
    let id = server.begin("batches", json!([1, 2, 3, 4, 5, 6, 7])).await;
    let first = server.poll("double").await;
    assert_eq!(json_of(&first.input), json!([1, 2, 3]));
    server.complete(&first, json!(6)).await.unwrap();
    let request = ListStepsRequest {
        execution_id: id.clone(),
        ..Default::default()
    };
    let steps = pages(&server, request).await.concat();
    let shown: Vec<_> = steps
        .iter()
        .map(|s| (s.path.as_str(), s.state().as_str_name()))
        .collect();
    assert_eq!(
        shown,
        [
            ("sums", "RUNNING"),
            ("sums[0]", "COMPLETED"),
            ("sums[1]", "RUNNING"),
            ("sums[1]/add", "WAITING"),
            ("sums[2]", "RUNNING"),
            ("sums[2]/add", "WAITING"),
        ]
    );
    doubles(&server);
    assert_eq!(json_of(&server.ended(&id).await.output), json!([6, 15, 7]));
}

#[tokio::test]
async fn bad_requests_for_steps_are_refused_by_field() {
    let server = TestServer::start().await;
    let request = ListStepsRequest {
        execution_id: "nonsense".into(),
        states: vec![99],
        page_token: "x00".into(),
        page_size: -1,
        ..Default::default()
    };
    let refused = server.executions().list_steps(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    for field in ["execution_id", "states[0]", "page_token", "page_size"] {
        let details = tonic_types::StatusExt::get_error_details(&refused);
        let bad = details.bad_request().unwrap();
        assert!(
            bad.field_violations.iter().any(|v| v.field == field),
            "{field}"
        );
    }
    let unknown = ListStepsRequest {
        execution_id: uuid::Uuid::now_v7().to_string(),
        ..Default::default()
    };
    let refused = server.executions().list_steps(unknown).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_reduce_calls_for_each_item_and_joins() {
    let server = TestServer::start().await;
    server
        .register(
            "
name: total
steps:
  - id: total
    map_reduce:
      items: input
      max_parallel: 4
      max_failures: 1
      map: { agent: double }
      reduce: { agent: double, input: '{{ previous.filter(n, n != null) }}' }
output: '{{ steps.total.output }}'
",
        )
        .await;
    doubles(&server);
    let id = server.begin("total", json!([1, 13, 2, 3])).await;
    let ended = server.ended(&id).await;
    assert_eq!(json_of(&ended.output), json!(12), "{:?}", ended.error);
    let shown: Vec<_> = ended
        .steps
        .iter()
        .map(|s| (s.path.as_str(), s.kind.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("total", "map_reduce"),
            ("total/map", "each"),
            ("total/map[0]", "item"),
            ("total/map[1]", "item"),
            ("total/map[2]", "item"),
            ("total/map[3]", "item"),
            ("total/reduce", "call"),
        ]
    );
}
