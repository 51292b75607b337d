//! A tree of YAML to a message, guided by the message's descriptor: the canonical JSON
//! mapping, every problem reported where it stands. Single values are read by `values`.

use std::fmt::Write as _;

use prost_reflect::{FieldDescriptor, MessageDescriptor, OneofDescriptor};

use super::{
    positions::Positions,
    schema,
    wire::Wire,
    yaml::{Data, Entry, Node},
};
use crate::core::finding::{self, Finding};

/// Reads messages; collects findings and positions on the way.
pub struct Reader<'f> {
    pub findings: &'f mut Vec<Finding>,
    pub positions: Positions,
    /// The field being read.
    pub path: String,
}

impl Reader<'_> {
    /// The message that a mapping stands for; what cannot be read is reported and left out.
    pub fn message(&mut self, node: &Node, descriptor: &MessageDescriptor) -> Wire {
        let mut message = Wire::default();
        let Data::Map(entries) = &node.data else {
            let what = article(&noun(descriptor));
            self.wrong_type(node, &format!("{what} is a mapping of fields"));
            return message;
        };
        let mut seen = Seen::default();
        for entry in entries {
            let Some(field) = field_of(descriptor, &entry.key) else {
                self.unknown(entry, descriptor);
                continue;
            };
            self.within(field.name(), entry, |reader| {
                if reader.clashes(&mut seen, &field, entry) {
                    return;
                }
                reader.field(&entry.value, &field, &mut message);
            });
        }
        message
    }

    /// Writes the value of a field, when it is set and can be read.
    fn field(&mut self, node: &Node, field: &FieldDescriptor, message: &mut Wire) {
        let takes_null = self.takes_null(field);
        if let Data::Null { written } = node.data
            && !takes_null
        {
            if !written {
                self.warn_empty(node, field);
            }
            return;
        }
        if field.is_map() {
            self.map(node, field, message);
        } else if field.is_list() {
            self.list(node, field, message);
        } else {
            self.single(node, field, message);
        }
    }

    fn list(&mut self, node: &Node, field: &FieldDescriptor, message: &mut Wire) {
        let Data::List(items) = &node.data else {
            self.wrong_type(node, "it is a list");
            return;
        };
        self.items(items, |reader, item| reader.single(item, field, message));
    }

    /// Runs `read` with the path of each item, whose position is remembered.
    pub fn items(&mut self, items: &[Node], mut read: impl FnMut(&mut Self, &Node)) {
        for (index, item) in items.iter().enumerate() {
            let length = self.path.len();
            // Writing into a text cannot fail.
            let _ = write!(self.path, "[{index}]");
            self.positions.put(&self.path, (item.line, item.column));
            read(self, item);
            self.path.truncate(length);
        }
    }

    fn map(&mut self, node: &Node, field: &FieldDescriptor, message: &mut Wire) {
        let Data::Map(entries) = &node.data else {
            self.wrong_type(node, "it is a mapping of names to texts");
            return;
        };
        let kind = field.kind();
        let member = kind.as_message().expect("a map holds entries");
        let (name, value) = (
            member.map_entry_key_field().number(),
            member.map_entry_value_field(),
        );
        for entry in entries {
            self.within(&entry.key, entry, |reader| {
                let mut written = Wire::default();
                reader.single(&entry.value, &value, &mut written);
                if !written.is_empty() {
                    written.text(name, &entry.key);
                    message.message(field.number(), &written);
                }
            });
        }
    }

    /// Runs `read` with the path of a member, whose position is remembered: that of the value
    /// when it is a scalar, else that of the key.
    pub fn within(&mut self, name: &str, entry: &Entry, read: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        let place = match entry.value.data {
            Data::List(_) | Data::Map(_) | Data::Null { .. } => (entry.line, entry.column),
            _ => (entry.value.line, entry.value.column),
        };
        self.positions.put(&self.path, place);
        read(self);
        self.path.truncate(length);
    }

    /// Reports a field given in both spellings, or a second member of a oneof.
    fn clashes(&mut self, seen: &mut Seen, field: &FieldDescriptor, entry: &Entry) -> bool {
        let number = field.number();
        let known = seen.fields.iter().find(|(known, _)| *known == number);
        if let Some((_, line)) = known {
            let name = field.name();
            let message = format!("`{name}` is given twice, first in line {line}");
            self.report_entry(entry, "duplicate-key", &message, "remove one of the two");
            return true;
        }
        seen.fields.push((number, entry.line));
        let Some(oneof) = field.containing_oneof().filter(|o| !o.is_synthetic()) else {
            return false;
        };
        if matches!(entry.value.data, Data::Null { .. }) {
            return false;
        }
        let given = seen.oneofs.iter_mut().find(|(known, ..)| *known == oneof);
        let Some((_, first, line)) = given else {
            let first = field.name().to_owned();
            seen.oneofs.push((oneof, first, entry.line));
            return false;
        };
        let owner = noun(field.parent_message());
        let message = format!(
            "a {owner} has one {}, this one has `{first}` (line {line}) and `{}`",
            oneof.name(),
            field.name(),
        );
        let hint = match oneof.name() {
            "kind" => "remove one of the two, or make it two steps",
            _ => "remove one of the two",
        };
        self.report_entry(entry, "one-of", &message, hint);
        true
    }

    fn unknown(&mut self, entry: &Entry, descriptor: &MessageDescriptor) {
        let owner = article(&noun(descriptor));
        let (key, message) = (&entry.key, descriptor.name());
        self.within(key, entry, |reader| {
            if schema::is_later_kind(message, key) {
                reader.report_entry(
                    entry,
                    "unsupported-kind",
                    &format!("steps of kind `{key}` are not supported by this version"),
                    &format!("kinds of this version: {}", kinds(descriptor)),
                );
            } else if schema::is_later_field(message, key) {
                reader.report_entry(
                    entry,
                    "unsupported-field",
                    &format!("`{key}` of {owner} is not supported by this version"),
                    "remove it, or use a server that has it",
                );
            } else {
                let hint = nearest_field(descriptor, key);
                let text = format!("{owner} has no field `{key}`");
                reader.report_entry(entry, "unknown-field", &text, &hint);
            }
        });
    }

    fn warn_empty(&mut self, node: &Node, field: &FieldDescriptor) {
        let message = format!("`{}` has no value and counts as left out", field.name());
        self.findings.push(Finding {
            line: node.line,
            column: node.column,
            ..finding::warning(
                &self.path,
                "empty-field",
                message,
                "give it a value or remove it",
            )
        });
    }

    /// Reports that the node is not what belongs here.
    pub fn wrong_type(&mut self, node: &Node, expected: &str) {
        let message = format!("{expected}, not {}", describe(&node.data));
        self.report(node, "wrong-type", &message, "");
    }

    /// Adds an error about the field being read, at the node.
    pub fn report(&mut self, node: &Node, rule: &str, message: &str, hint: &str) {
        self.findings.push(Finding {
            line: node.line,
            column: node.column,
            ..finding::error(&self.path, rule, message, hint)
        });
    }

    /// Adds an error about the field being read, at its key.
    fn report_entry(&mut self, entry: &Entry, rule: &str, message: &str, hint: &str) {
        self.findings.push(Finding {
            line: entry.line,
            column: entry.column,
            ..finding::error(&self.path, rule, message, hint)
        });
    }
}

