//! How a collection runs: its items are found, begin as there is room, and end; what they gave
//! together is the step's output.

use prost_types::ListValue;

use super::turn::Turn;
use crate::{
    core::{
        execution::{Error, Given, RunId},
        plan::Each,
        value::{Kind, Value},
    },
    proto::{ItemsBegun, ItemsListed, event},
};

impl Turn<'_> {
    /// Finds the items of a collection whose attempt just began, or goes on with those that an
    /// attempt before left.
    pub fn begin_items(&mut self, run: RunId) {
        if self.execution.run(run).items.is_some() {
            return;
        }
        match self.find_items(run) {
            Ok(items) => {
                let batch = self.execution.each(run).and_then(|each| each.batch_size);
                let count = items.values.len().div_ceil(batch.unwrap_or(1) as usize);
                let listed = ItemsListed {
                    items: Some(items),
                    count: u32::try_from(count).unwrap_or(u32::MAX),
                };
                self.emit(run, event::Kind::ItemsListed(listed));
                self.settle_items(run);
            }
            Err(error) => self.attempt_failed(run, error, None, None),
        }
    }

    fn find_items(&self, run: RunId) -> Result<ListValue, Error> {
        let Some(each) = self.execution.each(run) else {
            return Ok(ListValue::default());
        };
        // What a pattern says of its items stands outside of it.
        let around = self.execution.run(run).parent;
        let around = around.filter(|around| self.node(*around).hides_steps);
        let found = each
            .items
            .eval(&self.scope(around.unwrap_or(run), Given::default()))
            .map_err(|e| self.error(run, "expression", format!("items: {e}")))?;
        self.check_size(run, "list of items", &found)?;
        let Some(Kind::ListValue(items)) = found.kind else {
            let words = format!("items: `{}` is not a list", shown(&found));
            return Err(self.error(run, "expression", words));
        };
        if let Some((most, name)) = each.most {
            let rounds = self.execution.loop_around(run);
            let before = rounds.map_or(0, |rounds| self.execution.joined(rounds).len());
            let count = before + items.values.len();
            if count > most as usize {
                let words = format!("there are {count} in all, {name} is {most}");
                return Err(self.error(run, "limit", words));
            }
        }
        let (count, most) = (items.values.len(), self.limits.each_items_max);
        if count > most {
            let words = format!("there are {count} items, each_items_max is {most}");
            return Err(self.error(run, "limit", words));
        }
        Ok(items)
    }

    /// Begins the items that there is room for, as far as this decision may go. False when
    /// there are none.
    pub fn begin_next_items(&mut self) -> bool {
        let Some((run, next)) = self.execution.next_items(self.limits) else {
            return false;
        };
        let room = self.execution.room_for_calls(self.limits);
        let most = room.clamp(1, ITEMS_PER_DECISION_MAX);
        let begun = ItemsBegun {
            first: next.start,
            count: (next.end - next.start).min(most),
        };
        self.emit(run, event::Kind::ItemsBegun(begun));
        true
    }

    /// True when an item may fail without failing the collection around it.
    pub fn is_item_tolerated(&self, frame: RunId) -> bool {
        let run = self.execution.run(frame);
        let Some(around) = run.parent.filter(|_| run.index.is_some()) else {
            return false;
        };
        let items = self.execution.run(around).items.as_ref();
        match (self.execution.each(around), items) {
            (Some(each), Some(items)) => items.failed() < tolerated(each, items.total()),
            _ => false,
        }
    }

    /// The error of a collection, of which more items failed than may.
    pub fn items_error(&self, run: RunId, last: Error) -> Error {
        let items = self.execution.run(run).items.as_ref();
        let (Some(each), Some(items)) = (self.execution.each(run), items) else {
            return last;
        };
        let (failed, total) = (items.failed(), items.total());
        let may = tolerated(each, total);
        if may == 0 {
            return last;
        }
        let words = format!("{failed} of {total} items failed, {may} may");
        let message = format!("{words}; last: {}", last.message);
        Error {
            step: last.step,
            ..self.error(run, &last.class, message)
        }
    }

    /// Ends the collection when all of its items have ended.
    pub fn settle_items(&mut self, run: RunId) {
        let around = self.execution.run(run);
        let all = around.items.as_ref().map_or(0, |items| items.total());
        if self.is_open(run) && around.ended == all {
            let output = self.execution.children_output(run);
            self.attempt_succeeded(run, output, None);
        }
    }
}

/// The most items that one decision begins.
const ITEMS_PER_DECISION_MAX: u32 = 256;

/// How many of `total` items may fail.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn tolerated(each: &Each, total: u32) -> u32 {
    // What is whole but for the last bits of a double stays so.
    let of_share = |share: f64| (share * f64::from(total) + 1e-9).floor() as u32;
    match (each.max_failures, each.max_failure_share) {
        (None, None) => 0,
        (Some(most), None) => most,
        (None, Some(share)) => of_share(share),
        (Some(most), Some(share)) => most.min(of_share(share)),
    }
}

/// A value in a few words.
fn shown(value: &Value) -> String {
    let text = crate::core::value::to_text(value);
    text.chars().take(60).collect()
}
