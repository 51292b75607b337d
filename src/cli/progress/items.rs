//! The items of a collection as a watch shows them: counted, in one line with a bar, however
//! many they are.

use crate::proto::{ItemCounts, event::Kind};

/// How many cells the bar has.
const BAR_CELLS: u64 = 20;

/// How far the items of a collection are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    total: u64,
    completed: u64,
    failed: u64,
    running: u64,
}

impl Counter {
    /// A counter of so many items, none of them begun.
    pub fn of(total: u32) -> Self {
        Self {
            total: total.into(),
            ..Self::default()
        }
    }

    /// Takes in that so many items began.
    pub fn begin(&mut self, count: u32) {
        self.running += u64::from(count);
    }

    /// Takes in what an event says of an item.
    pub fn end(&mut self, kind: &Kind) {
        match kind {
            Kind::StepCompleted(_) => self.completed += 1,
            Kind::StepFailed(_) => self.failed += 1,
            Kind::StepCancelled(_) => {}
            _ => return,
        }
        self.running = self.running.saturating_sub(1);
    }

    /// Takes in that those which did not complete are begun again.
    pub fn again(&mut self) {
        (self.failed, self.running) = (0, 0);
    }

    /// `██████░░░░░░░░░░░░░░ 3,120/10,000  2 failed  50 running`.
    pub fn words(&self) -> String {
        let ended = self.completed + self.failed;
        let full = (ended * BAR_CELLS).checked_div(self.total);
        let full = usize::try_from(full.unwrap_or(BAR_CELLS).min(BAR_CELLS)).unwrap_or(0);
        let bar = "█".repeat(full) + &"░".repeat(BAR_CELLS as usize - full);
        let mut words = format!("{bar} {}/{}", grouped(ended), grouped(self.total));
        for (count, what) in [(self.failed, "failed"), (self.running, "running")] {
            if count > 0 {
                words.push_str(&format!("  {} {what}", grouped(count)));
            }
        }
        words
    }
}

impl From<ItemCounts> for Counter {
    fn from(counts: ItemCounts) -> Self {
        Self {
            total: counts.total.into(),
            completed: counts.completed.into(),
            failed: counts.failed.into(),
            running: counts.running.into(),
        }
    }
}

/// The path of the step around: of an iteration, the step that it is one of.
pub fn holder(path: &str) -> Option<&str> {
    match (path.ends_with(']'), path.rfind('['), path.rfind('/')) {
        (true, Some(bracket), _) => Some(&path[..bracket]),
        (_, _, slash) => slash.map(|slash| &path[..slash]),
    }
}

/// True for an earlier run of a step, `pay#1`, and what is within and beside it: not for a step
/// that a pattern calls `#1`.
pub fn is_past(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.any(|part| part.find('#').is_some_and(|at| at > 0))
}

/// Paths of steps that may hold the items which a path is within, the outermost first: each
/// with what is left of the path.
pub fn around(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.match_indices('[').map(|(at, _)| path.split_at(at))
}

/// True when what is left of a path, `[7]`, names an item and nothing within it.
pub fn is_item(rest: &str) -> bool {
    rest.find(']').is_some_and(|end| end + 1 == rest.len())
}

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [
            (7, "7"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn an_empty_collection_is_a_full_bar() {
        assert_eq!(Counter::of(0).words(), format!("{} 0/0", "█".repeat(20)));
    }

    #[test]
    fn paths_within_items_name_what_holds_them_outermost_first() {
        let around: Vec<_> = around("a[1]/b[2]/c").collect();
        assert_eq!(around, [("a", "[1]/b[2]/c"), ("a[1]/b", "[2]/c")]);
        assert!(is_item("[12]") && !is_item("[1]/b"));
    }
}
