//! A definition as an ordered tree: only the fields that are set, in the order of the
//! message, durations short, enums by name. What is shown, compared and hashed is this.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, Value};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value as Json;

use super::{duration, schema};
use crate::{
    core::value::{self, Struct},
    proto::Workflow,
};

/// A node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// A scalar.
    Leaf(Json),
    /// A list.
    List(Vec<Tree>),
    /// Members in order.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// The tree of a definition.
    pub fn of(workflow: &Workflow) -> Self {
        let mut message = DynamicMessage::new(schema::workflow());
        message
            .transcode_from(workflow)
            .expect("the descriptor is the message's own, and the message was decoded or compiled within the same depth");
        of_message(&message)
    }

    /// The member `name` of a map.
    pub fn member(&self, name: &str) -> Option<&Tree> {
        match self {
            Tree::Map(members) => members.iter().find(|(k, _)| k == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The tree as JSON data.
    pub fn to_value(&self) -> value::Value {
        match self {
            Tree::Leaf(json) => value::from_json(json),
            Tree::List(items) => value::list(items.iter().map(Tree::to_value).collect()),
            Tree::Map(members) => {
                value::object(members.iter().map(|(k, v)| (k.clone(), v.to_value())))
            }
        }
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Leaf(json) => json.serialize(serializer),
            Tree::List(items) => items.serialize(serializer),
            Tree::Map(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

fn of_message(message: &DynamicMessage) -> Tree {
    match message.descriptor().full_name() {
        "google.protobuf.Duration" => {
            let duration = message.transcode_to().expect("it is a duration");
            Tree::Leaf(Json::String(duration::format(&duration)))
        }
        "google.protobuf.Value" => {
            let data: value::Value = message.transcode_to().expect("it is a value");
            of_json(value::to_json(&data))
        }
        "google.protobuf.Struct" => {
            let fields: Struct = message.transcode_to().expect("it is a struct");
            of_json(value::to_json(&value::object(fields.fields)))
        }
        _ => Tree::Map(
            message
                .fields()
                .map(|(field, value)| (field.name().to_owned(), of_field(&field, value)))
                .collect(),
        ),
    }
}

fn of_field(field: &FieldDescriptor, value: &Value) -> Tree {
    match value {
        Value::List(items) => Tree::List(items.iter().map(|v| of_single(field, v)).collect()),
        Value::Map(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(key, value)| (key_text(key), of_single(field, value)))
                .collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Tree::Map(members)
        }
        single => of_single(field, single),
    }
}

fn of_single(field: &FieldDescriptor, value: &Value) -> Tree {
    let json = match value {
        Value::Message(message) => return of_message(message),
        Value::String(text) => Json::from(text.as_str()),
        Value::Bool(b) => Json::from(*b),
        Value::I32(n) => Json::from(*n),
        Value::U32(n) => Json::from(*n),
        Value::I64(n) => Json::from(*n),
        Value::U64(n) => Json::from(*n),
        Value::F32(n) => value::to_json(&value::number(f64::from(*n))),
        Value::F64(n) => value::to_json(&value::number(*n)),
        Value::EnumNumber(n) => enum_name(field, *n),
        Value::Bytes(_) | Value::List(_) | Value::Map(_) => {
            unreachable!("no field of a workflow holds such a value")
        }
    };
    Tree::Leaf(json)
}

/// The name of an enum value; the number when this version does not know it.
fn enum_name(field: &FieldDescriptor, number: i32) -> Json {
    match field.kind() {
        Kind::Enum(descriptor) => descriptor
            .get_value(number)
            .map_or(Json::from(number), |v| Json::from(v.name())),
        _ => Json::from(number),
    }
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::String(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

fn of_json(json: Json) -> Tree {
    match json {
        Json::Array(items) => Tree::List(items.into_iter().map(of_json).collect()),
        Json::Object(members) => Tree::Map(
            members
                .into_iter()
                .map(|(key, value)| (key, of_json(value)))
                .collect(),
        ),
        scalar => Tree::Leaf(scalar),
    }
}
