//! The items of a collection, compact: the list is held once, an item in progress is a frame
//! with the steps for it, and of one that has ended only what it gave is left.

use std::{collections::BTreeSet, ops::Range};

use super::{Error, Execution, ExecutionState, RunId, StepState, scope::error_value};
use crate::{
    core::{
        limits::Limits,
        plan::{Each, Kind},
        time::Time,
        value::{self, Value},
    },
    proto::{ItemCounts, ItemsBegun},
};

/// The items of one collection. What is said of an item holds for a batch where there are
/// batches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Items {
    values: Vec<Value>,
    /// How many values make one item; at least 1.
    batch: usize,
    /// Whether an item is a list of its values.
    lists: bool,
    /// Those begun so far, from the first on.
    items: Vec<Item>,
    /// Those begun before that are to be begun again.
    again: BTreeSet<u32>,
    /// Those that failed, as expressions see them.
    failures: Failures,
}

/// A list of `{index, error}`, by index.
#[derive(Clone, Debug, PartialEq)]
struct Failures(Value);

impl Default for Failures {
    fn default() -> Self {
        Self(value::list(Vec::new()))
    }
}

impl Failures {
    fn all(&self) -> &[Value] {
        match &self.0.kind {
            Some(value::Kind::ListValue(list)) => &list.values,
            _ => &[],
        }
    }

    fn add(&mut self, index: u32, error: Value) {
        let before = |failure: &Value| match value::member(failure, "index").map(|i| &i.kind) {
            Some(Some(value::Kind::NumberValue(other))) => *other < f64::from(index),
            _ => true,
        };
        let place = self.all().partition_point(before);
        let members = [("index", value::number(f64::from(index))), ("error", error)];
        if let Some(value::Kind::ListValue(list)) = &mut self.0.kind {
            list.values.insert(place, value::object(members));
        }
    }
}

/// An item that has begun.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Where it stands.
    pub state: StepState,
    /// What it gave.
    pub output: Option<Value>,
    /// Why it failed.
    pub error: Option<Box<Error>>,
    /// When it began.
    pub start_time: Time,
    /// When it ended.
    pub end_time: Option<Time>,
}

impl Items {
    fn new(values: Vec<Value>, each: &Each) -> Self {
        Self {
            values,
            batch: each.batch_size.map_or(1, |n| n.max(1) as usize),
            lists: each.batch_size.is_some(),
            ..Self::default()
        }
    }

    /// How many there are.
    pub fn total(&self) -> u32 {
        u32::try_from(self.values.len().div_ceil(self.batch)).unwrap_or(u32::MAX)
    }

    /// The item at a place: a value, or the list of a batch.
    pub fn value(&self, index: u32) -> Value {
        let first = index as usize * self.batch;
        let last = self.values.len().min(first + self.batch);
        let values = self.values.get(first..last).unwrap_or_default();
        match values {
            [one] if !self.lists => one.clone(),
            values => value::list(values.to_vec()),
        }
    }

    /// The item at a place, once it has begun.
    pub fn get(&self, index: u32) -> Option<&Item> {
        let item = self.items.get(index as usize);
        item.filter(|_| !self.again.contains(&index))
    }

    /// How many failed.
    pub fn failed(&self) -> u32 {
        u32::try_from(self.failures.all().len()).unwrap_or(u32::MAX)
    }

    /// Those that failed: a list of `{index, error}`, by index.
    pub fn failures(&self) -> &Value {
        &self.failures.0
    }

    /// What they gave, in order; null for one that gave nothing.
    pub fn outputs(&self) -> Value {
        let outputs = self.items.iter().map(|item| item.output.clone());
        value::list(outputs.map(|o| o.unwrap_or_else(value::null)).collect())
    }

    /// The next ones that could begin, one after the other and at most `most`.
    pub fn next(&self, most: u32) -> Range<u32> {
        let fresh = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let Some(first) = self.again.first().copied() else {
            return fresh..fresh.saturating_add(most).min(self.total());
        };
        let follow = (first..).zip(self.again.iter());
        let count = follow
            .take_while(|(at, index)| at == *index)
            .take(most as usize);
        first..first + u32::try_from(count.count()).unwrap_or(u32::MAX)
    }

    /// How many have not begun.
    pub fn waiting(&self) -> u32 {
        let begun = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let again = u32::try_from(self.again.len()).unwrap_or(u32::MAX);
        self.total() - begun + again
    }

    fn begin(&mut self, index: u32, now: Time) {
        let item = Item {
            state: StepState::Running,
            output: None,
            error: None,
            start_time: now,
            end_time: None,
        };
        self.again.remove(&index);
        match self.items.get_mut(index as usize) {
            Some(place) => *place = item,
            None => self.items.push(item),
        }
    }

    fn end(&mut self, index: u32, ended: Item) {
        if ended.state == StepState::Failed {
            let error = ended.error.as_deref().map_or_else(value::null, error_value);
            self.failures.add(index, error);
        }
        if let Some(item) = self.items.get_mut(index as usize) {
            *item = ended;
        }
    }

