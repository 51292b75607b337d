//! JSON as `serde_json` has it, and as the API carries it (`google.protobuf.Value`).
//!
//! The API's numbers are doubles. A whole number between -2^53 and 2^53 comes back as the
//! integer that it was (`42`, never `42.0`); an integer beyond that loses its last digits on
//! the way out. Send such numbers as strings.

use prost_types::{ListValue, Struct, Value, value::Kind};
use serde_json::Value as Json;

/// The largest whole number that a double holds exactly, 2^53.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// How many messages deep an object lies in its value: `Struct`, its entry, the value.
const OBJECT_LEVELS: usize = 3;
/// How many messages deep an item lies in its value: `ListValue`, the value.
const LIST_LEVELS: usize = 2;

/// The JSON of an API value, taken apart without copying strings.
///
/// What JSON does not have (NaN, infinities) becomes null.
pub fn to_json(value: Value) -> Json {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(b)) => Json::Bool(b),
        Some(Kind::NumberValue(n)) => number(n),
        Some(Kind::StringValue(s)) => Json::String(s),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(to_json).collect(),
        Some(Kind::StructValue(object)) => object
            .fields
            .into_iter()
            .map(|(name, value)| (name, to_json(value)))
            .collect(),
    }
}

/// The JSON of an optional API value; null when absent.
pub fn to_json_or_null(value: Option<Value>) -> Json {
    value.map_or(Json::Null, to_json)
}

/// The API value of some JSON, taken apart without copying strings.
pub fn from_json(json: Json) -> Value {
    let mut deepest = 0;
    convert(json, 0, &mut deepest)
}

/// As `from_json`, and how many nested messages deep the value is: decoders refuse more
/// than 100.
pub(crate) fn from_json_measured(json: Json) -> (Value, usize) {
    let mut deepest = 0;
    let value = convert(json, 0, &mut deepest);
    (value, deepest)
}

fn convert(json: Json, depth: usize, deepest: &mut usize) -> Value {
    *deepest = depth.max(*deepest);
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(b) => Kind::BoolValue(b),
        Json::Number(n) => Kind::NumberValue(n.as_f64().unwrap_or(f64::NAN)),
        Json::String(s) => Kind::StringValue(s),
        Json::Array(items) => Kind::ListValue(ListValue {
            values: items
                .into_iter()
                .map(|item| convert(item, depth + LIST_LEVELS, deepest))
                .collect(),
        }),
        Json::Object(members) => Kind::StructValue(Struct {
            fields: members
                .into_iter()
                .map(|(name, member)| (name, convert(member, depth + OBJECT_LEVELS, deepest)))
                .collect(),
        }),
    };
    Value { kind: Some(kind) }
}

#[allow(clippy::cast_possible_truncation)] // Only whole numbers of at most 2^53 are cast.
fn number(n: f64) -> Json {
    if n.fract() == 0.0 && n.abs() <= WHOLE_MAX {
        Json::from(n as i64)
    } else {
        Json::from(n)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_survives_the_way_there_and_back() {
        let json = json!({
            "null": null, "yes": true, "text": "häh", "list": [1, -2, 2.5, [], {}],
            "whole": 9_007_199_254_740_992_i64, "negative": -9_007_199_254_740_992_i64,
        });
        assert_eq!(to_json(from_json(json.clone())), json);
    }

    #[test]
    fn whole_numbers_print_without_a_fraction() {
        assert_eq!(to_json(from_json(json!(42.0))).to_string(), "42");
        assert_eq!(to_json(from_json(json!(1e300))).to_string(), "1e+300");
        assert_eq!(to_json(from_json(json!(0.5))).to_string(), "0.5");
    }

    #[test]
    fn what_json_does_not_have_becomes_null() {
        let not_a_number = Value {
            kind: Some(Kind::NumberValue(f64::NAN)),
        };
        assert_eq!(to_json(not_a_number), Json::Null);
        assert_eq!(to_json_or_null(None), Json::Null);
    }

    #[test]
    fn depth_is_counted_in_messages() {
        assert_eq!(from_json_measured(json!(1)).1, 0);
        assert_eq!(from_json_measured(json!([{ "a": [] }, 1])).1, 5);
    }
}
