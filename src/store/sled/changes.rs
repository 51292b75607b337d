//! From the writes of a group to the changes of its record.

use bytes::Bytes;
use prost::Message as _;

use super::{
    super::Write,
    record::{
        AgentKey, Append, Change, OutputRecord, PutAgent, PutOutput, PutRequest, PutWorkflow,
        RequestKey, RequestRecord, RetentionKey, Stand, WorkflowKey, pack,
    },
};
use crate::{core::decide::CacheKey, store};

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
            } => Self::PutRequest(put_request(namespace, request_id, record)),
            Write::DeleteRequest {
                namespace,
                request_id,
            } => Self::DeleteRequest(RequestKey {
                namespace,
                request_id,
            }),
            Write::PutOutput { key, record } => Self::PutOutput(put_output(key, record)),
            Write::DeleteOutput { key } => Self::DeleteOutput(key.to_vec()),
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
            Write::PutAgent { namespace, agent } => {
                let agent = agent.encode_to_vec().into();
                Self::PutAgent(PutAgent { namespace, agent })
            }
            Write::DeleteAgent { namespace, id } => Self::DeleteAgent(AgentKey { namespace, id }),
        }
    }
}

fn put_output(key: CacheKey, record: store::OutputRecord) -> PutOutput {
    PutOutput {
        key: key.to_vec(),
        record: OutputRecord::from(record).encode_to_vec().into(),
    }
}

fn put_request(namespace: String, request_id: String, record: store::RequestRecord) -> PutRequest {
    PutRequest {
        namespace,
        request_id,
        record: RequestRecord::from(record).encode_to_vec().into(),
    }
}
