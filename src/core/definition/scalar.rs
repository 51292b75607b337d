//! What a plain YAML scalar means: the core schema of YAML 1.2 (§10.3.2), in which `yes`, `no`
//! and `on` are strings.

/// The meaning of a scalar.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; the text beside it keeps every digit.
    Number(f64),
    /// Anything else.
    String,
}

/// Resolves an unquoted scalar.
pub fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Scalar::Number(f64::NAN),
        _ => number(text).map_or(Scalar::String, Scalar::Number),
    }
}

fn number(text: &str) -> Option<f64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
        return Some(sign * f64::INFINITY);
    }
    is_decimal(unsigned).then(|| text.parse().ok()).flatten()
}

#[allow(clippy::cast_precision_loss)]
fn radix(digits: &str, radix: u32) -> Option<f64> {
    let plain = digits.chars().all(|c| c.is_digit(radix));
    (plain && !digits.is_empty())
        .then(|| u128::from_str_radix(digits, radix).ok())
        .flatten()
        .map(|n| n as f64)
}

/// `[0-9]+(\.[0-9]*)?` or `\.[0-9]+`, then `([eE][-+]?[0-9]+)?`.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        let digits = e.strip_prefix(['-', '+']).unwrap_or(e);
        !digits.is_empty() && all_digits(digits)
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let some_digit = !whole.is_empty() || !fraction.is_empty();
    exponent_fits && some_digit && all_digits(whole) && all_digits(fraction)
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, expected) in [
            ("", Scalar::Null),
            ("~", Scalar::Null),
            ("Null", Scalar::Null),
            ("True", Scalar::Bool(true)),
            ("false", Scalar::Bool(false)),
            ("yes", Scalar::String),
            ("no", Scalar::String),
            ("on", Scalar::String),
            ("12", Scalar::Number(12.0)),
            ("-12", Scalar::Number(-12.0)),
            ("+1.5e3", Scalar::Number(1500.0)),
            (".5", Scalar::Number(0.5)),
            ("5.", Scalar::Number(5.0)),
            ("0x1F", Scalar::Number(31.0)),
            ("0o17", Scalar::Number(15.0)),
            ("0x", Scalar::String),
            ("1e", Scalar::String),
            (".", Scalar::String),
            ("-", Scalar::String),
            ("inf", Scalar::String),
            ("nan", Scalar::String),
            ("1_000", Scalar::String),
            ("30s", Scalar::String),
            ("1.2.3", Scalar::String),
            ("-.inf", Scalar::Number(f64::NEG_INFINITY)),
        ] {
            assert_eq!(resolve(text), expected, "{text:?}");
        }
    }

    #[test]
    fn not_a_number_is_a_number() {
        assert!(matches!(resolve(".nan"), Scalar::Number(n) if n.is_nan()));
    }
}
