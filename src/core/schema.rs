//! JSON Schemas, compiled once, checked often. No `$ref` to files or the network is followed.

use std::sync::Arc;

use crate::core::value::{self, Value};

/// A JSON Schema, compiled; cheap to clone.
#[derive(Clone, Debug)]
pub struct Schema {
    validator: Arc<jsonschema::Validator>,
}

/// One place where a value breaks a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer into the value (RFC 6901); empty for the value itself.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

/// The most violations reported of one value.
const VIOLATIONS_MAX: usize = 20;

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// What is wrong with the schema, in words.
    pub fn compile(schema: &Value) -> Result<Self, String> {
        let validator = jsonschema::options()
            .build(&value::to_json(schema))
            .map_err(|e| e.to_string())?;
        Ok(Self {
            validator: Arc::new(validator),
        })
    }

    /// Every place where `instance` breaks the schema, at most 20; empty when it fulfils it.
    pub fn violations(&self, instance: &Value) -> Vec<Violation> {
        let json = value::to_json(instance);
        self.validator
            .iter_errors(&json)
            .take(VIOLATIONS_MAX)
            .map(|e| Violation {
                pointer: e.instance_path().to_string(),
                message: e.to_string(),
            })
            .collect()
    }
}
