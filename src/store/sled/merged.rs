//! Two ordered sources of ids as one: the overlay's and the state's.

use std::iter::{Fuse, Peekable};

use uuid::Uuid;

use super::super::Error;

/// Ids of two ordered sources in one order, each once. What is put into the state meanwhile may
/// make its source go back: what was passed is not given again.
pub struct Merged<A: Iterator, B: Iterator> {
    pending: Peekable<A>,
    in_state: Peekable<Fuse<B>>,
    descending: bool,
    last: Option<Uuid>,
}

impl<A, B> Merged<A, B>
where
    A: Iterator<Item = Uuid>,
    B: Iterator<Item = Result<Uuid, Error>>,
{
    /// The least first.
    pub fn ascending(pending: A, in_state: B) -> Self {
        Self {
            pending: pending.peekable(),
            in_state: in_state.fuse().peekable(),
            descending: false,
            last: None,
        }
    }

    /// The greatest first.
    pub fn descending(pending: A, in_state: B) -> Self {
        Self {
            descending: true,
            ..Self::ascending(pending, in_state)
        }
    }
}

impl<A, B> Iterator for Merged<A, B>
where
    A: Iterator<Item = Uuid>,
    B: Iterator<Item = Result<Uuid, Error>>,
{
    type Item = Result<Uuid, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let next = match self.next_of_both()? {
                Ok(next) => next,
                Err(error) => return Some(Err(error)),
            };
            let passed = |last| next == last || (next > last) == self.descending;
            if !self.last.is_some_and(passed) {
                self.last = Some(next);
                return Some(Ok(next));
            }
        }
    }
}

impl<A, B> Merged<A, B>
where
    A: Iterator<Item = Uuid>,
    B: Iterator<Item = Result<Uuid, Error>>,
{
    fn next_of_both(&mut self) -> Option<Result<Uuid, Error>> {
        let (Some(pending), Some(Ok(in_state))) = (self.pending.peek(), self.in_state.peek())
        else {
            return match self.in_state.next() {
                Some(id) => Some(id),
                None => self.pending.next().map(Ok),
            };
        };
        if (pending > in_state) == self.descending {
            self.pending.next().map(Ok)
        } else {
            self.in_state.next()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u128]) -> impl Iterator<Item = Uuid> {
        numbers.iter().map(|n| Uuid::from_u128(*n))
    }

    fn numbers(merged: impl Iterator<Item = Result<Uuid, Error>>) -> Vec<u128> {
        merged
            .map_while(Result::ok)
            .map(|id| id.as_u128())
            .collect()
    }

    #[test]
    fn each_id_comes_once_and_in_order() {
        let ascending = Merged::ascending(ids(&[1, 4, 5]), ids(&[2, 4, 6]).map(Ok));
        assert_eq!(numbers(ascending), [1, 2, 4, 5, 6]);
        let descending = Merged::descending(ids(&[5, 4, 1]), ids(&[6, 4, 2]).map(Ok));
        assert_eq!(numbers(descending), [6, 5, 4, 2, 1]);
    }

    #[test]
    fn what_was_passed_does_not_come_again() {
        let descending = Merged::descending(ids(&[3, 1]), ids(&[5, 3, 5, 4, 2]).map(Ok));
        assert_eq!(numbers(descending), [5, 3, 2, 1]);
    }
}
