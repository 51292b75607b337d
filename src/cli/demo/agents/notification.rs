//! Notification: writes the mail to the customer that says what was ordered and when it comes.

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{
    Job,
    money::{cents, written},
};

/// The agent: `{customer, order_id, total, currency, shipping}` to `{channel, to, subject,
/// body, message_id}`.
///
/// # Errors
/// `validation` without a mail address.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let input = &job.input;
    let to = input["customer"]["email"]
        .as_str()
        .filter(|a| a.contains('@'));
    let to = to.ok_or_else(|| TaskError::validation("`customer.email` is no mail address"))?;
    let order = input["order_id"].as_str().unwrap_or("your order");
    let id = crc32c::crc32c(job.idempotency_key.as_bytes());
    Ok(json!({
        "channel": "email",
        "to": to,
        "subject": format!("Your order {order} is on its way"),
        "body": body(input, order),
        "message_id": format!("{id:08x}@shop.example"),
    }))
}

fn body(input: &Value, order: &str) -> String {
    let name = input["customer"]["name"].as_str().unwrap_or("customer");
    let currency = input["currency"].as_str().unwrap_or("EUR");
    let total = cents(&input["total"]).unwrap_or(0);
    let shipping = &input["shipping"];
    let parcels = match shipping["parcels"].as_i64() {
        Some(1) => "one parcel".to_owned(),
        Some(parcels) => format!("{parcels} parcels"),
        None => "a parcel".to_owned(),
    };
    let carrier = shipping["carrier"].as_str().unwrap_or("our carrier");
    let tracking = shipping["tracking_number"].as_str().unwrap_or("-");
    let days = shipping["days"].as_i64().unwrap_or(3);
    format!(
        "Dear {name},\n\nthank you: we have received {} for order {order}. It comes in {parcels} \
         with {carrier} within {days} days; the tracking number is {tracking}.\n\nYour shop",
        written(total, currency)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_tells_total_parcels_and_tracking_number() {
        let input = json!({
            "customer": { "name": "Ada", "email": "ada@example.com" },
            "order_id": "O-1",
            "total": 119.1,
            "currency": "EUR",
            "shipping": { "parcels": 2, "carrier": "Post", "days": 2, "tracking_number": "RR1" },
        });
        let mail = work(&Job::with(input)).expect("there is an address");
        assert_eq!(mail["to"], "ada@example.com");
        let body = mail["body"].as_str().expect("a text");
        for part in [
            "Dear Ada",
            "119.10 EUR",
            "O-1",
            "2 parcels with Post",
            "RR1",
        ] {
            assert!(body.contains(part), "{body}");
        }
    }

    #[test]
    fn without_an_address_there_is_no_mail() {
        let input = json!({ "customer": { "email": "ada" } });
        assert_eq!(
            work(&Job::with(input)).expect_err("none").class,
            "validation"
        );
    }
}
