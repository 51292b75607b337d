//! Single values of a message: scalars, enums, durations and JSON data.

use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};

use super::{
    duration,
    fields::{Reader, describe},
    schema,
    yaml::{Data, Entry, Node},
};
use crate::core::{
    finding,
    value::{self, WHOLE_MAX},
};

const DURATION: &str = "google.protobuf.Duration";
const JSON_VALUE: &str = "google.protobuf.Value";
const JSON_OBJECT: &str = "google.protobuf.Struct";

/// Fields that are CEL, for the hint to quote them.
const EXPRESSIONS: [&str; 3] = ["when", "cel", "of"];

impl Reader<'_> {
    /// True when null is a value of the field rather than its absence.
    pub fn takes_null(&self, field: &FieldDescriptor) -> bool {
        !field.is_list()
            && !field.is_map()
            && matches!(field.kind(), Kind::Message(m) if m.full_name() == JSON_VALUE)
    }

    /// One value of a field, or one item of it.
    pub fn single(&mut self, node: &Node, field: &FieldDescriptor) -> Option<Value> {
        match field.kind() {
            Kind::String => self.string(node, field),
            Kind::Bool => self.boolean(node),
            Kind::Double => self.double(node).map(Value::F64),
            Kind::Int32 => self.whole(node).map(Value::I32),
            Kind::Uint32 => self.whole(node).map(Value::U32),
            Kind::Uint64 => self.whole(node).map(Value::U64),
            Kind::Enum(descriptor) => self.enumeration(node, &descriptor),
            Kind::Message(descriptor) => self.nested(node, &descriptor),
            other => unreachable!("no field of a workflow is of type {other:?}"),
        }
    }

    fn nested(&mut self, node: &Node, descriptor: &MessageDescriptor) -> Option<Value> {
        let message = match descriptor.full_name() {
            DURATION => self.duration(node, descriptor)?,
            JSON_VALUE => {
                let data = self.json(node);
                self.encoded(node, descriptor, &data)?
            }
            JSON_OBJECT => {
                let Data::Map(entries) = &node.data else {
                    self.wrong_type(node, "it is a mapping of names to values");
                    return None;
                };
                let fields = self.members(entries).collect();
                self.encoded(node, descriptor, &value::Struct { fields })?
            }
            _ => self.message(node, descriptor),
        };
        Some(Value::Message(message))
    }

    /// A message read as bytes, so that the generated types need not be known to descriptors.
    fn encoded(
        &mut self,
        node: &Node,
        descriptor: &MessageDescriptor,
        message: &impl prost::Message,
    ) -> Option<DynamicMessage> {
        let bytes = message.encode_to_vec();
        match DynamicMessage::decode(descriptor.clone(), bytes.as_slice()) {
            Ok(message) => Some(message),
            Err(_) => {
                let hint = "make the data flatter";
                self.report(node, "limit", "the data is nested too deeply", hint);
                None
            }
        }
    }

    /// A text. A number or boolean is reported, and its text taken for the rest of the check.
    fn string(&mut self, node: &Node, field: &FieldDescriptor) -> Option<Value> {
        let text = match &node.data {
            Data::String(text) => return Some(Value::String(text.clone())),
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
        Some(Value::String(text))
    }

    fn boolean(&mut self, node: &Node) -> Option<Value> {
        match &node.data {
            Data::Bool(value) => Some(Value::Bool(*value)),
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

    fn enumeration(&mut self, node: &Node, descriptor: &EnumDescriptor) -> Option<Value> {
        let found = match &node.data {
            Data::String(name) => descriptor.get_value_by_name(name),
            Data::Number { value, .. } => exact_whole(*value)
                .and_then(|n| i32::try_from(n).ok())
                .and_then(|n| descriptor.get_value(n)),
            _ => None,
        };
        if let Some(value) = found {
            return Some(Value::EnumNumber(value.number()));
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

    fn duration(&mut self, node: &Node, descriptor: &MessageDescriptor) -> Option<DynamicMessage> {
        match &node.data {
            Data::String(text) => match duration::parse(text) {
                Ok(duration) => self.encoded(node, descriptor, &duration),
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

    /// JSON data of any shape.
    fn json(&mut self, node: &Node) -> value::Value {
        match &node.data {
            Data::Null { .. } => value::null(),
            Data::Bool(b) => value::boolean(*b),
            Data::String(text) => value::string(text.clone()),
            Data::Number { value, text } => self.json_number(node, *value, text),
            Data::List(items) => {
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let length = self.path.len();
                    self.path.push_str(&format!("[{index}]"));
                    self.positions.put(&self.path, (item.line, item.column));
                    values.push(self.json(item));
                    self.path.truncate(length);
                }
                value::list(values)
            }
            Data::Map(entries) => value::object(self.members(entries).collect::<Vec<_>>()),
        }
    }

    fn members<'n>(
        &mut self,
        entries: &'n [Entry],
    ) -> impl Iterator<Item = (String, value::Value)> + use<'n> {
        let mut values = Vec::with_capacity(entries.len());
        for entry in entries {
            self.within(&entry.key, entry, |reader| {
                values.push((entry.key.clone(), reader.json(&entry.value)));
            });
        }
        values.into_iter()
    }

    fn json_number(&mut self, node: &Node, number: f64, text: &str) -> value::Value {
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
        value::number(number)
    }
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
