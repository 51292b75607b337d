//! Inventory: reserves the lines of an order from a table of what is in stock.

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::Job;

/// What a warehouse holds.
struct Stock {
    sku: &'static str,
    name: &'static str,
    on_hand: i64,
    warehouse: &'static str,
    weight_grams: i64,
}

const STOCK: [Stock; 7] = [
    stock("DESK-OAK", "Desk, oak", 14, "LEJ", 31_000),
    stock("LAMP-BRASS", "Desk lamp, brass", 52, "LEJ", 1_850),
    stock("BULB-E27", "Bulb E27, warm white", 960, "CGN", 60),
    stock("CHAIR-LIN", "Chair, linen", 3, "LEJ", 7_400),
    stock("RUG-WOOL", "Rug, wool", 0, "CGN", 5_200),
    stock(
        "BOOK-ALICE",
        "Alice's Adventures in Wonderland",
        88,
        "CGN",
        320,
    ),
    stock("PEN-INK", "Fountain pen", 120, "CGN", 45),
];

const fn stock(
    sku: &'static str,
    name: &'static str,
    on_hand: i64,
    warehouse: &'static str,
    weight_grams: i64,
) -> Stock {
    Stock {
        sku,
        name,
        on_hand,
        warehouse,
        weight_grams,
    }
}

/// The agent: `{lines: [{sku, quantity}]}` to `{available, reservations, shortages,
/// weight_grams}`. What is short is said, not refused.
///
/// # Errors
/// `validation` without lines.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let lines = job.input["lines"]
        .as_array()
        .ok_or_else(|| TaskError::validation("the input has no `lines`"))?;
    let mut reservations = Vec::new();
    let mut shortages = Vec::new();
    let mut weight_grams = 0;
    for line in lines {
        let sku = line["sku"].as_str().unwrap_or_default();
        let wanted = line["quantity"].as_i64().unwrap_or(0);
        let stock = STOCK.iter().find(|s| s.sku == sku);
        let reserved = stock.map_or(0, |s| s.on_hand.min(wanted));
        if let (Some(stock), 1..) = (stock, reserved) {
            weight_grams += stock.weight_grams * reserved;
            reservations.push(json!({
                "sku": sku,
                "name": stock.name,
                "quantity": reserved,
                "warehouse": stock.warehouse,
            }));
        }
        if reserved < wanted {
            let reason = if stock.is_some() {
                "out of stock"
            } else {
                "unknown item"
            };
            shortages.push(json!({ "sku": sku, "missing": wanted - reserved, "reason": reason }));
        }
    }
    Ok(json!({
        "available": shortages.is_empty(),
        "reservations": reservations,
        "shortages": shortages,
        "weight_grams": weight_grams,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_stock_is_reserved_and_weighed() {
        let lines = json!({ "lines": [
            { "sku": "DESK-OAK", "quantity": 1 },
            { "sku": "BULB-E27", "quantity": 4 },
        ]});
        let output = work(&Job::with(lines)).expect("there are lines");
        assert_eq!(output["available"], true);
        assert_eq!(output["weight_grams"], 31_240);
        assert_eq!(output["reservations"][1]["warehouse"], "CGN");
    }

    #[test]
    fn what_is_short_or_unknown_is_said() {
        let lines = json!({ "lines": [
            { "sku": "CHAIR-LIN", "quantity": 5 },
            { "sku": "RUG-WOOL", "quantity": 1 },
            { "sku": "UNICORN", "quantity": 1 },
        ]});
        let output = work(&Job::with(lines)).expect("there are lines");
        assert_eq!(output["available"], false);
        assert_eq!(output["reservations"][0]["quantity"], 3);
        assert_eq!(output["shortages"][0]["missing"], 2);
        assert_eq!(output["shortages"][1]["reason"], "out of stock");
        assert_eq!(output["shortages"][2]["reason"], "unknown item");
    }
}
