//! Summaries by extraction: the sentences whose words carry most of the text (H. P. Luhn,
//! 1958), with a little more for the first ones and for those that name an entity.

use std::collections::HashSet;

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{
    Job,
    text::{count, is_stopword, rounded, sentences, stem, stem_counts, words},
};

const SENTENCES_DEFAULT: u64 = 3;

/// Shorter sentences are headings and greetings.
const WORDS_MIN: usize = 6;

/// Two sentences that share more of their stems than this say the same.
const SAME_ABOVE: f64 = 0.6;

/// A sentence, its place, its stems of matter and its score.
struct Candidate<'a> {
    at: usize,
    text: &'a str,
    stems: HashSet<String>,
    score: f64,
}

/// The agent: `{text, entities, sentences}` to `{summary, sentences_kept, sentences_total,
/// compression}`.
///
/// # Errors
/// `validation` without a text.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let text = job.text()?;
    let wanted = job.input["sentences"].as_u64().unwrap_or(SENTENCES_DEFAULT);
    let total = sentences(text).len();
    let mut kept = choose(candidates(text, &names(&job.input["entities"])), wanted);
    kept.sort_by_key(|candidate| candidate.at);
    let texts: Vec<String> = kept
        .iter()
        .map(|c| c.text.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let summary = texts.join(" ");
    let share = count(summary.len()) / count(text.len());
    Ok(json!({
        "summary": summary,
        "sentences_kept": kept.len(),
        "sentences_total": total,
        "compression": rounded(share),
    }))
}

fn candidates<'a>(text: &'a str, names: &[String]) -> Vec<Candidate<'a>> {
    let counts = stem_counts(&words(text));
    let most = counts.values().map(|(n, _)| *n).max().unwrap_or(1);
    let weight = |stem: &String| {
        counts
            .get(stem)
            .map_or(0.0, |(n, _)| count(*n) / count(most))
    };
    let all = sentences(text);
    let length = count(all.len().max(1));
    let long = |s: &&'a str| words(s).len() >= WORDS_MIN;
    (0..)
        .zip(all)
        .filter(|(_, s)| long(s))
        .map(|(at, text)| {
            let matter = words(text).into_iter().filter(|w| !is_stopword(w));
            let stems: HashSet<String> = matter.map(|w| stem(&w)).collect();
            // Sorted, so that the sum of doubles does not depend on the set's order.
            let mut weights: Vec<f64> = stems.iter().map(weight).collect();
            weights.sort_by(f64::total_cmp);
            // Between the mean, which favours short sentences, and the sum, which favours long.
            let carried = weights.iter().sum::<f64>() / count(stems.len().max(1)).sqrt();
            let early = 0.3 * (1.0 - count(at) / length);
            let named = names
                .iter()
                .filter(|name| text.contains(name.as_str()))
                .count();
            Candidate {
                at,
                text,
                stems,
                score: carried + early + 0.3 * count(named.min(3)),
            }
        })
        .collect()
}

/// The best sentences of which no two say the same.
fn choose(mut candidates: Vec<Candidate<'_>>, wanted: u64) -> Vec<Candidate<'_>> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.at.cmp(&b.at)));
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let mut kept: Vec<Candidate<'_>> = Vec::new();
    for candidate in candidates {
        if kept.len() == wanted {
            break;
        }
        if !kept
            .iter()
            .any(|other| alike(&candidate.stems, &other.stems) > SAME_ABOVE)
        {
            kept.push(candidate);
        }
    }
    kept
}

/// The share of stems that two sentences have in common (Jaccard).
fn alike(a: &HashSet<String>, b: &HashSet<String>) -> f64 {
    let union = a.union(b).count();
    count(a.intersection(b).count()) / count(union.max(1))
}

/// Every text among the entities.
fn names(entities: &Value) -> Vec<String> {
    match entities {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(names).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(key, _)| key.as_str() != "currency")
            .flat_map(|(_, value)| names(value))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Paper prices rise again this spring across the whole market. Hello there! \
        Our paper prices rise by four percent from April onwards. The weather in the harbour was \
        rather mild. Clara Winter answers questions about the new paper prices. Paper prices \
        rise again this spring across the market.";

    fn summary(input: Value) -> Value {
        work(&Job::with(input)).expect("there is a text")
    }

    #[test]
    fn the_sentences_that_carry_the_text_are_kept_in_their_order() {
        let output = summary(json!({ "text": TEXT, "sentences": 2 }));
        let text = output["summary"].as_str().expect("a text");
        assert!(text.starts_with("Paper prices rise again"), "{text}");
        assert!(!text.contains("weather"), "{text}");
        assert_eq!(output["sentences_kept"], 2);
        assert_eq!(output["sentences_total"], 6);
    }

    #[test]
    fn what_is_said_twice_is_kept_once() {
        let output = summary(json!({ "text": TEXT, "sentences": 9 }));
        let text = output["summary"].as_str().expect("a text");
        assert_eq!(text.matches("rise again this spring").count(), 1, "{text}");
    }

    #[test]
    fn a_sentence_that_names_an_entity_counts_more() {
        let without = summary(json!({ "text": TEXT, "sentences": 1 }));
        let with = json!({
            "text": TEXT,
            "sentences": 1,
            "entities": { "people": ["Clara Winter", "questions", "new paper"] },
        });
        assert_ne!(summary(with.clone()), without);
        assert!(
            summary(with)["summary"]
                .as_str()
                .is_some_and(|s| s.starts_with("Clara"))
        );
    }
}
