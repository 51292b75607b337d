//! The keys of the state: one ordered tree, a prefix byte per kind, big-endian numbers and
//! terminated text, so that the order of keys is the order of what they name.

use uuid::Uuid;

/// The commit and running hash that the state stands at.
pub const APPLIED: &[u8] = b"m/applied";
/// The commit up to which the state is durable without the journal.
pub const CHECKPOINT: &[u8] = b"m/checkpoint";
/// The commit that the state is being brought to; the same as `APPLIED` when it is there.
pub const TAKING_OVER: &[u8] = b"m/taking-over";

/// The version of the state's format; absent in format 1.
pub const FORMAT: &[u8] = b"m/format";

const AGENT: u8 = b'a';
const BLOB: u8 = b'b';
const BLOB_OF: u8 = b'c';
const EVENTS: u8 = b'e';
const NAMESPACE_INDEX: u8 = b'n';
const OPEN: u8 = b'o';
const REQUEST: u8 = b'r';
const RETENTION: u8 = b't';
const META: u8 = b'm';
const OUTPUT: u8 = b'k';
const SUMMARY_1: u8 = b's';
const WORKFLOW: u8 = b'w';
const WORKFLOW_INDEX: u8 = b'x';

/// Ends a text. A zero inside a text is written as `00 FF`, so no text holds this.
const TEXT_END: [u8; 2] = [0, 0];
/// How long a version is in a key, in bytes.
const VERSION_BYTES: usize = 4;
/// How long a blob's name is in a key, in bytes.
const NAME_BYTES: usize = 32;
/// How long an id is in a key, in bytes.
const ID_BYTES: usize = 16;

/// All events of an execution: the prefix of `events`.
pub fn events_of(id: Uuid) -> Vec<u8> {
    with_id(vec![EVENTS], id)
}

/// A pack of events by the sequence of its **last** one: the pack that holds a sequence is the
/// first at or behind it, and the last key of an execution tells its last sequence, both
/// without reading a value.
pub fn events(id: Uuid, last_sequence: u64) -> Vec<u8> {
    let mut key = events_of(id);
    key.extend(last_sequence.to_be_bytes());
    key
}

/// The least key behind all events.
pub fn events_end() -> Vec<u8> {
    vec![EVENTS + 1]
}

/// The execution that a key of events belongs to.
pub fn event_id(key: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(key.get(1..=ID_BYTES)?).ok()
}

