//! The hash chain of an execution's events: whoever changes, drops or swaps one that was kept
//! breaks it, and the first broken event is named.
//!
//! The link of event *n* is the first 16 bytes of SHA-256(link of event *n* - 1, then the stored
//! bytes of event *n*); before the first event stand the bytes of the execution's id. An
//! event's stored bytes are its encoded message without `execution_id`, which its key tells.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A link of the chain.
pub type Link = [u8; 16];

/// What checking an execution's events found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The execution.
    pub id: Uuid,
    /// How many events are as they were written, from the first.
    pub events: u64,
    /// The link of the last of these: equal heads mean equal histories.
    pub head: Link,
    /// The first event that is not as it was written; `None` when all are.
    pub broken: Option<Broken>,
}

/// An event that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its sequence.
    pub sequence: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// A chain, followed from its beginning.
#[derive(Clone, Debug)]
pub struct Chain {
    id: Uuid,
    events: u64,
    head: Link,
}

impl Chain {
    /// The chain of an execution before its first event.
    #[must_use]
    pub fn new(id: Uuid) -> Self {
        Self {
            id,
            events: 0,
            head: *id.as_bytes(),
        }
    }

    /// Adds the next event by its stored bytes; gives its link.
    pub fn add(&mut self, stored: &[u8]) -> Link {
        self.head = next(self.head, stored);
        self.events += 1;
        self.head
    }

    /// The sequence that the next event must have.
    #[must_use]
    pub fn due(&self) -> u64 {
        self.events + 1
    }

    /// All events are as they were written.
    #[must_use]
    pub fn verified(self) -> Verification {
        Verification {
            id: self.id,
            events: self.events,
            head: self.head,
            broken: None,
        }
    }

    /// The next event is not as it was written.
    #[must_use]
    pub fn broken(self, reason: impl Into<String>) -> Verification {
        let broken = Broken {
            sequence: self.due(),
            reason: reason.into(),
        };
        Verification {
            broken: Some(broken),
            ..self.verified()
        }
    }
}

/// The link that follows from the one before it and an event's stored bytes.
#[must_use]
pub fn next(before: Link, stored: &[u8]) -> Link {
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(stored);
    let whole: [u8; 32] = hasher.finalize().into();
    let mut link = Link::default();
    link.copy_from_slice(&whole[..16]);
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_depends_on_all_before_it_and_on_the_execution() {
        let head = |id, events: &[&str]| {
            let mut chain = Chain::new(Uuid::from_u128(id));
            for event in events {
                chain.add(event.as_bytes());
            }
            chain.verified().head
        };
        assert_eq!(head(1, &["a", "b"]), head(1, &["a", "b"]));
        assert_ne!(head(1, &["a", "b"]), head(1, &["b", "a"]));
        assert_ne!(head(1, &["a", "b"]), head(1, &["x", "b"]));
        assert_ne!(head(1, &["a", "b"]), head(2, &["a", "b"]));
        assert_ne!(head(1, &["a", "b"]), head(1, &["a", "b", ""]));
    }

    #[test]
    fn the_event_that_is_due_is_the_broken_one() {
        let mut chain = Chain::new(Uuid::from_u128(1));
        chain.add(b"a");
        let found = chain.broken("it is missing");
        assert_eq!(found.events, 1);
        assert_eq!(found.broken.map(|broken| broken.sequence), Some(2));
    }
}