    /// Takes all that did not complete up again. False when all did: then nothing changed.
    pub(super) fn take_up(&mut self) -> bool {
        let unfinished = (0..).zip(&self.items);
        let unfinished = unfinished.filter(|(_, item)| item.state != StepState::Completed);
        self.again = unfinished.map(|(index, _)| index).collect();
        self.failures = Failures::default();
        self.waiting() > 0
    }

    /// True when any did not complete.
    pub(super) fn has_unfinished(&self) -> bool {
        self.waiting() > 0 || self.items.iter().any(|i| i.state != StepState::Completed)
    }

    pub(super) fn completed(&self) -> u32 {
        let completed = self
            .items
            .iter()
            .filter(|i| i.state == StepState::Completed);
        u32::try_from(completed.count()).unwrap_or(u32::MAX)
    }
}

impl Execution {
    /// True for the frame of an item.
    pub fn is_item(&self, id: RunId) -> bool {
        let run = self.run(id);
        run.index.is_some() && run.parent.is_some_and(|around| self.each(around).is_some())
    }

    /// The collection that a step is.
    pub fn each(&self, id: RunId) -> Option<&Each> {
        match &self.node(id).kind {
            Kind::Each(each) => Some(each),
            _ => None,
        }
    }

    /// How far the items of a step are.
    pub fn item_counts(&self, id: RunId) -> Option<ItemCounts> {
        let run = self.run(id);
        let items = run.items.as_ref()?;
        Some(ItemCounts {
            total: items.total(),
            completed: run.completed,
            failed: items.failed(),
            running: run.active,
        })
    }

    /// The items that could begin now, and whose they are.
    ///
    /// Where very many may be in progress, room for one is not filled at once but for several
    /// together: one event tells of them all.
    pub fn next_items(&self, limits: &Limits) -> Option<(RunId, Range<u32>)> {
        if self.next_attempt_time.is_some() || self.pause.is_some() {
            return None;
        }
        self.items_ready.iter().find_map(|id| {
            let (run, each) = (self.run(*id), self.each(*id)?);
            let items = run.items.as_ref()?;
            let most = each.max_parallel.unwrap_or(limits.each_parallel_max);
            let room = most
                .min(limits.each_parallel_max)
                .saturating_sub(run.active);
            let next = items.next(room);
            let enough = (most / TOGETHER_SHARE).max(1);
            let fits = room >= enough || items.waiting() <= room || run.active == 0;
            (fits && !next.is_empty()).then_some((*id, next))
        })
    }

    pub(super) fn items_listed(&mut self, id: RunId, values: &[Value]) {
        let Some(each) = self.each(id) else { return };
        let items = Items::new(values.to_vec(), each);
        self.run_mut(id).items = Some(Box::new(items));
        self.note_room(id);
    }

    pub(super) fn items_begun(&mut self, id: RunId, event: &ItemsBegun, now: Time) {
        for index in event.first..event.first.saturating_add(event.count) {
            self.item_begun(id, index, now);
        }
        self.note_room(id);
    }

    /// Makes and starts the frame of an item.
    fn item_begun(&mut self, id: RunId, index: u32, now: Time) {
        let Some(body) = self.each(id).map(|each| each.body) else {
            return;
        };
        let mut frame = self.frame(body, id, index, now);
        let around = self.run_mut(id);
        let Some(items) = &mut around.items else {
            return;
        };
        items.begin(index, now);
        frame.input = Some(items.value(index));
        frame.attempt = around.attempt;
        self.add_frame(id, frame);
    }

    /// Keeps what an ended item gave and gives up the steps for it.
    pub(super) fn item_ended(&mut self, frame: RunId) {
        let run = self.run(frame);
        let (Some(around), Some(index)) = (run.parent, run.index) else {
            return;
        };
        if !self.is_item(frame) {
            return;
        }
        let start_time = run.start_time.unwrap_or_default();
        let run = self.run_mut(frame);
        let ended = Item {
            state: run.state,
            output: run.output.take(),
            error: run.error.take().map(Box::new),
            start_time,
            end_time: run.end_time,
        };
        let around = self.run_mut(around);
        if let Some(items) = &mut around.items {
            items.end(index, ended);
        }
        around.children.retain(|child| *child != frame);
        self.drop_children(frame);
        self.give_up(frame);
    }

    /// Begins a collection again with what did not complete. False when there is nothing:
    /// then all of it is made anew.
    pub(super) fn take_up_items(&mut self, id: RunId) -> bool {
        let run = self.run_mut(id);
        let Some(items) = &mut run.items else {
            return false;
        };
        if !items.take_up() {
            run.items = None;
            return false;
        }
        (run.completed, run.ended) = (items.completed(), items.completed());
        self.note_room(id);
        true
    }

    /// Notes whether items of a step could begin.
    pub(super) fn note_items(&mut self, id: RunId) {
        let run = self.run(id);
        let waiting =
            run.awaited().is_none() && run.items.as_ref().is_some_and(|items| items.waiting() > 0);
        if waiting && run.state == StepState::Running && self.state != ExecutionState::Waiting {
            self.items_ready.insert(id);
        } else {
            self.items_ready.remove(&id);
        }
    }
}

/// Items begin together where a whole one in so many of those in progress has room.
const TOGETHER_SHARE: u32 = 64;
