//! JSON data as the kernel carries it: `google.protobuf.Value`, with the few makers and
//! readers everything needs. Conversion to CEL values belongs to `expr`.

pub use prost_types::{ListValue, Struct, Value, value::Kind};

/// The largest whole number a double holds exactly, 2^53.
pub const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// JSON null.
pub fn null() -> Value {
    Value {
        kind: Some(Kind::NullValue(0)),
    }
}

/// A JSON string.
pub fn string(text: impl Into<String>) -> Value {
    Value {
        kind: Some(Kind::StringValue(text.into())),
    }
}

/// A JSON string; null when the text is empty.
pub fn text_or_null(text: &str) -> Value {
    match text {
        "" => null(),
        text => string(text),
    }
}

/// A JSON number.
pub fn number(number: f64) -> Value {
    Value {
        kind: Some(Kind::NumberValue(number)),
    }
}

/// A JSON boolean.
pub fn boolean(value: bool) -> Value {
    Value {
        kind: Some(Kind::BoolValue(value)),
    }
}

/// A JSON list.
pub fn list(values: Vec<Value>) -> Value {
    Value {
        kind: Some(Kind::ListValue(ListValue { values })),
    }
}

/// A JSON object.
pub fn object<K: Into<String>>(fields: impl IntoIterator<Item = (K, Value)>) -> Value {
    Value {
        kind: Some(Kind::StructValue(Struct {
            fields: fields.into_iter().map(|(k, v)| (k.into(), v)).collect(),
        })),
    }
}

/// True for JSON null and for a value without a kind.
pub fn is_null(value: &Value) -> bool {
    matches!(value.kind, None | Some(Kind::NullValue(_)))
}

/// The member `name` of an object.
pub fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match &value.kind {
        Some(Kind::StructValue(fields)) => fields.fields.get(name),
        _ => None,
    }
}

/// True when the double is a whole number that a double holds exactly.
pub fn is_whole(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() <= WHOLE_MAX
}

/// The JSON pointer to a number in the value that JSON cannot write: infinite, or none at all.
pub fn unwritable(value: &Value) -> Option<String> {
    match value.kind.as_ref()? {
        Kind::NumberValue(number) => (!number.is_finite()).then(String::new),
        Kind::ListValue(list) => {
            let mut items = list.values.iter().enumerate();
            items.find_map(|(i, item)| Some(format!("/{i}{}", unwritable(item)?)))
        }
        Kind::StructValue(object) => {
            let mut members = object.fields.iter();
            members.find_map(|(key, item)| Some(format!("/{key}{}", unwritable(item)?)))
        }
        Kind::NullValue(_) | Kind::BoolValue(_) | Kind::StringValue(_) => None,
    }
}

/// The value as `serde_json` has it. Whole numbers come without a fraction.
pub fn to_json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(b)) => Json::Bool(*b),
        #[allow(clippy::cast_possible_truncation)]
        Some(Kind::NumberValue(n)) if is_whole(*n) => Json::from(*n as i64),
        Some(Kind::NumberValue(n)) => Json::from(*n),
        Some(Kind::StringValue(s)) => Json::String(s.clone()),
        Some(Kind::ListValue(l)) => l.values.iter().map(to_json).collect(),
        Some(Kind::StructValue(s)) => Json::Object(
            s.fields
                .iter()
                .map(|(k, v)| (k.clone(), to_json(v)))
                .collect(),
        ),
    }
}

/// The value of a `serde_json` one. Numbers become doubles.
pub fn from_json(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => null(),
        Json::Bool(b) => boolean(*b),
        Json::Number(n) => number(n.as_f64().unwrap_or(f64::NAN)),
        Json::String(s) => string(s.clone()),
        Json::Array(items) => list(items.iter().map(from_json).collect()),
        Json::Object(members) => object(members.iter().map(|(k, v)| (k.clone(), from_json(v)))),
    }
}

/// The value as text: a string as it is, anything else as compact JSON.
pub fn to_text(value: &Value) -> String {
    match &value.kind {
        Some(Kind::StringValue(s)) => s.clone(),
        _ => to_json(value).to_string(),
    }
}
