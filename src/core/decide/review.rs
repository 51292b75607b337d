//! Gates around a step, and the goal of the whole: what they say of a value. Those that ask no
//! agent come first, in their order, then the judges in theirs, one after the other; a repaired
//! value is checked by all of them anew. While an agent is asked, the value waits in the state.

use super::{
    end::{Fault, seen},
    turn::{Turn, truncated},
};
use crate::{
    core::{
        execution::{Ending, Error, ExecutionState, Given, Progress, ROOT, RunId, WorkflowScope},
        expr::{self, Scope},
        gate,
        plan::{Gate, NodeId, OnViolation},
        value::{self, Value},
    },
    proto::{AuxiliaryBegun, ReviewBegun, event},
};

/// What gates say of a value.
pub(super) enum Verdict {
    /// All is well.
    Passed,
    /// An agent must be asked first.
    Ask {
        /// The call.
        call: NodeId,
        /// What a repair is to set right.
        violations: Vec<String>,
    },
    /// It does not stand.
    Violated(Fault),
}

impl Turn<'_> {
    /// What the gates say of a value, as far as no agent has said.
    pub fn check_gates(
        &mut self,
        run: RunId,
        before: bool,
        value: &Value,
        progress: &Progress,
    ) -> Verdict {
        if progress.judged.is_none() {
            match self.check_plain(run, before, value) {
                Ok(wrong) if wrong.is_empty() => {}
                Ok(wrong) => return self.repair(run, before, wrong, progress),
                Err(fault) => return Verdict::Violated(fault),
            }
        }
        let first = progress.judged.map_or(0, |judged| judged as usize + 1);
        let gates = self.execution.gates(run, before);
        let judge = gates.iter().skip(first).find_map(Gate::judge);
        judge.map_or(Verdict::Passed, |judge| Verdict::Ask {
            call: judge.call,
            violations: Vec::new(),
        })
    }

    /// Checks what needs no agent. Gives what is to be repaired: gates and words.
    fn check_plain(
        &mut self,
        run: RunId,
        before: bool,
        value: &Value,
    ) -> Result<Vec<(usize, String)>, Fault> {
        let mut wrong = Vec::new();
        for index in 0..self.execution.gates(run, before).len() {
            let gate = &self.execution.gates(run, before)[index];
            let on_violation = gate.on_violation;
            let found = self.with_value(run, before, value, |scope| {
                gate::violation(gate, value, scope)
            });
            let found = found.map_err(|e| self.undecided(run, before, index, &e))?;
            match (found, on_violation) {
                (None, _) => {}
                (Some(words), OnViolation::Continue) => {
                    self.gate_violated(run, before, index, words);
                }
                (Some(words), OnViolation::Repair) => wrong.push((index, words)),
                (Some(words), _) => return Err(self.violated(run, before, index, &words)),
            }
        }
        Ok(wrong)
    }

    /// Has what is wrong repaired, if its gate has repairs left.
    fn repair(
        &self,
        run: RunId,
        before: bool,
        wrong: Vec<(usize, String)>,
        progress: &Progress,
    ) -> Verdict {
        let (index, words) = wrong.first().expect("something is wrong");
        let place = u32::try_from(*index).unwrap_or(u32::MAX);
        let used = progress.repairs.get(&place).copied().unwrap_or(0);
        let repair = self.execution.gates(run, before)[*index].repair;
        match repair.filter(|repair| used < repair.attempts) {
            Some(repair) => Verdict::Ask {
                call: repair.call,
                violations: wrong.into_iter().map(|(_, w)| truncated(w)).collect(),
            },
            None => Verdict::Violated(self.violated(run, before, *index, words)),
        }
    }

    fn violated(&self, run: RunId, before: bool, index: usize, words: &str) -> Fault {
        let on_violation = self.execution.gates(run, before)[index].on_violation;
        let (class, words) = match (run, before) {
            (ROOT, _) => ("invalid_output", format!("the goal is missed: {words}")),
            (_, true) => ("validation", words.to_owned()),
            (_, false) => ("invalid_output", words.to_owned()),
        };
        Fault {
            error: self.error(run, class, words),
            retried: !before && on_violation == OnViolation::Retry,
        }
    }

    fn undecided(&self, run: RunId, before: bool, index: usize, error: &expr::Error) -> Fault {
        let list = match (run, before) {
            (ROOT, _) => "goal",
            (_, true) => "gates.before",
            (_, false) => "gates.after",
        };
        Fault {
            error: self.error(run, "expression", format!("{list}[{index}]: {error}")),
            retried: false,
        }
    }

    /// Evaluates something over a value that gates of the step check.
    pub fn with_value<T>(
        &self,
        run: RunId,
        before: bool,
        value: &Value,
        evaluate: impl FnOnce(&dyn Scope) -> T,
    ) -> T {
        let given = match before {
            true => Given {
                value: Some(value),
                ..Given::default()
            },
            false => seen(value),
        };
        if run == ROOT {
            let execution = &*self.execution;
            return evaluate(&WorkflowScope { execution, given });
        }
        evaluate(&self.scope(run, given))
    }

    /// Keeps a value, which an agent must be asked about first, and has that asked.
    pub fn begin_review(&mut self, run: RunId, kept: ReviewBegun, verdict: Verdict) {
        self.emit(run, event::Kind::ReviewBegun(kept));
        self.go_on(run, verdict);
    }

    /// A judge has answered, or a repair was made: the review goes on.
    pub fn reviewed(&mut self, run: RunId, call: RunId) {
        let Some(review) = self.execution.review(run).cloned() else {
            return;
        };
        let (before, progress) = (review.before, &review.progress);
        let verdict = match progress.judged {
            None => self.check_gates(run, before, &review.value, progress),
            Some(gate) => match self.judgement(run, call, gate as usize) {
                Ok(None) => self.check_gates(run, before, &review.value, progress),
                Ok(Some(wrong)) => self.repair(run, before, vec![wrong], progress),
                Err(fault) => Verdict::Violated(fault),
            },
        };
        self.go_on(run, verdict);
    }

    /// What is to be repaired after a judge's answer.
    fn judgement(
        &mut self,
        run: RunId,
        call: RunId,
        index: usize,
    ) -> Result<Option<(usize, String)>, Fault> {
        let answer = self.execution.run(call).output.clone();
        let Some(review) = self.execution.review(run) else {
            return Ok(None);
        };
        let before = review.before;
        let gate = &self.execution.gates(run, before)[index];
        let (Some(judge), Some(answer)) = (gate.judge(), answer) else {
            return Ok(None);
        };
        let on_violation = gate.on_violation;
        let found = self.with_value(run, before, &review.value, |scope| {
            gate::judged(gate, judge, &answer, scope)
        });
        let found = found.map_err(|e| self.undecided(run, before, index, &e))?;
        match (found, on_violation) {
            (None, _) => Ok(None),
            (Some(words), OnViolation::Continue) => {
                self.gate_violated(run, before, index, words);
                Ok(None)
            }
            (Some(words), OnViolation::Repair) => Ok(Some((index, words))),
            (Some(words), _) => Err(self.violated(run, before, index, &words)),
        }
    }

    /// The review goes on by asking, or ends.
    fn go_on(&mut self, run: RunId, verdict: Verdict) {
        match verdict {
            Verdict::Ask { call, violations } => self.ask_agent(run, call, violations),
            Verdict::Passed => self.review_passed(run),
            Verdict::Violated(fault) => self.review_failed(run, fault),
        }
    }

    fn review_passed(&mut self, run: RunId) {
        let Some(review) = self.execution.review(run).cloned() else {
            return;
        };
        match (run, review.before) {
            (ROOT, _) => self.end(Ending {
                state: ExecutionState::Completed,
                output: Some(review.value),
                error: None,
                reason: String::new(),
            }),
            (_, true) => match self.check_input_schema(run, &review.value) {
                Ok(()) => {
                    let context = self.execution.context(run).cloned();
                    self.begin_attempt(run, review.value, context);
                }
                Err(error) => self.fail_step(run, error, None),
            },
            (_, false) => {
                let (attempt, ended) = (review.attempt, (None, review.exit));
                self.accepted(run, review.value, review.written, attempt, ended);
            }
        }
    }

    fn review_failed(&mut self, run: RunId, fault: Fault) {
        match run {
            ROOT => self.goal_missed(fault),
            _ if fault.retried => self.retry_or_fail(run, fault.error, None, None, true),
            _ => self.fail_step(run, fault.error, None),
        }
    }

    /// Has a call made that the step needs besides its own attempts.
    pub fn ask_agent(&mut self, run: RunId, call: NodeId, violations: Vec<String>) {
        let total = self.execution.run(run).total_deadline;
        let span = self.node(run).total_timeout;
        let total = total.or(span.map(|span| self.now.after(span)));
        let begun = AuxiliaryBegun {
            call: self.execution.plan.node(call).id.clone(),
            violations,
            total_deadline: total.map(Into::into),
        };
        self.emit(run, event::Kind::AuxiliaryBegun(begun));
    }

    /// What the agent is given that judges a value, or repairs it.
    pub fn asked_of_value(&self, owner: RunId, judge: Option<u32>) -> Result<Value, Error> {
        let Some(review) = self.execution.review(owner) else {
            return Ok(value::null());
        };
        let before = review.before;
        let name = if before { "input" } else { "output" };
        let checked = (name, review.value.clone());
        let Some(index) = judge else {
            let violations = review.violations.iter().map(value::string);
            let violations = ("violations", value::list(violations.collect()));
            return Ok(value::object([checked, violations]));
        };
        let gates = self.execution.gates(owner, before);
        let criteria = gates.get(index as usize).and_then(Gate::judge);
        let criteria = match criteria.and_then(|judge| judge.criteria.as_ref()) {
            None => value::null(),
            Some(template) => self
                .with_value(owner, before, &review.value, |scope| template.eval(scope))
                .map_err(|e| self.undecided(owner, before, index as usize, &e).error)?,
        };
        Ok(value::object([checked, ("criteria", criteria)]))
    }
}
