//! What the changes of a journal record name things by. The tags are part of the format on disk.

use prost::Message;

/// Blobs that an execution refers to.
#[derive(Clone, PartialEq, Message)]
pub struct BlobNames {
    /// The bytes of the execution's id.
    #[prost(bytes = "vec", tag = "1")]
    pub id: Vec<u8>,
    /// The bytes of their names.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub names: Vec<Vec<u8>>,
}

/// Names a request.
#[derive(Clone, PartialEq, Message)]
pub struct RequestKey {
    /// The namespace.
    #[prost(string, tag = "1")]
    pub namespace: String,
    /// The request id.
    #[prost(string, tag = "2")]
    pub request_id: String,
}

/// Names what was said about how long executions are kept.
#[derive(Clone, PartialEq, Message)]
pub struct RetentionKey {
    /// The namespace.
    #[prost(string, tag = "1")]
    pub namespace: String,
    /// The workflow; empty for the namespace.
    #[prost(string, tag = "2")]
    pub workflow: String,
}

/// Names a version of a workflow.
#[derive(Clone, PartialEq, Message)]
pub struct WorkflowKey {
    /// The namespace.
    #[prost(string, tag = "1")]
    pub namespace: String,
    /// The name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// The version.
    #[prost(uint32, tag = "3")]
    pub version: u32,
}

/// Names an agent.
#[derive(Clone, PartialEq, Message)]
pub struct AgentKey {
    /// The namespace.
    #[prost(string, tag = "1")]
    pub namespace: String,
    /// Its id.
    #[prost(string, tag = "2")]
    pub id: String,
}
