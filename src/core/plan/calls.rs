//! The most calls to agents that one execution can make.

use super::{Gate, Kind, Node, NodeId, Overflow, Plan};
use crate::core::limits::Limits;

/// The calls of the agents that judge, repair and summarise: each repair has all judges asked again.
fn reviews(plan: &Plan, node: &Node, calls: &[u64], attempts: u64) -> u64 {
    let of = |call: NodeId| calls[call.0 as usize];
    let goal = match node.parent {
        None => &plan.goal[..],
        Some(_) => &[],
    };
    let review = |gates: &[Gate]| {
        let judges = gates.iter().filter_map(Gate::judge);
        let judges = judges
            .map(|judge| of(judge.call))
            .fold(0, u64::saturating_add);
        let repairs = gates.iter().filter_map(|gate| gate.repair);
        let (times, repaired) = repairs.fold((0_u64, 0_u64), |(times, sum), repair| {
            let attempts = u64::from(repair.attempts);
            let calls = of(repair.call).saturating_mul(attempts);
            (times.saturating_add(attempts), sum.saturating_add(calls))
        });
        judges
            .saturating_mul(times.saturating_add(1))
            .saturating_add(repaired)
    };
    let after = review(&node.after).saturating_add(review(goal));
    let summary = match node.context.as_ref().map(|context| context.overflow) {
        Some(Overflow::Summarize(call)) => of(call),
        _ => 0,
    };
    let before = review(&node.before).saturating_add(summary);
    before.saturating_add(after.saturating_mul(attempts))
}

/// Calls times attempts, those of the steps around and of the whole workflow counted; of a
/// switch the branch with most, of a collection as many items as there may be. What runs beside a
/// step counts too. Saturating.
pub(super) fn worst_case(plan: &Plan, limits: &Limits) -> u64 {
    let items_max = u64::try_from(limits.each_items_max).unwrap_or(u64::MAX);
    let mut calls = vec![0_u64; plan.nodes.len()];
    // Inner nodes come after outer ones, so backwards each finds its children counted.
    for (index, node) in plan.nodes.iter().enumerate().rev() {
        let sum = |ids: &[NodeId]| {
            let counts = ids.iter().map(|id| calls[id.0 as usize]);
            counts.fold(0, u64::saturating_add)
        };
        let once = match &node.kind {
            Kind::Call(call) => 1 + call.fallback.len() as u64,
            Kind::Set(_) | Kind::Restore(_) | Kind::Child(_) | Kind::Wait(_) => 0,
            Kind::Loop(looped) => {
                let body = calls[looped.body.0 as usize];
                body.saturating_mul(u64::from(looped.max_iterations))
            }
            Kind::Block(block) => match block.states.as_deref() {
                Some(states) => states.most(&calls, &block.children),
                None => sum(&block.children),
            },
            Kind::Each(each) => {
                let most = each.most.map_or(u64::MAX, |(most, _)| u64::from(most));
                sum(&[each.body]).saturating_mul(items_max.min(most))
            }
            Kind::Switch(switch) => {
                let cases = switch.cases.iter().map(|(_, steps)| sum(steps));
                cases.max().unwrap_or(0).max(sum(&switch.otherwise))
            }
        };
        let attempts = node.retry.as_ref().map_or(1, |r| u64::from(r.max_attempts));
        let once = once.min(node.max_calls.map_or(u64::MAX, u64::from));
        let own = once.saturating_mul(attempts);
        let catches = node.catches().iter().map(|c| calls[c.steps.0 as usize]);
        let caught = catches.max().unwrap_or(0);
        let undone = node.compensation().map_or(0, |c| calls[c.0 as usize]);
        let beside = caught.saturating_add(undone);
        let reviewed = reviews(plan, node, &calls, attempts);
        calls[index] = own.saturating_add(beside).saturating_add(reviewed);
    }
    let finally = plan.finally.map_or(0, |f| calls[f.0 as usize]);
    calls[0].saturating_add(finally)
}
