//! What identifies the content of a definition.

use sha2::{Digest, Sha256};

use super::tree::Tree;
use crate::proto::Workflow;

/// The SHA-256 of the definition's canonical JSON, in which maps are sorted and only fields
/// that are set appear: equal for equal content, whatever wrote it and in whatever order.
pub fn fingerprint(workflow: &Workflow) -> [u8; 32] {
    let json = serde_json::to_vec(&Tree::of(workflow)).expect("a tree has only names as keys");
    Sha256::digest(json).into()
}
