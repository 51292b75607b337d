//! Compiling blocks of states: the ways between the steps, which state is the first, and
//! whether every state is come by and can come to an end.

use std::collections::{BTreeMap, HashMap};

use super::{
    Block, Input, Mode, NodeId,
    compile::Compiler,
    expressions::{bare, literal},
    order::Child,
    steps::Around,
};
use crate::{
    core::{
        expr::{Expr, Template},
        finding,
    },
    proto::{self, Step, block::Mode as WrittenMode},
};

/// The ways between the steps of a block in STATES.
#[derive(Debug)]
pub struct States {
    /// The state entered first.
    pub initial: NodeId,
    /// The most changes of state; at least 1.
    pub max_transitions: u32,
    /// The ways on from each state, in the order in which they are tried; a state that is not
    /// here is a final one.
    pub next: BTreeMap<NodeId, Vec<Transition>>,
}

impl States {
    /// The most of what these states have, by node, on any way through them; saturating.
    pub(super) fn most(&self, of: &[u64], children: &[NodeId]) -> u64 {
        self.longest(of, children).unwrap_or_else(|| {
            let most = children.iter().map(|id| of[id.0 as usize]).max();
            let entries = u64::from(self.max_transitions).saturating_add(1);
            most.unwrap_or(0).saturating_mul(entries)
        })
    }

    /// As `most` where no way comes back to a state; `None` where one does.
    fn longest(&self, of: &[u64], children: &[NodeId]) -> Option<u64> {
        let ways = |from: NodeId| self.next.get(&from).into_iter().flatten();
        let mut into: BTreeMap<NodeId, usize> = BTreeMap::new();
        let all = children.iter().flat_map(|from| ways(*from));
        all.for_each(|way| *into.entry(way.to).or_default() += 1);
        let is_source = |id: &NodeId| !into.contains_key(id);
        let mut open: Vec<NodeId> = children.iter().copied().filter(is_source).collect();
        let mut before: BTreeMap<NodeId, u64> = BTreeMap::new();
        let (mut left, mut most) = (children.len(), 0);
        while let Some(from) = open.pop() {
            left -= 1;
            let before_it = before.get(&from).copied().unwrap_or(0);
            let so_far = before_it.saturating_add(of[from.0 as usize]);
            most = so_far.max(most);
            for way in ways(from) {
                let known = before.entry(way.to).or_default();
                *known = so_far.max(*known);
                let waiting = into.entry(way.to).or_default();
                *waiting -= 1;
                if *waiting == 0 {
                    open.push(way.to);
                }
            }
        }
        (left == 0).then_some(most)
    }
}

/// A way from one state to another.
#[derive(Debug)]
pub struct Transition {
    /// Whether it is taken; `None`: always.
    pub when: Option<Expr>,
    /// The condition as it was written, for showing.
    pub shown: String,
    /// The next state.
    pub to: NodeId,
    /// What is handed on to it; `None`: what the state gave.
    pub input: Option<Template>,
}

/// What a block or workflow says of its states.
#[derive(Clone, Copy)]
pub(super) struct Machine<'m> {
    pub initial: &'m str,
    pub max_transitions: u32,
}

/// The changes of state of a block that does not say how many.
const TRANSITIONS_DEFAULT: u32 = 100;

impl<'a> Compiler<'a> {
    /// The block that a list of steps is, in whatever mode.
    pub(super) fn block_of(
        &mut self,
        steps: &'a [Step],
        around: Around<'_>,
        mode: WrittenMode,
        machine: Machine<'_>,
    ) -> Block {
        if mode != WrittenMode::States {
            self.only_in_states(machine);
            let (mode, children) = self.children(steps, around, mode);
            return Block {
                mode,
                children,
                max_parallel: None,
                join: None,
                states: None,
            };
        }
        self.some_steps(steps, around.list);
        let (children, states) = self.list(steps, around, |c, children| {
            let states = c.machine(children, around.list, machine);
            (children.iter().map(|c| c.node).collect(), states)
        });
        Block {
            mode: Mode::States,
            children,
            max_parallel: None,
            join: None,
            states: states.map(Box::new),
        }
    }

