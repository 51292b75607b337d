//! Definitions: registered as immutable versions, listed, compared, deleted.

mod findings;

use serde_json::{Value as Json, json};
use tonic::{Code, Status};
use tutti::{
    core::{definition, value},
    proto::{
        DeleteWorkflowRequest, DiffWorkflowsRequest, GetWorkflowRequest, ListWorkflowsRequest,
        RegisterWorkflowRequest, RegisterWorkflowResponse, TerminateExecutionRequest, Workflow,
        WorkflowVersion, execution::State,
    },
};

use crate::{
    errors::{bad_names, told},
    support::{TestServer, json_of, start},
};

const ORDER: &str = "
name: order
description: From a placed order to a notified customer.
labels: { team: shop }
tags: [demo]
steps:
  - { id: check, agent: order-check, timeout: 20s }
  - { id: pay, agent: payment, input: '{{ steps.check.output }}' }
";

async fn register(
    server: &TestServer,
    request: RegisterWorkflowRequest,
) -> Result<RegisterWorkflowResponse, Status> {
    let answer = server.workflows().register_workflow(request).await?;
    Ok(answer.into_inner())
}

fn source(source: &str) -> RegisterWorkflowRequest {
    RegisterWorkflowRequest {
        source: source.into(),
        ..Default::default()
    }
}

fn message(source: &str) -> Workflow {
    definition::parse(source)
        .workflow
        .expect("a sound definition")
}

async fn get(server: &TestServer, name: &str, version: u32) -> Result<WorkflowVersion, Status> {
    let request = GetWorkflowRequest {
        name: name.into(),
        version,
        ..Default::default()
    };
    let answer = server.workflows().get_workflow(request).await?;
    Ok(answer.into_inner().workflow.unwrap())
}

async fn delete(server: &TestServer, name: &str, version: u32) -> Result<u32, Status> {
    let request = DeleteWorkflowRequest {
        name: name.into(),
        version,
        ..Default::default()
    };
    let answer = server.workflows().delete_workflow(request).await?;
    Ok(answer.into_inner().deleted)
}

#[tokio::test]
async fn the_same_content_is_the_same_version_however_it_is_written() {
    let mut server = TestServer::start().await;
    let first = register(&server, source(ORDER)).await.unwrap();
    assert_eq!(
        (&*first.name, first.version, first.created),
        ("order", 1, true)
    );
    assert_eq!(first.findings, []);
    let as_json = r#"{
        "tags": ["demo"], "labels": {"team": "shop"}, "name": "order",
        "description": "From a placed order to a notified customer.",
        "steps": [
            {"id": "check", "agent": "order-check", "timeout": "20s"},
            {"id": "pay", "agent": "payment", "input": "{{ steps.check.output }}"}
        ]
    }"#;
    let as_message = RegisterWorkflowRequest {
        workflow: Some(message(ORDER)),
        ..Default::default()
    };
    for request in [source(ORDER), source(as_json), as_message.clone()] {
        let again = register(&server, request).await.unwrap();
        assert_eq!((again.version, again.created), (1, false));
    }
    let changed = ORDER.replace("20s", "30s");
    let second = register(&server, source(&changed)).await.unwrap();
    assert_eq!((second.version, second.created), (2, true));
    server.restart().await;
    let earlier = register(&server, as_message).await.unwrap();
    assert_eq!((earlier.version, earlier.created), (1, false));
    assert_eq!(get(&server, "order", 0).await.unwrap().version, 2);
}

#[tokio::test]
async fn a_version_is_given_back_as_it_was_registered() {
    let server = TestServer::start().await;
    server.register(ORDER).await;
    server.register(&ORDER.replace("20s", "30s")).await;
    let version = get(&server, "order", 1).await.unwrap();
    assert_eq!((&*version.name, version.version), ("order", 1));
    assert_eq!(version.workflow.unwrap(), message(ORDER));
    assert!(version.description.starts_with("From a placed order"));
    assert_eq!(version.labels["team"], "shop");
    assert_eq!(version.labels["demo"], "", "a tag is a label without value");
    assert!(version.create_time.is_some());
}

