//! The iterations of a loop: frames, each a step of its own at `<step>[<index>]` with the body's
//! steps within it. Of those that have ended only the last few are kept whole; of all, what they
//! gave.

use std::{collections::VecDeque, sync::Arc};

use super::{Execution, RunId, StepRun, StepState};
use crate::core::{
    limits::ENDED_FRAMES_MAX,
    plan::{Kind, NodeId},
    time::Time,
    value::{self, Value},
};

/// The iterations of one loop.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frames {
    /// How many have begun.
    pub begun: u32,
    /// What those that have ended gave, by their order of beginning; `None` for one that has
    /// not ended or gave nothing.
    outputs: Vec<Option<Value>>,
    /// Those that have ended and are kept whole, the oldest first.
    ended: VecDeque<RunId>,
}

impl Frames {
    /// What the frame that began as the `place`-th, from 0, gave.
    pub fn output(&self, place: usize) -> Option<&Value> {
        self.outputs.get(place)?.as_ref()
    }

    /// What the first `count` frames gave, in their order; nothing for those that gave nothing.
    pub fn outputs(&self, count: usize) -> impl Iterator<Item = &Value> {
        let outputs = self.outputs.iter().take(count).flatten();
        outputs.filter(|output| !value::is_null(output))
    }
}

impl Execution {
    /// True for an iteration or the steps for an item.
    pub fn is_frame(&self, id: RunId) -> bool {
        self.node(id).is_body()
    }

    /// Makes an iteration of a loop and begins it.
    pub(super) fn begin_iteration(&mut self, holder: RunId, index: u32, now: Time) {
        let Kind::Loop(looped) = &self.node(holder).kind else {
            return;
        };
        let mut frame = self.frame(looped.body, holder, index, now);
        frame.attempt = 1;
        let frames = self.run_mut(holder).frames.get_or_insert_default();
        frames.begun += 1;
        frames.outputs.push(None);
        self.add_frame(holder, frame);
    }

    /// The steps that a holder runs for its `index`-th iteration or item, as they begin.
    pub(super) fn frame(&self, body: NodeId, holder: RunId, index: u32, now: Time) -> StepRun {
        let path = format!("{}[{index}]", self.run(holder).path);
        let mut frame = StepRun::new(body, Some(holder), path.into());
        frame.state = StepState::Running;
        frame.index = Some(index);
        frame.start_time = Some(now);
        frame
    }

    /// Puts a frame among its holder's children and makes the steps within it.
    pub(super) fn add_frame(&mut self, holder: RunId, frame: StepRun) {
        let path = Arc::clone(&frame.path);
        let id = self.slots.add(frame);
        self.by_path.insert(path, id);
        let run = self.run_mut(holder);
        run.active += 1;
        run.children.push(id);
        self.add_children(id);
    }

    /// Notes what an iteration gave, once it has ended, and gives up the oldest of those kept.
    pub(super) fn iteration_ended(&mut self, id: RunId) {
        let run = self.run(id);
        let (Some(holder), Some(index)) = (run.parent, run.index) else {
            return;
        };
        if !matches!(self.node(holder).kind, Kind::Loop(_)) {
            return;
        }
        let (output, place) = (run.output.clone(), index as usize - 1);
        let frames = self.run_mut(holder).frames.get_or_insert_default();
        if let Some(kept) = frames.outputs.get_mut(place) {
            *kept = output;
        }
        frames.ended.push_back(id);
        let beyond = frames.ended.len() > ENDED_FRAMES_MAX;
        let oldest = beyond.then(|| frames.ended.pop_front()).flatten();
        if let Some(oldest) = oldest {
            self.run_mut(holder).children.retain(|c| *c != oldest);
            self.forget(oldest);
        }
    }
}
