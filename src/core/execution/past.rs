//! Earlier runs of steps that run again: a state entered again, the steps of a block attempted
//! again. They are forgotten, but for those in which something can be undone that someone around
//! may have undone: these are set aside beside the step around them, as `pay#1`, `pay#2` and so on
//! in the order in which they ran.

use super::{Execution, RunId, StepRun};
use crate::core::plan::NodeId;

impl Execution {
    /// Sets aside the steps within a step in which something can be undone, before the others
    /// are forgotten.
    pub(super) fn set_children_aside(&mut self, id: RunId) {
        self.forget_undone(id);
        let run = self.run(id);
        // What items and iterations did is not kept.
        if run.children.is_empty() || run.items.is_some() || run.frames.is_some() {
            return;
        }
        for child in run.children.clone() {
            if self.set_aside(child) {
                self.run_mut(id).children.retain(|left| *left != child);
            }
        }
    }

    /// Sets a step aside that is to run again, with what is within it. False when nothing in it
    /// can be undone, or nobody would ask for that: it may be forgotten.
    pub(super) fn set_aside(&mut self, id: RunId) -> bool {
        let Some(around) = self.run(id).parent.filter(|p| self.may_be_undone(*p)) else {
            return false;
        };
        let mut undoable = Vec::new();
        self.gather_undoable_of(id, &mut undoable);
        if undoable.is_empty() {
            return false;
        }
        for run in undoable {
            // It is undone as a whole, by what it gave.
            self.drop_children(run);
            self.drop_beside(run);
            self.run_mut(run).items = None;
        }
        let StepRun { path, node, .. } = self.run(id);
        let (path, node) = (path.clone(), *node);
        let before = self.past_runs(around).iter();
        let before = before.filter(|past| self.run(**past).node == node).count();
        let aside = (before + 1..)
            .map(|n| format!("{path}#{n}"))
            .find(|aside| self.find(aside).is_none());
        self.move_to(id, path.len(), &aside.unwrap_or_default());
        self.beside_mut(around).past.push(id);
        true
    }

    /// Forgets earlier runs of the steps within a step of which nothing is left to be undone.
    fn forget_undone(&mut self, id: RunId) {
        for past in self.past_runs(id).to_vec() {
            let mut undoable = Vec::new();
            self.gather_undoable_of(past, &mut undoable);
            if undoable.is_empty() {
                self.beside_mut(id).past.retain(|left| *left != past);
                self.forget(past);
            }
        }
    }

    /// Earlier runs of the steps within a step that can be undone, in the order in which they ran.
    pub fn past_runs(&self, id: RunId) -> &[RunId] {
        self.run(id).beside.as_ref().map_or(&[], |b| &b.past)
    }

    /// True when an earlier run of a step within a step is kept: what it did stands.
    pub(super) fn was_set_aside(&self, around: RunId, step: NodeId) -> bool {
        let mut past = self.past_runs(around).iter();
        past.any(|past| self.run(*past).node == step)
    }

    /// The event by which a step is done once more, or the step around it that was done before;
    /// `None` when it is done for the first time.
    pub fn again(&self, id: RunId) -> Option<u64> {
        let mut within = Some(id);
        while let Some(at) = within {
            match self.run(at) {
                run if run.again > 0 => return Some(run.again),
                run => within = run.parent,
            }
        }
        None
    }

    /// True when the failure of a step around may undo what is within a step.
    fn may_be_undone(&self, id: RunId) -> bool {
        let mut within = Some(id);
        while let Some(at) = within {
            if self.node(at).undoes() {
                return true;
            }
            if self.run(at).index.is_some() {
                return false;
            }
            within = self.run(at).parent;
        }
        false
    }

    /// Gives a step and all within and beside it other paths: they begin otherwise.
    fn move_to(&mut self, id: RunId, before: usize, path: &str) {
        let run = self.run(id);
        let old = run.path.clone();
        let beside = run.beside_runs().iter().chain(self.past_runs(id));
        let inner: Vec<RunId> = run.children.iter().chain(beside).copied().collect();
        let new: std::sync::Arc<str> = format!("{path}{}", &old[before..]).into();
        self.by_path.remove(&old);
        self.by_path.insert(new.clone(), id);
        self.run_mut(id).path = new;
        for run in inner {
            self.move_to(run, before, path);
        }
    }
}
