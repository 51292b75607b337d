//! The plan as it is shown: every step, what it waits for and under which condition it runs.

use super::{Kind, Mode, Node, Plan, Source, Target};
use crate::proto::{Graph, block::Mode as ShownMode, graph};

/// The graph of a plan; `conditions` are by node.
pub(super) fn of(plan: &Plan, conditions: Vec<String>) -> Graph {
    let steps = plan.nodes.iter().zip(conditions).skip(1);
    let steps = steps.filter(|(node, _)| !node.is_body());
    Graph {
        nodes: steps
            .filter(|(node, _)| !node.is_body())
            .map(|(node, condition)| graph::Node {
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
            })
            .collect(),
    }
}

fn mode(node: &Node) -> ShownMode {
    match &node.kind {
        Kind::Block(block) => match block.mode {
            Mode::Sequence => ShownMode::Sequence,
            Mode::Parallel => ShownMode::Parallel,
            Mode::Graph => ShownMode::Graph,
        },
        Kind::Switch(_) | Kind::Each(_) | Kind::Loop(_) => ShownMode::Sequence,
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
            Source::Given(_) => String::new(),
        },
        _ => String::new(),
    }
}
