//! The requests of WorkflowService.

use std::collections::HashMap;

use prost::Message;

use super::{Fields, Rejected};
use crate::{
    api::page::{AfterName, AfterVersion},
    core::limits::Limits,
    proto::{DiffWorkflowsRequest, ListWorkflowsRequest, Workflow},
};

/// A definition as it was given.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// As the message.
    Workflow(Box<Workflow>),
    /// As the text of a YAML or JSON file.
    Source(String),
}

/// A workflow or one version of it, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The version, when one is named.
    pub version: Option<u32>,
}

/// A page of workflows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The namespace.
    pub namespace: String,
    /// What is listed, and from where on.
    pub what: Listed,
    /// Only those that carry all these labels.
    pub labels: HashMap<String, String>,
    /// The most there may be.
    pub page_size: usize,
}

/// What a list of workflows shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The newest version of each name greater than this.
    Newest(String),
    /// The versions of a name that are greater than this.
    Versions(String, u32),
}

/// Two versions of a workflow; `None` stands for the one that is meant without being named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The older side.
    pub from: Option<u32>,
    /// The newer side.
    pub to: Option<u32>,
}

/// The definition to register or to validate, and its namespace.
pub fn definition(
    namespace: String,
    workflow: Option<Workflow>,
    source: String,
    limits: &Limits,
) -> Result<(String, Given), Rejected> {
    let mut fields = Fields::new(limits);
    let namespace = fields.namespace(namespace);
    let given = match (workflow, source.is_empty()) {
        (None, true) => {
            fields.reject("workflow", "required: give this or `source`");
            Given::Source(source)
        }
        (Some(workflow), false) => {
            fields.reject("source", "give `workflow` or this, not both");
            Given::Workflow(Box::new(workflow))
        }
        (None, false) => Given::Source(source),
        (Some(workflow), true) => {
            let (bytes, most) = (workflow.encoded_len(), limits.workflow_bytes_max);
            fields.size("workflow", "workflow_bytes_max", bytes, most);
            Given::Workflow(Box::new(workflow))
        }
    };
    fields.finish((namespace, given))
}

/// The workflow that a request names.
pub fn named(
    namespace: String,
    name: String,
    version: u32,
    limits: &Limits,
) -> Result<Named, Rejected> {
    let mut fields = Fields::new(limits);
    let named = Named {
        namespace: fields.namespace(namespace),
        name: fields.lower_name("name", name),
        version: (version > 0).then_some(version),
    };
    fields.finish(named)
}

/// Which workflows to list.
pub fn list(request: ListWorkflowsRequest, limits: &Limits) -> Result<List, Rejected> {
    let mut fields = Fields::new(limits);
    let what = if request.name.is_empty() {
        let after = fields.page_token(&request.page_token);
        Listed::Newest(after.map_or_else(String::new, |AfterName(name)| name))
    } else {
        let after = fields.page_token(&request.page_token);
        let name = fields.lower_name("name", request.name);
        Listed::Versions(name, after.map_or(0, |AfterVersion(version)| version))
    };
    let list = List {
        namespace: fields.namespace(request.namespace),
        what,
        labels: fields.labels("labels", request.labels),
        page_size: fields.page_size(request.page_size, super::PAGE_SIZE_DEFAULT),
    };
    fields.finish(list)
}

/// Which versions to compare.
pub fn diff(request: DiffWorkflowsRequest, limits: &Limits) -> Result<Diff, Rejected> {
    let mut fields = Fields::new(limits);
    let side = |version: u32| (version > 0).then_some(version);
    let diff = Diff {
        namespace: fields.namespace(request.namespace),
        name: fields.lower_name("name", request.name),
        from: side(request.from_version),
        to: side(request.to_version),
    };
    fields.finish(diff)
}
