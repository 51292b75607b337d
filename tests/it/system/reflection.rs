//! Reflection in both versions that clients ask for: services, and the files behind symbols.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::FileDescriptorProto;
use tonic::transport::Channel;

use super::{SERVICES, connected};
use crate::support::TestServer;

/// Asks one version of reflection; the generated types of both differ only in their module.
macro_rules! questions {
    ($version:ident) => {
        mod $version {
            use super::*;
            use tonic_reflection::pb::$version::{
                ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
                server_reflection_request::MessageRequest,
                server_reflection_response::MessageResponse,
            };

            async fn ask(channel: &Channel, question: MessageRequest) -> MessageResponse {
                let request = ServerReflectionRequest {
                    host: String::new(),
                    message_request: Some(question),
                };
                let requests = futures::stream::iter([request]);
                let mut client = ServerReflectionClient::new(channel.clone());
                let answers = client.server_reflection_info(requests).await.unwrap();
                let answer = answers.into_inner().message().await.unwrap().unwrap();
                answer.message_response.unwrap()
            }

            pub async fn services(channel: &Channel) -> BTreeSet<String> {
                let question = MessageRequest::ListServices(String::new());
                match ask(channel, question).await {
                    MessageResponse::ListServicesResponse(list) => {
                        list.service.into_iter().map(|s| s.name).collect()
                    }
                    other => panic!("{other:?}"),
                }
            }

            pub async fn file_of(channel: &Channel, symbol: &str) -> FileDescriptorProto {
                file(ask(channel, MessageRequest::FileContainingSymbol(symbol.into())).await)
            }

            pub async fn file_named(channel: &Channel, name: &str) -> FileDescriptorProto {
                file(ask(channel, MessageRequest::FileByFilename(name.into())).await)
            }

            fn file(answer: MessageResponse) -> FileDescriptorProto {
                match answer {
                    MessageResponse::FileDescriptorResponse(files) => {
                        let bytes = files.file_descriptor_proto[0].as_slice();
                        FileDescriptorProto::decode(bytes).unwrap()
                    }
                    other => panic!("{other:?}"),
                }
            }

            #[tokio::test]
            async fn lists_every_service_and_gives_every_file_a_client_needs_to_call_it() {
                let server = TestServer::start().await;
                let channel = connected(&server).await;
                let listed = services(&channel).await;
                let mut wanted = BTreeSet::new();
                for service in SERVICES.into_iter().chain(["grpc.health.v1.Health"]) {
                    assert!(listed.contains(service), "{listed:?}");
                    let file = file_of(&channel, service).await;
                    let defined = file.service.iter().map(|s| {
                        let name = s.name.as_deref().unwrap_or_default();
                        format!("{}.{name}", file.package.as_deref().unwrap_or_default())
                    });
                    assert!(defined.into_iter().any(|name| name == service));
                    wanted.extend(file.dependency);
                }
                let mut got = BTreeSet::new();
                while let Some(name) = wanted.pop_first() {
                    let file = file_named(&channel, &name).await;
                    assert_eq!(file.name.as_deref(), Some(name.as_str()));
                    got.insert(name);
                    wanted.extend(file.dependency.into_iter().filter(|d| !got.contains(d)));
                }
                assert!(got.contains("google/protobuf/struct.proto"), "{got:?}");
                let step = file_of(&channel, "tutti.v1.Step").await;
                assert_eq!(step.name.as_deref(), Some("tutti/v1/workflow.proto"));
            }
        }
    };
}

questions!(v1);
questions!(v1alpha);
