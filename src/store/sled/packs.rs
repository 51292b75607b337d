//! Events as they lie in the state: several of one execution under one key, compressed, with
//! the links of their hash chain beside them. The tags below are part of the format on disk:
//! they are added to, never changed or used again.

use bytes::{Bytes, BytesMut};
use prost::Message;
use uuid::Uuid;

use super::{
    super::{
        Error, Link,
        audit::{self, Chain},
    },
    chunks,
    record::{self, Pack},
};

/// Less than this is not worth compressing, in bytes.
const COMPRESSED_FROM_BYTES: usize = 128;
/// The most that a pack may say to have been before it was compressed, in bytes: more than the
/// journal takes as one commit.
const EVENTS_BYTES_MAX: usize = 1 << 30;
const LINK_BYTES: usize = size_of::<Link>();

/// A pack in the state.
#[derive(Clone, PartialEq, Message)]
struct Stored {
    /// The links of the events, one after another.
    #[prost(bytes = "bytes", tag = "1")]
    links: Bytes,
    /// The events, an encoded `Events`; empty when they are compressed.
    #[prost(bytes = "bytes", tag = "2")]
    events: Bytes,
    /// The events, as a block of LZ4.
    #[prost(bytes = "bytes", tag = "3")]
    compressed: Bytes,
    /// How large the compressed events are, in bytes.
    #[prost(uint64, tag = "4")]
    events_bytes: u64,
    /// The execution's namespace: in its first pack only.
    #[prost(string, tag = "5")]
    namespace: String,
}

/// Events of one execution with the links of their chain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chained {
    /// The sequence of the last one.
    pub last_sequence: u64,
    /// An encoded `Events`.
    pub events: Bytes,
    /// The links, one after another.
    pub links: Bytes,
}

impl Chained {
    /// Packs with their links, which go on from `head`.
    ///
    /// # Errors
    /// `Error::Damaged` when a pack is not readable.
    pub fn of(packs: &[Pack], mut head: Link) -> Result<Vec<Self>, Error> {
        let mut chained = Vec::with_capacity(packs.len());
        for pack in packs {
            let mut links = BytesMut::new();
            for event in record::stored_events(&pack.events) {
                head = audit::next(head, &event?.1);
                links.extend_from_slice(&head);
            }
            chained.push(Self {
                last_sequence: pack.last_sequence,
                events: pack.events.clone(),
                links: links.freeze(),
            });
        }
        Ok(chained)
    }

    /// Joins packs that fit under one key together.
    pub fn coalesced(packs: Vec<Self>) -> Vec<Self> {
        let mut joined: Vec<Vec<Self>> = Vec::with_capacity(1);
        let mut bytes = 0;
        for pack in packs {
            bytes += pack.bytes();
            match joined.last_mut() {
                Some(group) if bytes <= chunks::SINGLE_BYTES_MAX => group.push(pack),
                _ => {
                    bytes = pack.bytes();
                    joined.push(vec![pack]);
                }
            }
        }
        joined.into_iter().map(Self::join).collect()
    }

    fn bytes(&self) -> usize {
        self.events.len() + self.links.len()
    }

    fn join(packs: Vec<Self>) -> Self {
        let last_sequence = packs.last().map_or(0, |pack| pack.last_sequence);
        let joined = |part: fn(&Self) -> &Bytes| match packs.as_slice() {
            [alone] => part(alone).clone(),
            several => {
                let parts: Vec<&[u8]> = several.iter().map(|pack| part(pack).as_ref()).collect();
                parts.concat().into()
            }
        };
        Self {
            last_sequence,
            events: joined(|pack| &pack.events),
            links: joined(|pack| &pack.links),
        }
    }

    /// What is kept of it; with the namespace in an execution's first pack.
    pub fn written(&self, namespace: &str) -> Vec<u8> {
        let mut stored = Stored {
            links: self.links.clone(),
            namespace: namespace.to_owned(),
            ..Stored::default()
        };
        if self.events.len() >= COMPRESSED_FROM_BYTES {
            stored.compressed = lz4_flex::block::compress(&self.events).into();
            stored.events_bytes = self.events.len() as u64;
        }
        if stored.compressed.is_empty() || stored.compressed.len() >= self.events.len() {
            stored.compressed = Bytes::new();
            stored.events_bytes = 0;
            stored.events = self.events.clone();
        }
        stored.encode_to_vec()
    }

    /// Reads what was kept under a key.
    ///
    /// # Errors
    /// `Error::Damaged`.
    pub fn read(last_sequence: u64, value: Vec<u8>) -> Result<Self, Error> {
        let stored: Stored = record::decode_shared(Bytes::from(value), "a pack of events")?;
        let events = if stored.compressed.is_empty() {
            stored.events
        } else {
            decompressed(&stored.compressed, stored.events_bytes)?
        };
        Ok(Self {
            last_sequence,
            events,
            links: stored.links,
        })
    }