/// The last sequence of the pack that a part's key belongs to; `None` for any other key.
pub fn last_sequence(part_key: &[u8]) -> Option<u64> {
    let bytes = part_key.get(1 + ID_BYTES..1 + ID_BYTES + 8)?;
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// An execution's summary: by namespace, so that it is its index as well.
pub fn summary(namespace: &str, id: Uuid) -> Vec<u8> {
    with_id(namespace_index(namespace), id)
}

/// An execution's summary in format 1.
pub fn summary_1(id: Uuid) -> Vec<u8> {
    with_id(vec![SUMMARY_1], id)
}

/// Whether a key is of a kind that format 1 had and that has another place now.
pub fn is_moved(key: &[u8]) -> bool {
    matches!(key.first(), Some(&NAMESPACE_INDEX | &SUMMARY_1))
}

/// Whether a key is of events.
pub fn is_events(key: &[u8]) -> bool {
    key.first() == Some(&EVENTS)
}

/// Whether a key says where the state stands.
pub fn is_meta(key: &[u8]) -> bool {
    key.first() == Some(&META)
}

/// Marks an execution that has not ended. The value tells where it stands, see `standing`.
pub fn open(id: Uuid) -> Vec<u8> {
    with_id(vec![OPEN], id)
}

/// The least key behind all marks of executions that have not ended.
pub const OPEN_END: &[u8] = &[OPEN + 1];

/// The prefix of the summaries of a namespace's executions; an id follows.
pub fn namespace_index(namespace: &str) -> Vec<u8> {
    with_text(vec![NAMESPACE_INDEX], namespace)
}

/// The prefix of the index of a workflow's executions; an id follows.
pub fn workflow_index(namespace: &str, workflow: &str) -> Vec<u8> {
    with_text(with_text(vec![WORKFLOW_INDEX], namespace), workflow)
}

/// Marks that the events of an execution refer to a blob.
pub fn blob(name: &[u8], id: Uuid) -> Vec<u8> {
    with_id([&[BLOB], name].concat(), id)
}

/// All marks of a blob: the first key of them, and the least behind them.
pub fn blob_range(name: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut end = blob(name, Uuid::max());
    end.push(u8::MAX);
    (blob(name, Uuid::nil()), end)
}

/// The blob's name in the mark of a blob; `None` for any other key.
pub fn blob_in_mark(key: &[u8]) -> Option<&[u8]> {
    let rest = key.strip_prefix(&[BLOB])?;
    rest.get(..NAME_BYTES)
}

/// Marks a blob that the events of an execution refer to.
pub fn blob_of(id: Uuid, name: &[u8]) -> Vec<u8> {
    [&with_id(vec![BLOB_OF], id), name].concat()
}

/// All blobs of an execution: the first key of them, and the least behind them.
pub fn blobs_of_range(id: Uuid) -> (Vec<u8>, Vec<u8>) {
    let from = with_id(vec![BLOB_OF], id);
    let end = [from.as_slice(), &[u8::MAX; 33]].concat();
    (from, end)
}

/// The blob's name in the mark of an execution's blob.
pub fn blob_name(key: &[u8]) -> Option<&[u8]> {
    key.get(1 + ID_BYTES..)
}

/// What was said about how long executions are kept.
pub fn retention(namespace: &str, workflow: &str) -> Vec<u8> {
    with_text(with_text(vec![RETENTION], namespace), workflow)
}

/// All that was said about it: the first key, and the least behind.
pub fn retentions() -> (Vec<u8>, Vec<u8>) {
    (vec![RETENTION], vec![RETENTION + 1])
}

/// Where an output lies that is kept for others.
pub fn output(key: &[u8]) -> Vec<u8> {
    [&[OUTPUT], key].concat()
}

/// All places of outputs: the first key, and the least behind.
pub fn outputs() -> (Vec<u8>, Vec<u8>) {
    (vec![OUTPUT], vec![OUTPUT + 1])
}

/// The key of the output that a key tells the place of; `None` for any other key.
pub fn output_key(key: &[u8]) -> Option<[u8; 32]> {
    key.strip_prefix(&[OUTPUT])?.try_into().ok()
}

/// All requests: the first key, and the least behind.
pub fn requests() -> (Vec<u8>, Vec<u8>) {
    (vec![REQUEST], vec![REQUEST + 1])
}

/// All keys of the index of workflows' executions: the first, and the least behind.
pub fn workflow_indexes() -> (Vec<u8>, Vec<u8>) {
    (vec![WORKFLOW_INDEX], vec![WORKFLOW_INDEX + 1])
}

/// The two texts that a key holds after its first byte; `None` when it holds none.
pub fn two_texts(key: &[u8]) -> Option<(String, String)> {
    let (first, rest) = text(key.get(1..)?)?;
    let (second, _) = text(rest)?;
    Some((first, second))
}

/// Adds an id to an index's prefix.
pub fn with_id(mut prefix: Vec<u8>, id: Uuid) -> Vec<u8> {
    prefix.extend(id.as_bytes());
    prefix
}

/// The least id greater than another.
pub fn next_id(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128().saturating_add(1))
}

/// The id that a key ends with; `None` when it is too short for one.
pub fn id_at_end(key: &[u8]) -> Option<Uuid> {
    let at = key.len().checked_sub(ID_BYTES)?;
    Uuid::from_slice(&key[at..]).ok()
}

/// What a start under a request id gave.
pub fn request(namespace: &str, request_id: &str) -> Vec<u8> {
    with_text(with_text(vec![REQUEST], namespace), request_id)
}

/// Whether what lies under a key is always short: never in parts.
pub fn is_short(key: &[u8]) -> bool {
    matches!(key.first(), Some(&REQUEST | &OUTPUT))
}

