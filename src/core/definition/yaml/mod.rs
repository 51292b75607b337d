//! YAML (and so JSON) text to a tree that knows where everything stands. Anchors, aliases and
//! merge keys are resolved here; what the fields mean is not known here.
//!
//! The tree is bounded: an alias counts as often as it is used, and depth is limited, so that
//! a small text cannot become a large tree.

mod build;
mod members;
mod problems;

use saphyr_parser::Parser;

use crate::core::finding::Finding;
use build::Builder;
use problems::{at, syntax};

/// The most nodes of a tree, aliases counted at every use.
const NODES_MAX: usize = 500_000;
/// How deep lists and mappings may be nested.
const DEPTH_MAX: usize = 200;

/// One node, with the place where it begins, counted from 1.
#[derive(Clone, Debug)]
pub struct Node {
    pub line: u32,
    pub column: u32,
    pub data: Data,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Data {
    /// `written` is false when nothing stands there at all.
    Null {
        written: bool,
    },
    Bool(bool),
    Number {
        value: f64,
        text: String,
    },
    String(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One member of a mapping.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    /// Where the key begins.
    pub line: u32,
    /// Where the key begins.
    pub column: u32,
    pub value: Node,
}

/// Reads the one document of `source`. What does not hinder the reading is added to
/// `findings`.
///
/// # Errors
/// The finding that made further reading pointless.
pub fn read(source: &str, findings: &mut Vec<Finding>) -> Result<Node, Finding> {
    let mut builder = Builder::new(findings);
    let source = super::json::join_surrogates(source);
    for event in Parser::new_from_str(&source) {
        let (event, span) = event.map_err(|e| syntax(&e, &source))?;
        builder.event(event, span)?;
    }
    match builder.root {
        None
        | Some(Node {
            data: Data::Null { written: false },
            ..
        }) => Err(at(
            1,
            1,
            "empty",
            "the file is empty",
            "a workflow has at least a `name` and `steps`",
        )),
        Some(root) => Ok(root),
    }
}
