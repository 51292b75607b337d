//! What of the earlier steps a step is handed on: selected, and where that is too much, refused,
//! cut, or summarised by an agent first.

use super::turn::Turn;
use crate::core::{
    context::{self, Part},
    execution::{Error, Given, RunId},
    plan::{Context, Input, NodeId, Overflow},
    value::{self, Value},
};

/// The context of a step about to begin.
pub(super) enum Shaped {
    /// It is this, or there is none.
    Ready(Option<Value>),
    /// This call summarises it first.
    Ask(NodeId),
}

impl Turn<'_> {
    /// Shapes what the step is handed on.
    ///
    /// # Errors
    /// Class `expression`; class `limit` when it is too much.
    pub fn shape_context(&self, run: RunId) -> Result<Shaped, Error> {
        let Some(context) = self.node(run).context.as_deref() else {
            return Ok(Shaped::Ready(None));
        };
        let parts = self.selected(run, context)?;
        let (tokens, most) = (context::tokens(&parts), context.tokens_max);
        let fits = most.is_some_and(|most| tokens <= most as usize);
        let shaped = match (context.overflow, most) {
            (Overflow::Summarize(call), _) if !fits => return Ok(Shaped::Ask(call)),
            (Overflow::Fail, Some(most)) if !fits => {
                let words = format!("the context has {tokens} tokens, max_tokens is {most}");
                return Err(self.error(run, "limit", words));
            }
            (Overflow::Truncate, Some(most)) => context::truncate(parts, most as usize),
            _ => parts,
        };
        self.sized(run, context::as_value(shaped))
            .map(|shaped| Shaped::Ready(Some(shaped)))
    }

    fn sized(&self, run: RunId, shaped: Value) -> Result<Value, Error> {
        self.check_size(run, "context", &shaped)?;
        Ok(shaped)
    }

    fn selected(&self, run: RunId, context: &Context) -> Result<Vec<Part>, Error> {
        let Some(select) = &context.select else {
            let outputs = self.execution.outputs_before(run).into_iter();
            return Ok(outputs.map(|(from, value)| Part { from, value }).collect());
        };
        let scope = self.scope(run, Given::default());
        let selected = select.iter().enumerate().map(|(place, (from, expr))| {
            let value = expr.eval(&scope).map_err(|e| {
                let words = format!("context.select[{place}]: {e}");
                self.error(run, "expression", words)
            })?;
            let from = from.clone();
            Ok(Part { from, value })
        });
        selected.collect()
    }

    /// What the agent is given that summarises the context of a step.
    pub fn asked_to_summarize(&self, owner: RunId, call: RunId) -> Result<Value, Error> {
        let Some(written) = self.node(owner).context.as_deref() else {
            return Ok(value::null());
        };
        let all = context::as_value(self.selected(owner, written)?);
        if let Input::Template(input) = &self.node(call).input {
            let given = Given {
                more: &[("context", &all)],
                ..Given::default()
            };
            let scope = self.scope(owner, given);
            return input.eval(&scope).map_err(|e| {
                let words = format!("context.summarizer.input: {e}");
                self.error(owner, "expression", words)
            });
        }
        let most = written.tokens_max.map(f64::from);
        let most = most.map_or_else(value::null, value::number);
        Ok(value::object([("context", all), ("max_tokens", most)]))
    }

    /// The summary is there: the step begins with it.
    pub fn summarized(&mut self, owner: RunId, call: RunId) {
        let summary = self.execution.run(call).output.clone();
        let parts = vec![Part {
            from: "summary".into(),
            value: summary.unwrap_or_else(value::null),
        }];
        let most = self.node(owner).context.as_ref().and_then(|c| c.tokens_max);
        let parts = match most {
            Some(most) => context::truncate(parts, most as usize),
            None => parts,
        };
        match self.sized(owner, context::as_value(parts)) {
            Ok(shaped) => self.begin_with(owner, Some(shaped)),
            Err(error) => self.fail_step(owner, error, None),
        }
    }

    /// The context that the agent is handed with the input.
    pub fn handed(&self, run: RunId, context: Option<Value>) -> Option<Value> {
        let handed = self.node(run).context.as_ref().is_some_and(|c| c.handed);
        context.filter(|_| handed)
    }
}
