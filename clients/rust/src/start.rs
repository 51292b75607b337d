//! What to start: a workflow by name or a definition, its input and labels.

use serde_json::Value as Json;

use crate::{json, proto};

/// What to start. Made with [`Start::workflow`] or [`Start::definition`], completed with the
/// other methods, given to [`Client::start`](crate::Client::start) or
/// [`Client::run`](crate::Client::run).
#[derive(Clone, Debug)]
pub struct Start {
    request: proto::StartExecutionRequest,
}

impl Start {
    /// The newest version of a registered workflow.
    pub fn workflow(name: impl Into<String>) -> Self {
        Self::from(proto::StartExecutionRequest {
            workflow: name.into(),
            ..Default::default()
        })
    }

    /// A definition, run without registering it.
    pub fn definition(workflow: proto::Workflow) -> Self {
        Self::from(proto::StartExecutionRequest {
            definition: Some(workflow),
            ..Default::default()
        })
    }

    /// A version of the workflow, from 1; 0 means the newest.
    pub fn version(mut self, version: u32) -> Self {
        self.request.version = version;
        self
    }

    /// The input.
    pub fn input(mut self, input: Json) -> Self {
        self.request.input = Some(json::from_json(input));
        self
    }

    /// Adds a label for finding the execution.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.labels.insert(name.into(), value.into());
        self
    }

    /// Makes the start idempotent: the same id and body return the same execution. At most
    /// 128 characters. Left out, one is made up, so that a repetition by this crate starts
    /// nothing twice.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request.request_id = id.into();
        self
    }

    /// The request of StartExecution, for `namespace` unless it names one.
    pub(crate) fn into_request(self, namespace: &str) -> proto::StartExecutionRequest {
        let mut request = self.request;
        if request.namespace.is_empty() {
            namespace.clone_into(&mut request.namespace);
        }
        if request.request_id.is_empty() {
            request.request_id = uuid::Uuid::now_v7().to_string();
        }
        request
    }

    /// The request of RunExecution, for `namespace` unless it names one.
    pub(crate) fn into_run_request(self, namespace: &str) -> proto::RunExecutionRequest {
        let start = self.into_request(namespace);
        proto::RunExecutionRequest {
            namespace: start.namespace,
            workflow: start.workflow,
            version: start.version,
            definition: start.definition,
            input: start.input,
            request_id: start.request_id,
            labels: start.labels,
        }
    }
}

impl From<proto::StartExecutionRequest> for Start {
    fn from(request: proto::StartExecutionRequest) -> Self {
        Self { request }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_start_without_request_id_gets_one_and_keeps_one_it_has() {
        let made = Start::workflow("w").into_request("default").request_id;
        assert!(uuid::Uuid::parse_str(&made).is_ok());
        let kept = Start::workflow("w")
            .request_id("mine")
            .into_request("default");
        assert_eq!(kept.request_id, "mine");
    }

    #[test]
    fn a_run_takes_every_field_of_a_start() {
        let start = Start::workflow("w")
            .version(3)
            .input(json!({ "a": 1 }))
            .label("team", "credit")
            .request_id("r");
        let run = start.clone().into_run_request("ns");
        let start = start.into_request("ns");
        assert_eq!(
            (
                run.namespace,
                run.workflow,
                run.version,
                run.definition,
                run.input,
                run.request_id
            ),
            (
                start.namespace,
                start.workflow,
                start.version,
                start.definition,
                start.input,
                start.request_id
            )
        );
        assert_eq!(run.labels, start.labels);
    }
}
