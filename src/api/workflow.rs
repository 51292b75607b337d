//! WorkflowService: keeps definitions.

use std::collections::HashMap;

use tonic::{Request, Response, Status};
use tracing::instrument;

use super::{
    convert::workflow::{self as convert, Listed},
    definition,
    page::{self, AfterName, AfterVersion, Bounds},
    reply::reply,
};
use crate::{
    core::{self, limits::Limits},
    engine::{Error, Handle},
    proto::{
        DeleteWorkflowRequest, DeleteWorkflowResponse, DiffWorkflowsRequest, DiffWorkflowsResponse,
        GetWorkflowRequest, GetWorkflowResponse, ListWorkflowsRequest, ListWorkflowsResponse,
        RegisterWorkflowRequest, RegisterWorkflowResponse, ValidateWorkflowRequest,
        ValidateWorkflowResponse, WorkflowVersion, workflow_service_server::WorkflowService,
    },
};

/// The service.
pub struct Service {
    engine: Handle,
}

impl Service {
    /// The service over an engine.
    pub fn new(engine: Handle) -> Self {
        Self { engine }
    }

    fn limits(&self) -> &Limits {
        self.engine.limits()
    }

    /// One workflow more than the page holds, if there is one: the newest version of each name.
    async fn newest(
        &self,
        list: &convert::List,
        mut after: String,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        let limit = list.page_size + 1;
        let mut found = Vec::new();
        loop {
            let batch = self
                .engine
                .workflows(&list.namespace, &after, limit)
                .await?;
            let exhausted = batch.len() < limit;
            if let Some(last) = batch.last() {
                after.clone_from(&last.name);
            }
            found.extend(
                batch
                    .into_iter()
                    .filter(|w| carries(&w.labels, &list.labels)),
            );
            if exhausted || found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }

    /// Versions of one workflow, after one of them.
    async fn versions(
        &self,
        list: &convert::List,
        name: &str,
        after: u32,
    ) -> Result<Vec<WorkflowVersion>, Error> {
        let mut found = self.engine.workflow_versions(&list.namespace, name).await?;
        found.retain(|w| w.version > after && carries(&w.labels, &list.labels));
        Ok(found)
    }

    /// The two versions that a request means, the older first.
    async fn sides(
        &self,
        diff: convert::Diff,
    ) -> Result<(WorkflowVersion, WorkflowVersion), Error> {
        let convert::Diff {
            namespace,
            name,
            from,
            to,
        } = diff;
        let to = self.engine.workflow(&namespace, &name, to).await?;
        let from = match from {
            Some(version) => version,
            None => self.before(&namespace, &name, to.version).await?,
        };
        let from = self.engine.workflow(&namespace, &name, Some(from)).await?;
        Ok((from, to))
    }

    /// The version before one.
    async fn before(&self, namespace: &str, name: &str, version: u32) -> Result<u32, Error> {
        let versions = self.engine.workflow_versions(namespace, name).await?;
        let earlier = versions.iter().map(|w| w.version).filter(|v| *v < version);
        earlier.max().ok_or_else(|| Error::NotFound {
            kind: "workflow version",
            name: format!("{name} before version {version}"),
        })
    }
}

#[tonic::async_trait]
impl WorkflowService for Service {
    #[instrument(level = "debug", skip_all, fields(rpc = "RegisterWorkflow", namespace = request.get_ref().namespace))]
    async fn register_workflow(
        &self,
        request: Request<RegisterWorkflowRequest>,
    ) -> Result<Response<RegisterWorkflowResponse>, Status> {
        let RegisterWorkflowRequest {
            namespace,
            workflow,
            source,
        } = request.into_inner();
        let (namespace, given) = convert::definition(namespace, workflow, source, self.limits())?;
        let mut checked = definition::check(&namespace, given, &self.engine).await?;
        let (workflow, compiled) = definition::sound(&mut checked)?;
        let name = workflow.name.clone();
        let registered = self
            .engine
            .register_workflow(&namespace, workflow, &compiled.plan)
            .await?;
        let response = RegisterWorkflowResponse {
            name,
            version: registered.version,
            created: registered.created,
            findings: checked.findings,
        };
        reply(response, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "ValidateWorkflow", namespace = request.get_ref().namespace))]
    async fn validate_workflow(
        &self,
        request: Request<ValidateWorkflowRequest>,
    ) -> Result<Response<ValidateWorkflowResponse>, Status> {
        let ValidateWorkflowRequest {
            namespace,
            workflow,
            source,
        } = request.into_inner();
        let (namespace, given) = convert::definition(namespace, workflow, source, self.limits())?;
        let checked = definition::check(&namespace, given, &self.engine).await?;
        reply(definition::validated(checked), self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "GetWorkflow", name = request.get_ref().name))]
    async fn get_workflow(
        &self,
        request: Request<GetWorkflowRequest>,
    ) -> Result<Response<GetWorkflowResponse>, Status> {
        let GetWorkflowRequest {
            namespace,
            name,
            version,
        } = request.into_inner();
        let named = convert::named(namespace, name, version, self.limits())?;
        let convert::Named {
            namespace,
            name,
            version,
        } = named;
        let workflow = Some(self.engine.workflow(&namespace, &name, version).await?);
        reply(GetWorkflowResponse { workflow }, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "ListWorkflows", namespace = request.get_ref().namespace))]
    async fn list_workflows(
        &self,
        request: Request<ListWorkflowsRequest>,
    ) -> Result<Response<ListWorkflowsResponse>, Status> {
        let list = convert::list(request.into_inner(), self.limits())?;
        let bounds = Bounds {
            items_max: list.page_size,
            bytes_max: self.limits().message_bytes_max,
        };
        let (workflows, next_page_token) = match &list.what {
            Listed::Newest(after) => {
                let found = self.newest(&list, after.clone()).await?;
                page::cut(briefly(found), bounds, |w| AfterName(w.name.clone()))
            }
            Listed::Versions(name, after) => {
                let found = self.versions(&list, name, *after).await?;
                page::cut(briefly(found), bounds, |w| AfterVersion(w.version))
            }
        };
        let response = ListWorkflowsResponse {
            workflows,
            next_page_token,
        };
        reply(response, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "DiffWorkflows", name = request.get_ref().name))]
    async fn diff_workflows(
        &self,
        request: Request<DiffWorkflowsRequest>,
    ) -> Result<Response<DiffWorkflowsResponse>, Status> {
        let diff = convert::diff(request.into_inner(), self.limits())?;
        let (from, to) = self.sides(diff).await?;
        let response = DiffWorkflowsResponse {
            from_version: from.version,
            to_version: to.version,
            differences: core::definition::diff(
                &from.workflow.unwrap_or_default(),
                &to.workflow.unwrap_or_default(),
            ),
        };
        reply(response, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "DeleteWorkflow", name = request.get_ref().name))]
    async fn delete_workflow(
        &self,
        request: Request<DeleteWorkflowRequest>,
    ) -> Result<Response<DeleteWorkflowResponse>, Status> {
        let DeleteWorkflowRequest {
            namespace,
            name,
            version,
        } = request.into_inner();
        let named = convert::named(namespace, name, version, self.limits())?;
        let convert::Named {
            namespace,
            name,
            version,
        } = named;
        let deleted = self
            .engine
            .delete_workflow(&namespace, &name, version)
            .await?;
        reply(DeleteWorkflowResponse { deleted }, self.limits())
    }
}

/// Lists leave the definitions out.
fn briefly(mut workflows: Vec<WorkflowVersion>) -> Vec<WorkflowVersion> {
    for workflow in &mut workflows {
        workflow.workflow = None;
    }
    workflows
}

/// True when `labels` has every label asked for; an empty value fits any value.
pub(super) fn carries(labels: &HashMap<String, String>, asked: &HashMap<String, String>) -> bool {
    asked.iter().all(|(key, value)| {
        let found = labels.get(key);
        found.is_some_and(|found| value.is_empty() || value == found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels<const N: usize>(labels: [(&str, &str); N]) -> HashMap<String, String> {
        labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn all_labels_asked_for_must_be_there() {
        let of_workflow = labels([("team", "credit"), ("beta", "")]);
        assert!(carries(&of_workflow, &labels([])));
        assert!(carries(&of_workflow, &labels([("team", "credit")])));
        assert!(carries(&of_workflow, &labels([("team", ""), ("beta", "")])));
        assert!(!carries(&of_workflow, &labels([("team", "risk")])));
        assert!(!carries(&of_workflow, &labels([("tier", "")])));
    }
}
