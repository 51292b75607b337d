//! Functions of our own: JSON as text and back, and those of CEL's extensions that need a meter
//! or take whole numbers too.

use std::collections::HashMap;

use cel::{
    ExecutionError,
    common::{
        types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString},
        value::{CowVal, Val},
    },
};
use serde_json::Value as Json;

use super::{convert, meter::Meter};
use crate::core::value;

type Arguments<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Outcome<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// `toJson(x)`: the value as compact JSON text, keys sorted.
pub(super) fn to_json<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let value = convert::to_value(args[0].as_ref(), Meter::of(&args[1])?)?;
    Ok(CowVal::owned(CelString::from(
        value::to_json(&value).to_string(),
    )))
}

/// `fromJson(text)`: the value that the JSON text says.
pub(super) fn from_json<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let text = string(&args[0], "fromJson")?;
    Meter::of(&args[1])?.spend(text.len() / 8)?;
    let json: Json = serde_json::from_str(text)
        .map_err(|error| ExecutionError::function_error("fromJson", error))?;
    Ok(CowVal::Owned(own(&json)))
}

/// `list.join()` and `list.join(separator)`, of strings.
pub(super) fn join<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let (meter, args) = args
        .split_last()
        .ok_or(ExecutionError::MissingArgumentOrTarget)?;
    let meter = Meter::of(meter)?;
    let separator = args.get(1).map_or(Ok(""), |s| string(s, "join"))?;
    let list = args[0]
        .as_iterable()
        .ok_or_else(|| mismatch("join", args))?;
    let mut items = list.iter();
    let mut joined = String::new();
    let mut first = true;
    while let Some(item) = items.next() {
        let part = item.downcast_ref::<CelString>().map(CelString::inner);
        let part = part.ok_or_else(|| {
            ExecutionError::function_error("join", "takes strings; write items.map(x, string(x))")
        })?;
        meter.spend(1)?;
        meter.spend_bytes(part.len() + separator.len())?;
        if !first {
            joined.push_str(separator);
        }
        joined.push_str(part);
        first = false;
    }
    Ok(CowVal::owned(CelString::from(joined)))
}

/// `text.replace(from, to)` and `text.replace(from, to, limit)`; a limit below 0 is none.
pub(super) fn replace<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let (meter, args) = args
        .split_last()
        .ok_or(ExecutionError::MissingArgumentOrTarget)?;
    let text = string(&args[0], "replace")?;
    let (from, to) = (string(&args[1], "replace")?, string(&args[2], "replace")?);
    let limit = match args.get(3) {
        None => usize::MAX,
        Some(limit) => limit
            .downcast_ref::<CelInt>()
            .map(|limit| usize::try_from(*limit.inner()).unwrap_or(usize::MAX))
            .ok_or_else(|| mismatch("replace", args))?,
    };
    let places = text.matches(from).take(limit).count();
    Meter::of(meter)?.spend_bytes(text.len().saturating_add(places.saturating_mul(to.len())))?;
    Ok(CowVal::owned(CelString::from(
        text.replacen(from, to, limit),
    )))
}

/// `math.ceil(x)` and its like of a number that is whole already.
pub(super) fn whole<'b, 'v>(mut args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let number = args.pop().ok_or(ExecutionError::MissingArgumentOrTarget)?;
    match number.downcast_ref::<CelInt>() {
        Some(_) => Ok(number),
        None => Err(mismatch("math", &[number])),
    }
}

/// JSON as a CEL value that owns it.
fn own<'v>(json: &Json) -> Box<dyn Val + 'v> {
    match json {
        Json::Null => Box::new(CelNull),
        Json::Bool(b) => Box::new(CelBool::from(*b)),
        Json::Number(n) => own_number(n.as_f64().unwrap_or(f64::NAN)),
        Json::String(s) => Box::new(CelString::from(s.clone())),
        Json::Array(items) => Box::new(CelList::from(items.iter().map(own).collect::<Vec<_>>())),
        Json::Object(members) => {
            let members = members
                .iter()
                .map(|(k, v)| (CelMapKey::from(k.clone()), own(v)));
            Box::new(CelMap::from(members.collect::<HashMap<_, _>>()))
        }
    }
}

#[allow(clippy::cast_possible_truncation)]
fn own_number<'v>(number: f64) -> Box<dyn Val + 'v> {
    if value::is_whole(number) {
        Box::new(CelInt::from(number as i64))
    } else {
        Box::new(CelDouble::from(number))
    }
}

fn string<'a>(value: &'a CowVal<'_, '_>, function: &str) -> Result<&'a str, ExecutionError> {
    let text = value.downcast_ref::<CelString>().map(CelString::inner);
    text.ok_or_else(|| mismatch(function, std::slice::from_ref(value)))
}

fn mismatch(function: &str, args: &[CowVal<'_, '_>]) -> ExecutionError {
    let types = args.iter().map(|a| a.get_type().name().to_owned());
    ExecutionError::no_such_overload(function, types.collect())
}
