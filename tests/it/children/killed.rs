//! The process is killed (SIGKILL) between a child's end and its parent's hearing of it.

use serde_json::json;
use tutti::{
    core::value,
    proto::{
        CancelExecutionRequest, CompleteTaskRequest, Event, ListEventsRequest,
        ListExecutionsRequest, PollTasksRequest, RegisterWorkflowRequest, StartExecutionRequest,
        Task, WatchExecutionRequest, event::Kind, execution::State,
        execution_service_client::ExecutionServiceClient,
        worker_service_client::WorkerServiceClient, workflow_service_client::WorkflowServiceClient,
    },
};

use super::{INNER, OUTER};
use crate::{killed::Process, support::seconds};

const KILLS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_hears_of_its_childs_end_once_whenever_the_server_is_killed() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path(), "127.0.0.1:0");
    let address = server.address.clone();
    let url = format!("http://{address}");
    for source in [INNER, OUTER] {
        register(&url, source).await;
    }
    let mut parents = Vec::new();
    for round in 0..KILLS {
        parents.push(start(&url, round).await);
        let task = poll(&url).await;
        complete(&url, &task, round).await;
        // The child's end is durable now, and its parent is about to hear of it.
        server.kill();
        server = Process::start(data.path(), &address);
    }
    for (round, parent) in parents.iter().enumerate() {
        let events = events_until_end(&url, parent).await;
        let Some(Kind::ExecutionCompleted(end)) = &events.last().unwrap().kind else {
            panic!("{parent}: {:?}", events.last());
        };
        let got = end.output.as_ref().map(value::to_json);
        assert_eq!(got, Some(json!({"got": round})));
        let names: Vec<&str> = events.iter().filter_map(name).collect();
        assert_eq!(names, ["started", "ended"], "{parent}");
    }
    let executions = list(&url).await;
    assert_eq!(executions.len(), 2 * KILLS, "no child was started twice");
    assert!(executions.iter().all(|state| *state == State::Completed));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_child_is_left_over_whenever_the_server_is_killed_as_its_parent_ends() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path(), "127.0.0.1:0");
    let address = server.address.clone();
    let url = format!("http://{address}");
    for source in [INNER, OUTER] {
        register(&url, source).await;
    }
    for round in 0..KILLS / 2 {
        let parent = start(&url, round).await;
        if round % 2 == 0 {
            poll(&url).await;
        }
        cancel(&url, parent).await;
        server.kill();
        server = Process::start(data.path(), &address);
    }
    for id in ids(&url).await {
        events_until_end(&url, &id).await;
    }
    let executions = list(&url).await;
    assert!(executions.iter().all(|state| *state == State::Cancelled));
}

fn name(event: &Event) -> Option<&'static str> {
    match event.kind {
        Some(Kind::ChildStarted(_)) => Some("started"),
        Some(Kind::ChildEnded(_)) => Some("ended"),
        _ => None,
    }
}

async fn register(url: &str, source: &str) {
    let mut client = WorkflowServiceClient::connect(url.to_owned())
        .await
        .unwrap();
    let request = RegisterWorkflowRequest {
        source: source.into(),
        ..Default::default()
    };
    client.register_workflow(request).await.unwrap();
}

async fn executions(url: &str) -> ExecutionServiceClient<tonic::transport::Channel> {
    ExecutionServiceClient::connect(url.to_owned())
        .await
        .unwrap()
}

async fn start(url: &str, round: usize) -> String {
    let request = StartExecutionRequest {
        workflow: "outer".into(),
        request_id: format!("round-{round}"),
        ..Default::default()
    };
    let answer = executions(url).await.start_execution(request).await;
    answer.unwrap().into_inner().execution_id
}

async fn poll(url: &str) -> Task {
    let mut client = WorkerServiceClient::connect(url.to_owned()).await.unwrap();
    let request = PollTasksRequest {
        worker_id: "test".into(),
        agents: vec!["worker".into()],
        max_tasks: 1,
        wait_timeout: Some(seconds(30)),
        ..Default::default()
    };
    let answer = client.poll_tasks(request).await.unwrap();
    answer.into_inner().tasks.pop().expect("a task in time")
}

async fn complete(url: &str, task: &Task, round: usize) {
    let mut client = WorkerServiceClient::connect(url.to_owned()).await.unwrap();
    let request = CompleteTaskRequest {
        token: task.token.clone(),
        output: Some(value::from_json(&json!(round))),
        usage: None,
    };
    client.complete_task(request).await.unwrap();
}

async fn cancel(url: &str, id: String) {
    let request = CancelExecutionRequest {
        execution_id: id,
        ..Default::default()
    };
    executions(url)
        .await
        .cancel_execution(request)
        .await
        .unwrap();
}

async fn all(url: &str) -> Vec<tutti::proto::Execution> {
    let request = ListExecutionsRequest {
        page_size: 1000,
        ..Default::default()
    };
    let answer = executions(url).await.list_executions(request).await;
    answer.unwrap().into_inner().executions
}

async fn list(url: &str) -> Vec<State> {
    let all = all(url).await;
    all.iter().map(tutti::proto::Execution::state).collect()
}

async fn ids(url: &str) -> Vec<String> {
    all(url).await.into_iter().map(|e| e.execution_id).collect()
}

async fn events_until_end(url: &str, id: &str) -> Vec<Event> {
    let mut client = executions(url).await;
    let watch = WatchExecutionRequest {
        execution_id: id.into(),
        ..Default::default()
    };
    let mut stream = client.watch_execution(watch).await.unwrap().into_inner();
    let to_the_end = async { while stream.message().await.unwrap().is_some() {} };
    let ended = tokio::time::timeout(crate::support::PATIENCE, to_the_end).await;
    ended.unwrap_or_else(|_| panic!("{id} does not end"));
    let request = ListEventsRequest {
        execution_id: id.into(),
        page_size: 1000,
        ..Default::default()
    };
    let answer = client.list_events(request).await.unwrap();
    answer.into_inner().events
}
