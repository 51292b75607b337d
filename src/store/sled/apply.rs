//! How a layer's changes come into the state: key by key and in order. A batch of sled would
//! keep every version of every leaf that it goes through in memory until its end, and make all
//! reads wait for that.
//!
//! So a crash may leave some of a layer's keys in the state and others not. The state says
//! beforehand up to which commit it is being brought: the next start folds exactly these
//! commits into a layer again and applies that once more, which comes to the same. All that
//! nobody may see meanwhile, the overlay hides: it holds the layer until all of it is there.

use std::sync::PoisonError;

use super::{super::Error, frame::Position, keys, state::State};

/// Among how many keys in a row the order is changed, see `spread`.
const WINDOW_KEYS: usize = 576;

/// A key of the state, and its new value; `None` where it goes.
pub type Entry = (Vec<u8>, Option<Vec<u8>>);

/// What a layer changes in the state.
#[derive(Debug, Default)]
pub struct Changes {
    /// What executions leave behind that are forgotten: the keys of each go together.
    pub forgotten: Vec<Vec<Vec<u8>>>,
    /// All else, each key once.
    pub entries: Vec<Entry>,
}

/// One change of the state's tree.
enum Step {
    Entry(Entry),
    Forget(Vec<Vec<u8>>),
}

impl Changes {
    fn steps(mut self, position: Position) -> impl Iterator<Item = Step> {
        let position = position.to_bytes();
        let begin = (keys::TAKING_OVER.to_vec(), Some(position.clone()));
        let end = (keys::APPLIED.to_vec(), Some(position));
        self.entries.sort_unstable();
        let entries = spread(self.entries).map(Step::Entry);
        std::iter::once(Step::Entry(begin))
            .chain(self.forgotten.into_iter().map(Step::Forget))
            .chain(entries)
            .chain(std::iter::once(Step::Entry(end)))
    }
}

impl State {
    /// Applies a layer's changes, moves on to `position`, and calls `applied`. The layer must be
    /// in the overlay until then. Only one thread does.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`; the state is then behind the journal.
    pub fn apply(
        &self,
        changes: Changes,
        position: Position,
        applied: impl FnOnce(),
    ) -> Result<(), Error> {
        // Whoever looked at the overlay before the layer was there has read what it wanted of
        // the state; whoever looks from now on finds the layer.
        drop(
            self.applying()
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for step in changes.steps(position) {
            self.step(step)?;
        }
        applied();
        Ok(())
    }

    /// Applies the first `steps` only, as a crash would.
    #[cfg(test)]
    pub fn apply_some(
        &self,
        changes: Changes,
        position: Position,
        steps: usize,
    ) -> Result<bool, Error> {
        let mut all = changes.steps(position);
        for step in all.by_ref().take(steps) {
            self.step(step)?;
        }
        Ok(all.next().is_none())
    }

    /// Writes into a state that nobody reads yet.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn write(&self, mut entries: Vec<Entry>) -> Result<(), Error> {
        entries.sort_unstable();
        for entry in spread(entries) {
            self.step(Step::Entry(entry))?;
        }
        Ok(())
    }

    fn step(&self, step: Step) -> Result<(), Error> {
        let tree = self.tree();
        let done = match step {
            Step::Entry((key, Some(value))) => tree.insert(key, value).map(drop),
            Step::Entry((key, None)) => tree.remove(key).map(drop),
            Step::Forget(keys) => {
                let mut batch = sled::Batch::default();
                for key in keys {
                    batch.remove(key);
                }
                tree.apply_batch(batch)
            }
        };
        done.map_err(self.failed())
    }
}

/// Entries in an order that makes full leaves of new neighbours: five of nine first, then the
/// others between them. sled splits a leaf of 17 keys in the middle, so that keys that only ever
/// grow would leave every leaf half empty.
fn spread(entries: Vec<Entry>) -> impl Iterator<Item = Entry> {
    let mut entries = entries.into_iter().peekable();
    std::iter::from_fn(move || {
        entries.peek()?;
        let window = entries.by_ref().take(WINDOW_KEYS).enumerate();
        let (first, then): (Vec<_>, Vec<_>) = window.partition(|(at, _)| at * 5 % 9 < 5);
        Some(first.into_iter().chain(then).map(|(_, entry)| entry))
    })
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(count: u16) -> Vec<Entry> {
        (0..count)
            .map(|n| (n.to_be_bytes().to_vec(), None))
            .collect()
    }

    #[test]
    fn every_entry_comes_once_in_whatever_order() {
        for count in [0, 1, 2, 9, 575, 576, 577, 2000] {
            let mut spread: Vec<_> = spread(entries(count)).collect();
            spread.sort_unstable();
            assert_eq!(spread, entries(count));
        }
    }

    #[test]
    fn each_half_is_in_order() {
        let spread: Vec<_> = spread(entries(9)).map(|(key, _)| key[1]).collect();
        assert_eq!(spread, [0, 2, 4, 6, 8, 1, 3, 5, 7]);
    }
}
