//! Shipping: parcels by weight, a carrier by destination, a tracking number with the check
//! digit of UPU S10.

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{Job, money::amount};

/// The heaviest parcel that a carrier takes.
const PARCEL_GRAMS_MAX: i64 = 31_500;

/// A carrier: where it goes, what a parcel and each begun kilogram cost, and how long it takes.
struct Carrier {
    name: &'static str,
    parcel_cents: i64,
    kilogram_cents: i64,
    days: i64,
}

const DOMESTIC: Carrier = Carrier {
    name: "Post",
    parcel_cents: 499,
    kilogram_cents: 20,
    days: 2,
};
const EUROPE: Carrier = Carrier {
    name: "EuroParcel",
    parcel_cents: 1_290,
    kilogram_cents: 65,
    days: 5,
};
const WORLD: Carrier = Carrier {
    name: "AirFreight",
    parcel_cents: 3_900,
    kilogram_cents: 480,
    days: 9,
};

/// The agent: `{address, weight_grams, reservations}` to `{carrier, parcels, cost,
/// tracking_number, days, warehouses}`.
///
/// # Errors
/// `validation` without an address or without anything to send.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let country = job.input["address"]["country"].as_str().unwrap_or_default();
    let weight = job.input["weight_grams"].as_i64().unwrap_or(0);
    if country.is_empty() {
        return Err(TaskError::validation("`address.country` is missing"));
    }
    if weight <= 0 {
        return Err(TaskError::validation("there is nothing to send"));
    }
    let carrier = carrier(country);
    let parcels = (weight + PARCEL_GRAMS_MAX - 1) / PARCEL_GRAMS_MAX;
    let kilograms = (weight + 999) / 1_000;
    let cost = parcels * carrier.parcel_cents + kilograms * carrier.kilogram_cents;
    Ok(json!({
        "carrier": carrier.name,
        "parcels": parcels,
        "weight_grams": weight,
        "cost": amount(cost),
        "tracking_number": tracking_number(&job.idempotency_key),
        "days": carrier.days,
        "warehouses": warehouses(&job.input["reservations"]),
    }))
}

fn carrier(country: &str) -> &'static Carrier {
    match country {
        "DE" => &DOMESTIC,
        "AT" | "BE" | "CZ" | "DK" | "ES" | "FR" | "IT" | "LU" | "NL" | "PL" | "SE" => &EUROPE,
        _ => &WORLD,
    }
}

/// `RR12345678?DE` with the check digit of the UPU's standard S10. The same for every attempt.
fn tracking_number(idempotency_key: &str) -> String {
    let serial = crc32c::crc32c(idempotency_key.as_bytes()) % 100_000_000;
    format!("RR{serial:08}{}DE", check_digit(serial))
}

fn check_digit(serial: u32) -> u32 {
    const WEIGHTS: [u32; 8] = [7, 9, 5, 3, 2, 4, 6, 8];
    let (_, sum) = WEIGHTS.iter().fold((serial, 0), |(rest, sum), weight| {
        (rest / 10, sum + rest % 10 * weight)
    });
    match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        digit => digit,
    }
}

/// Where parcels are packed, each once.
fn warehouses(reservations: &Value) -> Vec<&str> {
    let reserved = reservations.as_array().map_or(&[][..], Vec::as_slice);
    let mut names: Vec<&str> = reserved
        .iter()
        .filter_map(|r| r["warehouse"].as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(country: &str, weight_grams: i64) -> Value {
        let input = json!({
            "address": { "country": country },
            "weight_grams": weight_grams,
            "reservations": [{ "warehouse": "LEJ" }, { "warehouse": "CGN" }, { "warehouse": "LEJ" }],
        });
        work(&Job::with(input)).expect("there is something to send")
    }

    #[test]
    fn the_carrier_and_the_cost_follow_from_destination_and_weight() {
        let domestic = sent("DE", 33_090);
        assert_eq!(domestic["parcels"], 2);
        assert_eq!(domestic["cost"], json!(16.78));
        assert_eq!(domestic["warehouses"], json!(["CGN", "LEJ"]));
        assert_eq!(sent("FR", 500)["carrier"], "EuroParcel");
        assert_eq!(sent("NZ", 500)["carrier"], "AirFreight");
    }

    #[test]
    fn the_check_digit_is_that_of_the_standards_example() {
        // UPU S10: 47312482 has the check digit 9.
        assert_eq!(check_digit(47_312_482), 9);
    }

    #[test]
    fn nothing_is_not_sent() {
        let input = json!({ "address": { "country": "DE" }, "weight_grams": 0 });
        assert_eq!(
            work(&Job::with(input)).expect_err("nothing").class,
            "validation"
        );
    }
}
