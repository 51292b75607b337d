//! What a journal record holds: a group of writes as Protobuf. The tags below are part of the
//! format on disk: they are added to, never changed or used again.

use bytes::{Buf, Bytes};
use prost::{Message, Oneof};
use uuid::Uuid;

pub use super::record_names::{AgentKey, BlobNames, RequestKey, RetentionKey, WorkflowKey};
use super::{super::Write, chunks, keys};
use crate::{
    proto::{Event, WorkflowVersion},
    store,
};

/// What an event in a pack begins with: tag 1, length-delimited.
const EVENT_KEY: u64 = 1 << 3 | 2;

/// A group of writes: the payload of one record.
#[derive(Clone, PartialEq, Message)]
pub struct Group {
    /// The writes, in order.
    #[prost(message, repeated, tag = "1")]
    pub entries: Vec<Entry>,
}

/// One write.
#[derive(Clone, PartialEq, Message)]
pub struct Entry {
    /// What it does; absent only in what a newer version wrote.
    #[prost(
        oneof = "Change",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15"
    )]
    pub change: Option<Change>,
}

/// What a write does.
#[derive(Clone, PartialEq, Oneof)]
pub enum Change {
    /// Appends events to an execution.
    #[prost(message, tag = "1")]
    Append(Append),
    /// Forgets an execution, by the bytes of its id.
    #[prost(bytes = "vec", tag = "2")]
    DeleteExecution(Vec<u8>),
    /// Keeps what a start under a request id gave.
    #[prost(message, tag = "3")]
    PutRequest(PutRequest),
    /// Keeps a version of a workflow.
    #[prost(message, tag = "4")]
    PutWorkflow(PutWorkflow),
    /// Forgets a version of a workflow.
    #[prost(message, tag = "5")]
    DeleteWorkflow(WorkflowKey),
    /// Keeps an agent.
    #[prost(message, tag = "6")]
    PutAgent(PutAgent),
    /// Forgets an agent.
    #[prost(message, tag = "7")]
    DeleteAgent(AgentKey),
    /// Keeps where an execution stands.
    #[prost(message, tag = "8")]
    Stand(Stand),
    /// Says which blobs the events of an execution refer to, in addition to those before.
    #[prost(message, tag = "9")]
    NameBlobs(BlobNames),
    /// Takes back that an execution refers to blobs.
    #[prost(message, tag = "10")]
    ForgetBlobs(BlobNames),
    /// Forgets what a start under a request id gave.
    #[prost(message, tag = "11")]
    DeleteRequest(RequestKey),
    /// Keeps how long executions are kept: an encoded `Retention`.
    #[prost(bytes = "bytes", tag = "12")]
    PutRetention(Bytes),
    /// Forgets how long executions are kept.
    #[prost(message, tag = "13")]
    DeleteRetention(RetentionKey),
    /// Keeps where an output lies.
    #[prost(message, tag = "14")]
    PutOutput(PutOutput),
    /// Forgets where an output lies, by its key.
    #[prost(bytes = "vec", tag = "15")]
    DeleteOutput(Vec<u8>),
}

/// Appends events to an execution.
#[derive(Clone, PartialEq, Message)]
pub struct Append {
    /// The bytes of the execution's id.
    #[prost(bytes = "bytes", tag = "1")]
    pub id: Bytes,
    /// The events, as they lie in the state.
    #[prost(message, repeated, tag = "2")]
    pub packs: Vec<Pack>,
    /// The new summary: an encoded `Execution`.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub summary: Option<Bytes>,
}

/// Events of one execution that lie under one key.
#[derive(Clone, PartialEq, Message)]
pub struct Pack {
    /// The sequence of the last one.
    #[prost(uint64, tag = "1")]
    pub last_sequence: u64,
    /// An encoded `Events`: written once here and once in the state, encoded once.
    #[prost(bytes = "bytes", tag = "2")]
    pub events: Bytes,
}

/// An event of which only the sequence is read.
#[derive(Clone, PartialEq, Message)]
pub struct Sequence {
    /// The sequence.
    #[prost(uint64, tag = "2")]
    pub sequence: u64,
}

/// The content of a pack. The execution's id, which the key tells, is left out of each event.
#[derive(Clone, PartialEq, Message)]
pub struct Events {
    /// The events, in order.
    #[prost(message, repeated, tag = "1")]
    pub events: Vec<Event>,
}

