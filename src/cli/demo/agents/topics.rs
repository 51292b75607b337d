//! What a text is about: named topics scored by the stems that speak for them, with the
//! words found as evidence.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{
    Job,
    text::{count, named_words, rounded, stem, stem_counts, words},
};

static TOPICS: LazyLock<Classes> = LazyLock::new(|| Classes::new(include_str!("words/topics.txt")));

/// The agent: `{text}` to `{topic, confidence, topics: [{topic, share, evidence}]}`; a text
/// that nothing speaks for has the topic null.
///
/// # Errors
/// `validation` without a text.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let ranked = TOPICS.rank(job.text()?);
    let topics: Vec<Value> = ranked
        .iter()
        .take(4)
        .map(|found| {
            json!({ "topic": found.name, "share": rounded(found.share), "evidence": found.evidence })
        })
        .collect();
    Ok(json!({
        "topic": ranked.first().map(|found| found.name),
        "confidence": ranked.first().map_or(0.0, |found| rounded(found.share)),
        "topics": topics,
    }))
}

/// Classes of texts, each with the stems that speak for it.
#[derive(Debug)]
pub struct Classes(Vec<(&'static str, HashSet<String>)>);

/// A class that has words in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The class's name.
    pub name: &'static str,
    /// Its share of everything that speaks for any class, 0 to 1.
    pub share: f64,
    /// The words that spoke for it, the most frequent first; at most eight.
    pub evidence: Vec<String>,
}

impl Classes {
    /// Reads a list of `name: word word …` lines.
    pub fn new(list: &'static str) -> Self {
        let classes = named_words(list).into_iter();
        Self(
            classes
                .map(|(name, words)| (name, words.into_iter().map(stem).collect()))
                .collect(),
        )
    }

    /// The classes that have words in the text, the strongest first.
    ///
    /// A stem that speaks for several classes is shared between them; one that comes again
    /// counts less each time (1 + ln n), so that one word does not decide alone.
    pub fn rank(&self, text: &str) -> Vec<Found> {
        let counts = stem_counts(&words(text));
        let scored: Vec<(f64, Found)> = self
            .0
            .iter()
            .filter_map(|(name, stems)| self.score(name, stems, &counts))
            .collect();
        let total: f64 = scored.iter().map(|(score, _)| score).sum();
        let mut found: Vec<Found> = scored
            .into_iter()
            .map(|(score, found)| Found {
                share: score / total,
                ..found
            })
            .collect();
        found.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.name.cmp(b.name)));
        found
    }

    fn score(
        &self,
        name: &'static str,
        stems: &HashSet<String>,
        counts: &HashMap<String, (usize, String)>,
    ) -> Option<(f64, Found)> {
        let mut hits: Vec<(usize, &str, f64)> = counts
            .iter()
            .filter(|(stem, _)| stems.contains(*stem))
            .map(|(stem, (n, word))| {
                let sharing = self.0.iter().filter(|(_, s)| s.contains(stem)).count();
                (*n, word.as_str(), (1.0 + count(*n).ln()) / count(sharing))
            })
            .collect();
        hits.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        // Summed in the sorted order: the same text gives the same score to the last digit.
        let score: f64 = hits.iter().map(|(_, _, weight)| weight).sum();
        let evidence = hits.iter().take(8).map(|(_, word, _)| (*word).to_owned());
        (!hits.is_empty()).then(|| {
            let found = Found {
                name,
                share: 0.0,
                evidence: evidence.collect(),
            };
            (score, found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts_are_about_what_a_reader_would_say() {
        for (text, topic) in [
            (
                "The striker scored two goals and the team won the league match.",
                "sports",
            ),
            (
                "Parliament passed the bill; citizens vote in the election.",
                "government",
            ),
            (
                "The doctor gave the patient a vaccine against the virus.",
                "health",
            ),
            (
                "Investors sold shares as quarterly revenue and profits fell.",
                "business",
            ),
        ] {
            let output = work(&Job::with(json!({ "text": text }))).expect("there is a text");
            assert_eq!(output["topic"], topic, "{output}");
        }
    }

    #[test]
    fn evidence_names_the_words_that_spoke_and_shares_add_up() {
        let ranked = TOPICS.rank("Rabbits, rabbits and a hedge. A book.");
        assert_eq!(ranked[0].name, "nature");
        assert_eq!(ranked[0].evidence, ["rabbits", "hedge"]);
        let sum: f64 = ranked.iter().map(|f| f.share).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_text_that_nothing_speaks_for_has_no_topic() {
        let output = work(&Job::with(json!({ "text": "Hm." }))).expect("there is a text");
        assert_eq!(output["topic"], Value::Null);
        assert_eq!(output["confidence"], 0.0);
    }
}
