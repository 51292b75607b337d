//! Compiling gates: one check each, its bounds, its message, what a violation does.

use super::{Check, Gate, OnViolation, compile::Compiler};
use crate::{
    core::value,
    proto::{self, gate},
};

impl Compiler<'_> {
    /// Compiles the gates at `field`, with the variables that their expressions see besides.
    /// `retries` tells whether there is a retry policy for `RETRY` to follow.
    pub(super) fn gates(
        &mut self,
        field: &str,
        gates: &[proto::Gate],
        variables: &[&'static str],
        retries: bool,
    ) -> Vec<Gate> {
        self.with_variables(variables, |c| {
            let mut compiled = Vec::with_capacity(gates.len());
            for (index, gate) in gates.iter().enumerate() {
                let segment = format!("{field}[{index}]");
                compiled.extend(c.within(&segment, |c| c.gate(gate, retries)));
            }
            compiled
        })
    }

    fn gate(&mut self, gate: &proto::Gate, retries: bool) -> Option<Gate> {
        self.later_of_gate(gate);
        let check = self.check(gate);
        let message = match gate.message.as_str() {
            "" => None,
            text => self.within(".message", |c| c.template(&value::string(text))),
        };
        let on_violation = match gate.on_violation() {
            gate::OnViolation::Unspecified
            | gate::OnViolation::Fail
            | gate::OnViolation::Repair => OnViolation::Fail,
            gate::OnViolation::Retry => OnViolation::Retry,
            gate::OnViolation::Continue => OnViolation::Continue,
        };
        if on_violation == OnViolation::Retry && !retries {
            let message = "without `retry` there is no other attempt";
            let hint = "give a `retry` policy, or use FAIL";
            self.warn(".on_violation", "unused", message, hint);
        }
        Some(Gate {
            check: check?,
            message,
            on_violation,
        })
    }

    fn check(&mut self, gate: &proto::Gate) -> Option<Check> {
        match gate.check.as_ref() {
            Some(gate::Check::NotEmpty(on)) => self.switched(".not_empty", *on, Check::NotEmpty),
            Some(gate::Check::Json(on)) => self.switched(".json", *on, Check::Json),
            Some(gate::Check::JsonSchema(schema)) => self
                .schema(".json_schema", Some(schema))
                .map(Check::JsonSchema),
            Some(gate::Check::Regex(pattern)) => self.regex(pattern),
            Some(gate::Check::Cel(source)) => {
                self.within(".cel", |c| c.expr(source)).map(Check::Cel)
            }
            Some(gate::Check::Length(length)) => {
                let (min, max) = (length.min, length.max);
                let numbers = (min.map(|n| n as f64), max.map(|n| n as f64));
                self.bounds(".length", numbers)
                    .then_some(Check::Length { min, max })
            }
            Some(gate::Check::Range(range)) => self.range(range),
            Some(gate::Check::Judge(_)) => None,
            None => {
                let hint = "give one of not_empty, json, json_schema, regex, cel, length, range";
                self.error("", "required", "the gate checks nothing", hint);
                None
            }
        }
    }

    fn switched(&mut self, field: &str, on: bool, check: Check) -> Option<Check> {
        if !on {
            let hint = "write true, or remove the gate";
            self.error(field, "out-of-range", "false checks nothing", hint);
        }
        on.then_some(check)
    }

    fn regex(&mut self, pattern: &str) -> Option<Check> {
        if pattern.is_empty() {
            let message = "an empty expression matches everything";
            self.error(".regex", "regex", message, "write one, or remove the gate");
            return None;
        }
        match regex::Regex::new(pattern) {
            Ok(regex) => Some(Check::Regex(regex)),
            Err(error) => {
                let message = format!("this is not a regular expression: {error}");
                let hint = "the syntax is that of https://docs.rs/regex";
                self.error(".regex", "regex", message, hint);
                None
            }
        }
    }

    fn range(&mut self, range: &proto::Range) -> Option<Check> {
        let fits = self.bounds(".range", (range.min, range.max));
        let of = match range.of.as_str() {
            "" => None,
            source => Some(self.within(".range.of", |c| c.expr(source))?),
        };
        fits.then_some(Check::Range {
            of,
            min: range.min,
            max: range.max,
        })
    }

    /// True when the bounds leave room for a number.
    fn bounds(&mut self, field: &str, bounds: (Option<f64>, Option<f64>)) -> bool {
        let problem = match bounds {
            (None, None) => "there is neither `min` nor `max`".to_owned(),
            (Some(min), _) if min.is_nan() => "`min` is not a number".to_owned(),
            (_, Some(max)) if max.is_nan() => "`max` is not a number".to_owned(),
            (Some(min), Some(max)) if min > max => {
                format!("`min` ({min}) is greater than `max` ({max}): nothing can pass")
            }
            _ => return true,
        };
        self.error(
            field,
            "out-of-range",
            problem,
            "give bounds that leave room",
        );
        false
    }
}
