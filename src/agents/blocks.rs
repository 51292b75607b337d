//! An ordered map for very many small things that mostly come in order and go in order: places
//! in queues, and tickets. It keeps them in full blocks one after another, where a tree of the
//! standard library leaves every node half empty that grows at its end, and a table by hash up
//! to half of its places.

use std::{cmp::Ordering, collections::VecDeque};

/// The most entries of a block. Putting one in between moves half as many.
const BLOCK_MAX: usize = 256;
/// The most entries of a block that takes some of a full one before it.
const NEIGHBOUR_MAX: usize = BLOCK_MAX / 4 * 3;
/// A block of which less than this share is used gives memory back.
const SPARSE_SHARE: usize = 4;

/// An ordered map. To add and to take away is a search in O(log n) and the moving of a block's
/// entries at most, once in a while of the places of the blocks too.
#[derive(Debug)]
pub(super) struct Blocks<K, V = ()> {
    /// None of them is empty; ascending, within them and from one to the next.
    blocks: VecDeque<Vec<(K, V)>>,
    len: usize,
}

impl<K, V> Default for Blocks<K, V> {
    fn default() -> Self {
        Self {
            blocks: VecDeque::new(),
            len: 0,
        }
    }
}

/// Where an entry is, or would be.
struct At {
    block: usize,
    index: usize,
}

