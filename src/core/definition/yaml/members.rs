//! The members of one mapping while it is read, each key once.

use std::collections::HashMap;

use super::Entry;

/// So many members are searched through; more are found by a table, which costs a copy of each key.
const SEARCHED_MAX: usize = 16;

/// Members in the order in which they came.
pub(super) struct Members {
    pub entries: Vec<Entry>,
    /// Places in `entries` by key, once they are more than are searched through.
    places: HashMap<String, usize>,
}

impl Members {
    /// None yet, with room for so many.
    pub fn of(count: usize) -> Self {
        Self {
            entries: Vec::with_capacity(count),
            places: HashMap::new(),
        }
    }

    /// The line of the member of this key.
    pub fn line(&self, key: &str) -> Option<u32> {
        let entry = if self.entries.len() > SEARCHED_MAX {
            self.entries.get(*self.places.get(key)?)
        } else {
            self.entries.iter().find(|entry| entry.key == key)
        };
        entry.map(|entry| entry.line)
    }

    /// Adds a member whose key is not there yet.
    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        if self.entries.len() <= SEARCHED_MAX {
            return;
        }
        for (place, entry) in self.entries.iter().enumerate().skip(self.places.len()) {
            self.places.insert(entry.key.clone(), place);
        }
    }
}
