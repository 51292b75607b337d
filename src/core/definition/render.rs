//! Definitions as text: what the CLI shows and what a user could have written.

use super::{tree::Tree, write};
use crate::proto::Workflow;

/// The definition as YAML: only the fields that are set, in snake_case, durations short.
/// `parse` gives the same workflow back.
pub fn to_yaml(workflow: &Workflow) -> String {
    write::yaml(&Tree::of(workflow))
}

/// The definition as indented JSON, otherwise as `to_yaml`.
pub fn to_json(workflow: &Workflow) -> String {
    serde_json::to_string_pretty(&Tree::of(workflow)).expect("a tree has only names as keys")
}
