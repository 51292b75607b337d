//! Whether what goes into a step and comes out of it fulfils the step's schemas.

use super::{end::Fault, turn::Turn};
use crate::core::{
    execution::{Error, RunId},
    retry,
    schema::Schema,
    value::Value,
};

impl Turn<'_> {
    /// # Errors
    /// Class `validation` with each place where the input breaks the step's schema.
    pub fn check_input_schema(&self, run: RunId, input: &Value) -> Result<(), Error> {
        self.check_schema(run, "input", self.node(run).input_schema(), input)
    }

    /// # Errors
    /// As `check_input_schema`, for the output.
    pub fn check_output_schema(&self, run: RunId, output: &Value) -> Result<(), Error> {
        self.check_schema(run, "output", self.node(run).output_schema(), output)
    }

    /// As `check_output_schema`: the attempt is repeated where the policy says so.
    pub fn pass_output_schema(&self, run: RunId, output: &Value) -> Result<(), Fault> {
        self.check_output_schema(run, output).map_err(|error| {
            let policy = self.node(run).retry.as_ref();
            let retried = policy.is_some_and(|p| retry::is_retried(p, &error.class));
            Fault { error, retried }
        })
    }

    fn check_schema(
        &self,
        run: RunId,
        what: &str,
        schema: Option<&Schema>,
        value: &Value,
    ) -> Result<(), Error> {
        let violations = schema.map_or_else(Vec::new, |schema| schema.violations(value));
        if violations.is_empty() {
            return Ok(());
        }
        let places = violations.iter();
        let places = places.map(|v| format!("at '{}': {}", v.pointer, v.message));
        let places: Vec<String> = places.collect();
        let words = format!("the {what} breaks {what}_schema {}", places.join("; "));
        Err(self.error(run, "validation", words))
    }
}
