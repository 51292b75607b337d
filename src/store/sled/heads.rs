//! A bounded cache of where executions stand, so that checking an append reads nothing.

use std::collections::HashMap;

use uuid::Uuid;

/// Where an execution stands in the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The sequence of its last event; 0 when there is no such execution.
    pub last_sequence: u64,
    /// Whether it is marked as not ended.
    pub open: bool,
    /// Whether it is kept where it stands.
    pub stands: bool,
}

/// The heads used last. Two generations: when the young one is full it becomes the old one,
/// and what was not used since the time before is forgotten.
#[derive(Debug)]
pub struct Heads {
    generation_max: usize,
    young: HashMap<Uuid, Head>,
    old: HashMap<Uuid, Head>,
}

impl Heads {
    /// A cache of at most `max` heads.
    pub fn new(max: usize) -> Self {
        Self {
            generation_max: (max / 2).max(1),
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    /// The head of an execution, if it is known here.
    pub fn get(&mut self, id: Uuid) -> Option<Head> {
        if let Some(head) = self.young.get(&id) {
            return Some(*head);
        }
        let head = self.old.remove(&id)?;
        self.put(id, head);
        Some(head)
    }

    /// Keeps the head of an execution.
    pub fn put(&mut self, id: Uuid, head: Head) {
        if self.young.len() >= self.generation_max && !self.young.contains_key(&id) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, head);
    }

    /// Keeps the heads of several executions.
    pub fn extend(&mut self, heads: impl IntoIterator<Item = (Uuid, Head)>) {
        for (id, head) in heads {
            self.put(id, head);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(last_sequence: u64) -> Head {
        Head {
            last_sequence,
            open: true,
            stands: false,
        }
    }

    #[test]
    fn it_forgets_what_was_not_used_and_keeps_what_was() {
        let mut heads = Heads::new(4);
        for n in 0..2 {
            heads.put(Uuid::from_u128(n), head(1));
        }
        heads.put(Uuid::from_u128(2), head(1));
        assert_eq!(heads.get(Uuid::from_u128(0)), Some(head(1)));
        heads.put(Uuid::from_u128(3), head(1));
        assert_eq!(heads.get(Uuid::from_u128(1)), None);
        assert_eq!(heads.get(Uuid::from_u128(0)), Some(head(1)));
    }

    #[test]
    fn the_last_head_kept_counts() {
        let mut heads = Heads::new(2);
        let id = Uuid::from_u128(1);
        heads.put(id, head(1));
        heads.put(Uuid::from_u128(2), head(1));
        heads.put(id, head(2));
        assert_eq!(heads.get(id), Some(head(2)));
    }
}
