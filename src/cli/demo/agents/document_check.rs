//! Content validation: whether a text can be worked on, check by check.

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{
    Job,
    text::{count, rounded, sentences, words},
};

const WORDS_MIN: usize = 20;
const LETTERS_SHARE_MIN: f64 = 0.6;

/// One check and what it found.
struct Check {
    name: &'static str,
    passed: bool,
    found: String,
}

/// The agent: `{text}` to `{valid: true, checks: [{check, passed, found}]}`.
///
/// # Errors
/// `validation` naming every check that was not passed.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let checks = checks(job.text()?);
    let failed: Vec<String> = checks
        .iter()
        .filter(|check| !check.passed)
        .map(|check| format!("{}: {}", check.name, check.found))
        .collect();
    if !failed.is_empty() {
        return Err(TaskError::validation(failed.join("; ")));
    }
    let shown: Vec<Value> = checks
        .iter()
        .map(|c| json!({ "check": c.name, "passed": c.passed, "found": c.found }))
        .collect();
    Ok(json!({ "valid": true, "checks": shown }))
}

fn checks(text: &str) -> Vec<Check> {
    let words = words(text).len();
    let sentences = sentences(text).len();
    let letters = letters_share(text);
    let broken = text.chars().filter(|c| *c == '\u{fffd}').count();
    vec![
        Check {
            name: "long enough",
            passed: words >= WORDS_MIN,
            found: format!("{words} words, {WORDS_MIN} are needed"),
        },
        Check {
            name: "has sentences",
            passed: sentences >= 2,
            found: format!("{sentences} sentences, 2 are needed"),
        },
        Check {
            name: "is text",
            passed: letters >= LETTERS_SHARE_MIN,
            found: format!("{} of its characters are letters", rounded(letters)),
        },
        Check {
            name: "is decoded",
            passed: broken == 0,
            found: format!("{broken} characters could not be decoded"),
        },
    ]
}

/// Letters as a share of everything but blanks.
fn letters_share(text: &str) -> f64 {
    let visible = text.chars().filter(|c| !c.is_whitespace());
    let (letters, all) = visible.fold((0, 0), |(letters, all), c| {
        (letters + usize::from(c.is_alphabetic()), all + 1)
    });
    count(letters) / count(all).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_sentences_passes_every_check() {
        let text = include_str!("../../../../examples/alice.txt");
        let output = work(&Job::with(json!(text))).expect("it is a text");
        assert_eq!(output["valid"], true);
        assert_eq!(output["checks"].as_array().map(Vec::len), Some(4));
    }

    #[test]
    fn every_check_that_fails_is_named() {
        let error = work(&Job::with(json!("1234 5678 \u{fffd}"))).expect_err("it is no text");
        assert_eq!(error.class, "validation");
        for check in ["long enough", "has sentences", "is text", "is decoded"] {
            assert!(error.message.contains(check), "{}", error.message);
        }
    }
}
