//! From the writes of a group to the changes of its record.

use bytes::Bytes;
use prost::Message as _;

use super::{
    super::Write,
    record::{
        AgentKey, Append, Change, PutAgent, PutRequest, PutWorkflow, RequestKey, RequestRecord,
        RetentionKey, Stand, WorkflowKey, pack,
    },
};

impl From<Write> for Change {
    fn from(write: Write) -> Self {
        match write {
            Write::Append {
                id,
                events,
                summary,
            } => Self::Append(Append {
                id: Bytes::copy_from_slice(id.as_bytes()),
                packs: pack(events),
                summary: summary.map(|summary| summary.encode_to_vec().into()),
            }),
            Write::Stand {
                id,
                standing,
                summary,
                ..
            } => Self::Stand(Stand {
                id: Bytes::copy_from_slice(id.as_bytes()),
                standing: super::standing::written(standing).into(),
                summary: summary.map(|summary| summary.encode_to_vec().into()),
            }),
            Write::DeleteExecution { id } => Self::DeleteExecution(id.as_bytes().to_vec()),
            Write::PutRequest {
                namespace,
                request_id,
                record,
            } => Self::PutRequest(PutRequest {
                namespace,
                request_id,
                record: RequestRecord::from(record).encode_to_vec().into(),
            }),
            Write::DeleteRequest {
                namespace,
                request_id,
            } => Self::DeleteRequest(RequestKey {
                namespace,
                request_id,
            }),
            Write::PutRetention { retention: r } => Self::PutRetention(r.encode_to_vec().into()),
            Write::DeleteRetention {
                namespace,
                workflow,
            } => Self::DeleteRetention(RetentionKey {
                namespace,
                workflow,
            }),
            Write::PutWorkflow {
                namespace,
                workflow,
            } => Self::PutWorkflow(PutWorkflow {
                namespace,
                workflow: workflow.encode_to_vec().into(),
            }),
            Write::DeleteWorkflow {
                namespace,
                name,
                version,
            } => Self::DeleteWorkflow(WorkflowKey {
                namespace,
                name,
                version,
            }),
            Write::PutAgent { namespace, agent } => Self::PutAgent(PutAgent {
                namespace,
                agent: agent.encode_to_vec().into(),
            }),
            Write::DeleteAgent { namespace, id } => Self::DeleteAgent(AgentKey { namespace, id }),
        }
    }
}
