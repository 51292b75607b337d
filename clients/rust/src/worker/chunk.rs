//! Provisional output on its way to the server, bounded in bytes.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use prost::Message as _;
use serde_json::Value as Json;

use super::report::LEVELS_MAX;
use crate::{json, proto};

/// How many bytes of chunks may wait to be sent, over all tasks of a worker.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// The room for chunks that wait, shared by all tasks of a worker.
#[derive(Clone, Debug, Default)]
pub(super) struct ChunkRoom {
    waiting_bytes: Arc<AtomicUsize>,
}

/// A chunk that takes its room until it is sent or dropped.
#[derive(Debug)]
pub(super) struct Chunk {
    chunk: proto::TaskChunk,
    bytes: usize,
    room: ChunkRoom,
}

impl Chunk {
    /// A chunk of the task; `None` without room, and for data too deeply nested to be sent.
    pub(super) fn new(token: &str, data: Json, room: &ChunkRoom) -> Option<Self> {
        let (data, levels) = json::from_json_measured(data);
        let chunk = proto::TaskChunk {
            token: token.to_owned(),
            data: Some(data),
        };
        let bytes = chunk.encoded_len();
        let before = room.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let chunk = Self {
            chunk,
            bytes,
            room: room.clone(),
        };
        (before + bytes <= WAITING_BYTES_MAX && levels <= LEVELS_MAX).then_some(chunk)
    }

    /// The message, leaving its room to others.
    pub(super) fn take(mut self) -> proto::TaskChunk {
        std::mem::take(&mut self.chunk)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.room
            .waiting_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn chunks_are_refused_when_there_is_no_room_and_taken_when_there_is_again() {
        let room = ChunkRoom::default();
        let half = json!("x".repeat(WAITING_BYTES_MAX / 2));
        let first = Chunk::new("t", half.clone(), &room).expect("there is room");
        assert!(Chunk::new("t", half.clone(), &room).is_none());
        assert_eq!(first.take().token, "t");
        assert!(Chunk::new("t", half, &room).is_some());
        assert_eq!(room.waiting_bytes.load(Ordering::Relaxed), 0);
    }
}
