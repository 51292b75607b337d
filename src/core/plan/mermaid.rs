//! A graph as a Mermaid flowchart: steps that hold others become subgraphs, dependencies
//! arrows, conditions their labels.

use std::collections::HashMap;

use crate::proto::{Graph, graph::Node};

/// The most characters of a label.
const LABEL_CHARS_MAX: usize = 80;

/// Writes the flowchart. Nodes are named `n0`, `n1`… in the graph's order; names and
/// conditions stand in escaped labels, so any text is safe.
pub fn mermaid(graph: &Graph) -> String {
    let mut chart = Chart::new(graph);
    chart.line("flowchart TD");
    for index in chart.roots() {
        chart.node(index);
    }
    for index in 0..graph.nodes.len() {
        chart.arrows(index);
    }
    chart.out
}

struct Chart<'g> {
    nodes: &'g [Node],
    /// Steps within each step, by index.
    inner: Vec<Vec<usize>>,
    outer: Vec<Option<usize>>,
    /// Siblings each step waits for; of two with one path (in different branches) the one
    /// nearest before it.
    waits: Vec<Vec<usize>>,
    /// Where the transitions of each state lead.
    ways: Vec<Vec<Option<usize>>>,
    depth: usize,
    out: String,
}

impl<'g> Chart<'g> {
    fn new(graph: &'g Graph) -> Self {
        let nodes = &graph.nodes;
        let mut chart = Self {
            nodes,
            inner: vec![Vec::new(); nodes.len()],
            outer: vec![None; nodes.len()],
            waits: Vec::with_capacity(nodes.len()),
            ways: Vec::with_capacity(nodes.len()),
            depth: 0,
            out: String::new(),
        };
        let mut by_path: HashMap<&str, Vec<usize>> = HashMap::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            by_path.entry(&node.path).or_default().push(index);
        }
        let nearest = |path: &str, index: usize| -> Option<usize> {
            let places = by_path.get(path)?;
            let before = places.partition_point(|place| *place < index);
            before
                .checked_sub(1)
                .or(Some(before))
                .and_then(|at| places.get(at))
                .copied()
        };
        for (index, node) in nodes.iter().enumerate() {
            let around = node.path.rsplit_once('/').map(|(around, _)| around);
            if let Some(outer) = around.and_then(|path| nearest(path, index)) {
                chart.outer[index] = Some(outer);
                chart.inner[outer].push(index);
            }
            let waits = node.depends_on.iter();
            let waits = waits.filter_map(|path| nearest(path, index)).collect();
            chart.waits.push(waits);
            let ways = node.next.iter().map(|way| nearest(&way.to, index));
            chart.ways.push(ways.collect());
        }
        chart
    }

    fn roots(&self) -> Vec<usize> {
        let indexes = 0..self.nodes.len();
        indexes.filter(|i| self.outer[*i].is_none()).collect()
    }

    /// Writes a step with what it holds. The graph bounds the depth.
    fn node(&mut self, index: usize) {
        let node = &self.nodes[index];
        let has_arrow = !self.waits[index].is_empty() || self.switch_around(index).is_some();
        let label = label(node, has_arrow);
        if self.inner[index].is_empty() {
            let (open, close) = shape(&node.kind);
            self.line(&format!("n{index}{open}\"{label}\"{close}"));
            return;
        }
        self.line(&format!("subgraph n{index}[\"{label}\"]"));
        self.depth += 1;
        if node.kind == "switch" {
            self.line(&format!("n{index}c{{\"?\"}}"));
        }
        for inner in self.inner[index].clone() {
            self.node(inner);
        }
        self.depth -= 1;
        self.line("end");
    }

    /// Writes the arrows to a step: from what it waits for, or from the switch around it.
    /// Within a branch only the way into it carries the branch's condition.
    fn arrows(&mut self, index: usize) {
        let condition = self.nodes[index].condition.as_str();
        let switch = self.switch_around(index);
        if let (Some(switch), true) = (switch, self.waits[index].is_empty()) {
            self.arrow(&format!("n{switch}c"), condition, index);
        }
        if self.nodes[index].initial {
            self.line(&format!("n{index}s((\" \")) --> n{index}"));
        }
        for (place, way) in self.nodes[index].next.iter().enumerate() {
            let Some(to) = self.ways[index][place] else {
                continue;
            };
            self.arrow(&format!("n{index}"), &way.condition, to);
        }
        for other in self.waits[index].clone() {
            let known = switch.is_some() && self.nodes[other].condition == condition;
            let condition = if known { "" } else { condition };
            self.arrow(&format!("n{other}"), condition, index);
        }
    }

    fn arrow(&mut self, from: &str, condition: &str, to: usize) {
        let label = match condition {
            "" => String::new(),
            condition => format!("|\"{}\"|", escape(condition)),
        };
        self.line(&format!("{from} -->{label} n{to}"));
    }

    fn switch_around(&self, index: usize) -> Option<usize> {
        self.outer[index].filter(|outer| self.nodes[*outer].kind == "switch")
    }

    fn line(&mut self, text: &str) {
        let indent = if self.out.is_empty() {
            0
        } else {
            self.depth + 1
        };
        self.out.extend(std::iter::repeat_n("  ", indent));
        self.out.push_str(text);
        self.out.push('\n');
    }
}

/// Name and target; the condition too when no arrow carries it.
fn label(node: &Node, has_arrow: bool) -> String {
    let mut text = escape(&node.name);
    if !node.target.is_empty() && node.target != node.name {
        text.push_str("<br/>");
        text.push_str(&escape(&node.target));
    }
    if !node.condition.is_empty() && !has_arrow {
        text.push_str("<br/>when ");
        text.push_str(&escape(&node.condition));
    }
    text
}

fn shape(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "switch" => ("{", "}"),
        "set" => ("[/", "/]"),
        "block" => ("[[", "]]"),
        _ => ("[", "]"),
    }
}

/// Text for a quoted label: Mermaid reads `#…;` as entities, and HTML.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (count, c) in text.chars().enumerate() {
        if count == LABEL_CHARS_MAX {
            out.push('…');
            break;
        }
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '&' => out.push_str("#amp;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '`' => out.push_str("#96;"),
            '|' => out.push_str("#124;"),
            '\\' => out.push_str("#92;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
