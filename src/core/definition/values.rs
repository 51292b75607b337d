//! Single values of a message: scalars, enums, durations and JSON data.

use std::borrow::Cow;

use prost::Message;
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use super::{
    duration,
    fields::{Reader, describe},
    schema,
    wire::Wire,
    yaml::{Data, Entry, Node},
};
use crate::core::{
    finding,
    value::{self, WHOLE_MAX},
};

const DURATION: &str = "google.protobuf.Duration";
const JSON_VALUE: &str = "google.protobuf.Value";
const JSON_OBJECT: &str = "google.protobuf.Struct";

/// The fields of JSON data (google/protobuf/struct.proto).
mod json {
    pub const NULL: u32 = 1;
    pub const NUMBER: u32 = 2;
    pub const STRING: u32 = 3;
    pub const BOOL: u32 = 4;
    pub const OBJECT: u32 = 5;
    pub const LIST: u32 = 6;
    /// Of a list, and of an object.
    pub const ITEMS: u32 = 1;
    /// Of a member of an object.
    pub const NAME: u32 = 1;
    /// Of a member of an object.
    pub const MEMBER: u32 = 2;
}

/// Data so deep is always decoded: a level takes at most three of the 100 messages within each
/// other that decoders take.
const HEIGHT_SURE: usize = 30;

/// Fields that are CEL, for the hint to quote them.
const EXPRESSIONS: [&str; 3] = ["when", "cel", "of"];

