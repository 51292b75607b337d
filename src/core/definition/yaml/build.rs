//! The tree from the parser's events: anchors, aliases, merge keys, bounds.

use std::collections::HashMap;

use saphyr_parser::{Event, ScalarStyle, Span, Tag};

use super::members::Members;
use super::{
    DEPTH_MAX, Data, Entry, NODES_MAX, Node,
    problems::{at, bad_key, bad_tag, too_deep},
};
use crate::core::{
    definition::scalar::{self, Scalar},
    finding::Finding,
};

/// Builds the tree from the parser's events.
pub(super) struct Builder<'f> {
    pub findings: &'f mut Vec<Finding>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
    pub root: Option<Node>,
}

/// A list or mapping that is being read.
struct Frame {
    line: u32,
    column: u32,
    anchor: usize,
    /// Nodes read before this one, for the size of what it becomes.
    nodes_before: usize,
    /// Of the highest child so far.
    height: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<(Key, Node)>,
        key: Option<Key>,
    },
}

/// A key as read; `text` is missing when it is not a scalar.
struct Key {
    text: Option<String>,
    merges: bool,
    line: u32,
    column: u32,
}

/// A node that an alias may repeat.
struct Anchored {
    node: Node,
    nodes: usize,
    height: usize,
}

impl<'f> Builder<'f> {
    pub fn new(findings: &'f mut Vec<Finding>) -> Self {
        Self {
            findings,
            stack: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            root: None,
        }
    }