/// All workflows of a namespace: the prefix of `workflow_versions`.
pub fn workflows(namespace: &str) -> Vec<u8> {
    with_text(vec![WORKFLOW], namespace)
}

/// All versions of a workflow: the prefix of `workflow`.
pub fn workflow_versions(namespace: &str, name: &str) -> Vec<u8> {
    with_text(workflows(namespace), name)
}

/// One version of a workflow.
pub fn workflow(namespace: &str, name: &str, version: u32) -> Vec<u8> {
    let mut key = workflow_versions(namespace, name);
    key.extend(version.to_be_bytes());
    key
}

/// The least key behind a version of a workflow and its parts.
pub fn behind_version(namespace: &str, name: &str, version: u32) -> Vec<u8> {
    match version.checked_add(1) {
        Some(next) => workflow(namespace, name, next),
        None => behind_text(workflow_versions(namespace, name)),
    }
}

/// The prefix of all versions of the workflow that a version's key belongs to.
pub fn versions_prefix(version_key: &[u8]) -> &[u8] {
    &version_key[..version_key.len().saturating_sub(VERSION_BYTES)]
}

/// The least key behind all keys with this prefix, which must end with a text: any longer
/// text goes on with `00 FF` or more.
pub fn behind_text(mut prefix: Vec<u8>) -> Vec<u8> {
    if let Some(end) = prefix.last_mut() {
        *end = TEXT_END[1] + 1;
    }
    prefix
}

/// An agent.
pub fn agent(namespace: &str, id: &str) -> Vec<u8> {
    with_text(with_text(vec![AGENT], namespace), id)
}

/// The prefix of all agents.
pub const AGENTS_ALL: &[u8] = &[AGENT];

/// The least key behind all agents.
pub fn agents_end() -> Vec<u8> {
    vec![AGENT + 1]
}

/// The namespace that an agent's key begins with; `None` for any other key.
pub fn agent_namespace(key: &[u8]) -> Option<String> {
    let (namespace, _) = text(key.strip_prefix(&[AGENT])?)?;
    Some(namespace)
}

/// The terminated text that bytes begin with, and what follows.
fn text(rest: &[u8]) -> Option<(String, &[u8])> {
    let mut text = Vec::new();
    let mut bytes = rest.iter();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.as_slice().first()) {
            (0, Some(0)) => {
                let rest = bytes.as_slice().get(1..)?;
                return Some((String::from_utf8(text).ok()?, rest));
            }
            (0, _) => {
                bytes.next();
                text.push(0);
            }
            (byte, _) => text.push(*byte),
        }
    }
    None
}

fn with_text(mut key: Vec<u8>, text: &str) -> Vec<u8> {
    for byte in text.bytes() {
        key.push(byte);
        if byte == 0 {
            key.push(0xFF);
        }
    }
    key.extend(TEXT_END);
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_sort_as_their_texts(a in "[\0\u{1}ab]{0,4}", b in "[\0\u{1}ab]{0,4}") {
            prop_assert_eq!(a.cmp(&b), workflows(&a).cmp(&workflows(&b)));
        }

        #[test]
        fn nothing_of_another_text_lies_before_the_end_of_one(
            a in "[\0\u{1}ab]{0,4}", b in "[\0\u{1}ab]{0,4}", version: u32
        ) {
            let end = behind_text(workflow_versions("n", &a));
            prop_assert_eq!(b > a, workflow("n", &b, version) > end);
        }

        #[test]
        fn an_agents_key_tells_its_namespace(namespace in "[\0\u{1}ab]{0,4}", id in "\\PC{0,4}") {
            prop_assert_eq!(agent_namespace(&agent(&namespace, &id)), Some(namespace));
        }
    }

    #[test]
    fn keys_of_events_sort_by_sequence() {
        let id = Uuid::from_u128(7);
        assert!(events(id, 255) < events(id, 256));
        assert_eq!(last_sequence(&events(id, 256)), Some(256));
        assert_eq!(id_at_end(&open(id)), Some(id));
    }
}