impl Reader<'_> {
    /// True when null is a value of the field rather than its absence.
    pub fn takes_null(&self, field: &FieldDescriptor) -> bool {
        !field.is_list()
            && !field.is_map()
            && matches!(field.kind(), Kind::Message(m) if m.full_name() == JSON_VALUE)
    }

    /// Writes one value of a field, or one item of it, when it can be read.
    pub fn single(&mut self, node: &Node, field: &FieldDescriptor, message: &mut Wire) {
        let number = field.number();
        match field.kind() {
            Kind::String => {
                if let Some(text) = self.string(node, field) {
                    message.text(number, &text);
                }
            }
            Kind::Bool => {
                if let Some(truth) = self.boolean(node) {
                    message.unsigned(number, truth);
                }
            }
            Kind::Double => {
                if let Some(double) = self.double(node) {
                    message.double(number, double);
                }
            }
            Kind::Int32 => {
                if let Some(whole) = self.whole::<i32>(node) {
                    message.signed(number, whole);
                }
            }
            Kind::Uint32 => {
                if let Some(whole) = self.whole::<u32>(node) {
                    message.unsigned(number, whole);
                }
            }
            Kind::Uint64 => {
                if let Some(whole) = self.whole::<u64>(node) {
                    message.unsigned(number, whole);
                }
            }
            Kind::Enum(descriptor) => {
                if let Some(value) = self.enumeration(node, &descriptor) {
                    message.signed(number, value);
                }
            }
            Kind::Message(descriptor) => {
                if let Some(nested) = self.nested(node, &descriptor) {
                    message.message(number, &nested);
                }
            }
            other => unreachable!("no field of a workflow is of type {other:?}"),
        }
    }

    fn nested(&mut self, node: &Node, descriptor: &MessageDescriptor) -> Option<Wire> {
        match descriptor.full_name() {
            DURATION => self.duration(node),
            JSON_VALUE => {
                let data = self.json(node);
                self.decodes::<value::Value>(node, &data).then_some(data)
            }
            JSON_OBJECT => {
                let Data::Map(entries) = &node.data else {
                    self.wrong_type(node, "it is a mapping of names to values");
                    return None;
                };
                let data = self.members(entries);
                self.decodes::<value::Struct>(node, &data).then_some(data)
            }
            _ => Some(self.message(node, descriptor)),
        }
    }

    /// True when decoders, which go only so deep, take the data; reports it when not.
    fn decodes<M: Message + Default>(&mut self, node: &Node, data: &Wire) -> bool {
        if height(node) <= HEIGHT_SURE || M::decode(data.bytes()).is_ok() {
            return true;
        }
        let hint = "make the data flatter";
        self.report(node, "limit", "the data is nested too deeply", hint);
        false
    }

    /// A text. A number or boolean is reported, and its text taken for the rest of the check.
    fn string<'n>(&mut self, node: &'n Node, field: &FieldDescriptor) -> Option<Cow<'n, str>> {
        let text = match &node.data {
            Data::String(text) => return Some(Cow::Borrowed(text)),
            Data::Bool(value) => value.to_string(),
            Data::Number { text, .. } => text.clone(),
            _ => {
                self.wrong_type(node, "it is a text");
                return None;
            }
        };
        let what = if EXPRESSIONS.contains(&field.name()) {
            "an expression is a text"
        } else {
            "it is a text"
        };
        let message = format!("{what}, not {}", describe(&node.data));
        let hint = format!("write it in quotes: \"{text}\"");
        self.report(node, "wrong-type", &message, &hint);
        Some(Cow::Owned(text))
    }

    fn boolean(&mut self, node: &Node) -> Option<bool> {
        match &node.data {
            Data::Bool(value) => Some(*value),
            Data::String(text) => {
                let hint = match text.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" => "write true, without quotes",
                    "false" | "no" | "off" => "write false, without quotes",
                    _ => "",
                };
                let message = format!("it is true or false, not {}", describe(&node.data));
                self.report(node, "wrong-type", &message, hint);
                None
            }
            _ => {
                self.wrong_type(node, "it is true or false");
                None
            }
        }
    }

    fn double(&mut self, node: &Node) -> Option<f64> {
        match &node.data {
            Data::Number { value, .. } if value.is_finite() => Some(*value),
            Data::String(text) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
                text.parse().ok()
            }
            _ => {
                self.wrong_type(node, "it is a number");
                None
            }
        }
    }

    /// A whole number of the target's range; a text of digits is taken too, as the canonical
    /// mapping has it.
    fn whole<T: TryFrom<i128> + Bounded>(&mut self, node: &Node) -> Option<T> {
        let exact = match &node.data {
            Data::Number { text, value } => {
                text.parse::<i128>().ok().or_else(|| exact_whole(*value))
            }
            Data::String(text) => text.parse::<i128>().ok(),
            _ => None,
        };
        if let Some(number) = exact.and_then(|n| T::try_from(n).ok()) {
            return Some(number);
        }
        let is_number = matches!(node.data, Data::Number { .. }) || exact.is_some();
        if is_number {
            let message = format!(
                "it is a whole number from {} to {}, not {}",
                T::MIN,
                T::MAX,
                describe(&node.data)
            );
            self.report(node, "out-of-range", &message, "");
        } else {
            self.wrong_type(node, "it is a whole number");
        }
        None
    }

    fn enumeration(&mut self, node: &Node, descriptor: &EnumDescriptor) -> Option<i32> {
        let found = match &node.data {
            Data::String(name) => descriptor.get_value_by_name(name),
            Data::Number { value, .. } => exact_whole(*value)
                .and_then(|n| i32::try_from(n).ok())
                .and_then(|n| descriptor.get_value(n)),
            _ => None,
        };
        if let Some(value) = found {
            return Some(value.number());
        }
        let names: Vec<String> = descriptor
            .values()
            .filter(|v| v.number() != 0)
            .map(|v| v.name().to_owned())
            .collect();
        let list = names.join(", ");
        match &node.data {
            Data::String(name) if schema::is_later_value(descriptor.name(), name) => self.report(
                node,
                "unsupported-value",
                &format!("`{name}` is not supported by this version"),
                &format!("values of this version: {list}"),
            ),
            Data::String(name) => {
                let upper = name.to_ascii_uppercase().replace('-', "_");
                let hint = finding::did_you_mean(&upper, names.iter().map(String::as_str))
                    .map_or(String::new(), |near| format!("did you mean `{near}`?"));
                let message = format!("`{name}` is none of {list}");
                self.report(node, "unknown-value", &message, &hint);
            }
            _ => self.wrong_type(node, &format!("it is one of {list}")),
        }
        None
    }

    fn duration(&mut self, node: &Node) -> Option<Wire> {
        match &node.data {
            Data::String(text) => match duration::parse(text) {
                Ok(duration) => Some(Wire::of(&duration)),
                Err(reason) => {
                    let message = format!("\"{text}\" is not a duration: {reason}");
                    let hint = "write it like 500ms, 30s, 5m, 1h30m or 2d";
                    self.report(node, "duration", &message, hint);
                    None
                }
            },
            Data::Number { text, .. } => {
                let message = format!("a duration needs a unit, {text} has none");
                let hint = format!("write {text}s for seconds");
                self.report(node, "duration", &message, &hint);
                None
            }
            _ => {
                self.wrong_type(node, "it is a duration");
                None
            }
        }
    }

    /// JSON data of any shape, as a `google.protobuf.Value`.
    fn json(&mut self, node: &Node) -> Wire {
        let mut data = Wire::default();
        match &node.data {
            Data::Null { .. } => data.unsigned(json::NULL, false),
            Data::Bool(truth) => data.unsigned(json::BOOL, *truth),
            Data::String(text) => data.text(json::STRING, text),
            Data::Number { value, text } => {
                self.check_number(node, *value, text);
                data.double(json::NUMBER, *value);
            }
            Data::List(items) => {
                let mut list = Wire::default();
                self.items(items, |reader, item| {
                    list.message(json::ITEMS, &reader.json(item));
                });
                data.message(json::LIST, &list);
            }
            Data::Map(entries) => data.message(json::OBJECT, &self.members(entries)),
        }
        data
    }

    /// A `google.protobuf.Struct`.
    fn members(&mut self, entries: &[Entry]) -> Wire {
        let mut object = Wire::default();
        for entry in entries {
            self.within(&entry.key, entry, |reader| {
                let mut member = Wire::default();
                member.text(json::NAME, &entry.key);
                member.message(json::MEMBER, &reader.json(&entry.value));
                object.message(json::ITEMS, &member);
            });
        }
        object
    }

    fn check_number(&mut self, node: &Node, number: f64, text: &str) {
        if !number.is_finite() {
            let message = format!("JSON has no number {text}");
            self.report(node, "wrong-type", &message, "write it in quotes");
        } else if number.abs() > WHOLE_MAX && text.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!("{text} loses digits: numbers are exact only up to 2^53");
            self.findings.push(finding::Finding {
                line: node.line,
                column: node.column,
                ..finding::warning(&self.path, "precision", message, "write it in quotes")
            });
        }
    }
}

/// How deep the data is; 1 for what holds nothing.
fn height(node: &Node) -> usize {
    let highest = match &node.data {
        Data::List(items) => items.iter().map(height).max(),
        Data::Map(entries) => entries.iter().map(|entry| height(&entry.value)).max(),
        _ => None,
    };
    1 + highest.unwrap_or(0)
}

/// The bounds of a whole number, for messages.
pub trait Bounded {
    /// The least.
    const MIN: i128;
    /// The most.
    const MAX: i128;
}

impl Bounded for i32 {
    const MIN: i128 = i32::MIN as i128;
    const MAX: i128 = i32::MAX as i128;
}

impl Bounded for u32 {
    const MIN: i128 = 0;
    const MAX: i128 = u32::MAX as i128;
}

impl Bounded for u64 {
    const MIN: i128 = 0;
    const MAX: i128 = u64::MAX as i128;
}

#[allow(clippy::cast_possible_truncation)]
fn exact_whole(number: f64) -> Option<i128> {
    value::is_whole(number).then_some(number as i128)
}