/// Keeps where an execution stands that only waits.
#[derive(Clone, PartialEq, Message)]
pub struct Stand {
    /// The bytes of the execution's id.
    #[prost(bytes = "bytes", tag = "1")]
    pub id: Bytes,
    /// Where it stands, as it lies in the state; see `standing`.
    #[prost(bytes = "bytes", tag = "2")]
    pub standing: Bytes,
    /// The new summary: an encoded `Execution`.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub summary: Option<Bytes>,
}

/// Keeps what a start under a request id gave.
#[derive(Clone, PartialEq, Message)]
pub struct PutRequest {
    /// The namespace.
    #[prost(string, tag = "1")]
    pub namespace: String,
    /// The request id.
    #[prost(string, tag = "2")]
    pub request_id: String,
    /// What it gave: an encoded `RequestRecord`.
    #[prost(bytes = "bytes", tag = "3")]
    pub record: Bytes,
}

/// What a start under a request id gave.
#[derive(Clone, PartialEq, Message)]
pub struct RequestRecord {
    /// The bytes of the execution's id.
    #[prost(bytes = "vec", tag = "1")]
    pub execution_id: Vec<u8>,
    /// The hash of the request's body.
    #[prost(fixed64, tag = "2")]
    pub body_hash: u64,
    /// When it was started.
    #[prost(message, optional, tag = "3")]
    pub create_time: Option<prost_types::Timestamp>,
}

/// Keeps where an output lies.
#[derive(Clone, PartialEq, Message)]
pub struct PutOutput {
    /// The 32 bytes of its key.
    #[prost(bytes = "vec", tag = "1")]
    pub key: Vec<u8>,
    /// Where it lies: an encoded `OutputRecord`.
    #[prost(bytes = "bytes", tag = "2")]
    pub record: Bytes,
}

/// Where an output lies.
#[derive(Clone, PartialEq, Message)]
pub struct OutputRecord {
    /// The bytes of the id of the execution that gave it.
    #[prost(bytes = "vec", tag = "1")]
    pub execution_id: Vec<u8>,
    /// The sequence of the event that tells it.
    #[prost(uint64, tag = "2")]
    pub sequence: u64,
    /// From when it counts no more.
    #[prost(message, optional, tag = "3")]
    pub expire_time: Option<prost_types::Timestamp>,
}

/// Keeps a version of a workflow.
#[derive(Clone, PartialEq, Message)]
pub struct PutWorkflow {
    /// The namespace.
    #[prost(string, tag = "1")]
    pub namespace: String,
    /// The version: an encoded `WorkflowVersion`.
    #[prost(bytes = "bytes", tag = "2")]
    pub workflow: Bytes,
}

/// Keeps an agent.
#[derive(Clone, PartialEq, Message)]
pub struct PutAgent {
    /// The namespace.
    #[prost(string, tag = "1")]
    pub namespace: String,
    /// The agent: an encoded `Agent`.
    #[prost(bytes = "bytes", tag = "2")]
    pub agent: Bytes,
}

impl Group {
    /// The record of a group of writes.
    pub fn of(writes: Vec<Write>) -> Self {
        let entries = writes.into_iter().map(|write| Entry {
            change: Some(Change::from(write)),
        });
        Self {
            entries: entries.collect(),
        }
    }
}

impl From<store::RequestRecord> for RequestRecord {
    fn from(record: store::RequestRecord) -> Self {
        Self {
            execution_id: record.execution_id.as_bytes().to_vec(),
            body_hash: record.body_hash,
            create_time: Some(record.create_time),
        }
    }
}

impl TryFrom<RequestRecord> for store::RequestRecord {
    type Error = store::Error;

    fn try_from(record: RequestRecord) -> Result<Self, store::Error> {
        Ok(Self {
            execution_id: id(&record.execution_id)?,
            body_hash: record.body_hash,
            create_time: record.create_time.unwrap_or_default(),
        })
    }
}

impl From<store::OutputRecord> for OutputRecord {
    fn from(record: store::OutputRecord) -> Self {
        Self {
            execution_id: record.execution_id.as_bytes().to_vec(),
            sequence: record.sequence,
            expire_time: Some(record.expire_time),
        }
    }
}

impl TryFrom<OutputRecord> for store::OutputRecord {
    type Error = store::Error;

    fn try_from(record: OutputRecord) -> Result<Self, store::Error> {
        Ok(Self {
            execution_id: id(&record.execution_id)?,
            sequence: record.sequence,
            expire_time: record.expire_time.unwrap_or_default(),
        })
    }
}

