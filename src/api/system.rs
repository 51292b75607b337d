//! SystemService: what the server says of itself, and the upkeep of its store.

use std::future::ready;

use futures::{StreamExt as _, stream};
use prost_types::Timestamp;
use tonic::{Request, Response, Status};
use tracing::instrument;

use super::{
    convert::{limits::published, system as convert},
    follow::{self, Messages},
    reply::reply,
    stop::Stop,
};
use crate::{
    core::limits::Limits,
    engine::Handle,
    proto::{
        ApplyRetentionRequest, ApplyRetentionResponse, CompactStoreRequest, CompactStoreResponse,
        CreateBackupRequest, CreateBackupResponse, DeleteRetentionRequest, DeleteRetentionResponse,
        GetServerInfoRequest, GetServerInfoResponse, ListRetentionRequest, ListRetentionResponse,
        SetRetentionRequest, SetRetentionResponse, VerifyAuditRequest, VerifyAuditResponse,
        system_service_server::SystemService,
    },
};

/// Step kinds that workflows may use.
const STEP_KINDS: [&str; 16] = [
    "agent",
    "call",
    "block",
    "switch",
    "set",
    "restore",
    "saga",
    "each",
    "loop",
    "wait",
    "map_reduce",
    "refine",
    "react",
    "group_chat",
    "workflow",
    "generate",
];
/// Abilities that a client may ask for by name.
const CAPABILITIES: [&str; 11] = [
    "audit",
    "backup",
    "chunks",
    "definition-source",
    "grpc-web",
    "gzip",
    "inline-definition",
    "request-id",
    "retention",
    "worker-poll",
    "worker-stream",
];

/// What is known of the process only where it is put together.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// The server's version, semver.
    pub version: &'static str,
    /// When the process started.
    pub start_time: Timestamp,
    /// The store's name.
    pub store: &'static str,
    /// The version of the store's format on disk.
    pub data_format: u32,
}

/// The service.
pub struct Service {
    about: About,
    engine: Handle,
    stop: Stop,
}

impl Service {
    /// The service over an engine.
    pub fn new(about: About, engine: Handle, stop: Stop) -> Self {
        Self {
            about,
            engine,
            stop,
        }
    }

    fn limits(&self) -> &Limits {
        self.engine.limits()
    }
}

#[tonic::async_trait]
impl SystemService for Service {
    #[instrument(level = "debug", skip_all, fields(rpc = "GetServerInfo"))]
    async fn get_server_info(
        &self,
        _request: Request<GetServerInfoRequest>,
    ) -> Result<Response<GetServerInfoResponse>, Status> {
        let info = GetServerInfoResponse {
            version: self.about.version.to_owned(),
            start_time: Some(self.about.start_time),
            store: self.about.store.to_owned(),
            data_format: self.about.data_format,
            limits: Some(published(self.limits())),
            step_kinds: STEP_KINDS.map(str::to_owned).to_vec(),
            capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
        };
        reply(info, self.limits())
    }

    type VerifyAuditStream = Messages<VerifyAuditResponse>;

    #[instrument(level = "debug", skip_all, fields(rpc = "VerifyAudit"))]
    async fn verify_audit(
        &self,
        request: Request<VerifyAuditRequest>,
    ) -> Result<Response<Self::VerifyAuditStream>, Status> {
        let scope = convert::scope(request.into_inner(), self.limits())?;
        let audit = self.engine.audit(scope);
        let stream = follow::stream(audit, self.stop.clone(), convert::audited);
        Ok(Response::new(stream))
    }

    type CreateBackupStream = Messages<CreateBackupResponse>;

    #[instrument(level = "debug", skip_all, fields(rpc = "CreateBackup"))]
    async fn create_backup(
        &self,
        _request: Request<CreateBackupRequest>,
    ) -> Result<Response<Self::CreateBackupStream>, Status> {
        let header = stream::once(ready(Ok(convert::header(self.about.version))));
        let parts = follow::stream(self.engine.backup()?, self.stop.clone(), convert::part);
        let mut response = Response::new(header.chain(parts).boxed());
        // What is copied does not become smaller enough to be worth the time.
        response.disable_compression();
        Ok(response)
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "CompactStore"))]
    async fn compact_store(
        &self,
        _request: Request<CompactStoreRequest>,
    ) -> Result<Response<CompactStoreResponse>, Status> {
        let compacted = self.engine.compact().await?;
        let response = CompactStoreResponse {
            bytes_before: compacted.bytes_before,
            bytes_after: compacted.bytes_after,
        };
        reply(response, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "SetRetention"))]
    async fn set_retention(
        &self,
        request: Request<SetRetentionRequest>,
    ) -> Result<Response<SetRetentionResponse>, Status> {
        let retention = convert::retention(request.into_inner(), self.limits())?;
        let retention = Some(self.engine.set_retention(retention).await?);
        reply(SetRetentionResponse { retention }, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "ListRetention"))]
    async fn list_retention(
        &self,
        request: Request<ListRetentionRequest>,
    ) -> Result<Response<ListRetentionResponse>, Status> {
        let namespace = convert::namespace(request.into_inner().namespace, self.limits())?;
        let (retentions, server_default) = self.engine.retention(&namespace).await?;
        let response = ListRetentionResponse {
            retentions,
            server_default: Some(server_default),
        };
        reply(response, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "DeleteRetention"))]
    async fn delete_retention(
        &self,
        request: Request<DeleteRetentionRequest>,
    ) -> Result<Response<DeleteRetentionResponse>, Status> {
        let DeleteRetentionRequest {
            namespace,
            workflow,
        } = request.into_inner();
        let (namespace, workflow) = convert::subject(namespace, workflow, self.limits())?;
        let deleted = self.engine.delete_retention(&namespace, &workflow).await?;
        reply(DeleteRetentionResponse { deleted }, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "ApplyRetention"))]
    async fn apply_retention(
        &self,
        _request: Request<ApplyRetentionRequest>,
    ) -> Result<Response<ApplyRetentionResponse>, Status> {
        let removed = self.engine.apply_retention().await?;
        let response = ApplyRetentionResponse {
            executions: removed.executions,
            request_ids: removed.request_ids,
            outputs: removed.outputs,
        };
        reply(response, self.limits())
    }
}
