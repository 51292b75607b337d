//! RegisterAgent, GetAgent, ListAgents, DeregisterAgent, SetAgentState.

use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tutti::{
    core::value,
    proto::{
        Agent, DeregisterAgentRequest, GetAgentRequest, ListAgentsRequest, RegisterAgentRequest,
        SetAgentStateRequest, agent::State,
    },
};

use super::{agent, put, set_state};
use crate::{
    support::TestServer,
    workers::{bad_fields, raw::RawWorker, reason},
};

async fn get(server: &TestServer, id: &str) -> Result<Agent, Status> {
    let request = GetAgentRequest {
        id: id.into(),
        ..Default::default()
    };
    let answer = server.agents().get_agent(request).await?;
    Ok(answer.into_inner().agent.unwrap())
}

async fn deregister(server: &TestServer, id: &str) -> Result<(), Status> {
    let request = DeregisterAgentRequest {
        id: id.into(),
        ..Default::default()
    };
    server.agents().deregister_agent(request).await.map(drop)
}

fn unknown(refused: &Status) {
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(reason(refused), "AGENT_NOT_FOUND");
    let details = refused.get_error_details();
    let resource = details.resource_info().unwrap();
    assert_eq!(
        (&*resource.resource_type, &*resource.resource_name),
        ("agent", "nobody")
    );
}

#[tokio::test]
async fn an_agent_is_known_as_it_was_registered_over_a_restart_too() {
    let mut server = TestServer::start().await;
    let given = Agent {
        description: "Reads what there is.".into(),
        labels: [("gpu".to_owned(), "1".to_owned())].into(),
        max_concurrency: 7,
        input_schema: Some(value::from_json(&json!({"type": "object"}))),
        output_schema: Some(value::from_json(&json!({"type": "string"}))),
        ..agent("reader", &["reading", "skimming"])
    };
    let (known, created) = put(&server, given.clone()).await;
    assert!(created);
    let expected = Agent {
        state: State::Active.into(),
        create_time: known.create_time,
        ..given
    };
    assert!(known.create_time.is_some());
    assert_eq!(known, expected);
    assert_eq!(get(&server, "reader").await.unwrap(), expected);
    server.restart().await;
    assert_eq!(get(&server, "reader").await.unwrap(), expected);
}

#[tokio::test]
async fn registering_again_replaces_what_is_known_but_not_state_and_age() {
    let server = TestServer::start().await;
    let (first, _) = put(&server, agent("x", &["old"])).await;
    set_state(&server, "x", State::Disabled).await;
    let (second, created) = put(&server, agent("x", &["new"])).await;
    assert!(!created);
    assert_eq!(second.skills, ["new"]);
    assert_eq!(second.state(), State::Disabled);
    assert_eq!(second.create_time, first.create_time);
}

#[tokio::test]
async fn what_is_output_only_is_not_taken_from_the_caller() {
    let server = TestServer::start().await;
    let forged = Agent {
        state: State::Disabled.into(),
        create_time: Some(prost_types::Timestamp::default()),
        workers: 9,
        running_tasks: 9,
        waiting_tasks: 9,
        ..agent("x", &[])
    };
    let (known, _) = put(&server, forged).await;
    assert_eq!(known.state(), State::Active);
    assert_ne!(known.create_time, Some(prost_types::Timestamp::default()));
    let counts = (known.workers, known.running_tasks, known.waiting_tasks);
    assert_eq!(counts, (0, 0, 0));
}

#[tokio::test]
async fn an_agent_that_is_not_valid_is_told_every_bad_field_and_not_registered() {
    let server = TestServer::start().await;
    let bad = Agent {
        description: "x".repeat(9 << 10),
        labels: [(String::new(), "1".to_owned())].into(),
        input_schema: Some(value::from_json(&json!({"type": 1}))),
        output_schema: Some(value::from_json(&json!("no schema"))),
        ..agent("not good", &["twice", "twice", ""])
    };
    let request = RegisterAgentRequest {
        namespace: "not good".into(),
        agent: Some(bad),
    };
    let refused = server.agents().register_agent(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(reason(&refused), "INVALID_FIELDS");
    assert_eq!(
        bad_fields(&refused),
        [
            "namespace",
            "agent.id",
            "agent.description",
            "agent.skills[1]",
            "agent.skills[2]",
            "agent.labels[\"\"]",
            "agent.input_schema",
            "agent.output_schema",
        ]
    );
    let absent = RegisterAgentRequest::default();
    let refused = server.agents().register_agent(absent).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["agent"]);
    let mut agents = server.agents();
    let listed = agents.list_agents(ListAgentsRequest::default()).await;
    assert_eq!(listed.unwrap().into_inner().agents, []);
}

#[tokio::test]
async fn an_unknown_agent_is_not_found() {
    let server = TestServer::start().await;
    unknown(&get(&server, "nobody").await.unwrap_err());
    unknown(&deregister(&server, "nobody").await.unwrap_err());
    let request = SetAgentStateRequest {
        id: "nobody".into(),
        state: State::Disabled.into(),
        ..Default::default()
    };
    unknown(&server.agents().set_agent_state(request).await.unwrap_err());
    let nameless = get(&server, "").await.unwrap_err();
    assert_eq!(bad_fields(&nameless), ["id"]);
}

