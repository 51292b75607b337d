//! Analytics: what an order brought in, from the outputs of all its steps.

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{
    Job,
    money::{amount, cents},
};

/// What the goods themselves cost, in percent of their price.
const GOODS_PERCENT: i64 = 55;

/// The agent: the outputs of all steps, by id, to `{revenue, costs, contribution, …}`.
///
/// # Errors
/// `validation` without the output of `validate`.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let steps = &job.input;
    let cents_of = |pointer: &str| steps.pointer(pointer).and_then(cents);
    let revenue = cents_of("/validate/subtotal")
        .ok_or_else(|| TaskError::validation("there is no output of the step `validate`"))?;
    let fee = cents_of("/pay/fee").unwrap_or(0);
    let shipping = cents_of("/ship/cost").unwrap_or(0);
    let goods = revenue * GOODS_PERCENT / 100;
    Ok(json!({
        "revenue": amount(revenue),
        "goods": amount(goods),
        "payment_fee": amount(fee),
        "shipping": amount(shipping),
        "contribution": amount(revenue - goods - fee - shipping),
        "items": steps["validate"]["items"],
        "risk": steps["fraud"]["score"],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contribution_is_what_is_left_after_all_costs() {
        let input = json!({
            "validate": { "subtotal": 100, "items": 3 },
            "pay": { "fee": 1.25 },
            "fraud": { "score": 0.1 },
            "ship": { "cost": 5.5 },
        });
        let output = work(&Job::with(input)).expect("there are outputs");
        assert_eq!(output["contribution"], json!(38.25));
        assert_eq!(output["items"], 3);
    }

    #[test]
    fn steps_that_gave_nothing_cost_nothing() {
        let output = work(&Job::with(json!({ "validate": { "subtotal": 100 } })));
        assert_eq!(output.expect("one output")["contribution"], json!(45));
    }
}
