//! The plan as it is shown: every step, what it waits for and under which condition it runs.

use super::{Kind, Mode, Node, Plan, Source, Target};
use crate::proto::{Graph, block::Mode as ShownMode, graph};

/// The graph of a plan; `conditions` are by node.
pub(super) fn of(plan: &Plan, conditions: Vec<String>) -> Graph {
    // The workflow itself and what is run for each item have no id: they are no steps.
    let steps = plan.nodes.iter().zip(conditions);
    let steps = steps.filter(|(node, _)| !node.id.is_empty());
    Graph {
        nodes: steps
            .map(|(node, condition)| graph::Node {
                path: node.path.clone(),
                name: node.name.clone(),
                kind: kind(node).into(),
                depends_on: node
                    .depends_on
                    .iter()
                    .map(|id| plan.node(*id).path.clone())
                    .collect(),
                mode: mode(node).into(),
                target: target(node),
                condition,
            })
            .collect(),
    }
}

fn kind(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Call(call) if call.short => "agent",
        Kind::Call(_) => "call",
        Kind::Block(_) => "block",
        Kind::Switch(_) => "switch",
        Kind::Set(_) => "set",
        Kind::Each(_) => "each",
        Kind::Child(_) => "workflow",
    }
}

fn mode(node: &Node) -> ShownMode {
    match &node.kind {
        Kind::Block(block) => match block.mode {
            Mode::Sequence => ShownMode::Sequence,
            Mode::Parallel => ShownMode::Parallel,
            Mode::Graph => ShownMode::Graph,
        },
        Kind::Switch(_) | Kind::Each(_) => ShownMode::Sequence,
        Kind::Call(_) | Kind::Set(_) | Kind::Child(_) => ShownMode::Unspecified,
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
        },
        _ => String::new(),
    }
}
