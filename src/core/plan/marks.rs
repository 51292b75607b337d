//! Marks that `vars` are taken back to: each name is set by one step, and every one that is gone
//! back to may have been set before.

use super::{Kind, Node, NodeId, Role, compile::Compiler};
use crate::{
    core::finding::{self, Finding},
    proto::{self},
};

/// The most bytes of a mark's name.
const MARK_BYTES_MAX: usize = 128;

/// The marks of a workflow, as far as it is compiled.
#[derive(Default)]
pub(in crate::core) struct Marks {
    /// Name, and the step that sets it.
    set: Vec<(String, NodeId)>,
    /// Field, name and step of each that is gone back to.
    named: Vec<(String, String, NodeId)>,
}

impl Compiler<'_> {
    /// The mark that a step sets.
    pub(super) fn mark(&mut self, name: &str, id: NodeId) {
        if name.is_empty() {
            return;
        }
        self.bytes(".mark", name, MARK_BYTES_MAX);
        if let Some((_, other)) = self.marks.set.iter().find(|(set, _)| set == name) {
            let path = self.nodes[other.0 as usize].path.clone();
            let message = format!("`{name}` is also the mark of step {path}");
            let hint = "rename one of the two";
            self.error(".mark", "duplicate", message, hint);
        }
        self.marks.set.push((name.to_owned(), id));
        self.node(id).beside.get_or_insert_default().mark = Some(name.to_owned());
    }

    /// A step that takes `vars` back.
    pub(super) fn restore(&mut self, restore: &proto::Restore, id: NodeId) -> Kind {
        if restore.to.is_empty() {
            let hint = "name the `mark` of a step";
            let message = "there is no mark to go back to";
            self.error(".restore.to", "required", message, hint);
        } else {
            let field = self.path_of(".restore.to");
            self.marks.named.push((field, restore.to.clone(), id));
        }
        Kind::Restore(restore.to.clone())
    }

    /// Reports the marks that are gone back to and are never set, or not before.
    pub(super) fn check_marks(&mut self) {
        let Marks { set, named } = std::mem::take(&mut self.marks);
        for (field, name, at) in named {
            let Some((_, by)) = set.iter().find(|(set, _)| *set == name) else {
                let hint = self.suggest(&name, set.iter().map(|(name, _)| name.as_str()));
                let message = format!("no step sets the mark `{name}`");
                self.add(finding::error(field, "unknown-mark", message, hint));
                continue;
            };
            if comes_first(&self.nodes, at, *by) {
                let path = self.nodes[by.0 as usize].path.clone();
                let message = format!("step {path}, which sets the mark `{name}`, ends after it");
                let hint = "go back to a mark that is set before";
                self.add(finding::error(field, "later-mark", message, hint));
            }
        }
    }

    fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// True when a step has always ended, or failed, before another has: it is within or beside it,
/// or that waits for it; and nothing around them runs again and again.
fn comes_first(nodes: &[Node], first: NodeId, then: NodeId) -> bool {
    let of_first = around(nodes, first);
    let of_then = around(nodes, then);
    if of_first.iter().any(|id| goes_round(nodes, *id)) {
        return false;
    }
    if of_first.contains(&then) {
        return true;
    }
    // The steps next below what is around both.
    let shared = of_first.iter().zip(&of_then).take_while(|(a, b)| a == b);
    let depth = shared.count();
    match (of_first.get(depth), of_then.get(depth)) {
        (Some(a), Some(b)) => {
            let steps = [a, b].map(|id| nodes[id.0 as usize].role);
            steps == [Role::Step; 2] && waits_for(nodes, *b, *a)
        }
        _ => false,
    }
}

/// A step and what is around it, the workflow first.
fn around(nodes: &[Node], id: NodeId) -> Vec<NodeId> {
    let mut levels = vec![id];
    while let Some(parent) = levels.last().and_then(|id| nodes[id.0 as usize].parent) {
        levels.push(parent);
    }
    levels.reverse();
    levels
}

fn goes_round(nodes: &[Node], id: NodeId) -> bool {
    match &nodes[id.0 as usize].kind {
        Kind::Loop(_) => true,
        Kind::Block(block) => block.states.is_some(),
        _ => false,
    }
}

/// True when a step waits for its sibling, or for one that does.
fn waits_for(nodes: &[Node], id: NodeId, other: NodeId) -> bool {
    let mut open = vec![id];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(at) = open.pop() {
        for before in &nodes[at.0 as usize].depends_on {
            if *before == other {
                return true;
            }
            if seen.insert(*before) {
                open.push(*before);
            }
        }
    }
    false
}
