//! Order validation: every problem of an order at once, or its lines added up.

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{
    Job,
    money::{amount, cents, share},
};

/// Value added tax in percent, by country; others pay none here.
const TAX_PERCENT: [(&str, i64); 6] = [
    ("DE", 19),
    ("FR", 20),
    ("IT", 22),
    ("NL", 21),
    ("AT", 20),
    ("ES", 21),
];

/// The most of one item in an order.
const QUANTITY_MAX: i64 = 100;

/// The agent: an order to `{order_id, lines, subtotal, tax, total, currency, items}`.
///
/// # Errors
/// `validation` naming every problem.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let order = &job.input;
    let mut problems = Vec::new();
    for field in [
        "/order_id",
        "/currency",
        "/customer/email",
        "/shipping/country",
    ] {
        let given = order.pointer(field).and_then(Value::as_str);
        if given.is_none_or(str::is_empty) {
            problems.push(format!("{field} is missing"));
        }
    }
    let items = order["items"].as_array().map_or(&[][..], Vec::as_slice);
    if items.is_empty() {
        problems.push("/items is empty".to_owned());
    }
    let lines: Vec<Line> = (0..)
        .zip(items)
        .filter_map(|(i, item)| line(i, item, &mut problems))
        .collect();
    if !problems.is_empty() {
        return Err(TaskError::validation(problems.join("; ")));
    }
    Ok(added_up(order, &lines))
}

struct Line {
    sku: String,
    quantity: i64,
    unit_cents: i64,
}

fn line(at: usize, item: &Value, problems: &mut Vec<String>) -> Option<Line> {
    let before = problems.len();
    let mut problem =
        |field: &str, what: &str| problems.push(format!("/items/{at}/{field} {what}"));
    let sku = item["sku"].as_str().unwrap_or_default();
    if sku.is_empty() {
        problem("sku", "is missing");
    }
    let quantity = item["quantity"].as_i64().unwrap_or(0);
    if !(1..=QUANTITY_MAX).contains(&quantity) {
        problem(
            "quantity",
            &format!("is not a whole number from 1 to {QUANTITY_MAX}"),
        );
    }
    let unit_cents = cents(&item["unit_price"]).filter(|price| *price >= 0);
    if unit_cents.is_none() {
        problem("unit_price", "is not a price");
    }
    (problems.len() == before).then(|| Line {
        sku: sku.to_owned(),
        quantity,
        unit_cents: unit_cents.unwrap_or(0),
    })
}

fn added_up(order: &Value, lines: &[Line]) -> Value {
    let country = order["shipping"]["country"].as_str().unwrap_or_default();
    let known = TAX_PERCENT.iter().find(|(code, _)| *code == country);
    let percent = known.map_or(0, |(_, percent)| *percent);
    let subtotal: i64 = lines.iter().map(|l| l.unit_cents * l.quantity).sum();
    let tax = share(subtotal, percent);
    let shown: Vec<Value> = lines
        .iter()
        .map(|l| {
            json!({
                "sku": l.sku,
                "quantity": l.quantity,
                "unit_price": amount(l.unit_cents),
                "amount": amount(l.unit_cents * l.quantity),
            })
        })
        .collect();
    json!({
        "order_id": order["order_id"],
        "lines": shown,
        "items": lines.iter().map(|l| l.quantity).sum::<i64>(),
        "subtotal": amount(subtotal),
        "tax_percent": percent,
        "tax": amount(tax),
        "total": amount(subtotal + tax),
        "currency": order["currency"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(items: &Value) -> Job {
        Job::with(json!({
            "order_id": "O-1",
            "currency": "EUR",
            "customer": { "email": "ada@example.com" },
            "shipping": { "country": "DE" },
            "items": items,
        }))
    }

    #[test]
    fn lines_and_tax_add_up_to_the_cent() {
        let items = json!([
            { "sku": "LAMP", "quantity": 2, "unit_price": 49.9 },
            { "sku": "BULB", "quantity": 3, "unit_price": 0.1 },
        ]);
        let output = work(&order(&items)).expect("the order is fine");
        assert_eq!(output["subtotal"], json!(100.1));
        assert_eq!(output["tax"], json!(19.02));
        assert_eq!(output["total"], json!(119.12));
        assert_eq!(output["items"], 5);
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let items = json!([{ "sku": "", "quantity": 1.5, "unit_price": -1 }]);
        let mut job = order(&items);
        job.input["order_id"] = Value::Null;
        let error = work(&job).expect_err("the order is bad");
        assert_eq!(error.class, "validation");
        for place in [
            "/order_id",
            "/items/0/sku",
            "/items/0/quantity",
            "/items/0/unit_price",
        ] {
            assert!(error.message.contains(place), "{}", error.message);
        }
    }
}
