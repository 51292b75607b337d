//! Entity extraction: mail addresses, links, dates, amounts, organisations and people, by
//! their form.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{Job, text::is_stopword};

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is well-formed")
}

static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b"));
static LINK: LazyLock<Regex> = LazyLock::new(|| regex(r"\bhttps?://[^\s<>()]+[^\s<>().,;:!?]"));
static ISO_DATE: LazyLock<Regex> = LazyLock::new(|| regex(r"\b(\d{4})-(\d{2})-(\d{2})\b"));
static DAY_FIRST: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\b(\d{1,2})(?:st|nd|rd|th)?\.? (\p{Lu}\p{Ll}+),? (\d{4})\b"));
static MONTH_FIRST: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\b(\p{Lu}\p{Ll}+) (\d{1,2})(?:st|nd|rd|th)?, (\d{4})\b"));
static CURRENCY_FIRST: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(€|\$|£|\bEUR|\bUSD|\bGBP)\s?(\d[\d,]*(?:\.\d{1,2})?)"));
static CURRENCY_LAST: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\b(\d[\d,]*(?:\.\d{1,2})?)\s?(€|EUR\b|USD\b|GBP\b)"));
static ORGANISATION: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\b((?:\p{Lu}[\w&-]+ ){1,3}(?:GmbH|Ltd|Inc|LLC|AG|plc|Co))\b"));
static TITLED: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"\b(?:Mr|Mrs|Ms|Dr|Prof)\.? ((?:\p{Lu}[\p{L}'’-]+)(?: \p{Lu}[\p{L}'’-]+)?)")
});
static FULL_NAME: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\b(\p{Lu}\p{Ll}+)((?: \p{Lu}\.)?) (\p{Lu}[\p{Ll}'’-]+\p{L}*)\b"));

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Words that begin with a capital though they are nobody's name.
const NO_NAMES: [&str; 26] = [
    "dear",
    "best",
    "kind",
    "yours",
    "regards",
    "sincerely",
    "street",
    "road",
    "avenue",
    "order",
    "invoice",
    "total",
    "subtotal",
    "date",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "gmbh",
    "ltd",
    "inc",
    "department",
    "team",
];

/// The agent: `{text}` to `{emails, links, dates, amounts, organisations, people}`.
///
/// # Errors
/// `validation` without a text.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let text = job.text()?;
    let organisations = organisations(text);
    Ok(json!({
        "emails": matches(&EMAIL, text),
        "links": matches(&LINK, text),
        "dates": dates(text),
        "amounts": amounts(text),
        "people": people(text, &organisations),
        "organisations": organisations,
    }))
}

/// Every match, each once, in order.
fn matches(pattern: &Regex, text: &str) -> Vec<String> {
    each_once(
        pattern
            .find_iter(text)
            .map(|found| found.as_str().to_owned()),
    )
}

fn each_once(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

/// Dates as ISO 8601, in order of the text; those that the calendar does not have left out.
fn dates(text: &str) -> Vec<String> {
    let iso = found(&ISO_DATE, text, |c| date(&c[1], c[2].parse().ok()?, &c[3]));
    let day_first = found(&DAY_FIRST, text, |c| date(&c[3], month(&c[2])?, &c[1]));
    let month_first = found(&MONTH_FIRST, text, |c| date(&c[3], month(&c[1])?, &c[2]));
    in_order([iso, day_first, month_first].concat())
}

type Placed = (usize, String);

fn found(
    pattern: &Regex,
    text: &str,
    read: impl Fn(&Captures<'_>) -> Option<String>,
) -> Vec<Placed> {
    let captures = pattern.captures_iter(text);
    captures
        .filter_map(|c| Some((c.get(0)?.start(), read(&c)?)))
        .collect()
}

fn in_order(mut placed: Vec<Placed>) -> Vec<String> {
    placed.sort();
    each_once(placed.into_iter().map(|(_, text)| text))
}

fn month(name: &str) -> Option<u32> {
    let name = name.to_lowercase();
    let fits = |month: &str| month == name || (name.len() == 3 && month.starts_with(&name));
    let at = MONTHS.iter().position(|month| fits(month))?;
    u32::try_from(at + 1).ok()
}

fn date(year: &str, month: u32, day: &str) -> Option<String> {
    let (year, day): (u32, u32) = (year.parse().ok()?, day.parse().ok()?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days)
        .contains(&day)
        .then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// Amounts in order of the text, each once.
fn amounts(text: &str) -> Vec<Value> {
    let first = CURRENCY_FIRST.captures_iter(text).map(|c| (c, 1, 2));
    let last = CURRENCY_LAST.captures_iter(text).map(|c| (c, 2, 1));
    let mut placed: Vec<(usize, Value)> = first
        .chain(last)
        .filter_map(|(c, currency, number)| {
            let value: f64 = c[number].replace(',', "").parse().ok()?;
            let amount = json!({ "currency": currency_code(&c[currency]), "value": value });
            Some((c.get(0)?.start(), amount))
        })
        .collect();
    placed.sort_by_key(|(at, _)| *at);
    let mut kept: Vec<Value> = Vec::new();
    for (_, amount) in placed {
        if !kept.contains(&amount) {
            kept.push(amount);
        }
    }
    kept
}

fn currency_code(written: &str) -> &str {
    match written {
        "€" => "EUR",
        "$" => "USD",
        "£" => "GBP",
        code => code,
    }
}

/// Organisations by their legal form, without a word that only begins the sentence.
fn organisations(text: &str) -> Vec<String> {
    each_once(ORGANISATION.captures_iter(text).map(|c| {
        let mut words: Vec<&str> = c[1].split(' ').collect();
        while words.len() > 2 && is_no_name(words[0]) {
            words.remove(0);
        }
        words.join(" ")
    }))
}

/// People: a name after a title, or two capitalised words that are nothing else known.
fn people(text: &str, organisations: &[String]) -> Vec<String> {
    let titled = found(&TITLED, text, |c| Some(c[1].to_owned()));
    let full = found(&FULL_NAME, text, |c| {
        let known = is_no_name(&c[1]) || is_no_name(&c[3]);
        let name = format!("{}{} {}", &c[1], &c[2], &c[3]);
        let within = organisations.iter().any(|o| o.contains(&name));
        (!known && !within).then_some(name)
    });
    let names = in_order([titled, full].concat());
    let longer = |name: &String| {
        names
            .iter()
            .any(|n| n != name && n.ends_with(&format!(" {name}")))
    };
    names.iter().filter(|name| !longer(name)).cloned().collect()
}

fn is_no_name(word: &str) -> bool {
    let word = word.to_lowercase();
    is_stopword(&word) || NO_NAMES.contains(&word.as_str()) || month(&word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entities(text: &str) -> Value {
        work(&Job::with(json!(text))).expect("there is a text")
    }

    #[test]
    fn addresses_and_links_are_found_without_the_marks_around_them() {
        let output =
            entities("Write to (ada.f+x@mail.example.com), see https://example.com/a?b=1.");
        assert_eq!(output["emails"], json!(["ada.f+x@mail.example.com"]));
        assert_eq!(output["links"], json!(["https://example.com/a?b=1"]));
    }

    #[test]
    fn dates_of_every_form_become_iso_and_impossible_ones_are_left_out() {
        let output = entities(
            "From 3 March 2026 to April 1st, 2026; due 2026-04-15, not 31 June 2026 or 2026-13-01.",
        );
        assert_eq!(
            output["dates"],
            json!(["2026-03-03", "2026-04-01", "2026-04-15"])
        );
    }

    #[test]
    fn amounts_carry_their_currency() {
        let output =
            entities("It costs €1,249.50, or USD 30; 12.75 EUR are left. Again €1,249.50.");
        assert_eq!(
            output["amounts"],
            json!([
                { "currency": "EUR", "value": 1249.5 },
                { "currency": "USD", "value": 30.0 },
                { "currency": "EUR", "value": 12.75 },
            ])
        );
    }

    #[test]
    fn people_and_organisations_are_told_apart() {
        let output = entities(
            "Dear Ms. Fischer, Clara B. Winter of Nordlicht Papier GmbH met Dr. Okafor on 3 March \
             2026. Best regards, Tomas Lind",
        );
        assert_eq!(output["organisations"], json!(["Nordlicht Papier GmbH"]));
        assert_eq!(
            output["people"],
            json!(["Fischer", "Clara B. Winter", "Okafor", "Tomas Lind"])
        );
    }
}
