//! Fraud detection: a logistic score over features of an order, each named with its weight,
//! so that a decision can be explained.

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{
    Job,
    money::cents,
    text::{count, rounded},
};

/// The score of an order without any feature: about 5 %.
const BIAS: f64 = -3.0;
const REVIEW_FROM: f64 = 0.4;
const REJECT_FROM: f64 = 0.85;

/// Mail domains that are made for throwing away.
const THROWAWAY_DOMAINS: [&str; 4] = [
    "mailinator.com",
    "guerrillamail.com",
    "10minutemail.com",
    "trashmail.com",
];

/// A reason for or against trust, and how much it weighs.
struct Feature {
    name: &'static str,
    weight: f64,
}

/// The agent: `{order, total}` to `{score, decision, reasons}`; the score runs from 0 to 1,
/// the decision is ACCEPT, REVIEW or REJECT.
///
/// # Errors
/// `validation` without an order or a total.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let order = &job.input["order"];
    let total = cents(&job.input["total"]);
    let (Some(total), true) = (total, order.is_object()) else {
        return Err(TaskError::validation(
            "the input has no `order` or no `total`",
        ));
    };
    let features = features(order, total);
    let sum: f64 = features.iter().map(|f| f.weight).sum();
    let score = 1.0 / (1.0 + (-(BIAS + sum)).exp());
    let reasons: Vec<Value> = features
        .iter()
        .map(|f| json!({ "feature": f.name, "weight": f.weight }))
        .collect();
    Ok(json!({
        "score": rounded(score),
        "decision": decision(score),
        "reasons": reasons,
    }))
}

fn decision(score: f64) -> &'static str {
    match score {
        score if score >= REJECT_FROM => "REJECT",
        score if score >= REVIEW_FROM => "REVIEW",
        _ => "ACCEPT",
    }
}

fn features(order: &Value, total_cents: i64) -> Vec<Feature> {
    let text = |path: &str| {
        order
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let number = |path: &str| order.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let domain = text("/customer/email")
        .rsplit('@')
        .next()
        .unwrap_or_default();
    let known_for = number("/customer/days_known");
    let orders = number("/customer/orders_before");
    let found = [
        (total_cents >= 100_000, "total of 1000 or more", 1.2),
        (total_cents >= 300_000, "total of 3000 or more", 1.0),
        (known_for < 7, "customer known for less than a week", 1.4),
        (orders == 0, "first order", 0.6),
        (orders >= 5, "five orders or more before", -1.2),
        (
            text("/payment/card_country") != text("/shipping/country"),
            "card from another country than the address",
            1.5,
        ),
        (
            THROWAWAY_DOMAINS.contains(&domain),
            "throwaway mail address",
            2.2,
        ),
        (
            largest_quantity(order) >= 10.0,
            "ten or more of one item",
            0.8,
        ),
    ];
    found
        .into_iter()
        .filter(|(holds, _, _)| *holds)
        .map(|(_, name, weight)| Feature { name, weight })
        .collect()
}

fn largest_quantity(order: &Value) -> f64 {
    let items = order["items"].as_array().map_or(&[][..], Vec::as_slice);
    let quantities = items.iter().filter_map(|i| i["quantity"].as_u64());
    let largest = quantities.max().unwrap_or(0);
    count(usize::try_from(largest).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(customer: &Value, card_country: &str, total: f64) -> Value {
        let order = json!({
            "customer": customer,
            "payment": { "card_country": card_country },
            "shipping": { "country": "DE" },
            "items": [{ "sku": "A", "quantity": 1 }],
        });
        work(&Job::with(json!({ "order": order, "total": total }))).expect("an order")
    }

    #[test]
    fn a_known_customer_is_accepted() {
        let ada = json!({ "email": "ada@example.com", "days_known": 400, "orders_before": 7 });
        let output = scored(&ada, "DE", 420.0);
        assert_eq!(output["decision"], "ACCEPT");
        // 1 / (1 + e^4.2)
        assert_eq!(output["score"], json!(0.015));
    }

    #[test]
    fn every_feature_that_holds_is_named() {
        let new = json!({ "email": "x@mailinator.com", "days_known": 0, "orders_before": 0 });
        let output = scored(&new, "US", 3_500.0);
        assert_eq!(output["decision"], "REJECT");
        assert_eq!(output["reasons"].as_array().map(Vec::len), Some(6));
    }

    #[test]
    fn doubt_goes_to_review() {
        let new = json!({ "email": "x@example.com", "days_known": 1, "orders_before": 0 });
        assert_eq!(scored(&new, "FR", 50.0)["decision"], "REVIEW");
    }
}
