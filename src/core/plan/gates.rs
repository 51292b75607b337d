//! Compiling gates: one check each, its bounds, its message, what a violation does.

use super::{Asked, Check, Gate, Judge, NodeId, OnViolation, Repair, compile::Compiler};
use crate::{
    core::value,
    proto::{self, gate},
};

impl Compiler<'_> {
    /// Compiles the gates at `field` of a step, with the variables that their expressions see
    /// besides. `retries` tells whether there is a retry policy for `RETRY` to follow.
    pub(super) fn gates(
        &mut self,
        owner: NodeId,
        field: &str,
        gates: &[proto::Gate],
        variables: &[&'static str],
        retries: bool,
    ) -> Vec<Gate> {
        self.with_variables(variables, |c| {
            let mut compiled = Vec::with_capacity(gates.len());
            for (index, gate) in gates.iter().enumerate() {
                let segment = format!("{field}[{index}]");
                let name = segment.trim_start_matches('.');
                let place = u32::try_from(index).expect("gates are bounded");
                let at = (owner, name, place);
                compiled.extend(c.within(&segment, |c| c.gate(gate, at, retries)));
            }
            compiled
        })
    }

    fn gate(&mut self, gate: &proto::Gate, at: (NodeId, &str, u32), retries: bool) -> Option<Gate> {
        let check = match &gate.check {
            Some(gate::Check::Judge(judge)) => self
                .within(".judge", |c| c.judge(judge, at))
                .map(Check::Judge),
            _ => self.check(gate),
        };
        let message = match gate.message.as_str() {
            "" => None,
            text => self.within(".message", |c| c.template(&value::string(text))),
        };
        let on_violation = match gate.on_violation() {
            gate::OnViolation::Unspecified | gate::OnViolation::Fail => OnViolation::Fail,
            gate::OnViolation::Repair => OnViolation::Repair,
            gate::OnViolation::Retry => OnViolation::Retry,
            gate::OnViolation::Continue => OnViolation::Continue,
        };
        if on_violation == OnViolation::Retry && !retries {
            let message = "without `retry` there is no other attempt";
            let hint = "give a `retry` policy, or use FAIL";
            self.warn(".on_violation", "unused", message, hint);
        }
        let repair = self.repair(gate, at);
        Some(Gate {
            check: check?,
            message,
            on_violation,
            repair,
        })
    }

    fn judge(&mut self, judge: &proto::Judge, at: (NodeId, &str, u32)) -> Option<Judge> {
        let threshold = judge.threshold.unwrap_or(THRESHOLD);
        if !threshold.is_finite() {
            let message = format!("{threshold} is not a score");
            self.error(".threshold", "out-of-range", message, "give a number");
        }
        let criteria = match judge.criteria.as_str() {
            "" => None,
            text => Some(self.within(".criteria", |c| c.template(&value::string(text)))?),
        };
        let (owner, name, place) = at;
        let call = proto::PatternCall {
            target: Some(proto::pattern_call::Target::Agent(judge.agent.clone())),
            timeout: judge.timeout,
            retry: judge.retry.clone(),
            ..proto::PatternCall::default()
        };
        let name = format!("{name}.judge");
        Some(Judge {
            call: self.auxiliary(owner, &name, Asked::Judge(place), &call),
            criteria,
            threshold,
        })
    }

    fn repair(&mut self, gate: &proto::Gate, at: (NodeId, &str, u32)) -> Option<Repair> {
        let asked = gate.on_violation() == gate::OnViolation::Repair;
        let repair = match (&gate.repair, asked) {
            (None, false) => return None,
            (None, true) => {
                let hint = "give who repairs: `repair: { agent: … }`";
                self.error(".repair", "required", "nobody repairs", hint);
                return None;
            }
            (Some(_), false) => {
                let hint = "set `on_violation: REPAIR`, or remove it";
                self.error(".repair", "conflict", "`repair` goes with REPAIR", hint);
                return None;
            }
            (Some(repair), true) => repair,
        };
        let most = self.limits.retry_attempts_max;
        if repair.attempts > most {
            let message = format!("{} repairs are too many", repair.attempts);
            let hint = format!("limit `retry_attempts_max`: give at most {most}");
            self.error(".repair.attempts", "limit", message, hint);
        }
        let (owner, name, place) = at;
        let call = proto::PatternCall {
            target: Some(proto::pattern_call::Target::Agent(repair.agent.clone())),
            timeout: repair.timeout,
            retry: repair.retry.clone(),
            ..proto::PatternCall::default()
        };
        let name = format!("{name}.repair");
        let asked = Asked::Repair(place);
        Some(Repair {
            call: self.within(".repair", |c| c.auxiliary(owner, &name, asked, &call)),
            attempts: repair.attempts.max(1),
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
                let hint =
                    "give one of not_empty, json, json_schema, regex, cel, length, range, judge";
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
        match self.once.regex(pattern) {
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

/// The least score that passes when a judge says nothing of it.
const THRESHOLD: f64 = 0.5;
