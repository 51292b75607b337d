//! Amounts of money: counted in cents, written in JSON as decimal numbers.

use serde_json::{Number, Value};

/// Cents of a JSON amount; `None` for what is no amount of at most a hundred billion.
pub fn cents(amount: &Value) -> Option<i64> {
    let cents = amount.as_f64()? * 100.0;
    #[allow(clippy::cast_possible_truncation)]
    (cents.abs() < 1e13).then(|| cents.round() as i64)
}

/// A JSON amount of cents; a whole number when it is one.
pub fn amount(cents: i64) -> Value {
    if cents % 100 == 0 {
        return Value::from(cents / 100);
    }
    #[allow(clippy::cast_precision_loss)]
    Number::from_f64(cents as f64 / 100.0).map_or(Value::Null, Value::Number)
}

/// An amount as text, with two digits: `349.90 EUR`.
pub fn written(cents: i64, currency: &str) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, rest) = (cents.abs() / 100, cents.abs() % 100);
    format!("{sign}{whole}.{rest:02} {currency}")
}

/// `percent` % of an amount, rounded half up.
pub fn share(cents: i64, percent: i64) -> i64 {
    (cents * percent + 50).div_euclid(100)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_survive_the_way_through_cents() {
        assert_eq!(cents(&json!(0.1)), Some(10));
        assert_eq!(cents(&json!(289)), Some(28_900));
        assert_eq!(cents(&json!("289")), None);
        assert_eq!(cents(&json!(1e300)), None);
        assert_eq!(amount(34_990), json!(349.9));
        assert_eq!(amount(28_900), json!(289));
        assert_eq!(written(34_905, "EUR"), "349.05 EUR");
        assert_eq!(written(-50, "EUR"), "-0.50 EUR");
        assert_eq!(share(1_003, 19), 191);
    }
}