    /// Adds its events to a chain and compares the links; the reason when one does not fit.
    pub fn check(&self, chain: &mut Chain) -> Result<(), String> {
        let mut links = self.links.chunks(LINK_BYTES);
        for event in record::stored_events(&self.events) {
            let (_, event) = event.map_err(|error| error.to_string())?;
            let sequence = record::sequence(&event).map_err(|error| error.to_string())?;
            if sequence != chain.due() {
                return Err(format!("event {sequence} is in its place"));
            }
            let mut after = chain.clone();
            if links.next() != Some(after.add(&event).as_slice()) {
                return Err("its hash does not fit".into());
            }
            *chain = after;
        }
        match links.next() {
            None => Ok(()),
            Some(_) => Err("it is missing, though its hash is kept".into()),
        }
    }

    /// The link of its last event; `None` when there is none.
    pub fn head(&self) -> Option<Link> {
        self.links.rchunks(LINK_BYTES).next()?.try_into().ok()
    }
}

/// The namespace that is kept with an execution's first pack.
///
/// # Errors
/// `Error::Damaged`.
pub fn namespace(value: &[u8]) -> Result<String, Error> {
    Ok(record::decode::<Stored>(value, "a pack of events")?.namespace)
}

/// The link before an execution's first event.
pub fn origin(id: Uuid) -> Link {
    *id.as_bytes()
}

fn decompressed(block: &[u8], bytes: u64) -> Result<Bytes, Error> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    let whole = (bytes <= EVENTS_BYTES_MAX)
        .then(|| lz4_flex::block::decompress(block, bytes).ok())
        .flatten()
        .filter(|events| events.len() == bytes);
    whole.map(Bytes::from).ok_or_else(|| {
        Error::Damaged(
            "a pack of events does not decompress: restore a backup with `tutti restore`".into(),
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::proto::Event;

    fn pack(sequences: std::ops::RangeInclusive<u64>, bytes: usize) -> Pack {
        let events = sequences.clone().map(|sequence| Event {
            sequence,
            step: "s".repeat(bytes),
            ..Event::default()
        });
        let events = record::Events {
            events: events.collect(),
        };
        Pack {
            last_sequence: *sequences.end(),
            events: events.encode_to_vec().into(),
        }
    }

    fn chained(packs: &[Pack]) -> Vec<Chained> {
        Chained::of(packs, origin(Uuid::from_u128(7))).unwrap()
    }

    fn check(packs: &[Chained]) -> Result<u64, (u64, String)> {
        let mut chain = Chain::new(Uuid::from_u128(7));
        for pack in packs {
            if let Err(reason) = pack.check(&mut chain) {
                return Err((chain.due(), reason));
            }
        }
        Ok(chain.due() - 1)
    }

    #[test]
    fn packs_are_joined_as_long_as_they_fit_under_one_key() {
        let packs = [pack(1..=1, 10), pack(2..=4, 900), pack(5..=5, 2000)];
        let joined = Chained::coalesced(chained(&packs));
        let lasts: Vec<_> = joined.iter().map(|pack| pack.last_sequence).collect();
        assert_eq!(lasts, [4, 5]);
        assert_eq!(check(&joined), Ok(5));
        assert!(Chained::coalesced(Vec::new()).is_empty());
    }

    #[test]
    fn what_is_kept_comes_back_compressed_or_not() {
        for bytes in [0, 10, 500, 70_000] {
            let [pack] = chained(&[pack(1..=3, bytes)]).try_into().unwrap();
            let value = pack.written("n");
            assert_eq!(namespace(&value).unwrap(), "n");
            assert!(value.len() < 200 + 3 * bytes / 2, "{}", value.len());
            assert_eq!(Chained::read(3, value).unwrap(), pack);
        }
    }

    #[test]
    fn the_first_changed_event_is_found() {
        let good = chained(&[pack(1..=3, 50), pack(4..=6, 50)]);
        assert_eq!(check(&good), Ok(6));
        let mut changed = good.clone();
        let mut bytes = changed[1].events.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        changed[1].events = bytes.into();
        assert_eq!(check(&changed), Err((6, "its hash does not fit".into())));
        let missing = &good[1..];
        assert_eq!(check(missing), Err((1, "event 4 is in its place".into())));
        let mut cut = good.clone();
        cut[0] = Chained {
            links: cut[0].links.clone(),
            ..chained(&[pack(1..=2, 50)]).remove(0)
        };
        let (sequence, reason) = check(&cut).unwrap_err();
        assert_eq!(sequence, 3);
        assert!(reason.contains("missing"), "{reason}");
    }

    #[test]
    fn damage_is_told() {
        let [pack] = chained(&[pack(1..=3, 500)]).try_into().unwrap();
        let mut value = pack.written("");
        value.truncate(value.len() - 9);
        assert!(matches!(Chained::read(3, value), Err(Error::Damaged(_))));
        assert!(decompressed(&[1, 2, 3], u64::MAX).is_err());
    }
}
