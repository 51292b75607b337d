//! What goes wrong in an evaluation, in words for the writer of the expression.

use cel::{ExecutionError, Value as CelValue};

/// The error in one line.
pub(super) fn of(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        ExecutionError::IndexOutOfBounds(index) => format!("index out of bounds: {}", text(index)),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "division by zero".into()
        }
        ExecutionError::Overflow(..) => "the result is larger than a whole number can be".into(),
        ExecutionError::NoSuchOverload(call) => {
            does_not_apply(call.function(), call.argument_types())
        }
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
            let types = [left, right].map(|v| v.type_of().to_string());
            does_not_apply(operator, &types)
        }
        ExecutionError::UnexpectedType { got, want } => {
            format!("expected {}, got {}", type_name(want), type_name(got))
        }
        ExecutionError::FunctionError { function, message } if function.starts_with('@') => {
            message.clone()
        }
        ExecutionError::FunctionError { function, message } => format!("{function}: {message}"),
        ExecutionError::DuplicateKey(key) => format!("the key {} is there twice", text(key)),
        other => other.to_string().replace(['\n', '\r'], " "),
    }
}

fn does_not_apply(function: &str, types: &[String]) -> String {
    let types: Vec<_> = types
        .iter()
        .map(|t| type_name(t))
        .filter(|t| *t != "tutti.Meter")
        .collect();
    if let ("_._" | "_?._" | "_[_]" | ".", [of, _]) = (function, &types[..]) {
        return format!("no such key: a value of type {of} has none");
    }
    format!(
        "`{}` does not apply to {}",
        operator(function),
        types.join(" and ")
    )
}

/// An operator or function as users write it.
fn operator(function: &str) -> &str {
    match function {
        "add" => "+",
        "sub" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        "_?_:_" => "? :",
        "@in" => "in",
        other => other.trim_matches(['_', '@']),
    }
}

fn type_name(name: &str) -> &str {
    match name {
        "null_type" => "null",
        "float" => "double",
        "optional_type" => "optional",
        other => other,
    }
}

fn text(value: &CelValue) -> String {
    match value {
        CelValue::Int(int) => int.to_string(),
        CelValue::UInt(uint) => uint.to_string(),
        CelValue::Float(double) => double.to_string(),
        CelValue::String(text) => format!("{text:?}"),
        CelValue::Bool(bool) => bool.to_string(),
        other => other.type_of().to_string(),
    }
}