/// Reads an id from its bytes.
///
/// # Errors
/// `Error::Damaged` when they are not 16.
pub fn id(bytes: &[u8]) -> Result<Uuid, store::Error> {
    Uuid::from_slice(bytes)
        .map_err(|_| store::Error::Damaged(format!("an execution id of {} bytes", bytes.len())))
}

/// Decodes a message of the state or of a record.
///
/// # Errors
/// `Error::Damaged` naming `what` it was to be.
pub fn decode<M: Message + Default>(bytes: &[u8], what: &str) -> Result<M, store::Error> {
    decode_shared(bytes, what)
}

/// Decodes a message that keeps hold of the bytes it is made of.
///
/// # Errors
/// As `decode`.
pub fn decode_shared<M: Message + Default>(bytes: impl Buf, what: &str) -> Result<M, store::Error> {
    M::decode(bytes).map_err(|error| {
        store::Error::Damaged(format!(
            "{what} does not decode ({error}): restore a backup with `tutti restore`"
        ))
    })
}

/// The key of an encoded version of a workflow.
///
/// # Errors
/// `Error::Damaged` when it does not decode.
pub fn workflow_key(namespace: &str, workflow: &[u8]) -> Result<Vec<u8>, store::Error> {
    let workflow: WorkflowVersion = decode(workflow, "a workflow")?;
    Ok(keys::workflow(namespace, &workflow.name, workflow.version))
}

/// The events of a pack: where each begins in the pack, and its stored bytes.
pub fn stored_events(pack: &Bytes) -> impl Iterator<Item = Result<(usize, Bytes), store::Error>> {
    let mut rest = pack.clone();
    let whole = pack.len();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let begin = whole - rest.len();
        let event = next_event(&mut rest);
        if event.is_none() {
            rest.clear();
        }
        Some(event.map(|event| (begin, event)).ok_or_else(|| {
            store::Error::Damaged(format!("a pack of events is not readable at byte {begin}"))
        }))
    })
}

/// The sequence of an event by its stored bytes.
///
/// # Errors
/// `Error::Damaged` when it does not decode.
pub fn sequence(stored: &[u8]) -> Result<u64, store::Error> {
    Ok(decode::<Sequence>(stored, "an event")?.sequence)
}

fn next_event(rest: &mut Bytes) -> Option<Bytes> {
    let key = prost::encoding::decode_varint(rest).ok()?;
    let length = prost::encoding::decode_varint(rest).ok()?;
    let length = usize::try_from(length).ok()?;
    (key == EVENT_KEY && length <= rest.len()).then(|| rest.split_to(length))
}

/// Packs events that are written together, as many as fit under one key without being split;
/// an event that is larger alone gets a pack of its own.
pub fn pack(events: Vec<Event>) -> Vec<Pack> {
    let mut packs = Vec::with_capacity(1);
    let mut filling = Vec::new();
    let mut last_sequence = 0;
    for mut event in events {
        event.execution_id.clear();
        let bytes = prost::encoding::message::encoded_len(1, &event);
        if !filling.is_empty() && filling.len() + bytes > chunks::SINGLE_BYTES_MAX {
            let events = std::mem::take(&mut filling).into();
            packs.push(Pack {
                last_sequence,
                events,
            });
        }
        filling.reserve(bytes);
        prost::encoding::message::encode(1, &event, &mut filling);
        last_sequence = event.sequence;
    }
    if !filling.is_empty() {
        let events = filling.into();
        packs.push(Pack {
            last_sequence,
            events,
        });
    }
    packs
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn event(sequence: u64, step_bytes: usize) -> Event {
        Event {
            execution_id: "left out".into(),
            sequence,
            step: "s".repeat(step_bytes),
            ..Event::default()
        }
    }

    #[test]
    fn events_written_together_lie_under_one_key() {
        let packs = pack((1..=20).map(|s| event(s, 100)).collect());
        assert_eq!(packs.len(), 1);
        assert_eq!(packs[0].last_sequence, 20);
        let events: Events = decode(&packs[0].events, "a pack").unwrap();
        assert_eq!(events.events.len(), 20);
        assert!(events.events.iter().all(|e| e.execution_id.is_empty()));
    }

    #[test]
    fn packs_split_between_events() {
        let packs = pack(vec![
            event(1, 3000),
            event(2, 3000),
            event(3, 90_000),
            event(4, 1),
        ]);
        let lasts: Vec<_> = packs.iter().map(|pack| pack.last_sequence).collect();
        assert_eq!(lasts, [1, 2, 3, 4]);
    }
}
