//! How the steps of a list relate: their mode, what each depends on, and what `previous` is.

use std::collections::{BTreeMap, BTreeSet};

use super::{Input, Mode, NodeId, compile::Compiler, expressions::Reads};
use crate::{
    core::finding,
    proto::{Step, block::Mode as WrittenMode, step::Kind},
};

/// A compiled step among its siblings.
pub(super) struct Child<'a> {
    pub node: NodeId,
    pub step: &'a Step,
    /// Its field path.
    pub path: String,
    pub reads: Reads,
}

/// The most dependencies of one definition; steps of one order depend on all of the order
/// before, which grows with the square.
const DEPENDENCIES_MAX: usize = 1_000_000;

impl Compiler<'_> {
    /// Finds the mode, sets what each step depends on and checks what it reads. The ids come
    /// in the order in which the steps run (SEQUENCE) or stand.
    pub(super) fn relate(
        &mut self,
        written: WrittenMode,
        children: &[Child<'_>],
    ) -> (Mode, Vec<NodeId>) {
        let nodes = || children.iter().map(|c| c.node).collect();
        self.check_self_reads(children);
        match written {
            WrittenMode::Sequence => (Mode::Sequence, self.sequence(children)),
            // Steps in STATES are related by their transitions, in `states`.
            WrittenMode::Parallel | WrittenMode::States => {
                self.parallel(children);
                (Mode::Parallel, nodes())
            }
            WrittenMode::Graph => {
                self.graph(children, false);
                (Mode::Graph, nodes())
            }
            WrittenMode::Unspecified => {
                let related = self.graph(children, true);
                let ordered = children.iter().any(|c| c.step.order.is_some());
                let mode = match related || ordered {
                    true => Mode::Graph,
                    false => Mode::Parallel,
                };
                (mode, nodes())
            }
        }
    }

    fn sequence(&mut self, children: &[Child<'_>]) -> Vec<NodeId> {
        let run = running_order(children);
        let mut ranks = vec![0; children.len()];
        for (rank, place) in run.iter().enumerate() {
            ranks[*place] = rank;
        }
        for (rank, place) in run.iter().enumerate() {
            let child = &children[*place];
            let before = rank.checked_sub(1).map(|r| children[run[r]].node);
            let node = self.node(child.node);
            node.previous = before;
            node.depends_on = before.into_iter().collect();
            if child.step.input.is_none() {
                node.input = Input::Previous;
            }
            for (index, other) in self.named(child) {
                if ranks[other] > rank {
                    let field = format!("{}.depends_on[{index}]", child.path);
                    self.later(field, &child.step.id, &children[other].step.id);
                }
            }
            for (other, field) in &child.reads.steps {
                if ranks[*other] > rank {
                    self.later(field.clone(), &child.step.id, &children[*other].step.id);
                }
            }
        }
        run.into_iter().map(|place| children[place].node).collect()
    }

    fn later(&mut self, field: String, id: &str, other: &str) {
        let message = format!("in SEQUENCE `{other}` runs after `{id}`: it has no output yet");
        let hint = format!("move `{other}` before `{id}`, or use mode GRAPH");
        self.findings
            .push(finding::error(field, "later-step", message, hint));
    }

    fn parallel(&mut self, children: &[Child<'_>]) {
        for (place, child) in children.iter().enumerate() {
            if !child.step.depends_on.is_empty() {
                let field = format!("{}.depends_on", child.path);
                let message = "in PARALLEL no step waits for another";
                let hint = "use mode GRAPH, or leave `mode` out";
                self.findings
                    .push(finding::error(field, "conflict", message, hint));
            }
            for (other, field) in child.reads.steps.iter().filter(|(o, _)| **o != place) {
                let other = &children[*other].step.id;
                let id = &child.step.id;
                let message = format!(
                    "in PARALLEL `{id}` does not wait for `{other}`, so `{other}` may have no output yet"
                );
                let hint = "use mode GRAPH, or leave `mode` out";
                self.findings
                    .push(finding::error(field, "unordered-step", message, hint));
            }
            let holds_steps = matches!(
                child.step.kind,
                Some(Kind::Block(_) | Kind::Switch(_) | Kind::Loop(_) | Kind::Each(_))
            );
            if let (Some(field), 1, false) = (&child.reads.all, self.levels.len(), holds_steps) {
                let message = "in PARALLEL no step is before another: this is always empty";
                let hint = "use mode GRAPH, or leave `mode` out";
                self.findings
                    .push(finding::warning(field, "unordered-step", message, hint));
            }
        }
    }

    /// Dependencies by name, by what is read and, in automatic mode, by order. True when
    /// there is any.
    fn graph(&mut self, children: &[Child<'_>], by_order: bool) -> bool {
        let mut depends: Vec<Vec<usize>> = Vec::with_capacity(children.len());
        for (place, child) in children.iter().enumerate() {
            let mut on: Vec<usize> = self.named(child).into_iter().map(|(_, o)| o).collect();
            on.extend(child.reads.steps.keys().filter(|other| **other != place));
            if child.reads.previous && place > 0 {
                self.node(child.node).previous = Some(children[place - 1].node);
                on.push(place - 1);
            }
            depends.push(on);
        }
        if by_order && !self.add_order(children, &mut depends) {
            return true;
        }
        add_all_before(children, &mut depends);
        for on in &mut depends {
            on.sort_unstable();
            on.dedup();
            self.dependencies += on.len();
        }
        if self.dependencies > DEPENDENCIES_MAX {
            self.too_many_dependencies();
            return true;
        }
        self.report_cycles(children, &depends);
        for (child, on) in children.iter().zip(&depends) {
            self.node(child.node).depends_on = on.iter().map(|o| children[*o].node).collect();
        }
        depends.iter().any(|on| !on.is_empty())
    }

    /// Each step with an order depends on all of the next lower one. False when that is too
    /// much.
    fn add_order(&mut self, children: &[Child<'_>], depends: &mut [Vec<usize>]) -> bool {
        let mut groups: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
        for (place, child) in children.iter().enumerate() {
            if let Some(order) = child.step.order {
                groups.entry(order).or_default().push(place);
            }
        }
        let groups: Vec<_> = groups.into_values().collect();
        let pairs = groups.windows(2).map(|w| w[0].len() * w[1].len());
        if self.dependencies + pairs.sum::<usize>() > DEPENDENCIES_MAX {
            self.too_many_dependencies();
            return false;
        }
        for pair in groups.windows(2) {
            for place in &pair[1] {
                depends[*place].extend(&pair[0]);
            }
        }
        true
    }

    fn too_many_dependencies(&mut self) {
        let message = format!("steps depend on each other more than {DEPENDENCIES_MAX} times");
        let hint = "put a single step or a block between the groups";
        self.error("", "limit", message, hint);
    }

    /// The siblings named in `depends_on` with their index there; unknown ones and the step
    /// itself are reported.
    fn named(&mut self, child: &Child<'_>) -> Vec<(usize, usize)> {
        let mut found = Vec::with_capacity(child.step.depends_on.len());
        let mut seen = BTreeSet::new();
        for (index, id) in child.step.depends_on.iter().enumerate() {
            let field = format!("{}.depends_on[{index}]", child.path);
            let level = self.levels.last().expect("related before it is left");
            let place = level.places.get(id.as_str()).copied();
            if *id == child.step.id {
                let message = format!("`{id}` depends on itself");
                self.findings.push(finding::error(
                    field,
                    "self-dependency",
                    message,
                    "remove it",
                ));
            } else if let Some(place) = place {
                if !seen.insert(place) {
                    let message = format!("`{id}` is named twice");
                    self.findings
                        .push(finding::warning(field, "duplicate", message, "remove one"));
                }
                found.push((index, place));
            } else {
                self.unknown(field, id);
            }
        }
        found
    }

    fn unknown(&mut self, field: String, id: &str) {
        let outside = self.levels.iter().any(|l| l.places.contains_key(id));
        let message = format!("there is no step `{id}` among the siblings");
        let hint = if outside {
            "`depends_on` names siblings only; let the step around this one depend on it".into()
        } else {
            let level = self.levels.last().expect("related before it is left");
            let mut ids: Vec<String> = level.places.keys().map(|id| (*id).to_owned()).collect();
            ids.sort_unstable();
            self.suggest(id, ids.iter().map(String::as_str))
        };
        self.findings
            .push(finding::error(field, "unknown-step", message, hint));
    }

    fn check_self_reads(&mut self, children: &[Child<'_>]) {
        for (place, child) in children.iter().enumerate() {
            if let Some(field) = child.reads.steps.get(&place) {
                let message = format!("`{}` reads itself", child.step.id);
                let hint = "in `output`, `save` and gates after, what the agent gave is `output`";
                self.findings
                    .push(finding::error(field, "self-reference", message, hint));
            }
        }
    }

    fn report_cycles(&mut self, children: &[Child<'_>], depends: &[Vec<usize>]) {
        for cycle in cycles(depends) {
            let ids: Vec<&str> = cycle
                .iter()
                .chain(cycle.first())
                .map(|place| children[*place].step.id.as_str())
                .collect();
            let field = children[cycle[0]].path.clone();
            let message = format!("steps wait for each other: {}", ids.join(" → "));
            let hint = "remove one of these dependencies; expressions that read a step are some";
            self.findings
                .push(finding::error(field, "cycle", message, hint));
        }
    }
}

/// The places in the order in which a sequence runs: by `order`, a step without one after
/// the step before it in the list.
fn running_order(children: &[Child<'_>]) -> Vec<usize> {
    let mut keys = Vec::with_capacity(children.len());
    let mut current = i32::MIN;
    for child in children {
        current = child.step.order.unwrap_or(current);
        keys.push(current);
    }
    let mut run: Vec<usize> = (0..children.len()).collect();
    run.sort_by_key(|place| keys[*place]);
    run
}

/// Steps that read all outputs and name no dependencies wait for all before them in the
/// list: for those of them that none of the others waits for, which is the same.
fn add_all_before(children: &[Child<'_>], depends: &mut [Vec<usize>]) {
    let mut awaited = vec![false; children.len()];
    let mut ends: BTreeSet<usize> = BTreeSet::new();
    for (place, child) in children.iter().enumerate() {
        if child.reads.all.is_some() && child.step.depends_on.is_empty() {
            depends[place].extend(&ends);
        }
        for other in &depends[place] {
            awaited[*other] = true;
            ends.remove(other);
        }
        if !awaited[place] {
            ends.insert(place);
        }
    }
}

/// Cycles, each from its first place in the list on, in the direction of the dependencies.
/// Of cycles that share a step only one is given.
fn cycles(depends: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut state = vec![Visit::New; depends.len()];
    let mut found: Vec<Vec<usize>> = Vec::new();
    let mut in_cycle = vec![false; depends.len()];
    for start in 0..depends.len() {
        if state[start] != Visit::New {
            continue;
        }
        state[start] = Visit::Open;
        let mut trail = vec![(start, 0)];
        while let Some((place, next)) = trail.last_mut() {
            let Some(other) = depends[*place].get(*next).copied() else {
                state[*place] = Visit::Done;
                trail.pop();
                continue;
            };
            *next += 1;
            match state[other] {
                Visit::New => {
                    state[other] = Visit::Open;
                    trail.push((other, 0));
                }
                Visit::Open if !in_cycle[other] && !in_cycle[*place] => {
                    let mut cycle: Vec<usize> = trail
                        .iter()
                        .map(|(place, _)| *place)
                        .skip_while(|place| *place != other)
                        .collect();
                    let first = cycle.iter().enumerate().min_by_key(|(_, place)| **place);
                    let turn = first.map_or(0, |(index, _)| index);
                    cycle.rotate_left(turn);
                    cycle.iter().for_each(|place| in_cycle[*place] = true);
                    found.push(cycle);
                }
                Visit::Open | Visit::Done => {}
            }
        }
    }
    found
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    New,
    Open,
    Done,
}
