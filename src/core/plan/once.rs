//! What is compiled once however often a workflow writes it: JSON Schemas and regular
//! expressions, which cost far more to compile than to find. Kept by content, and only for one
//! compilation, so never more of them than the workflow's own bytes hold.

use std::collections::HashMap;

use prost::Message as _;
use regex::Regex;

use crate::core::{schema::Schema, value::Value};

/// What one compilation has compiled so far; what does not compile is not kept.
#[derive(Default)]
pub(super) struct Once {
    /// By their encoded bytes, in which members are in the order of their names.
    schemas: HashMap<Vec<u8>, Schema>,
    regexes: HashMap<String, Regex>,
}

impl Once {
    /// The schema, compiled.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn schema(&mut self, written: &Value) -> Result<Schema, String> {
        let bytes = written.encode_to_vec();
        if let Some(known) = self.schemas.get(&bytes) {
            return Ok(known.clone());
        }
        let schema = Schema::compile(written)?;
        self.schemas.insert(bytes, schema.clone());
        Ok(schema)
    }

    /// The regular expression, compiled.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn regex(&mut self, pattern: &str) -> Result<Regex, regex::Error> {
        if let Some(known) = self.regexes.get(pattern) {
            return Ok(known.clone());
        }
        let regex = Regex::new(pattern)?;
        self.regexes.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }
}
