#![allow(clippy::unwrap_used)]

mod beside;
mod contexts;
mod each;
mod findings;
mod graphs;
mod marks;
mod order;
mod rules;
mod states;
mod typing;
mod waits;

use super::*;
use crate::core::limits::Limits;

/// Compiles a definition that is right but for warnings.
fn compiled(source: &str) -> Compiled {
    let checked = check(source, &Limits::default());
    checked
        .compiled
        .unwrap_or_else(|| panic!("{source}\n{:#?}", checked.findings))
}

/// A definition with these steps, each a line of flow mapping.
fn with_steps(head: &str, steps: &[&str]) -> String {
    let mut source = format!("name: a\n{head}\nsteps:\n");
    for step in steps {
        source.push_str(&format!("- {{ {step} }}\n"));
    }
    source
}

/// Severity (E, W), rule and path of every finding.
fn found(source: &str) -> Vec<String> {
    let checked = check(source, &Limits::default());
    let findings = checked.findings.iter();
    findings
        .map(|f| format!("{} {} {}", &f.severity().as_str_name()[..1], f.rule, f.path))
        .collect()
}

/// For each node by path: the paths it depends on, and what `previous` is.
fn relations(plan: &Plan) -> Vec<(String, Vec<String>, Option<String>)> {
    let path = |id: &NodeId| plan.node(*id).path.clone();
    let nodes = plan.nodes.iter().skip(1);
    nodes
        .map(|n| {
            let depends_on = n.depends_on.iter().map(path).collect();
            (n.path.clone(), depends_on, n.previous.as_ref().map(path))
        })
        .collect()
}
