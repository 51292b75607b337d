//! CEL values as JSON data: what an expression's value is to the rest of the kernel.

use cel::{
    ExecutionError,
    common::{
        types::{
            CelBool, CelBytes, CelDouble, CelDuration, CelInt, CelNull, CelOptional, CelString,
            CelTimestamp, CelType, CelUInt, Kind,
        },
        value::Val,
    },
};

use super::meter::Meter;
use crate::core::value::{self, Value};

/// `val` as JSON data. Ints, uints and doubles become numbers; timestamps RFC 3339 text,
/// durations seconds (`10s`, `1.5s`), bytes base64; keys that are not strings become text; an
/// optional becomes its value or null.
///
/// # Errors
/// NaN and infinities, values that JSON has no form for, and when the meter runs out.
pub(super) fn to_value(val: &dyn Val, meter: &Meter) -> Result<Value, ExecutionError> {
    meter.spend(1)?;
    match val.get_type().kind() {
        Kind::List => list(val, meter),
        Kind::Map => object(val, meter),
        _ => scalar(val, meter),
    }
}

fn list(val: &dyn Val, meter: &Meter) -> Result<Value, ExecutionError> {
    let mut items = val.as_iterable().ok_or_else(|| no_form(val))?.iter();
    let mut values = Vec::new();
    while let Some(item) = items.next() {
        values.push(to_value(item, meter)?);
    }
    Ok(value::list(values))
}

fn object(val: &dyn Val, meter: &Meter) -> Result<Value, ExecutionError> {
    let mut keys = val.as_iterable().ok_or_else(|| no_form(val))?.iter();
    let members = val.as_indexer().ok_or_else(|| no_form(val))?;
    let mut fields = Vec::new();
    while let Some(key) = keys.next() {
        let name = value::to_text(&to_value(key, meter)?);
        fields.push((name, to_value(members.get(key)?.as_ref(), meter)?));
    }
    Ok(value::object(fields))
}

#[allow(clippy::cast_precision_loss)]
fn scalar(val: &dyn Val, meter: &Meter) -> Result<Value, ExecutionError> {
    if let Some(text) = val.downcast_ref::<CelString>() {
        meter.spend_bytes(text.len())?;
        return Ok(value::string(text.inner()));
    }
    if let Some(bool) = val.downcast_ref::<CelBool>() {
        return Ok(value::boolean(*bool.inner()));
    }
    if let Some(int) = val.downcast_ref::<CelInt>() {
        return Ok(value::number(*int.inner() as f64));
    }
    if let Some(uint) = val.downcast_ref::<CelUInt>() {
        return Ok(value::number(*uint.inner() as f64));
    }
    if let Some(double) = val.downcast_ref::<CelDouble>() {
        return finite(*double.inner());
    }
    if val.downcast_ref::<CelNull>().is_some() {
        return Ok(value::null());
    }
    uncommon(val, meter)
}

fn uncommon(val: &dyn Val, meter: &Meter) -> Result<Value, ExecutionError> {
    if let Some(bytes) = val.downcast_ref::<CelBytes>() {
        meter.spend_bytes(bytes.len())?;
        return base64(bytes);
    }
    if let Some(time) = val.downcast_ref::<CelTimestamp>() {
        let text = time.inner().to_utc().to_rfc3339();
        return Ok(value::string(text.replace("+00:00", "Z")));
    }
    if let Some(span) = val.downcast_ref::<CelDuration>() {
        let (seconds, nanos) = (span.inner().num_seconds(), span.inner().subsec_nanos());
        return Ok(value::string(seconds_text(seconds, nanos)));
    }
    if let Some(named) = val.downcast_ref::<CelType>() {
        return Ok(value::string(named.name()));
    }
    match val.downcast_ref::<CelOptional>().map(CelOptional::option) {
        Some(Some(present)) => to_value(present, meter),
        Some(None) => Ok(value::null()),
        None => Err(no_form(val)),
    }
}

fn base64(bytes: &CelBytes<'_>) -> Result<Value, ExecutionError> {
    let owned = cel::Value::from(bytes.inner().to_vec());
    let text = owned.json().map_err(|_| no_form(bytes))?;
    Ok(value::from_json(&text))
}

fn finite(number: f64) -> Result<Value, ExecutionError> {
    if number.is_finite() {
        return Ok(value::number(number));
    }
    let message = format!("the result is not a number that JSON has: {number}");
    Err(ExecutionError::function_error("@number", message))
}

/// `10s`, `-1.5s`: as Protobuf's JSON mapping has a duration.
fn seconds_text(seconds: i64, nanos: i32) -> String {
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let fraction = match nanos.unsigned_abs() {
        0 => String::new(),
        nanos => format!(".{nanos:09}").trim_end_matches('0').to_owned(),
    };
    format!("{sign}{}{fraction}s", seconds.unsigned_abs())
}

fn no_form(val: &dyn Val) -> ExecutionError {
    let message = format!("a {} has no form in JSON", val.get_type().name());
    ExecutionError::function_error("@number", message)
}
