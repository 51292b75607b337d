//! The plan as it is shown: every step, what it waits for and under which condition it runs.

use super::{Kind, Mode, Node, NodeId, Plan, Source, States, Target};
use crate::proto::{Graph, block::Mode as ShownMode, graph};

/// The graph of a plan; `conditions` are by node.
pub(super) fn of(plan: &Plan, conditions: Vec<String>) -> Graph {
    let ids = (0..).map(NodeId);
    let steps = ids.zip(&plan.nodes).zip(conditions).skip(1);
    Graph {
        nodes: steps
            .filter(|((_, node), _)| !node.is_body())
            .map(|((id, node), condition)| graph::Node {
                path: node.path.clone(),
                name: node.name.clone(),
                kind: node.kind_name().into(),
                depends_on: node
                    .depends_on
                    .iter()
                    .map(|id| plan.node(*id).path.clone())
                    .collect(),
                mode: mode(node).into(),
                target: target(node),
                condition,
                next: next(plan, id),
                initial: machine(plan, node).is_some_and(|states| states.initial == id),
            })
            .collect(),
    }
}

/// The block of states that a step is one of.
fn machine<'p>(plan: &'p Plan, node: &Node) -> Option<&'p States> {
    match &plan.node(node.parent?).kind {
        Kind::Block(block) => block.states.as_deref(),
        _ => None,
    }
}

fn next(plan: &Plan, id: NodeId) -> Vec<graph::Way> {
    let ways = machine(plan, plan.node(id)).and_then(|states| states.next.get(&id));
    ways.into_iter()
        .flatten()
        .map(|way| graph::Way {
            to: plan.node(way.to).path.clone(),
            condition: way.shown.clone(),
        })
        .collect()
}

fn mode(node: &Node) -> ShownMode {
    match &node.kind {
        Kind::Block(block) => match block.mode {
            Mode::Sequence => ShownMode::Sequence,
            Mode::Parallel => ShownMode::Parallel,
            Mode::Graph => ShownMode::Graph,
            Mode::States => ShownMode::States,
        },
        Kind::Switch(_) | Kind::Each(_) | Kind::Loop(_) => ShownMode::Sequence,
        Kind::Call(_) | Kind::Set(_) | Kind::Restore(_) | Kind::Child(_) | Kind::Wait(_) => {
            ShownMode::Unspecified
        }
    }
}

fn target(node: &Node) -> String {
    match &node.kind {
        Kind::Call(call) => match &call.target {
            Target::Agent(agent) => agent.clone(),
            Target::Skill { skill, .. } => skill.clone(),
        },
        Kind::Child(child) => match &child.source {
            Source::Registered { name, .. } => name.clone(),
            Source::Given(_) => String::new(),
        },
        _ => String::new(),
    }
}