    pub fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Finding> {
        let (line, column) = place(&span);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.root.is_some() => Err(at(
                line,
                column,
                "documents",
                "the file holds more than one document",
                "put each workflow into a file of its own and remove `---`",
            )),
            Event::DocumentStart(_) => Ok(()),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let merges = plain && text == "<<";
                let data = if plain && span.start.index() == span.end.index() {
                    Data::Null { written: false }
                } else {
                    self.scalar(text.into_owned(), plain, tag.as_deref(), line, column)
                };
                self.nodes += 1;
                self.add(Node { line, column, data }, anchor, 1, 0, merges)
            }
            Event::SequenceStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", line, column);
                self.open(line, column, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", line, column);
                let content = Content::Map {
                    entries: Vec::new(),
                    key: None,
                };
                self.open(line, column, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, line, column),
        }
    }

    fn open(
        &mut self,
        line: u32,
        column: u32,
        anchor: usize,
        content: Content,
    ) -> Result<(), Finding> {
        if self.stack.len() >= DEPTH_MAX {
            return Err(too_deep(line, column));
        }
        self.stack.push(Frame {
            line,
            column,
            anchor,
            nodes_before: self.nodes,
            height: 0,
            content,
        });
        self.nodes += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Finding> {
        let frame = self
            .stack
            .pop()
            .expect("the parser ends only what it began");
        let data = match frame.content {
            Content::List(items) => Data::List(items),
            Content::Map { entries, .. } => Data::Map(self.entries(entries)),
        };
        let node = Node {
            line: frame.line,
            column: frame.column,
            data,
        };
        let nodes = self.nodes - frame.nodes_before;
        self.add(node, frame.anchor, nodes, frame.height + 1, false)
    }

    fn alias(&mut self, anchor: usize, line: u32, column: u32) -> Result<(), Finding> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(at(
                line,
                column,
                "alias",
                "the alias stands inside of what it repeats",
                "repeat only what is complete",
            ));
        };
        let (nodes, height) = (anchored.nodes, anchored.height);
        self.nodes = self.nodes.saturating_add(nodes);
        self.check_nodes(line, column)?;
        let node = self.anchors[&anchor].node.clone();
        self.add(node, 0, nodes, height, false)
    }

    /// Puts a finished node where it belongs.
    fn add(
        &mut self,
        node: Node,
        anchor: usize,
        nodes: usize,
        height: usize,
        merges: bool,
    ) -> Result<(), Finding> {
        self.check_nodes(node.line, node.column)?;
        if self.stack.len() + height > DEPTH_MAX {
            return Err(too_deep(node.line, node.column));
        }
        if anchor > 0 {
            let node = node.clone();
            self.anchors.insert(
                anchor,
                Anchored {
                    node,
                    nodes,
                    height,
                },
            );
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.height = frame.height.max(height);
        match &mut frame.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key } => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(as_key(node, merges)),
            },
        }
        Ok(())
    }

    fn check_nodes(&self, line: u32, column: u32) -> Result<(), Finding> {
        if self.nodes <= NODES_MAX {
            return Ok(());
        }
        Err(at(
            line,
            column,
            "limit",
            &format!("the file has more than {NODES_MAX} values, aliases counted at each use"),
            "split the workflow",
        ))
    }

    /// The members of a finished mapping: bad and duplicate keys reported, merge keys spread.
    fn entries(&mut self, read: Vec<(Key, Node)>) -> Vec<Entry> {
        let mut members = Members::of(read.len());
        let mut merged = Vec::new();
        for (key, value) in read {
            if key.merges {
                merged.push((key, value));
                continue;
            }
            let Some(text) = key.text else {
                self.findings.push(bad_key(key.line, key.column));
                continue;
            };
            if let Some(first) = members.line(&text) {
                self.findings.push(at(
                    key.line,
                    key.column,
                    "duplicate-key",
                    &format!("`{text}` is given twice, first in line {first}"),
                    "remove one of the two",
                ));
                continue;
            }
            members.push(Entry {
                key: text,
                line: key.line,
                column: key.column,
                value,
            });
        }
        for (key, value) in merged {
            self.merge(&key, value, &mut members);
        }
        members.entries
    }

    /// Adds the members of a merge key's value that the mapping does not have itself.
    fn merge(&mut self, key: &Key, value: Node, members: &mut Members) {
        match value.data {
            Data::Map(more) => {
                for member in more {
                    if members.line(&member.key).is_none() {
                        members.push(member);
                    }
                }
            }
            Data::List(items) => {
                for item in items {
                    self.merge(key, item, members);
                }
            }
            _ => self.findings.push(at(
                key.line,
                key.column,
                "merge",
                "`<<` merges a mapping or a list of mappings",
                "write `<<: *name` where `&name` marks a mapping",
            )),
        }
    }

    fn scalar(
        &mut self,
        text: String,
        plain: bool,
        tag: Option<&Tag>,
        line: u32,
        column: u32,
    ) -> Data {
        let resolved = if plain {
            scalar::resolve(&text)
        } else {
            Scalar::String
        };
        if let Some(tag) = tag {
            let fits = match (tag.suffix.as_str(), &resolved) {
                ("str", _) => return Data::String(text),
                ("null", Scalar::Null) | ("bool", Scalar::Bool(_)) => true,
                ("int" | "float", Scalar::Number(_)) => true,
                _ => false,
            };
            if !fits || !tag.is_yaml_core_schema() {
                self.findings.push(bad_tag(tag, line, column));
            }
        }
        match resolved {
            Scalar::Null => Data::Null { written: true },
            Scalar::Bool(value) => Data::Bool(value),
            Scalar::Number(value) => Data::Number { value, text },
            Scalar::String => Data::String(text),
        }
    }

    fn collection_tag(&mut self, tag: Option<&Tag>, expected: &str, line: u32, column: u32) {
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && tag.suffix == expected)
        {
            self.findings.push(bad_tag(tag, line, column));
        }
    }
}

fn as_key(node: Node, merges: bool) -> Key {
    let text = match node.data {
        Data::String(text) | Data::Number { text, .. } => Some(text),
        Data::Bool(value) => Some(value.to_string()),
        Data::Null { written: true } => Some("null".into()),
        Data::Null { written: false } | Data::List(_) | Data::Map(_) => None,
    };
    Key {
        text,
        merges,
        line: node.line,
        column: node.column,
    }
}

fn place(span: &Span) -> (u32, u32) {
    (
        u32::try_from(span.start.line()).unwrap_or(u32::MAX),
        u32::try_from(span.start.col() + 1).unwrap_or(u32::MAX),
    )
}