#[tokio::test]
async fn agents_are_listed_by_id_filtered_and_paged() {
    let server = TestServer::start().await;
    for (id, skill, zone) in [
        ("d", "reading", "a"),
        ("a", "reading", "a"),
        ("c", "writing", "a"),
        ("b", "reading", "b"),
        ("e", "reading", "a"),
    ] {
        let labels = [("zone".to_owned(), zone.to_owned())].into();
        put(
            &server,
            Agent {
                labels,
                ..agent(id, &[skill])
            },
        )
        .await;
    }
    let list = async |skill: &str, zone: &str, page_size: i32| {
        let zone = (!zone.is_empty()).then(|| ("zone".to_owned(), zone.to_owned()));
        let mut request = ListAgentsRequest {
            skill: skill.into(),
            labels: zone.into_iter().collect(),
            page_size,
            ..Default::default()
        };
        let mut pages = Vec::new();
        loop {
            let page = server.agents().list_agents(request.clone()).await.unwrap();
            let page = page.into_inner();
            let ids: Vec<_> = page.agents.iter().map(|a| a.id.clone()).collect();
            pages.push(ids.join(""));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return pages;
            }
        }
    };
    assert_eq!(list("", "", 0).await, ["abcde"]);
    assert_eq!(list("", "", 2).await, ["ab", "cd", "e"]);
    assert_eq!(list("reading", "", 2).await, ["ab", "de"]);
    assert_eq!(list("", "a", 10).await, ["acde"]);
    assert_eq!(list("reading", "a", 2).await, ["ad", "e"]);
    assert_eq!(list("dancing", "", 2).await, [""]);

    let bad = ListAgentsRequest {
        page_size: -1,
        page_token: "made-up".into(),
        ..Default::default()
    };
    let refused = server.agents().list_agents(bad).await.unwrap_err();
    let mut fields = bad_fields(&refused);
    fields.sort();
    assert_eq!(fields, ["page_size", "page_token"]);
}

#[tokio::test]
async fn namespaces_do_not_see_each_other_s_agents() {
    let server = TestServer::start().await;
    let elsewhere = RegisterAgentRequest {
        namespace: "elsewhere".into(),
        agent: Some(agent("x", &[])),
    };
    server.agents().register_agent(elsewhere).await.unwrap();
    assert_eq!(get(&server, "x").await.unwrap_err().code(), Code::NotFound);
    assert!(put(&server, agent("x", &[])).await.1, "another one");
}

#[tokio::test]
async fn a_state_that_was_set_outlives_a_restart() {
    let mut server = TestServer::start().await;
    put(&server, agent("x", &[])).await;
    for state in [State::Draining, State::Disabled, State::Active] {
        assert_eq!(set_state(&server, "x", state).await.state(), state);
        server.restart().await;
        assert_eq!(get(&server, "x").await.unwrap().state(), state);
    }
    let request = SetAgentStateRequest {
        id: "x".into(),
        ..Default::default()
    };
    let refused = server.agents().set_agent_state(request).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["state"]);
}

#[tokio::test]
async fn an_agent_that_is_not_active_keeps_its_tasks_and_gets_no_more() {
    let server = TestServer::start().await;
    server
        .register("name: one\nsteps: [ { id: a, agent: x } ]")
        .await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    for state in [State::Draining, State::Disabled] {
        let id = server.begin("one", json!(1)).await;
        let task = worker.take().await;
        set_state(&server, "x", state).await;
        let next = server.begin("one", json!(2)).await;
        server.get(&next).await;
        worker.settled().await;
        worker.complete(&task.token, json!("done"));
        worker.acked().await;
        server.ended(&id).await;
        worker.settled().await;
        set_state(&server, "x", State::Active).await;
        let task = worker.take().await;
        assert_eq!(task.execution_id, next);
        worker.complete(&task.token, json!("done"));
        worker.acked().await;
    }
}

#[tokio::test]
async fn a_deregistered_agent_keeps_its_tasks_and_those_waiting_wait_on() {
    let mut server = TestServer::start().await;
    server
        .register("name: one\nsteps: [ { id: a, agent: x } ]")
        .await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    let id = server.begin("one", json!(1)).await;
    let task = worker.take().await;
    deregister(&server, "x").await.unwrap();
    assert_eq!(get(&server, "x").await.unwrap_err().code(), Code::NotFound);
    let waits = server.begin("one", json!(2)).await;
    assert_eq!(
        server.get(&waits).await.steps[0].waiting_for,
        "agent 'x' is not registered"
    );
    worker.settled().await;
    worker.complete(&task.token, json!("done"));
    worker.acked().await;
    assert_eq!(server.get(&id).await.progress_percent, 100.0);

    server.restart().await;
    assert_eq!(get(&server, "x").await.unwrap_err().code(), Code::NotFound);
    put(&server, agent("x", &[])).await;
    let mut worker = RawWorker::ready(&server.url(), "w", "x", 9).await;
    assert_eq!(worker.take().await.execution_id, waits);
}

#[tokio::test]
async fn an_agent_shows_its_workers_and_load() {
    let server = TestServer::start().await;
    server
        .register("name: one\nsteps: [ { id: a, agent: x } ]")
        .await;
    put(
        &server,
        Agent {
            max_concurrency: 1,
            ..agent("x", &[])
        },
    )
    .await;
    let mut one = RawWorker::ready(&server.url(), "one", "x", 1).await;
    one.settled().await;
    let _other = RawWorker::ready(&server.url(), "other", "x", 1).await;
    for n in 0..3 {
        let id = server.begin("one", json!(n)).await;
        server.get(&id).await;
    }
    one.hold().await;
    let known = get(&server, "x").await.unwrap();
    let counts = (known.workers, known.running_tasks, known.waiting_tasks);
    assert_eq!(counts, (2, 1, 2));
}
