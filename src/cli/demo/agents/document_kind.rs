//! Document classification: letter, invoice, contract, report, resume or complaint, by the
//! words that speak for each.

use std::sync::LazyLock;

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{Job, text::rounded, topics::Classes};

static KINDS: LazyLock<Classes> =
    LazyLock::new(|| Classes::new(include_str!("words/document-kinds.txt")));

/// The agent: `{text}` to `{kind, confidence, evidence, alternatives}`; a text that nothing
/// speaks for is of the kind `other`.
///
/// # Errors
/// `validation` without a text.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let ranked = KINDS.rank(job.text()?);
    let alternatives: Vec<Value> = ranked
        .iter()
        .skip(1)
        .take(2)
        .map(|found| json!({ "kind": found.name, "confidence": rounded(found.share) }))
        .collect();
    let best = ranked.first();
    Ok(json!({
        "kind": best.map_or("other", |found| found.name),
        "confidence": best.map_or(0.0, |found| rounded(found.share)),
        "evidence": best.map_or(&[][..], |found| &found.evidence),
        "alternatives": alternatives,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_documents_are_told_apart() {
        for (text, kind) in [
            (
                "Invoice 7: subtotal, VAT and total amount due. Pay to the IBAN below.",
                "invoice",
            ),
            (
                "The parties agree to the terms hereof; either may terminate.",
                "contract",
            ),
            (
                "My order came damaged. I am disappointed and want a refund.",
                "complaint",
            ),
            ("Hm.", "other"),
        ] {
            let output = work(&Job::with(json!(text))).expect("there is a text");
            assert_eq!(output["kind"], kind, "{output}");
        }
    }
}
