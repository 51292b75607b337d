//! What expressions read, and what can be seen of a template's value, before there is a scope.

use std::fmt::Write as _;

use super::path::{Field, Key, Path, Root};
use crate::core::value::Value;

/// Something that an expression reads by a name that is known statically.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// What it reads of.
    pub source: Source,
    /// Members and items, outer before inner.
    pub keys: Vec<Key>,
}

/// Where a read begins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A variable.
    Variable(String),
    /// The output of a step.
    Output(String),
}

impl Read {
    /// What a path reads; `None` for what else there is to see of steps.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let source = match &path.root {
            Root::Variable(name) => Source::Variable(name.clone()),
            Root::Step(id, Some(Field::Output)) => Source::Output(id.clone()),
            _ => return None,
        };
        let keys = path.keys.clone();
        Some(Self { source, keys })
    }

    /// How its first `count` keys are written.
    pub fn upto(&self, count: usize) -> String {
        let mut text = match &self.source {
            Source::Variable(name) => name.clone(),
            Source::Output(id) => format!("steps.{id}.output"),
        };
        for key in self.keys.iter().take(count) {
            // Writing into a text cannot fail.
            let _ = match key {
                Key::Name(name) => write!(text, ".{name}"),
                Key::Index(index) => write!(text, "[{index}]"),
            };
        }
        text
    }
}

/// What can be seen of a template's value before it has one.
#[derive(Debug)]
pub enum Shape<'t> {
    /// All of it.
    Constant(&'t Value),
    /// A text.
    Text,
    /// What is read.
    Read(&'t Read),
    /// A list of so many.
    List(Vec<Shape<'t>>),
    /// An object with these members.
    Object(Vec<(&'t str, Shape<'t>)>),
    /// Nothing.
    Unknown,
}