/// What a message was already given; a message has few fields.
#[derive(Default)]
struct Seen {
    /// Number and line of each field.
    fields: Vec<(u32, u32)>,
    /// The member of each oneof, and its line.
    oneofs: Vec<(OneofDescriptor, String, u32)>,
}

/// The field of that name, in either spelling.
fn field_of(descriptor: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    descriptor
        .get_field_by_name(name)
        .or_else(|| descriptor.get_field_by_json_name(name))
}

fn nearest_field(descriptor: &MessageDescriptor, key: &str) -> String {
    let fields: Vec<_> = descriptor.fields().collect();
    match finding::did_you_mean(key, fields.iter().map(FieldDescriptor::name)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            let names: Vec<_> = fields.iter().map(FieldDescriptor::name).collect();
            format!("fields: {}", names.join(", "))
        }
    }
}

/// The kinds of step there are.
fn kinds(step: &MessageDescriptor) -> String {
    let kinds = step.oneofs().find(|o| o.name() == "kind");
    let names: Vec<_> = kinds
        .iter()
        .flat_map(OneofDescriptor::fields)
        .map(|f| f.name().to_owned())
        .collect();
    names.join(", ")
}

/// `RetryPolicy` as `retry policy`.
fn noun(descriptor: &MessageDescriptor) -> String {
    let mut out = String::new();
    for c in descriptor.name().chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn article(noun: &str) -> String {
    match noun {
        "gates" => noun.to_owned(),
        noun if noun.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {noun}"),
        noun => format!("a {noun}"),
    }
}

/// The node in words, for messages.
pub fn describe(data: &Data) -> String {
    match data {
        Data::Null { .. } => "null".into(),
        Data::Bool(value) => format!("`{value}`"),
        Data::Number { text, .. } => format!("the number {text}"),
        Data::String(text) if text.chars().count() <= 40 => format!("\"{text}\""),
        Data::String(_) => "a text".into(),
        Data::List(_) => "a list".into(),
        Data::Map(_) => "a mapping".into(),
    }
}
