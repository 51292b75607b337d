//! Keywords by RAKE: candidate phrases lie between stop words, words score by how much they
//! keep company (S. Rose et al., "Automatic Keyword Extraction from Individual Documents",
//! 2010), here over stems and counted as often as a phrase comes back.

use std::collections::HashMap;

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{
    Job,
    text::{count, is_stopword, rounded, stem, words},
};

/// Longer candidates are sentences rather than phrases.
const PHRASE_WORDS_MAX: usize = 3;

const KEYWORDS_DEFAULT: u64 = 8;

/// A phrase, by its stems, and how it was first written.
#[derive(Debug)]
struct Phrase {
    stems: Vec<String>,
    written: String,
    occurrences: usize,
}

/// The agent: `{text, limit}` to `{keywords: [{phrase, score, occurrences}]}`, the best first.
///
/// # Errors
/// `validation` without a text.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let limit = job.input["limit"].as_u64().unwrap_or(KEYWORDS_DEFAULT);
    let phrases = candidates(job.text()?);
    let scores = word_scores(&phrases);
    let mut ranked: Vec<(f64, &Phrase)> = phrases
        .iter()
        .map(|phrase| (score(phrase, &scores), phrase))
        .collect();
    ranked.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.written.cmp(&y.written)));
    let best = distinct(ranked)
        .into_iter()
        .take(usize::try_from(limit).unwrap_or(usize::MAX));
    let keywords: Vec<Value> = best
        .map(|(score, phrase)| {
            json!({
                "phrase": phrase.written,
                "score": rounded(score),
                "occurrences": phrase.occurrences,
            })
        })
        .collect();
    Ok(json!({ "keywords": keywords }))
}

/// Without phrases that are part of a better one.
fn distinct(ranked: Vec<(f64, &Phrase)>) -> Vec<(f64, &Phrase)> {
    let mut kept: Vec<(f64, &Phrase)> = Vec::new();
    for (score, phrase) in ranked {
        let within = |better: &&Phrase| phrase.stems.iter().all(|s| better.stems.contains(s));
        if !kept.iter().any(|(_, better)| within(better)) {
            kept.push((score, phrase));
        }
    }
    kept
}

/// Runs of words of matter, broken by stop words and by anything but spaces and hyphens.
fn candidates(text: &str) -> Vec<Phrase> {
    let mut phrases: Vec<Phrase> = Vec::new();
    let mut places: HashMap<Vec<String>, usize> = HashMap::new();
    let joins = |c: char| c.is_alphanumeric() || c.is_whitespace() || matches!(c, '\'' | '’' | '-');
    for run in text.split(|c: char| !joins(c)) {
        let words = words(run);
        let wanted = |word: &String| !is_stopword(word) && word.chars().count() > 2;
        for phrase in words.split(|w| !wanted(w)).filter(|p| !p.is_empty()) {
            if phrase.len() > PHRASE_WORDS_MAX {
                continue;
            }
            let stems: Vec<String> = phrase.iter().map(|w| stem(w)).collect();
            let place = *places.entry(stems.clone()).or_insert_with(|| {
                phrases.push(Phrase {
                    stems,
                    written: phrase.join(" "),
                    occurrences: 0,
                });
                phrases.len() - 1
            });
            phrases[place].occurrences += 1;
        }
    }
    phrases
}

/// For each stem its degree (words it occurs with, itself included) over its frequency.
fn word_scores(phrases: &[Phrase]) -> HashMap<&str, f64> {
    let mut sums: HashMap<&str, (f64, f64)> = HashMap::new();
    for phrase in phrases {
        for stem in &phrase.stems {
            let (degree, frequency) = sums.entry(stem).or_default();
            *degree += count(phrase.stems.len() * phrase.occurrences);
            *frequency += count(phrase.occurrences);
        }
    }
    let ratio = |(stem, (degree, frequency))| (stem, degree / frequency);
    sums.into_iter().map(ratio).collect()
}

/// The phrase's words together, the more the oftener it occurs.
fn score(phrase: &Phrase, scores: &HashMap<&str, f64>) -> f64 {
    let words: f64 = phrase
        .stems
        .iter()
        .filter_map(|s| scores.get(s.as_str()))
        .sum();
    words * count(phrase.occurrences)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords(text: &str, limit: u64) -> Vec<Value> {
        let output = work(&Job::with(json!({ "text": text, "limit": limit })));
        let output = output.expect("there is a text");
        output["keywords"].as_array().expect("a list").clone()
    }

    #[test]
    fn phrases_lie_between_stop_words_and_the_best_come_first() {
        let text = "Durable workflows are for an agent. But are durable workflows enough, and do \
                    the agents do so?";
        let found = keywords(text, 2);
        let phrases: Vec<&str> = found.iter().filter_map(|k| k["phrase"].as_str()).collect();
        assert_eq!(phrases, ["durable workflows", "agent"]);
    }

    #[test]
    fn forms_of_a_word_count_together() {
        let found = keywords("The rabbit. Two rabbits! A watch, and a rabbit?", 1);
        assert_eq!(found[0]["phrase"], "rabbit");
    }

    #[test]
    fn a_known_text_scores_as_the_formula_says() {
        let found = keywords("white rabbit. white rabbit. watch.", 5);
        let expected = json!({
            "phrase": "white rabbit",
            "score": 8.0,
            "occurrences": 2,
        });
        assert_eq!(
            found,
            [
                expected,
                json!({"phrase": "watch", "score": 1.0, "occurrences": 1})
            ]
        );
    }

    #[test]
    fn a_phrase_within_a_better_one_is_left_out() {
        let found = keywords("A large rabbit hole. The rabbit hole is deep.", 5);
        let phrases: Vec<&str> = found.iter().filter_map(|k| k["phrase"].as_str()).collect();
        assert_eq!(phrases, ["large rabbit hole", "deep"]);
    }

    #[test]
    fn a_text_of_stop_words_has_none() {
        assert!(keywords("it is what it is", 5).is_empty());
    }
}
