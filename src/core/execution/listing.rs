//! The steps of an execution in the order of its definition, page by page: those begun, those
//! to come, and the items of collections.

use std::{collections::BTreeMap, ops::ControlFlow};

use prost::Message as _;

use super::{Execution, ExecutionState, Item, ROOT, RunId, StepRun, StepState, WaitingFor};
use crate::{
    core::plan::{Kind, NodeId},
    proto::{self, StepExecution},
};

/// A step's place: at each level which one it is of those around it, in order.
pub type Place = Vec<u32>;

/// Which steps are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// Only the step at this path and those within it; empty: all.
    pub path_prefix: String,
    /// Only those in one of these states; none: in any.
    pub states: Vec<StepState>,
    /// Only those after this place.
    pub after: Place,
    /// The most there may be.
    pub limit: usize,
    /// No more once they have so many bytes.
    pub bytes_max: usize,
}

/// The places from which on those are that run beside a step, after all within it.
const BESIDE: u32 = 1 << 31;

/// The places from which on earlier runs are of the steps within it, after those.
const PAST: u32 = BESIDE + (1 << 30);

/// Steps with their places; there may be more when there are as many as asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// The steps.
    pub steps: Vec<(Place, StepExecution)>,
    /// True when there are more.
    pub more: bool,
}

/// A step as it is come by.
#[derive(Clone, Copy)]
pub(super) enum Found<'a> {
    /// One that has begun, or may begin.
    Run(RunId),
    /// One within a step that has not begun.
    Planned(NodeId, &'a str),
    /// An item that is not in progress.
    Item(RunId, u32),
}

/// Takes a step, its place, and whether what is around it has ended.
type Visit<'v> = dyn FnMut(&[u32], Found<'_>, bool) -> ControlFlow<()> + 'v;

/// The steps that a query asks for.
pub fn list(execution: &Execution, query: &Query, waiting_for: &WaitingFor<'_>) -> Listed {
    let mut listed = Listed::default();
    let mut bytes = 0;
    let _ = execution.walk(&query.after, &mut |place, found, over| {
        let state = execution.state_of(found, over);
        let wanted = query.states.is_empty() || query.states.contains(&state);
        if !wanted || !execution.is_within(found, &query.path_prefix) {
            return ControlFlow::Continue(());
        }
        if listed.steps.len() >= query.limit || bytes > query.bytes_max {
            listed.more = true;
            return ControlFlow::Break(());
        }
        let step = execution.view_found(found, over, waiting_for);
        bytes += step.encoded_len();
        listed.steps.push((place.to_vec(), step));
        ControlFlow::Continue(())
    });
    listed
}

impl Execution {
    /// Goes over all steps after a place, outer before inner.
    pub(super) fn walk(&self, after: &[u32], visit: &mut Visit<'_>) -> ControlFlow<()> {
        self.walk_run(ROOT, after, &mut Place::new(), visit)
    }

    fn walk_run(
        &self,
        id: RunId,
        after: &[u32],
        place: &mut Place,
        visit: &mut Visit<'_>,
    ) -> ControlFlow<()> {
        self.walk_within(id, after, place, visit)?;
        for (at, beside) in (BESIDE..).zip(self.run(id).beside_runs()) {
            let (found, over) = (Found::Run(*beside), self.is_ended());
            self.enter(at, found, over, after, place, visit)?;
        }
        for (at, past) in (PAST..).zip(self.past_runs(id)) {
            let (found, over) = (Found::Run(*past), self.is_ended());
            self.enter(at, found, over, after, place, visit)?;
        }
        ControlFlow::Continue(())
    }

    fn walk_within(
        &self,
        id: RunId,
        after: &[u32],
        place: &mut Place,
        visit: &mut Visit<'_>,
    ) -> ControlFlow<()> {
        let run = self.run(id);
        let over = self.is_ended() || run.is_ended();
        if let Some(items) = &run.items {
            let frames = run.children.iter().map(|c| (self.run(*c).index, *c));
            let frames: BTreeMap<Option<u32>, RunId> = frames.collect();
            for index in after.first().copied().unwrap_or(0)..items.total() {
                match frames.get(&Some(index)) {
                    Some(frame) => {
                        let (at, found) = (index, Found::Run(*frame));
                        self.enter(at, found, over, after, place, visit)?;
                    }
                    None => self.enter(index, Found::Item(id, index), over, after, place, visit)?,
                }
            }
            return ControlFlow::Continue(());
        }
        if run.children.is_empty() {
            return self.walk_nodes(run.node, &run.path, over, after, place, visit);
        }
        for (at, child) in (0..).zip(&run.children) {
            self.enter(at, Found::Run(*child), over, after, place, visit)?;
        }
        ControlFlow::Continue(())
    }

