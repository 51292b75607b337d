//! Sentiment by a lexicon: weighed words, turned by negation and scaled by intensifiers.
//!
//! The constants for negation (0.74), intensifiers and the normalisation (15) are those of
//! VADER: C. J. Hutto and E. Gilbert, ICWSM 2014. The lexicon is this program's own.

use std::{cmp::Ordering, collections::HashMap, sync::LazyLock};

use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{
    Job,
    text::{count, named_words, rounded, sentences, words},
};

static LEXICON: LazyLock<HashMap<&'static str, f64>> = LazyLock::new(|| {
    let weights = named_words(include_str!("words/sentiment.txt"));
    let pairs = weights.into_iter().flat_map(|(weight, words)| {
        let weight: f64 = weight.parse().unwrap_or(0.0);
        words.into_iter().map(move |word| (word, weight))
    });
    pairs.collect()
});

const NEGATIONS: [&str; 14] = [
    "not", "no", "never", "cannot", "can't", "don't", "doesn't", "didn't", "isn't", "wasn't",
    "won't", "without", "hardly", "nor",
];

/// Words that strengthen (above 0) or weaken what follows.
const DEGREES: [(&str, f64); 18] = [
    ("very", 0.29),
    ("so", 0.29),
    ("really", 0.29),
    ("extremely", 0.29),
    ("incredibly", 0.29),
    ("absolutely", 0.29),
    ("most", 0.29),
    ("too", 0.29),
    ("deeply", 0.29),
    ("highly", 0.29),
    ("totally", 0.29),
    ("completely", 0.29),
    ("slightly", -0.29),
    ("somewhat", -0.29),
    ("fairly", -0.29),
    ("barely", -0.29),
    ("almost", -0.29),
    ("partly", -0.29),
];

const NEGATED: f64 = -0.74;

/// A mean beyond this is not neutral any more.
const NEUTRAL_BELOW: f64 = 0.05;

/// A word that counted, and how much.
#[derive(Debug, PartialEq)]
struct Hit {
    word: String,
    weight: f64,
}

/// The agent: `{text}` to `{label, score, …}`; the score runs from -1 to 1.
///
/// # Errors
/// `validation` without a text.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let text = job.text()?;
    let scored: Vec<(f64, Vec<Hit>, &str)> = sentences(text)
        .into_iter()
        .map(|sentence| {
            let hits = weigh(sentence);
            (normalised(&hits), hits, sentence)
        })
        .filter(|(_, hits, _)| !hits.is_empty())
        .collect();
    let score = scored.iter().map(|s| s.0).sum::<f64>() / count(scored.len().max(1));
    let extreme = |order: Ordering| {
        let best = scored.iter().min_by(|a, b| {
            let compared = a.0.total_cmp(&b.0);
            if order == Ordering::Less {
                compared
            } else {
                compared.reverse()
            }
        });
        best.map(|(_, _, sentence)| *sentence)
    };
    let hits: Vec<&Hit> = scored.iter().flat_map(|s| &s.1).collect();
    Ok(json!({
        "label": label(score),
        "score": rounded(score),
        "positive_words": hits.iter().filter(|h| h.weight > 0.0).count(),
        "negative_words": hits.iter().filter(|h| h.weight < 0.0).count(),
        "strongest_words": strongest(&hits),
        "brightest_sentence": extreme(Ordering::Greater),
        "darkest_sentence": extreme(Ordering::Less),
    }))
}

/// The words of a sentence that weigh, in order.
fn weigh(sentence: &str) -> Vec<Hit> {
    let words = words(sentence);
    let mut hits = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(weight) = LEXICON.get(word.as_str()) else {
            continue;
        };
        let before = &words[at.saturating_sub(3)..at];
        let mut weight = scaled(*weight, before);
        if before.iter().any(|w| NEGATIONS.contains(&w.as_str())) {
            weight *= NEGATED;
        }
        hits.push(Hit {
            word: word.clone(),
            weight,
        });
    }
    hits
}

/// The weight after the degrees before the word, the nearest counting most.
fn scaled(weight: f64, before: &[String]) -> f64 {
    let degrees = before.iter().rev().zip([1.0, 0.95, 0.9]);
    let change: f64 = degrees
        .filter_map(|(word, share)| {
            let degree = DEGREES.iter().find(|(known, _)| known == word)?;
            Some(degree.1 * share)
        })
        .sum();
    weight + weight.signum() * change
}

/// The sum of the weights, brought between -1 and 1.
fn normalised(hits: &[Hit]) -> f64 {
    let sum: f64 = hits.iter().map(|h| h.weight).sum();
    sum / (sum * sum + 15.0).sqrt()
}

fn label(score: f64) -> &'static str {
    match score {
        score if score >= NEUTRAL_BELOW => "positive",
        score if score <= -NEUTRAL_BELOW => "negative",
        _ => "neutral",
    }
}

/// The words that weighed most, at most six, each once.
fn strongest(hits: &[&Hit]) -> Vec<Value> {
    let mut by_weight: Vec<&&Hit> = hits.iter().collect();
    by_weight.sort_by(|a, b| {
        let weight = b.weight.abs().total_cmp(&a.weight.abs());
        weight.then_with(|| a.word.cmp(&b.word))
    });
    by_weight.dedup_by(|a, b| a.word == b.word);
    by_weight
        .into_iter()
        .take(6)
        .map(|hit| json!({ "word": hit.word, "weight": rounded(hit.weight) }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(sentence: &str) -> f64 {
        normalised(&weigh(sentence))
    }

    fn analysed(text: &str) -> Value {
        work(&Job::with(json!({ "text": text }))).expect("there is a text")
    }

    #[test]
    fn known_sentences_get_the_label_a_reader_would_give() {
        for (text, label) in [
            (
                "I love this wonderful product. It works perfectly well!",
                "positive",
            ),
            (
                "The delivery was late and the box was broken. Terrible.",
                "negative",
            ),
            ("The parcel has four sides.", "neutral"),
        ] {
            assert_eq!(analysed(text)["label"], label, "{text}");
        }
    }

    #[test]
    fn negation_turns_a_word_and_weakens_it() {
        assert!(score("this is not good") < 0.0);
        assert!(score("this is not good").abs() < score("this is good"));
        assert!(score("it is not bad") > 0.0);
    }

    #[test]
    fn degrees_strengthen_and_weaken_in_the_direction_of_the_word() {
        assert!(score("very good") > score("good"));
        assert!(score("very bad") < score("bad"));
        assert!(score("slightly good") < score("good"));
        assert!(score("very sad") < score("slightly sad"));
    }

    #[test]
    fn a_plain_word_scores_as_the_formula_says() {
        let expected = 2.0 / 19.0_f64.sqrt();
        assert!((score("good") - expected).abs() < 1e-12);
    }

    #[test]
    fn negation_does_not_reach_into_the_next_sentence() {
        let output = analysed("It is not. Good day.");
        assert_eq!(output["positive_words"], 1);
        assert_eq!(output["negative_words"], 0);
    }

    #[test]
    fn the_lexicon_has_weights_for_every_word() {
        assert!(LEXICON.len() > 700, "{}", LEXICON.len());
        assert!(LEXICON.values().all(|w| *w != 0.0 && w.abs() <= 4.0));
    }
}