    /// Refuses what only blocks of states have.
    fn only_in_states(&mut self, machine: Machine<'_>) {
        let given = [
            (".initial", !machine.initial.is_empty()),
            (".max_transitions", machine.max_transitions > 0),
        ];
        for (field, _) in given.iter().filter(|(_, given)| *given) {
            let message = "it goes with mode STATES alone";
            self.error(
                field,
                "conflict",
                message,
                "set `mode: STATES`, or remove it",
            );
        }
    }

    /// Refuses ways on where steps relate otherwise.
    pub(super) fn no_transitions(&mut self, children: &[Child<'_>]) {
        for child in children.iter().filter(|c| !c.step.next.is_empty()) {
            let field = format!("{}.next", child.path);
            let message = "only steps of a block or workflow in STATES go on by `next`";
            let hint = "set `mode: STATES` around it, or remove it";
            self.findings
                .push(finding::error(field, "conflict", message, hint));
        }
    }

    fn machine(
        &mut self,
        children: &[Child<'_>],
        list: &str,
        machine: Machine<'_>,
    ) -> Option<States> {
        let max_transitions = self.iterations(
            ".max_transitions",
            machine.max_transitions,
            TRANSITIONS_DEFAULT,
        );
        self.order_by_transitions_alone(children);
        let places: HashMap<&str, usize> = (0..)
            .zip(children)
            .map(|(place, child)| (child.step.id.as_str(), place))
            .collect();
        let initial = match machine.initial {
            "" => Some(0),
            id => self.state(".initial", id, &places),
        };
        let findings = self.findings.len();
        let mut next = BTreeMap::new();
        let mut ways = Vec::with_capacity(children.len());
        for (place, child) in children.iter().enumerate() {
            let segment = format!(".{list}[{place}]");
            let transitions = self.within(&segment, |c| c.transitions(child, children, &places));
            let node = self.node(child.node);
            if child.step.input.is_none() {
                node.input = Input::Previous;
            }
            ways.push(live(&child.step.next, &places));
            if !child.step.next.is_empty() {
                next.insert(child.node, transitions);
            }
        }
        let initial = initial.filter(|place| *place < children.len())?;
        // Where it is not known what a transition leads to, nothing is known of the ways.
        let unknown = |f: &finding::Finding| f.path.ends_with(".to");
        if !self.findings[findings..].iter().any(unknown) {
            self.check_ways(children, initial, &ways);
        }
        Some(States {
            initial: children[initial].node,
            max_transitions,
            next,
        })
    }

    fn order_by_transitions_alone(&mut self, children: &[Child<'_>]) {
        for child in children {
            let given = [
                ("depends_on", !child.step.depends_on.is_empty()),
                ("order", child.step.order.is_some()),
            ];
            for (name, _) in given.iter().filter(|(_, given)| *given) {
                let field = format!("{}.{name}", child.path);
                let message = "in STATES the transitions alone say which step comes next";
                let hint = "remove it; a state is entered by the `next` of another";
                self.findings
                    .push(finding::error(field, "conflict", message, hint));
            }
        }
    }

    /// The place of the state that a field names.
    fn state(&mut self, field: &str, id: &str, places: &HashMap<&str, usize>) -> Option<usize> {
        if let Some(place) = places.get(id) {
            return Some(*place);
        }
        if id.is_empty() {
            let hint = "name the next state";
            self.error(field, "required", "the transition leads nowhere", hint);
            return None;
        }
        let mut ids: Vec<&str> = places.keys().copied().collect();
        ids.sort_unstable();
        let hint = self.suggest(id, ids.into_iter());
        let message = format!("there is no state `{id}` here");
        self.error(field, "unknown-step", message, hint);
        None
    }

    /// The ways on from a state. What they read makes no step wait.
    fn transitions(
        &mut self,
        child: &Child<'_>,
        children: &[Child<'_>],
        places: &HashMap<&str, usize>,
    ) -> Vec<Transition> {
        let mut taken = false;
        let mut compiled = Vec::with_capacity(child.step.next.len());
        for (index, written) in child.step.next.iter().enumerate() {
            compiled.extend(self.within(&format!(".next[{index}]"), |c| {
                if taken {
                    let hint = "remove it, or give a `when` to the one before it";
                    let message = "a transition before it is always taken";
                    c.warn("", "dead-transition", message, hint);
                } else if literal(&written.when) == Some(false) {
                    let hint = "remove it, or give it a condition that can be true";
                    c.warn(".when", "dead-transition", "it is never taken", hint);
                }
                c.transition(written, children, places)
            }));
            taken |= is_always_taken(written);
        }
        compiled
    }

    fn transition(
        &mut self,
        written: &proto::Transition,
        children: &[Child<'_>],
        places: &HashMap<&str, usize>,
    ) -> Option<Transition> {
        let to = self.state(".to", &written.to, places);
        let (when, input) = self.with_variables(&["output"], |c| {
            let when = match written.when.as_str() {
                "" => Some(None),
                when => c.within(".when", |c| c.expr(when)).map(Some),
            };
            let input = match &written.input {
                None => Some(None),
                Some(input) => c.within(".input", |c| c.template(input)).map(Some),
            };
            (when, input)
        });
        let next = &children[to?];
        let schema = next.step.input_schema.as_ref();
        let schema = schema.filter(|_| next.step.input.is_none());
        let compiled = self.nodes[next.node.0 as usize].input_schema();
        let handed_on = input.as_ref().and_then(|input| input.as_ref());
        let clashes = self.clashes(handed_on, schema, compiled);
        self.report_clashes(".input", clashes);
        Some(Transition {
            when: when?,
            shown: bare(&written.when).to_owned(),
            to: next.node,
            input: input?,
        })
    }

    /// Reports states that are never entered, and those from which none ends the block.
    fn check_ways(&mut self, children: &[Child<'_>], initial: usize, ways: &[Vec<usize>]) {
        let entered = reached(ways, [initial]);
        let mut back = vec![Vec::new(); ways.len()];
        for (from, to) in ways.iter().enumerate() {
            to.iter().for_each(|to| back[*to].push(from));
        }
        let is_final = |place: &usize| children[*place].step.next.is_empty();
        let ending = reached(&back, (0..ways.len()).filter(is_final));
        for (place, child) in children.iter().enumerate() {
            let id = &child.step.id;
            if !entered[place] {
                let message = format!("no transition leads to `{id}`");
                let hint = "let the `next` of another state name it, or remove it";
                let path = child.path.clone();
                self.findings
                    .push(finding::warning(path, "unreachable-state", message, hint));
            } else if !ending[place] {
                let field = format!("{}.next", child.path);
                let message = format!("from `{id}` no final state can be reached");
                let hint = "let a transition lead to a state without `next`";
                self.findings
                    .push(finding::error(field, "never-ending", message, hint));
            }
        }
    }
}

fn is_always_taken(written: &proto::Transition) -> bool {
    written.when.is_empty() || literal(&written.when) == Some(true)
}

/// The places that the transitions which can be taken lead to.
fn live(next: &[proto::Transition], places: &HashMap<&str, usize>) -> Vec<usize> {
    let last = next.iter().position(is_always_taken);
    let tried = &next[..last.map_or(next.len(), |last| last + 1)];
    let tried = tried.iter().filter(|t| literal(&t.when) != Some(false));
    tried
        .filter_map(|t| places.get(t.to.as_str()).copied())
        .collect()
}

/// Which places are among these or can be reached from them.
fn reached(ways: &[Vec<usize>], from: impl IntoIterator<Item = usize>) -> Vec<bool> {
    let mut found = vec![false; ways.len()];
    let mut open: Vec<usize> = from.into_iter().collect();
    while let Some(place) = open.pop() {
        if !std::mem::replace(&mut found[place], true) {
            open.extend(&ways[place]);
        }
    }
    found
}
