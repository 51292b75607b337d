//! The runs of the demo: a definition of `examples/`, an input, and what to point out in the
//! output. All of it is in the binary, so that the demo works anywhere.

use serde_json::{Value, json};
use tutti_client::{Client, Start};

use crate::{
    cli::{
        failure::Failure,
        global::Global,
        output,
        output::Tone,
        progress::{View, conclude, follow},
    },
    core::value,
};

/// One run.
#[derive(Debug)]
pub struct Scenario {
    /// What is seen, in a line.
    pub title: &'static str,
    /// The definition, YAML.
    pub source: &'static str,
    /// The input.
    pub input: Value,
    /// What to point out: a label and a JSON pointer into the output.
    pub highlights: &'static [(&'static str, &'static str)],
}

/// All runs, in order.
///
/// # Errors
/// `Failure::Internal` when an input shipped with the program is not JSON.
pub fn all() -> Result<Vec<Scenario>, Failure> {
    let order = serde_json::from_str(include_str!("../../../examples/ecommerce-order.json"))
        .map_err(|e| Failure::Internal(format!("ecommerce-order.json: {e}")))?;
    Ok(vec![
        Scenario {
            title: "Content analysis: five agents read a page of Alice in Wonderland at once",
            source: include_str!("../../../examples/content-analysis.yaml"),
            input: json!({ "text": include_str!("../../../examples/alice.txt") }),
            highlights: &[
                ("language", "/language/name"),
                ("sentiment", "/sentiment/label"),
                ("brightest", "/sentiment/brightest_sentence"),
                ("topic", "/topics/topic"),
                ("evidence", "/topics/topics/0/evidence"),
                ("reading ease", "/readability/reading_ease"),
                ("level", "/readability/level"),
                ("keywords", "/keywords"),
            ],
        },
        Scenario {
            title: "An order: the card gateway drops the first call and is tried again",
            source: include_str!("../../../examples/ecommerce-order.yaml"),
            input: order,
            highlights: &[
                ("total", "/total"),
                ("charge", "/charge_id"),
                ("risk", "/risk"),
                ("carrier", "/shipping/carrier"),
                ("tracking", "/shipping/tracking_number"),
                ("mail", "/mail/subject"),
                ("contribution", "/contribution"),
            ],
        },
        Scenario {
            title: "A document: extracted, checked, classified, searched and summed up in turn",
            source: include_str!("../../../examples/document-processing.yaml"),
            input: json!({
                "name": "supplier-letter.html",
                "content": include_str!("../../../examples/supplier-letter.html"),
            }),
            highlights: &[
                ("kind", "/kind"),
                ("people", "/entities/people"),
                ("dates", "/entities/dates"),
                ("mails", "/entities/emails"),
                ("summary", "/summary"),
            ],
        },
    ])
}

impl Scenario {
    /// Registers, starts and shows it; prints what there is to point out. Gives the id.
    ///
    /// # Errors
    /// `Failure::Ended` unless it completes; what the server refuses.
    pub async fn run(&self, client: &Client, global: &Global) -> Result<String, Failure> {
        let registered = client.register(self.source).await?;
        let start = Start::workflow(registered.name)
            .version(registered.version)
            .input(self.input.clone())
            .label("demo", "true");
        let id = client.start(start).await?;
        let mut view = View::progress(global);
        let tree = follow(client, &id, 0, &mut view).await?;
        conclude(&tree)?;
        let given = tree.output.as_ref().map(value::to_json).unwrap_or_default();
        for (label, text) in self.pointed_out(&given) {
            let label = global.stdout().tone(Tone::Dim, &format!("   {label:<13}"));
            output::print(&format!("{label}{text}"))?;
        }
        Ok(id)
    }

    /// The highlights that the output has, each as a line of text.
    fn pointed_out(&self, given: &Value) -> Vec<(&'static str, String)> {
        let found = |(label, pointer): &(&'static str, &str)| {
            given.pointer(pointer).map(|v| (*label, line(v)))
        };
        self.highlights.iter().filter_map(found).collect()
    }
}

/// A value as one line: lists by their members, texts without line ends.
fn line(value: &Value) -> String {
    match value {
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Array(items) => items.iter().map(line).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_has_a_definition_and_an_input() {
        let all = all().expect("the inputs are JSON");
        assert_eq!(all.len(), 3);
        assert!(
            all.iter()
                .all(|s| s.source.contains("steps:") && s.input.is_object())
        );
    }

    #[test]
    fn highlights_that_the_output_has_are_pointed_out() {
        let scenario = Scenario {
            title: "",
            source: "",
            input: Value::Null,
            highlights: &[("a", "/a/0"), ("b", "/b"), ("c", "/c"), ("d", "/missing")],
        };
        let given = json!({ "a": ["one\n two"], "b": [1, "x"], "c": 0.5 });
        assert_eq!(
            scenario.pointed_out(&given),
            [
                ("a", "one two".into()),
                ("b", "1, x".into()),
                ("c", "0.5".into())
            ]
        );
    }
}
