//! The demo's agents: those of text and documents really compute, those of an order stand in
//! for the systems of a shop. All of them are plain functions from a job to JSON; this file
//! puts them on a worker.

use std::time::Duration;

use serde_json::Value;
use tutti_client::{Agent, TaskError, Worker};

mod analytics;
mod document_check;
mod document_kind;
mod document_text;
mod entities;
mod fraud;
mod inventory;
mod keywords;
mod language;
mod money;
mod notification;
mod order_check;
mod payment;
mod readability;
mod sentiment;
mod shipping;
mod summary;
mod text;
mod topics;

/// What an agent is given.
#[derive(Debug)]
pub struct Job {
    /// The task's input.
    pub input: Value,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The same for every attempt of the step.
    pub idempotency_key: String,
}

impl Job {
    /// The text to work on: the input itself, or its member `text`.
    ///
    /// # Errors
    /// `validation` when there is none, or only blanks.
    fn text(&self) -> Result<&str, TaskError> {
        let text = self.input.as_str().or_else(|| self.input["text"].as_str());
        text.filter(|t| !t.trim().is_empty())
            .ok_or_else(|| TaskError::validation("the input has no `text`"))
    }

    /// A first attempt with this input.
    #[cfg(test)]
    fn with(input: Value) -> Self {
        Self {
            input,
            attempt: 1,
            idempotency_key: "0193/step".to_owned(),
        }
    }
}

type Work = fn(&Job) -> Result<Value, TaskError>;

/// An agent: its id, its skill, what it is for, how long the system it stands in for takes,
/// and what it does.
struct Entry {
    id: &'static str,
    skill: &'static str,
    description: &'static str,
    latency: Duration,
    work: Work,
}

/// Agents that compute, as fast as they can.
const COMPUTING: [(&str, &str, &str, Work); 10] = [
    (
        "sentiment-agent",
        "sentiment-analysis",
        "Scores the mood of a text by a lexicon.",
        sentiment::work,
    ),
    (
        "topic-classifier-agent",
        "topic-classification",
        "Tells what a text is about, with evidence.",
        topics::work,
    ),
    (
        "language-detection-agent",
        "language-detection",
        "Tells the language of a text by its trigrams.",
        language::work,
    ),
    (
        "readability-agent",
        "readability",
        "Flesch reading ease and Flesch–Kincaid grade.",
        readability::work,
    ),
    (
        "keyword-extraction-agent",
        "keyword-extraction",
        "Finds the phrases that matter (RAKE).",
        keywords::work,
    ),
    (
        "text-extraction-agent",
        "text-extraction",
        "Takes the text out of HTML, Markdown or plain files.",
        document_text::work,
    ),
    (
        "content-validation-agent",
        "content-validation",
        "Checks that a text can be worked on.",
        document_check::work,
    ),
    (
        "document-classifier-agent",
        "document-classification",
        "Tells letters, invoices, contracts … apart.",
        document_kind::work,
    ),
    (
        "entity-extraction-agent",
        "entity-extraction",
        "Finds addresses, dates, amounts and names.",
        entities::work,
    ),
    (
        "summarization-agent",
        "summarization",
        "Keeps the sentences that say the most.",
        summary::work,
    ),
];

/// Agents that stand in for a system, with the milliseconds it takes to answer.
const SIMULATED: [(&str, &str, &str, u64, Work); 7] = [
    (
        "order-validation-agent",
        "order-validation",
        "Checks an order and adds it up.",
        120,
        order_check::work,
    ),
    (
        "payment-processing-agent",
        "payments",
        "Takes the money; its gateway drops the first call.",
        350,
        payment::work,
    ),
    (
        "inventory-agent",
        "inventory",
        "Reserves items in the warehouses.",
        250,
        inventory::work,
    ),
    (
        "fraud-detection-agent",
        "fraud-detection",
        "Scores the risk of an order by its features.",
        450,
        fraud::work,
    ),
    (
        "shipping-prep-agent",
        "shipping",
        "Packs parcels and books a carrier.",
        300,
        shipping::work,
    ),
    (
        "notification-agent",
        "notification",
        "Writes to the customer.",
        150,
        notification::work,
    ),
    (
        "analytics-agent",
        "analytics",
        "Books what an order brought in.",
        100,
        analytics::work,
    ),
];

fn entries() -> impl Iterator<Item = Entry> {
    let computing = COMPUTING
        .iter()
        .map(|(id, skill, description, work)| Entry {
            id,
            skill,
            description,
            latency: Duration::ZERO,
            work: *work,
        });
    let simulated = SIMULATED
        .iter()
        .map(|(id, skill, description, millis, work)| Entry {
            id,
            skill,
            description,
            latency: Duration::from_millis(*millis),
            work: *work,
        });
    computing.chain(simulated)
}

/// How many agents there are.
pub fn count() -> usize {
    entries().count()
}

/// A worker that serves all of them from the server at `address`.
///
/// # Errors
/// Those of building a worker.
pub fn worker(address: &str) -> Result<Worker, tutti_client::Error> {
    let builder = Worker::builder(address)
        .worker_id("demo-worker")
        .max_concurrency(16);
    let with_agents = entries().fold(builder, |builder, entry| {
        let agent = Agent {
            id: entry.id.into(),
            skills: vec![entry.skill.into()],
            description: entry.description.into(),
            ..Default::default()
        };
        builder.agent_with(agent, move |context, input| async move {
            tokio::time::sleep(entry.latency).await;
            (entry.work)(&Job {
                input,
                attempt: context.attempt(),
                idempotency_key: context.idempotency_key().to_owned(),
            })
        })
    });
    with_agents.build()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn agents_have_ids_and_skills_of_their_own() {
        let ids: HashSet<&str> = entries().map(|e| e.id).collect();
        let skills: HashSet<&str> = entries().map(|e| e.skill).collect();
        assert_eq!((ids.len(), skills.len()), (count(), count()));
    }

    #[tokio::test]
    async fn the_worker_can_be_built() {
        let worker = worker("127.0.0.1:7420").expect("the agents are well-formed");
        assert_eq!(worker.worker_id(), "demo-worker");
    }

    #[test]
    fn every_agent_refuses_an_input_it_cannot_use() {
        let refused = |entry: &Entry| (entry.work)(&Job::with(Value::Null)).is_err();
        let tolerant: Vec<&str> = entries().filter(|e| !refused(e)).map(|e| e.id).collect();
        assert!(tolerant.is_empty(), "{tolerant:?}");
    }
}