impl<K: Ord, V> Blocks<K, V> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        let At { block, index } = self.find(key).ok()?;
        Some(&self.blocks.get(block)?.get(index)?.1)
    }

    /// The least key.
    pub fn first(&self) -> Option<&K> {
        self.iter().next().map(|(key, _)| key)
    }

    /// All entries, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.blocks.iter().flatten()
    }

    /// How many keys are less than this one, counted up to `most`.
    pub fn before(&self, key: &K, most: usize) -> usize {
        let (Ok(at) | Err(at)) = self.find(key);
        let mut before = at.index;
        for block in self.blocks.iter().take(at.block) {
            if before >= most {
                break;
            }
            before += block.len();
        }
        before.min(most)
    }

    /// Adds an entry; false when its key is there already, with what it had.
    pub fn insert(&mut self, key: K, value: V) -> bool {
        let Err(At { block: at, index }) = self.find(&key) else {
            return false;
        };
        self.len += 1;
        let count = self.blocks.len();
        match self.blocks.get_mut(at) {
            Some(block) if block.len() < BLOCK_MAX => block.insert(index, (key, value)),
            // At the end of all: the full block stays full.
            Some(block) if index == block.len() && at + 1 == count => {
                self.blocks.push_back(vec![(key, value)]);
            }
            Some(_) => {
                let left = self.make_room(at);
                let (at, index) = match index.checked_sub(left) {
                    Some(index) if index > 0 => (at + 1, index),
                    _ => (at, index),
                };
                if let Some(block) = self.blocks.get_mut(at) {
                    block.insert(index, (key, value));
                }
            }
            None => self.blocks.push_back(vec![(key, value)]),
        }
        true
    }

    /// Gives a part of a full block to the next one, or to one of its own when that is all but
    /// full; tells how many entries are left.
    fn make_room(&mut self, at: usize) -> usize {
        let next = self.blocks.get(at + 1).map_or(BLOCK_MAX, Vec::len);
        let is_room = next <= NEIGHBOUR_MAX;
        let Some(block) = self.blocks.get_mut(at) else {
            return 0;
        };
        let left = match is_room {
            true => BLOCK_MAX - (BLOCK_MAX - next) / 2,
            false => BLOCK_MAX / 2,
        };
        let then = block.split_off(left);
        if !is_room {
            block.shrink_to_fit();
        }
        match self.blocks.get_mut(at + 1) {
            Some(next) if is_room => drop(next.splice(0..0, then)),
            _ => self.blocks.insert(at + 1, then),
        }
        left
    }

    /// Takes an entry away.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let At { block: at, index } = self.find(key).ok()?;
        let block = self.blocks.get_mut(at)?;
        let (_, value) = block.remove(index);
        self.len -= 1;
        let left = block.len();
        if left == 0 {
            self.blocks.remove(at);
        } else if left < block.capacity() / SPARSE_SHARE {
            block.shrink_to(left * 2);
            self.join(at);
            if let Some(before) = at.checked_sub(1) {
                self.join(before);
            }
        }
        if self.blocks.len() < self.blocks.capacity() / (2 * SPARSE_SHARE) {
            self.blocks.shrink_to(self.blocks.len() * 2);
        }
        Some(value)
    }

    /// Makes one block of this one and the next when both are sparse.
    fn join(&mut self, at: usize) {
        let together: usize = self.blocks.iter().skip(at).take(2).map(Vec::len).sum();
        if together <= BLOCK_MAX / 2
            && let Some(next) = self.blocks.remove(at + 1)
            && let Some(block) = self.blocks.get_mut(at)
        {
            block.extend(next);
        }
    }

    fn find(&self, key: &K) -> Result<At, At> {
        // Most come at the end.
        let end = self.blocks.back().and_then(|block| block.last());
        let block = match end.map(|(last, _)| last.cmp(key)) {
            None => return Err(At { block: 0, index: 0 }),
            Some(Ordering::Less) => self.blocks.len() - 1,
            Some(_) => self
                .blocks
                .partition_point(|block| block.last().is_some_and(|(last, _)| last < key)),
        };
        let entries = self.blocks.get(block).map_or(&[][..], Vec::as_slice);
        match entries.binary_search_by(|(other, _)| other.cmp(key)) {
            Ok(index) => Ok(At { block, index }),
            Err(index) => Err(At { block, index }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn capacity<K, V>(blocks: &Blocks<K, V>) -> usize {
        blocks.blocks.iter().map(Vec::capacity).sum()
    }

    #[test]
    fn what_comes_in_order_fills_its_blocks() {
        let mut blocks = Blocks::default();
        for n in 0..100_000_u32 {
            assert!(blocks.insert(n, ()));
        }
        assert!(capacity(&blocks) < 100_000 + BLOCK_MAX);
    }

    #[test]
    fn what_comes_in_any_order_fills_most_of_its_blocks() {
        let mut blocks = Blocks::default();
        for n in 0..100_000_u32 {
            assert!(blocks.insert(n.wrapping_mul(0x9E37_79B1), ()));
        }
        assert!(capacity(&blocks) < 140_000, "{}", capacity(&blocks));
    }

    #[test]
    fn what_has_gone_gives_its_memory_back() {
        let mut blocks = Blocks::default();
        for n in 0..100_000_u32 {
            blocks.insert(n, ());
        }
        for n in (0..100_000).filter(|n| n % 100 != 0) {
            assert_eq!(blocks.remove(&n), Some(()));
        }
        assert_eq!(blocks.len(), 1_000);
        assert!(capacity(&blocks) < 8_000, "{}", capacity(&blocks));
        assert!(blocks.blocks.len() < 100, "{}", blocks.blocks.len());
        for n in (0..100_000).step_by(100) {
            assert_eq!(blocks.remove(&n), Some(()));
        }
        assert!(blocks.is_empty() && blocks.blocks.capacity() < 64);
    }

    proptest! {
        #[test]
        fn it_holds_what_an_ordered_map_holds(
            steps in prop::collection::vec((0..4_u8, 0..1_500_u16), 1..4_000),
        ) {
            let (mut blocks, mut model) = (Blocks::default(), BTreeMap::new());
            for (step, key) in steps {
                if step == 0 {
                    prop_assert_eq!(blocks.remove(&key), model.remove(&key));
                } else {
                    prop_assert_eq!(blocks.insert(key, step), !model.contains_key(&key));
                    model.entry(key).or_insert(step);
                }
                prop_assert_eq!(blocks.get(&key), model.get(&key));
                prop_assert_eq!(blocks.len(), model.len());
                prop_assert_eq!(blocks.first(), model.keys().next());
                let before = model.range(..key).count();
                prop_assert_eq!(blocks.before(&key, usize::MAX), before);
                prop_assert_eq!(blocks.before(&key, 7), before.min(7));
            }
            let entries: Vec<_> = blocks.iter().copied().collect();
            prop_assert_eq!(entries, model.into_iter().collect::<Vec<_>>());
        }
    }
}
