//! The steps within a step: made when it begins, and kept in sight of what could begin next.

use std::{collections::HashMap, sync::Arc};

use super::{Execution, RunId, StepRun, StepState};
use crate::core::plan::{Kind, NodeId, Role, Switch};

impl Execution {
    /// Makes the runs of a step's children: all of a block, the branch taken of a switch.
    pub(super) fn add_children(&mut self, parent: RunId) {
        let plan = Arc::clone(&self.plan);
        let nodes: &[NodeId] = match (
            &plan.node(self.run(parent).node).kind,
            self.run(parent).branch,
        ) {
            (Kind::Block(block), _) => &block.children,
            (Kind::Switch(switch), Some(index)) => branch(switch, index),
            _ => &[],
        };
        // A state waits until it is entered.
        let by_transition = u32::from(self.machine(parent).is_some());
        let mut at: HashMap<NodeId, RunId> = HashMap::with_capacity(nodes.len());
        for node in nodes {
            let path: Arc<str> = self.child_path(parent, &plan.node(*node).id).into();
            let mut run = StepRun::new(*node, Some(parent), Arc::clone(&path));
            let depends_on = &plan.node(*node).depends_on;
            run.waits = u32::try_from(depends_on.len()).expect("steps are bounded");
            run.waits += by_transition;
            if self.was_set_aside(parent, *node) {
                run.again = self.sequence;
            }
            let id = self.slots.add(run);
            self.by_path.insert(path, id);
            at.insert(*node, id);
        }
        for node in nodes {
            for dependency in &plan.node(*node).depends_on {
                self.run_mut(at[dependency]).dependants.push(at[node]);
            }
        }
        self.run_mut(parent).children = nodes.iter().map(|n| at[n]).collect();
        for node in nodes {
            self.note_ready(at[node]);
        }
    }

    pub(super) fn child_path(&self, parent: RunId, id: &str) -> String {
        let around = &self.run(parent).path;
        if around.is_empty() {
            id.to_owned()
        } else {
            format!("{around}/{id}")
        }
    }

    /// Takes a step up among those that could begin, if it could.
    pub(super) fn note_ready(&mut self, id: RunId) {
        let run = self.run(id);
        if run.state != StepState::Pending || run.waits > 0 {
            return;
        }
        let Some(parent) = run.parent else { return };
        let is_call = self.node(id).kind.is_outside();
        if self.node(id).role != Role::Step {
            self.beside_ready.insert((is_call, id));
            return;
        }
        self.run_mut(parent).ready.insert((is_call, id));
        self.note_room(parent);
    }

    /// Strikes a step from those that could begin.
    pub(super) fn note_begun(&mut self, id: RunId) {
        let Some(parent) = self.run(id).parent else {
            return;
        };
        let is_call = self.node(id).kind.is_outside();
        if self.node(id).role != Role::Step {
            self.beside_ready.remove(&(is_call, id));
            return;
        }
        self.run_mut(parent).ready.remove(&(is_call, id));
        self.note_room(parent);
    }

    /// Notes whether a step's children could begin.
    pub(super) fn note_room(&mut self, parent: RunId) {
        let run = self.run(parent);
        let limit = self.block(parent).and_then(|b| b.max_parallel);
        let room = run.state == StepState::Running
            && !run.ready.is_empty()
            && limit.is_none_or(|limit| run.active < limit);
        if room {
            self.parents_ready.insert(parent);
        } else {
            self.parents_ready.remove(&parent);
        }
        self.note_items(parent);
    }
}

/// The steps of a switch's branch, by its index in the event: a case, -1 for `otherwise`, -2
/// for none.
fn branch(switch: &Switch, index: i32) -> &[NodeId] {
    match usize::try_from(index) {
        Ok(case) => switch.cases.get(case).map_or(&[], |(_, steps)| steps),
        Err(_) if index == -1 => &switch.otherwise,
        Err(_) => &[],
    }
}
