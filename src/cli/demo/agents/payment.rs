//! Payment: stands in for a card gateway that drops the first connection of every payment,
//! so that a retry is seen. The charge's id follows from the idempotency key: asked again,
//! the gateway gives the charge it has made, and takes no money twice.

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{
    Job,
    money::{amount, cents, share, written},
};

/// What the card takes at most.
const CARD_LIMIT_CENTS: i64 = 500_000;

/// The gateway's fee: a share of the amount, and something for each charge.
const FEE_PERCENT: i64 = 1;
const FEE_CENTS: i64 = 25;

/// The agent: `{order_id, amount, currency, method}` to `{charge_id, status, amount, fee, …}`.
///
/// # Errors
/// `validation` for a bad amount, `unavailable` at the first attempt, `refused` for more than
/// the card takes.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let due = cents(&job.input["amount"]).filter(|due| *due > 0);
    let due = due.ok_or_else(|| TaskError::validation("`amount` is not a price above zero"))?;
    if job.attempt == 1 {
        return Err(TaskError::unavailable(
            "the card gateway closed the connection",
        ));
    }
    let currency = job.input["currency"].as_str().unwrap_or("EUR");
    if due > CARD_LIMIT_CENTS {
        let said = format!("the card does not cover {}", written(due, currency));
        return Err(TaskError::new("refused", said));
    }
    Ok(json!({
        "charge_id": charge_id(&job.idempotency_key),
        "status": "CAPTURED",
        "amount": amount(due),
        "fee": amount(share(due, FEE_PERCENT) + FEE_CENTS),
        "currency": currency,
        "method": job.input["method"],
    }))
}

fn charge_id(idempotency_key: &str) -> String {
    format!("ch_{:08x}", crc32c::crc32c(idempotency_key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(number: u32, due: f64) -> Result<Value, TaskError> {
        work(&Job {
            attempt: number,
            ..Job::with(json!({ "amount": due, "currency": "EUR", "method": "card" }))
        })
    }

    #[test]
    fn the_first_attempt_fails_and_the_next_takes_the_money() {
        assert_eq!(attempt(1, 10.0).expect_err("dropped").class, "unavailable");
        let charge = attempt(2, 100.0).expect("the gateway is back");
        assert_eq!(charge["status"], "CAPTURED");
        assert_eq!(charge["fee"], json!(1.25));
    }

    #[test]
    fn every_attempt_of_a_step_gives_the_same_charge() {
        let (second, third) = (attempt(2, 10.0), attempt(3, 10.0));
        assert_eq!(
            second.expect("taken")["charge_id"],
            third.expect("taken")["charge_id"]
        );
    }

    #[test]
    fn more_than_the_card_takes_is_refused() {
        assert_eq!(attempt(2, 5_000.01).expect_err("too much").class, "refused");
    }
}
