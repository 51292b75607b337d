//! Which language a text is in, by its trigrams (`whatlang`).

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{Job, text::rounded};

/// The agent: `{text}` to `{code, name, script, confidence, reliable}`; the code is ISO 639-3.
///
/// # Errors
/// `validation` without a text; `undetermined` for a text without letters.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let info = whatlang::detect(job.text()?)
        .ok_or_else(|| TaskError::new("undetermined", "the text has no letters"))?;
    Ok(json!({
        "code": info.lang().code(),
        "name": info.lang().eng_name(),
        "script": info.script().name(),
        "confidence": rounded(info.confidence()),
        "reliable": info.is_reliable(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_apart() {
        for (text, code) in [
            (
                "The quick brown fox jumps over the lazy dog near the river bank.",
                "eng",
            ),
            (
                "Der schnelle braune Fuchs springt über den faulen Hund am Fluss.",
                "deu",
            ),
            (
                "Le petit prince habitait une planète à peine plus grande que lui.",
                "fra",
            ),
            (
                "Съешь же ещё этих мягких французских булок, да выпей чаю.",
                "rus",
            ),
        ] {
            let output = work(&Job::with(json!({ "text": text }))).expect("there are letters");
            assert_eq!(output["code"], code, "{text}");
        }
    }

    #[test]
    fn a_text_without_letters_has_no_language() {
        let error = work(&Job::with(json!({ "text": "123 456" }))).expect_err("none");
        assert_eq!(error.class, "undetermined");
    }
}
