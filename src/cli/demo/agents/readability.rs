//! How hard a text is to read: Flesch reading ease (1948) and Flesch–Kincaid grade (1975).

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{
    Job,
    text::{count, rounded, sentences, words},
};

/// Reading aloud to oneself takes about this many words a minute.
const WORDS_PER_MINUTE: f64 = 238.0;

/// The agent: `{text}` to `{reading_ease, grade, level, words, …}`.
///
/// # Errors
/// `validation` without a text or without a word in it.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let text = job.text()?;
    let words = words(text);
    if words.is_empty() {
        return Err(TaskError::validation("the text has no words"));
    }
    let sentences = count(sentences(text).len().max(1));
    let syllables: usize = words.iter().map(|w| syllables(w)).sum();
    let per_sentence = count(words.len()) / sentences;
    let per_word = count(syllables) / count(words.len());
    let ease = reading_ease(per_sentence, per_word);
    Ok(json!({
        "reading_ease": rounded(ease),
        "grade": rounded(grade(per_sentence, per_word)),
        "level": level(ease),
        "sentences": sentences,
        "words": words.len(),
        "syllables": syllables,
        "words_per_sentence": rounded(per_sentence),
        "syllables_per_word": rounded(per_word),
        "reading_time_seconds": (count(words.len()) / WORDS_PER_MINUTE * 60.0).round(),
    }))
}

/// R. Flesch, "A new readability yardstick", Journal of Applied Psychology 32 (1948).
fn reading_ease(words_per_sentence: f64, syllables_per_word: f64) -> f64 {
    206.835 - 1.015 * words_per_sentence - 84.6 * syllables_per_word
}

/// J. P. Kincaid et al., Research Branch Report 8-75 (1975): a school year of the USA.
fn grade(words_per_sentence: f64, syllables_per_word: f64) -> f64 {
    0.39 * words_per_sentence + 11.8 * syllables_per_word - 15.59
}

/// Flesch's own words for his scale.
fn level(ease: f64) -> &'static str {
    match ease {
        ease if ease >= 90.0 => "very easy",
        ease if ease >= 80.0 => "easy",
        ease if ease >= 70.0 => "fairly easy",
        ease if ease >= 60.0 => "standard",
        ease if ease >= 50.0 => "fairly difficult",
        ease if ease >= 30.0 => "difficult",
        _ => "very difficult",
    }
}

/// The syllables of an English word in lower case, by its groups of vowels; at least 1.
fn syllables(word: &str) -> usize {
    let letters: Vec<char> = word.chars().filter(|c| c.is_alphabetic()).collect();
    let is_vowel = |c: &char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    let mut groups = 0;
    let mut within = false;
    for letter in &letters {
        let vowel = is_vowel(letter);
        groups += usize::from(vowel && !within);
        within = vowel;
    }
    let silent = match letters.as_slice() {
        // table, little: the e is spoken.
        [.., before, 'l', 'e'] if !is_vowel(before) => false,
        // make: silent; free: part of its group.
        [.., before, 'e'] => !is_vowel(before),
        // watched: silent; wanted, ended: spoken.
        [.., before, 'e', 'd'] => !is_vowel(before) && !matches!(before, 't' | 'd'),
        // makes: silent; daisies: part of a group; boxes, wishes, places: spoken.
        [.., before, 'e', 's'] => {
            !is_vowel(before) && !matches!(before, 's' | 'x' | 'z' | 'h' | 'c' | 'g' | 'l')
        }
        _ => false,
    };
    (groups - usize::from(silent && groups > 1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_are_counted_as_spoken() {
        for (word, expected) in [
            ("the", 1),
            ("cat", 1),
            ("make", 1),
            ("makes", 1),
            ("free", 1),
            ("table", 2),
            ("rabbit", 2),
            ("wanted", 2),
            ("watched", 1),
            ("boxes", 2),
            ("daisies", 2),
            ("conversation", 4),
            ("remarkable", 4),
            ("i'm", 1),
            ("1865", 1),
        ] {
            assert_eq!(syllables(word), expected, "{word}");
        }
    }

    #[test]
    fn a_text_scores_as_the_formulas_say() {
        let output = work(&Job::with(
            json!({ "text": "The cat sat on the mat. It was a fat cat." }),
        ));
        let output = output.expect("there is a text");
        assert_eq!(output["words"], 11);
        assert_eq!(output["sentences"], 2.0);
        assert_eq!(output["syllables"], 11);
        assert_eq!(output["reading_ease"], 116.653);
        assert_eq!(output["grade"], -1.645);
        assert_eq!(output["level"], "very easy");
    }

    #[test]
    fn long_words_and_sentences_are_harder() {
        let ease = |text: &str| {
            let output = work(&Job::with(json!({ "text": text }))).expect("there is a text");
            output["reading_ease"].as_f64().expect("a number")
        };
        let hard = "Notwithstanding considerable organisational complexity, implementation \
                    responsibilities necessitate unambiguous documentation.";
        assert!(ease(hard) < 0.0);
        assert!(ease("We ran home. It was fun.") > 90.0);
    }

    #[test]
    fn a_text_without_words_is_refused() {
        let error = work(&Job::with(json!({ "text": "…" }))).expect_err("no words");
        assert_eq!(error.class, "validation");
    }
}
