//! Reading definitions: YAML and JSON text to `Workflow`, with positions; writing them; the
//! differences of two; what identifies their content. What a definition *means* is checked by
//! `plan`.
//!
//! A file is the canonical JSON mapping of `tutti.v1.Workflow`, in snake_case or
//! lowerCamelCase, with durations also as `30s`, `5m`, `1h30m`. Nothing is silently ignored.

mod diff;
mod duration;
mod fields;
mod fingerprint;
mod json;
mod positions;
mod render;
mod scalar;
mod schema;
#[cfg(test)]
mod tests;
mod tree;
mod values;
mod wire;
mod write;
mod yaml;

pub use diff::diff;
pub use duration::{format as format_duration, parse as parse_duration};
pub use fingerprint::fingerprint;
pub use positions::Positions;
pub use render::{to_json, to_yaml};

use prost::Message as _;

use crate::{
    core::finding::{self, Finding},
    proto::Workflow,
};
use fields::Reader;

/// A definition as read.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The workflow; `None` when any finding is an error.
    pub workflow: Option<Workflow>,
    /// Everything there is to say about the text, by line and column.
    pub findings: Vec<Finding>,
    /// Where its fields stand.
    pub positions: Positions,
    /// What could be read in spite of errors, to check the rest of it too.
    draft: Option<Workflow>,
}

impl Parsed {
    /// The workflow as far as it could be read, in spite of errors: good for finding further
    /// problems, and for nothing else.
    pub fn draft(&self) -> Option<&Workflow> {
        self.workflow.as_ref().or(self.draft.as_ref())
    }
}

/// Reads the text of a YAML or JSON file.
///
/// Every problem is reported at once, with field path, line and column. Paths are those of
/// the message, in snake_case: `steps[2].retry.max_attempts`.
pub fn parse(source: &str) -> Parsed {
    let mut findings = Vec::new();
    let root = match yaml::read(source, &mut findings) {
        Ok(root) => root,
        Err(finding) => {
            findings.push(finding);
            return Parsed {
                findings,
                ..Parsed::default()
            };
        }
    };
    let mut reader = Reader {
        findings: &mut findings,
        positions: Positions::default(),
        path: String::new(),
    };
    reader.positions.put("", (root.line, root.column));
    let message = reader.message(&root, &schema::workflow());
    let positions = reader.positions;
    let draft = Workflow::decode(message.bytes());
    if draft.is_err() {
        findings.push(Finding {
            line: root.line,
            column: root.column,
            ..finding::error(
                "",
                "limit",
                "steps or data are nested too deeply",
                "make the definition flatter",
            )
        });
    }
    findings.sort_by_key(|f| (f.line, f.column));
    let draft = draft.ok();
    let (workflow, draft) = match finding::any_error(&findings) {
        true => (None, draft),
        false => (draft, None),
    };
    Parsed {
        workflow,
        findings,
        positions,
        draft,
    }
}
