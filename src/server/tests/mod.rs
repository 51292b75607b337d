//! Servers on free ports of this machine, and what holds for them as wholes.

mod calls;

use futures::StreamExt;
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::{Code, Request, Status, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::*;
use crate::proto::{
    Agent, GetServerInfoRequest, Hello, WatchAgentsRequest, WorkRequest,
    agent_service_client::AgentServiceClient, system_service_client::SystemServiceClient,
    work_request, work_response, worker_service_client::WorkerServiceClient,
};

fn in_memory(listen: SocketAddr) -> Config {
    Config {
        listen,
        data: Data::Memory,
        ..Config::default()
    }
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A server that runs until it is told to stop, and a connection to it.
struct Running {
    channel: Channel,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), Error>>,
}

async fn run(config: Config) -> Running {
    let server = Server::bind(config).await.expect("a free port");
    let address = format!("http://{}", server.local_addr());
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    let channel = Channel::from_shared(address).expect("an address");
    let channel = channel.connect().await.expect("a server that listens");
    Running {
        channel,
        stop,
        ended,
    }
}

fn hello(worker_id: &str) -> WorkRequest {
    let hello = Hello {
        worker_id: worker_id.into(),
        agents: vec![Agent {
            id: "echo".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    WorkRequest {
        message: Some(work_request::Message::Hello(hello)),
    }
}

#[tokio::test]
async fn port_zero_takes_a_free_port_and_tells_it() {
    let server = Server::bind(in_memory(any_port()))
        .await
        .expect("a free port");
    assert_ne!(server.local_addr().port(), 0);
}

#[tokio::test]
async fn a_taken_address_is_named_with_the_way_out() {
    let first = Server::bind(in_memory(any_port()))
        .await
        .expect("a free port");
    let address = first.local_addr();
    let Err(refused) = Server::bind(in_memory(address)).await else {
        panic!("the address is taken");
    };
    assert!(matches!(refused, Error::AddressInUse(taken) if taken == address));
    let text = refused.to_string();
    assert!(text.contains(&address.to_string()) && text.contains("--listen"));
}

#[tokio::test]
async fn a_server_tells_about_itself_and_is_healthy() {
    let server = run(in_memory(any_port())).await;
    let mut system = SystemServiceClient::new(server.channel.clone());
    let info = system
        .get_server_info(GetServerInfoRequest {})
        .await
        .expect("an answer");
    assert_eq!(info.into_inner().store, "memory");
    let mut health = HealthClient::new(server.channel.clone());
    for service in api_names() {
        let request = HealthCheckRequest { service };
        let checked = health.check(request).await.expect("an answer").into_inner();
        assert_eq!(checked.status(), ServingStatus::Serving);
    }
}

fn api_names() -> impl Iterator<Item = String> {
    crate::api::SERVICE_NAMES
        .into_iter()
        .chain([""])
        .map(str::to_owned)
}

#[tokio::test]
async fn reflection_tells_every_service_in_both_versions() {
    use tonic_reflection::pb::{v1, v1alpha};
    let server = run(in_memory(any_port())).await;
    let asked = v1::ServerReflectionRequest {
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
        ..Default::default()
    };
    let mut client =
        v1::server_reflection_client::ServerReflectionClient::new(server.channel.clone());
    let answers = client
        .server_reflection_info(tokio_stream::once(asked))
        .await;
    let answer = answers.expect("a stream").into_inner().message().await;
    let answer = answer
        .expect("no error")
        .expect("an answer")
        .message_response;
    let Some(v1::server_reflection_response::MessageResponse::ListServicesResponse(list)) = answer
    else {
        panic!("a list of services: {answer:?}");
    };
    let names: Vec<_> = list.service.into_iter().map(|s| s.name).collect();
    for name in api_names().filter(|name| !name.is_empty()) {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }
    let asked = v1alpha::ServerReflectionRequest {
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
                "tutti.v1.Workflow".into(),
            ),
        ),
        ..Default::default()
    };
    let mut client =
        v1alpha::server_reflection_client::ServerReflectionClient::new(server.channel.clone());
    let answers = client
        .server_reflection_info(tokio_stream::once(asked))
        .await;
    let answer = answers.expect("a stream").into_inner().message().await;
    let answer = answer
        .expect("no error")
        .expect("an answer")
        .message_response;
    assert!(matches!(
        answer,
        Some(v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(_))
    ));
}

#[tokio::test]
async fn the_end_tells_workers_watchers_and_health_and_waits_for_none_of_them() {
    let server = run(in_memory(any_port())).await;
    let up = tokio_stream::once(hello("w")).chain(futures::stream::pending());
    let mut workers = WorkerServiceClient::new(server.channel.clone());
    let mut down = workers.work(up).await.expect("a stream").into_inner();
    let welcome = down
        .message()
        .await
        .expect("no error")
        .expect("a message")
        .message;
    assert!(matches!(welcome, Some(work_response::Message::Welcome(_))));
    let mut agents = AgentServiceClient::new(server.channel.clone());
    let watch = agents
        .watch_agents(Request::new(WatchAgentsRequest::default()))
        .await;
    let mut watch = watch.expect("a stream").into_inner();
    let first = watch
        .message()
        .await
        .expect("no error")
        .expect("an agent")
        .agent;
    assert_eq!(first.expect("an agent").id, "echo");
    let mut health = HealthClient::new(server.channel.clone());
    let checks = health.watch(HealthCheckRequest::default()).await;
    let mut checks = checks.expect("a stream").into_inner();
    let check = checks.message().await.expect("no error").expect("a status");
    assert_eq!(check.status(), ServingStatus::Serving);

    server.stop.send(()).expect("a server that runs");

    let check = checks.message().await.expect("no error").expect("a status");
    assert_eq!(check.status(), ServingStatus::NotServing);
    let go_away = down
        .message()
        .await
        .expect("no error")
        .expect("a message")
        .message;
    assert!(matches!(go_away, Some(work_response::Message::GoAway(_))));
    assert_eq!(down.message().await.expect("no error"), None);
    let refused = loop {
        match watch.message().await {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(refused.code(), Code::Unavailable);
    server
        .ended
        .await
        .expect("no panic")
        .expect("an end in order");
}