    /// The steps of a block that has not begun.
    fn walk_nodes(
        &self,
        node: NodeId,
        around: &str,
        over: bool,
        after: &[u32],
        place: &mut Place,
        visit: &mut Visit<'_>,
    ) -> ControlFlow<()> {
        let Kind::Block(block) = &self.plan.node(node).kind else {
            return ControlFlow::Continue(());
        };
        for (at, child) in (0..).zip(&block.children) {
            let path = format!("{around}/{}", self.plan.node(*child).id);
            let found = Found::Planned(*child, path.trim_start_matches('/'));
            self.enter(at, found, over, after, place, visit)?;
        }
        ControlFlow::Continue(())
    }

    /// Visits a step unless it is before the place asked for, then those within it.
    fn enter(
        &self,
        at: u32,
        found: Found<'_>,
        over: bool,
        after: &[u32],
        place: &mut Place,
        visit: &mut Visit<'_>,
    ) -> ControlFlow<()> {
        let within = match after.split_first() {
            Some((first, _)) if at < *first => return ControlFlow::Continue(()),
            Some((first, rest)) if at == *first => Some(rest),
            _ => None,
        };
        place.push(at);
        if within.is_none() {
            visit(place, found, over)?;
        }
        let rest = within.unwrap_or_default();
        match found {
            Found::Run(id) => self.walk_run(id, rest, place, visit)?,
            Found::Planned(node, path) => self.walk_nodes(node, path, over, rest, place, visit)?,
            Found::Item(..) => {}
        }
        place.pop();
        ControlFlow::Continue(())
    }

    /// The item at a place, unless it has not begun.
    fn item(&self, around: RunId, index: u32) -> Option<&Item> {
        self.run(around).items.as_ref()?.get(index)
    }

    /// Where a step stands; one that will not begin any more is cancelled.
    pub(super) fn state_of(&self, found: Found<'_>, over: bool) -> StepState {
        let state = match found {
            Found::Run(id) => self.run(id).state,
            Found::Planned(..) => StepState::Pending,
            Found::Item(around, index) => self
                .item(around, index)
                .map_or(StepState::Pending, |item| item.state),
        };
        use StepState::{Pending, Retrying, Running, Waiting};
        match state {
            Pending if over && self.was_passed_by(found) => StepState::Skipped,
            Pending | Waiting | Running | Retrying if over => StepState::Cancelled,
            state => state,
        }
    }

    /// True for a state that its block, which completed, never entered.
    fn was_passed_by(&self, found: Found<'_>) -> bool {
        let Found::Run(id) = found else { return false };
        let around = self.run(id).parent;
        let around = around.filter(|around| self.machine(*around).is_some());
        around.is_some_and(|around| match around {
            ROOT => self.state == ExecutionState::Completed,
            around => self.run(around).state == StepState::Completed,
        })
    }

    fn is_within(&self, found: Found<'_>, prefix: &str) -> bool {
        if prefix.is_empty() {
            return true;
        }
        let item;
        let path = match found {
            Found::Run(id) => &*self.run(id).path,
            Found::Planned(_, path) => path,
            Found::Item(around, index) => {
                item = format!("{}[{index}]", self.run(around).path);
                &item
            }
        };
        let rest = path.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '[', '#']))
    }

    /// A step as the api shows it.
    fn view_found(
        &self,
        found: Found<'_>,
        over: bool,
        waiting_for: &WaitingFor<'_>,
    ) -> StepExecution {
        let mut step = self.view_bare(found, over, waiting_for);
        if let Found::Run(id) = found {
            self.run(id).show_payloads(&mut step);
        }
        step
    }

    /// A step as the api shows it, one that has begun or may begin without its payloads.
    pub(super) fn view_bare(
        &self,
        found: Found<'_>,
        over: bool,
        waiting_for: &WaitingFor<'_>,
    ) -> StepExecution {
        let mut step = match found {
            Found::Run(id) => self.view_step(self.run(id), self.node(id)),
            Found::Planned(id, path) => {
                let run = StepRun::new(id, None, path.into());
                self.view_step(&run, self.plan.node(id))
            }
            Found::Item(around, index) => self.view_item(around, index),
        };
        step.state = self.state_of(found, over).into();
        if let Found::Run(id) = found {
            step.items = self.item_counts(id);
            if !over {
                step.waiting_for = self.waiting_words(id, waiting_for);
            }
        }
        step
    }

    fn view_item(&self, around: RunId, index: u32) -> StepExecution {
        let run = self.run(around);
        let item = self.item(around, index);
        StepExecution {
            path: format!("{}[{index}]", run.path),
            kind: ITEM.into(),
            input: run.items.as_ref().map(|items| items.value(index)),
            output: item.and_then(|i| i.output.clone()),
            error: item.and_then(|i| i.error.as_deref().cloned()),
            start_time: item.map(|i| i.start_time.into()),
            end_time: item.and_then(|i| i.end_time).map(Into::into),
            attempt: item.map_or(0, |_| run.attempt),
            max_attempts: 1,
            ..proto::StepExecution::default()
        }
    }
}

/// The word for what is run for an item.
pub(super) const ITEM: &str = "item";
