//! Whether a value passes a gate.

use crate::core::{
    expr::{self, Scope},
    plan::{Check, Gate, Judge},
    value::{self, Kind, Value},
};

/// What is violated, in words; `None` when the value passes. What an agent judges passes here:
/// see `judged`.
///
/// `scope` sees the value as `value`.
///
/// # Errors
/// Why an expression of the gate has no value.
pub fn violation(
    gate: &Gate,
    checked: &Value,
    scope: &dyn Scope,
) -> Result<Option<String>, expr::Error> {
    let found = fault(&gate.check, checked, scope)?;
    found.map(|found| said(gate, found, scope)).transpose()
}

/// What a judge's answer says is violated, in words; `None` when the value passes.
///
/// # Errors
/// Why the gate's message has no value.
pub fn judged(
    gate: &Gate,
    judge: &Judge,
    answer: &Value,
    scope: &dyn Scope,
) -> Result<Option<String>, expr::Error> {
    let score = score(answer).unwrap_or(f64::NEG_INFINITY);
    if score >= judge.threshold {
        return Ok(None);
    }
    let reason = match value::member(answer, "reason").map(value::to_text) {
        Some(reason) if !reason.is_empty() => format!(": {reason}"),
        _ => String::new(),
    };
    let found = format!(
        "the judge gives {score}, less than {}{reason}",
        judge.threshold
    );
    said(gate, found, scope).map(Some)
}

/// Why an agent's answer is no judgement, in words: it is not `{score, reason}`.
pub fn misjudged(answer: &Value) -> Option<String> {
    let reason = value::member(answer, "reason").and_then(|reason| reason.kind.as_ref());
    let is_text = matches!(
        reason,
        None | Some(Kind::NullValue(_) | Kind::StringValue(_))
    );
    match score(answer) {
        None => Some("the judge's answer is not {score, reason}: it has no number `score`".into()),
        Some(_) if !is_text => {
            Some("the judge's answer is not {score, reason}: `reason` is not a text".into())
        }
        Some(_) => None,
    }
}

fn score(answer: &Value) -> Option<f64> {
    match value::member(answer, "score")?.kind {
        Some(Kind::NumberValue(score)) if score.is_finite() => Some(score),
        _ => None,
    }
}

fn said(gate: &Gate, found: String, scope: &dyn Scope) -> Result<String, expr::Error> {
    match &gate.message {
        Some(message) => Ok(value::to_text(&message.eval(scope)?)),
        None => Ok(found),
    }
}

fn fault(check: &Check, checked: &Value, scope: &dyn Scope) -> Result<Option<String>, expr::Error> {
    Ok(match check {
        Check::NotEmpty => is_empty(checked).then(|| "the value is empty".into()),
        Check::Json => json_fault(checked),
        Check::JsonSchema(schema) => {
            let found = schema.violations(checked);
            let words = found.iter().map(|v| match v.pointer.as_str() {
                "" => v.message.clone(),
                pointer => format!("{pointer}: {}", v.message),
            });
            (!found.is_empty()).then(|| words.collect::<Vec<_>>().join("; "))
        }
        Check::Regex(regex) => match &checked.kind {
            Some(Kind::StringValue(text)) if regex.is_match(text) => None,
            Some(Kind::StringValue(_)) => Some(format!("the text does not match /{regex}/")),
            _ => Some("the value is not a text".into()),
        },
        Check::Cel(expr) => (!expr.eval_bool(scope)?).then(|| "the condition is false".into()),
        Check::Length { min, max } => length_fault(checked, *min, *max),
        Check::Range { of, min, max } => {
            let number = match of {
                Some(expr) => expr.eval(scope)?,
                None => checked.clone(),
            };
            range_fault(&number, *min, *max)
        }
        Check::Judge(_) => None,
    })
}

fn is_empty(checked: &Value) -> bool {
    match &checked.kind {
        None | Some(Kind::NullValue(_)) => true,
        Some(Kind::StringValue(text)) => text.trim().is_empty(),
        Some(Kind::ListValue(list)) => list.values.is_empty(),
        Some(Kind::StructValue(object)) => object.fields.is_empty(),
        Some(Kind::BoolValue(_) | Kind::NumberValue(_)) => false,
    }
}

fn json_fault(checked: &Value) -> Option<String> {
    let Some(Kind::StringValue(text)) = &checked.kind else {
        return None;
    };
    let parsed = serde_json::from_str::<serde::de::IgnoredAny>(text);
    parsed.err().map(|e| format!("the text is not JSON: {e}"))
}

fn length_fault(checked: &Value, min: Option<u64>, max: Option<u64>) -> Option<String> {
    let length = match &checked.kind {
        Some(Kind::StringValue(text)) => text.chars().count(),
        Some(Kind::ListValue(list)) => list.values.len(),
        Some(Kind::StructValue(object)) => object.fields.len(),
        _ => return Some("the value has no length".into()),
    };
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    match (min, max) {
        (Some(min), _) if length < min => Some(format!("the length is {length}, less than {min}")),
        (_, Some(max)) if length > max => Some(format!("the length is {length}, more than {max}")),
        _ => None,
    }
}

fn range_fault(number: &Value, min: Option<f64>, max: Option<f64>) -> Option<String> {
    let Some(Kind::NumberValue(number)) = number.kind else {
        return Some("the value is not a number".into());
    };
    match (min, max) {
        (Some(min), _) if number < min => Some(format!("{number} is less than {min}")),
        (_, Some(max)) if number > max => Some(format!("{number} is more than {max}")),
        _ if number.is_nan() => Some("the value is not a number".into()),
        _ => None,
    }
}
