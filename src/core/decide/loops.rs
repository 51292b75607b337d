//! Loops: when an iteration begins, and when there is none any more.

use super::turn::Turn;
use crate::{
    core::{
        execution::{Error, Exit, Given, RunId},
        expr::Expr,
        plan::{Kind, Loop, Seen},
        value::{self, Value},
    },
    proto::{IterationBegun, event},
};

impl Turn<'_> {
    /// Begins the first iteration of a loop that has begun, if there is one.
    pub fn begin_loop(&mut self, run: RunId) {
        self.iterate(run, 1, &value::null());
    }

    /// An iteration has ended and the loop goes on or ends.
    pub fn iteration_ended(&mut self, run: RunId, frame: RunId) {
        let ended = self.execution.run(frame);
        let (index, last) = (ended.index.unwrap_or(0), ended.output.clone());
        let last = last.unwrap_or_else(value::null);
        let until = match self.looped(run).and_then(|looped| looped.until.as_ref()) {
            None => Ok(false),
            Some(until) => self.ask(run, "until", until, frame, (index, &last)),
        };
        match until {
            Ok(true) => self.end_loop(run, last, Exit::Condition),
            Ok(false) => self.iterate(run, index + 1, &last),
            Err(error) => self.attempt_failed(run, error, None, None),
        }
    }

    /// Begins the iteration with this index, or ends the loop.
    fn iterate(&mut self, run: RunId, index: u32, last: &Value) {
        let Some(looped) = self.looped(run) else {
            return;
        };
        let beyond = index > looped.max_iterations;
        let wanted = match &looped.while_ {
            None => Ok(true),
            Some(condition) => self.ask(run, "while", condition, run, (index, last)),
        };
        match wanted {
            Ok(true) if beyond => self.end_loop(run, last.clone(), Exit::MaxIterations),
            Ok(true) => {
                self.emit(run, event::Kind::IterationBegun(IterationBegun { index }));
            }
            Ok(false) => self.end_loop(run, last.clone(), Exit::Condition),
            Err(error) => self.attempt_failed(run, error, None, None),
        }
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
        (index, last): (u32, &Value),
    ) -> Result<bool, Error> {
        let index = value::number(f64::from(index));
        let names = self.looped(run).map_or(&[][..], |looped| looped.names);
        let more: Vec<(&'static str, &Value)> = names
            .iter()
            .map(|(name, seen)| match seen {
                Seen::Index => (*name, &index),
                Seen::Last => (*name, last),
            })
            .collect();
        let given = Given {
            more: &more,
            ..Given::default()
        };
        condition
            .eval_bool(&self.scope(at, given))
            .map_err(|e| self.error(run, "expression", format!("{field}: {e}")))
    }
}
