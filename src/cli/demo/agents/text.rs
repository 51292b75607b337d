//! Text taken apart: words, sentences, stems, and the word lists that agents are given.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use rust_stemmers::{Algorithm, Stemmer};

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

static STOPWORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = content_lines(include_str!("words/stopwords.txt"));
    lines.flat_map(str::split_whitespace).collect()
});

/// Abbreviations after which a full stop ends no sentence.
const ABBREVIATIONS: [&str; 18] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "no", "vs", "etc", "e.g", "i.e", "inc", "ltd", "co",
    "jr", "sr", "approx", "dept",
];

/// The words of a text, in order and lower case. A word is letters and digits, with
/// apostrophes inside (`don't`); hyphens divide.
pub fn words(text: &str) -> Vec<String> {
    let straight = text.to_lowercase().replace('’', "'");
    straight
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .map(|word| word.trim_matches('\''))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// True for a word that carries grammar rather than matter.
pub fn is_stopword(word: &str) -> bool {
    STOPWORDS.contains(word)
}

/// The stem of an English word in lower case (Porter 2).
pub fn stem(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    STEMMER.stem(word).into_owned()
}

/// The sentences of a text, trimmed. A full stop after an abbreviation or an initial ends
/// none; a blank line ends one without a stop.
pub fn sentences(text: &str) -> Vec<&str> {
    let paragraphs = text.split("\n\n").flat_map(|p| p.split("\r\n\r\n"));
    paragraphs.flat_map(sentences_of_paragraph).collect()
}

fn sentences_of_paragraph(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, mark) in text.char_indices() {
        if !matches!(mark, '.' | '!' | '?' | '…') || at < start {
            continue;
        }
        let end = end_of_stop(text, at);
        if ends_here(&text[start..at], &text[end..], mark) {
            push(&mut found, &text[start..end]);
            start = end;
        }
    }
    push(&mut found, &text[start..]);
    found
}

/// Past all marks and the quotes and brackets that close.
fn end_of_stop(text: &str, at: usize) -> usize {
    let closing = |c: char| ".!?…\"'”’)]»".contains(c);
    let rest = text[at..].find(|c| !closing(c));
    rest.map_or(text.len(), |length| at + length)
}

/// Whether a mark after `before` ends a sentence when `after` follows.
fn ends_here(before: &str, after: &str, mark: char) -> bool {
    let next = after.trim_start();
    if !after.is_empty() && next.len() == after.len() {
        return false;
    }
    if next.starts_with(char::is_lowercase) {
        return false;
    }
    if mark != '.' {
        return true;
    }
    let word = before
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default();
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase) && word != "I";
    !initial && !ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

fn push<'a>(found: &mut Vec<&'a str>, sentence: &'a str) {
    let sentence = sentence.trim();
    if sentence.chars().any(char::is_alphanumeric) {
        found.push(sentence);
    }
}

/// Reads a list of `name: word word …` lines into name and words, in order of the names'
/// first lines; lines of the same name add up.
pub fn named_words(list: &'static str) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut named: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, words) in content_lines(list).filter_map(|line| line.split_once(':')) {
        let words = words.split_whitespace();
        match named.iter_mut().find(|(known, _)| *known == name.trim()) {
            Some((_, all)) => all.extend(words),
            None => named.push((name.trim(), words.collect())),
        }
    }
    named
}

fn content_lines(list: &'static str) -> impl Iterator<Item = &'static str> {
    let lines = list.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// How often each stem of matter occurs, with the first word that had it.
pub fn stem_counts(words: &[String]) -> HashMap<String, (usize, String)> {
    let mut counts: HashMap<String, (usize, String)> = HashMap::new();
    for word in words.iter().filter(|w| !is_stopword(w)) {
        counts
            .entry(stem(word))
            .or_insert_with(|| (0, word.clone()))
            .0 += 1;
    }
    counts
}

/// A share as a number with three digits after the point.
pub fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

/// A count as a double. Exact: texts are far shorter than 2^53 words.
#[allow(clippy::cast_precision_loss)]
pub fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lower_case_and_keep_inner_apostrophes() {
        assert_eq!(
            words("Don’t stop—‘Alice’ said, the rabbit-hole's 2nd!"),
            [
                "don't", "stop", "alice", "said", "the", "rabbit", "hole's", "2nd"
            ]
        );
    }

    #[test]
    fn sentences_end_at_marks_quotes_and_blank_lines() {
        let text = "“Oh dear! I shall be late!” It was 3.5 miles. Really?\n\nCHAPTER I\n\nNo end";
        assert_eq!(
            sentences(text),
            [
                "“Oh dear!",
                "I shall be late!”",
                "It was 3.5 miles.",
                "Really?",
                "CHAPTER I",
                "No end"
            ]
        );
    }

    #[test]
    fn abbreviations_and_initials_end_no_sentence() {
        let text = "Dr. A. Smith met Mr. Jones, e.g. on Monday. They talked.";
        assert_eq!(
            sentences(text),
            [
                "Dr. A. Smith met Mr. Jones, e.g. on Monday.",
                "They talked."
            ]
        );
    }

    #[test]
    fn stems_bring_forms_of_a_word_together() {
        assert_eq!(stem("rabbits"), stem("rabbit's"));
        assert_eq!(stem("considering"), stem("considered"));
    }

    #[test]
    fn lists_give_names_and_words() {
        let list = "# a comment\nx: one two\n\ny: three\nx: four\n";
        let expected = vec![("x", vec!["one", "two", "four"]), ("y", vec!["three"])];
        assert_eq!(named_words(list), expected);
    }
}