#[tokio::test]
async fn registrations_at_once_take_a_number_each() {
    let server = TestServer::start().await;
    let registrations = (0..10).map(|n| {
        let source = source(&ORDER.replace("20s", &format!("{}s", 100 + n)));
        register(&server, source)
    });
    let answers = futures::future::join_all(registrations).await;
    let mut versions: Vec<u32> = answers.into_iter().map(|a| a.unwrap().version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn text_and_message_at_once_are_refused() {
    let server = TestServer::start().await;
    let both = RegisterWorkflowRequest {
        workflow: Some(message(ORDER)),
        ..source(ORDER)
    };
    let refused = register(&server, both).await.unwrap_err();
    assert_eq!(bad_names(&refused), ["source"]);
}

async fn listed(server: &TestServer, request: ListWorkflowsRequest) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListWorkflowsRequest {
            page_token,
            ..request.clone()
        };
        let answer = server.workflows().list_workflows(request.clone()).await;
        let page = answer.unwrap().into_inner();
        assert!(page.workflows.len() <= usize::try_from(request.page_size).unwrap());
        assert!(page.workflows.iter().all(|w| w.workflow.is_none()));
        found.extend(page.workflows.into_iter().map(|w| (w.name, w.version)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

#[tokio::test]
async fn lists_show_the_newest_of_each_name_or_all_versions_of_one() {
    let server = TestServer::start().await;
    for name in ["b", "a", "c"] {
        for label in ["x", "y"] {
            let rest = "steps: [ { id: a, agent: x } ]";
            let text = format!("name: {name}\nlabels: {{ of: {name}, at: {label} }}\n{rest}");
            server.register(&text).await;
        }
    }
    let request = ListWorkflowsRequest {
        page_size: 2,
        ..Default::default()
    };
    let pairs = |pairs: &[(&str, u32)]| -> Vec<(String, u32)> {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect()
    };
    let newest = pairs(&[("a", 2), ("b", 2), ("c", 2)]);
    assert_eq!(listed(&server, request.clone()).await, newest);
    let of_b = ListWorkflowsRequest {
        name: "b".into(),
        page_size: 1,
        ..request.clone()
    };
    assert_eq!(listed(&server, of_b).await, pairs(&[("b", 1), ("b", 2)]));
    let labelled = |key: &str, value: &str| ListWorkflowsRequest {
        labels: [(key.to_owned(), value.to_owned())].into(),
        ..request.clone()
    };
    let c = pairs(&[("c", 2)]);
    assert_eq!(listed(&server, labelled("of", "c")).await, c);
    assert_eq!(listed(&server, labelled("at", "y")).await, newest);
    assert_eq!(
        listed(&server, labelled("at", "x")).await,
        [],
        "an older one"
    );
    assert_eq!(listed(&server, labelled("at", "")).await, newest);
    let elsewhere = ListWorkflowsRequest {
        namespace: "elsewhere".into(),
        ..request
    };
    assert_eq!(listed(&server, elsewhere).await, []);
}

#[tokio::test]
async fn versions_are_compared_field_by_field() {
    let server = TestServer::start().await;
    server.register(ORDER).await;
    let changed = ORDER
        .replace("20s", "30s")
        .replace("tags: [demo]", "max_parallel_steps: 4");
    server.register(&changed).await;
    let diff = async |from_version, to_version| {
        let request = DiffWorkflowsRequest {
            name: "order".into(),
            from_version,
            to_version,
            ..Default::default()
        };
        let answer = server.workflows().diff_workflows(request).await?;
        let answer = answer.into_inner();
        let differences: Vec<(String, Json, Json)> = answer
            .differences
            .into_iter()
            .map(|d| (d.path, json_of(&d.before), json_of(&d.after)))
            .collect();
        Ok::<_, Status>((answer.from_version, answer.to_version, differences))
    };
    let expected = [
        ("tags".to_owned(), json!(["demo"]), json!(null)),
        ("steps[check].timeout".into(), json!("20s"), json!("30s")),
        ("max_parallel_steps".into(), json!(null), json!(4)),
    ];
    let (from, to, differences) = diff(0, 0).await.unwrap();
    assert_eq!((from, to), (1, 2), "the newest against the one before it");
    assert_eq!(differences, expected);
    let (_, _, backwards) = diff(2, 1).await.unwrap();
    assert_eq!(backwards.len(), 3);
    assert_eq!(backwards[1].2, json!("20s"));
    assert_eq!(diff(2, 2).await.unwrap().2, []);
    assert_eq!(diff(0, 1).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_version_in_use_is_not_deleted_until_its_execution_has_ended() {
    let server = TestServer::start().await;
    server.register(ORDER).await;
    let id = server.begin("order", json!({"n": 1})).await;
    server.register(&ORDER.replace("20s", "30s")).await;
    for version in [0, 1] {
        let refused = delete(&server, "order", version).await.unwrap_err();
        let expected = (Code::FailedPrecondition, "STATE_FORBIDS".to_owned());
        assert_eq!(told(&refused), expected);
        assert!(refused.message().contains(&id), "{}", refused.message());
    }
    assert_eq!(
        delete(&server, "order", 2).await.unwrap(),
        1,
        "nobody uses it"
    );
    let terminate = TerminateExecutionRequest {
        execution_id: id.clone(),
        ..Default::default()
    };
    server
        .executions()
        .terminate_execution(terminate)
        .await
        .unwrap();
    assert_eq!(delete(&server, "order", 0).await.unwrap(), 1);
    assert_eq!(
        get(&server, "order", 0).await.unwrap_err().code(),
        Code::NotFound
    );
    let refused = server.try_begin(start("order", json!(null))).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
    assert_eq!(
        delete(&server, "order", 0).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn an_ended_execution_is_shown_as_it_was_though_its_version_is_deleted() {
    let mut server = TestServer::start().await;
    let one_step = "name: gone\nsteps: [ { id: a, set: { x: '{{ input.n }}' } } ]";
    server.register(one_step).await;
    let id = server.begin("gone", json!({"n": 7})).await;
    let before = server.ended(&id).await;
    assert_eq!(before.state(), State::Completed);
    assert_eq!(delete(&server, "gone", 0).await.unwrap(), 1);
    assert_eq!(server.get(&id).await, before);

    let two_steps = "name: gone\nsteps: [ { id: b, set: { y: 1 } }, { id: c, set: { z: 1 } } ]";
    let again = register(&server, source(two_steps)).await.unwrap();
    assert_eq!((again.version, again.created), (2, true), "no number twice");
    server.restart().await;
    assert_eq!(server.get(&id).await, before);
    assert_eq!(before.steps[0].path, "a");
    let output = value::from_json(&json!({"a": {"x": 7}}));
    assert_eq!(before.output, Some(output));
}
