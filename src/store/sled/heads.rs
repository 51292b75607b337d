//! A bounded cache of where executions stand, so that checking an append reads nothing.

use std::collections::HashMap;

use uuid::Uuid;

/// The last sequences of the executions used last; 0 for one that was deleted. Two generations:
/// when the young one is full it becomes the old one, and what was not used since the time
/// before is forgotten.
#[derive(Debug)]
pub struct Heads {
    generation_max: usize,
    young: HashMap<Uuid, u64>,
    old: HashMap<Uuid, u64>,
    /// No execution with a greater id was ever forgotten here. Ids grow with time, so that new
    /// ones are known to be new.
    greatest_forgotten: Uuid,
}

impl Heads {
    /// A cache of at most `max` heads over executions with ids up to `greatest`.
    pub fn new(max: usize, greatest: Uuid) -> Self {
        Self {
            generation_max: (max / 2).max(1),
            young: HashMap::new(),
            old: HashMap::new(),
            greatest_forgotten: greatest,
        }
    }

    /// The last sequence of an execution, if it is known here; 0 when there is none.
    pub fn get(&mut self, id: Uuid) -> Option<u64> {
        if let Some(last) = self.young.get(&id) {
            return Some(*last);
        }
        match self.old.remove(&id) {
            Some(last) => {
                self.put(id, last);
                Some(last)
            }
            None => (id > self.greatest_forgotten).then_some(0),
        }
    }

    /// Keeps the last sequence of an execution.
    pub fn put(&mut self, id: Uuid, last: u64) {
        if self.young.len() >= self.generation_max && !self.young.contains_key(&id) {
            let forgotten = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            let greatest = forgotten.into_keys().max().unwrap_or_default();
            self.greatest_forgotten = self.greatest_forgotten.max(greatest);
        }
        self.young.insert(id, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    #[test]
    fn it_forgets_what_was_not_used_and_keeps_what_was() {
        let mut heads = Heads::new(4, id(9));
        heads.put(id(0), 1);
        heads.put(id(1), 1);
        heads.put(id(2), 1);
        assert_eq!(heads.get(id(0)), Some(1));
        heads.put(id(3), 1);
        assert_eq!(heads.get(id(1)), None);
        assert_eq!(heads.get(id(0)), Some(1));
    }

    #[test]
    fn an_id_greater_than_any_forgotten_one_is_new() {
        let mut heads = Heads::new(2, id(3));
        assert_eq!(heads.get(id(3)), None);
        assert_eq!(heads.get(id(4)), Some(0));
        for n in 4..8 {
            heads.put(id(n), 7);
        }
        assert_eq!(heads.get(id(4)), None);
        assert_eq!(heads.get(id(5)), None);
        assert_eq!(heads.get(id(6)), Some(7));
        assert_eq!(heads.get(id(8)), Some(0));
    }

    #[test]
    fn the_last_head_kept_counts() {
        let mut heads = Heads::new(2, id(0));
        heads.put(id(1), 1);
        heads.put(id(2), 1);
        heads.put(id(1), 2);
        assert_eq!(heads.get(id(1)), Some(2));
    }
}
