//! Loops: when an iteration begins, and when there is none any more.

use super::turn::Turn;
use crate::{
    core::{
        execution::{Error, Exit, Given, RunId},
        expr::Expr,
        plan::{Kind, Loop},
        value::{self, Value},
    },
    proto::{IterationBegun, event},
};

impl Turn<'_> {
    /// Begins the first iteration of a loop that has begun, if there is one.
    pub fn begin_loop(&mut self, run: RunId) {
        self.iterate(run, 1, None);
    }

    /// An iteration has ended and the loop goes on or ends.
    pub fn iteration_ended(&mut self, run: RunId, frame: RunId) {
        let index = self.execution.run(frame).index.unwrap_or(0);
        match self.is_enough(run, frame) {
            Ok(true) => self.end_loop(run, Some(frame), Exit::Condition),
            Ok(false) => self.iterate(run, index + 1, Some(frame)),
            Err(error) => self.attempt_failed(run, error, None, None),
        }
    }

    /// Begins the iteration with this index, or ends the loop after the one before.
    fn iterate(&mut self, run: RunId, index: u32, before: Option<RunId>) {
        let Some(looped) = self.looped(run) else {
            return;
        };
        let beyond = index > looped.max_iterations;
        match self.is_wanted_again(run, index, before) {
            Ok(true) if beyond => self.end_loop(run, before, Exit::MaxIterations),
            Ok(true) => {
                self.emit(run, event::Kind::IterationBegun(IterationBegun { index }));
            }
            Ok(false) => self.end_loop(run, before, Exit::Condition),
            Err(error) => self.attempt_failed(run, error, None, None),
        }
    }

    /// The loop goes no further, with what its last iteration gave.
    fn end_loop(&mut self, run: RunId, last: Option<RunId>, exit: Exit) {
        let bound = self.looped(run).filter(|looped| looped.must_end);
        if let (Exit::MaxIterations, Some(looped)) = (exit, bound) {
            let most = looped.max_iterations;
            let words = format!("it has not ended after {most} iterations, max_iterations");
            let error = self.error(run, "limit", words);
            return self.attempt_failed(run, error, None, None);
        }
        let name = value::string(exit.as_str_name());
        let given = self.output_of(last);
        match self.made_of(run, last.unwrap_or(run), given, &[("exit", &name)]) {
            Ok(given) => self.concluded(run, given, None, exit),
            Err(error) => self.attempt_failed(run, error, None, None),
        }
    }

    /// True when what is asked after an iteration says that it was the last.
    fn is_enough(&self, run: RunId, frame: RunId) -> Result<bool, Error> {
        for until in self.looped(run).map_or(&[][..], |looped| &looped.until) {
            if self.ask(run, "until", until, frame, &[])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// True when what is asked before an iteration says that there is to be another.
    fn is_wanted_again(&self, run: RunId, index: u32, last: Option<RunId>) -> Result<bool, Error> {
        let Some(condition) = self.looped(run).and_then(|looped| looped.while_.as_ref()) else {
            return Ok(true);
        };
        let (index, last) = (value::number(f64::from(index)), self.output_of(last));
        // The iteration that is asked about is not there yet.
        let more = [("iteration", &index), ("last", &last)];
        self.ask(run, "while", condition, run, &more)
    }

    fn output_of(&self, frame: Option<RunId>) -> Value {
        let output = frame.and_then(|frame| self.execution.run(frame).output.clone());
        output.unwrap_or_else(value::null)
    }

    fn looped(&self, run: RunId) -> Option<&Loop> {
        match &self.node(run).kind {
            Kind::Loop(looped) => Some(looped),
            _ => None,
        }
    }

    /// Asks a condition of a loop, from where `at` stands.
    fn ask(
        &self,
        run: RunId,
        field: &str,
        condition: &Expr,
        at: RunId,
        more: &[(&'static str, &Value)],
    ) -> Result<bool, Error> {
        let given = Given {
            more,
            ..Given::default()
        };
        condition
            .eval_bool(&self.scope(at, given))
            .map_err(|e| self.error(run, "expression", format!("{field}: {e}")))
    }
}
