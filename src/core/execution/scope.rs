//! What expressions see of an execution.

use std::borrow::Cow;

use super::{Error, Execution, Exit, ROOT, RunId, StepRun, named::NULL};
use crate::core::{
    expr::{Scope, StepView},
    plan::Role,
    value::{self, Value},
};

/// What an expression is given besides the execution.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// `output`: what the agent, or the block, gave.
    pub output: Option<&'a Value>,
    /// `value`: what a gate checks.
    pub value: Option<&'a Value>,
    /// Names that mean something only here; they win over those from around.
    pub more: &'a [(&'static str, &'a Value)],
    /// `error`: what a `catch` is asked to take, and the attempt that failed.
    pub error: Option<(&'a Error, u32)>,
}

/// The scope of a step's expressions.
#[derive(Debug)]
pub struct StepScope<'a> {
    /// The execution.
    pub execution: &'a Execution,
    /// The step.
    pub run: RunId,
    /// What else there is.
    pub given: Given<'a>,
}

/// The scope of the workflow's own expressions, `output` and `goal`: the steps are its
/// children, `previous` is the last of them.
#[derive(Debug)]
pub struct WorkflowScope<'a> {
    /// The execution.
    pub execution: &'a Execution,
    /// What else there is.
    pub given: Given<'a>,
}

impl Scope for StepScope<'_> {
    fn variable(&self, name: &str) -> Option<Cow<'_, Value>> {
        let execution = self.execution;
        if let Some((_, value)) = self.given.more.iter().find(|(known, _)| *known == name) {
            return Some(Cow::Borrowed(value));
        }
        match name {
            "previous" => Some(Cow::Borrowed(execution.previous(self.run))),
            "error" => {
                let error = self
                    .given
                    .error
                    .or_else(|| execution.caught_around(self.run));
                error.map(|(error, attempt)| Cow::Owned(caught_value(error, attempt)))
            }
            "result" => execution.undone_output(self.run).map(Cow::Borrowed),
            "all_previous_outputs" => Some(Cow::Owned(execution.outputs_around(self.run, true))),
            "all_step_outputs" => Some(Cow::Owned(execution.outputs_around(self.run, false))),
            "item" => execution.item_around(self.run).map(Cow::Borrowed),
            "index" => {
                let frame = execution.item_frame(self.run)?;
                let index = execution.run(frame).index?;
                Some(Cow::Owned(value::number(f64::from(index))))
            }
            name => execution
                .common_variable(name, self.given)
                .or_else(|| execution.named(self.run, name)),
        }
    }

    fn step(&self, id: &str) -> Option<StepView<'_>> {
        let mut around = self.innermost();
        while let Some(parent) = around {
            let hidden = self.execution.node(parent).hides_steps;
            if let Some(found) = self.execution.child(parent, id).filter(|_| !hidden) {
                return Some(view_of(found));
            }
            around = self.execution.run(parent).parent;
        }
        None
    }

    fn step_ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        let mut around = self.innermost();
        while let Some(parent) = around {
            ids.extend(self.execution.child_ids(parent));
            around = self.execution.run(parent).parent;
        }
        ids
    }
}

impl StepScope<'_> {
    /// The step whose children are nearest: the one around; for a frame itself, whose own
    /// expressions are about what it ran.
    fn innermost(&self) -> Option<RunId> {
        match self.execution.is_frame(self.run) {
            true => Some(self.run),
            false => self.execution.run(self.run).parent,
        }
    }
}

impl Scope for WorkflowScope<'_> {
    fn variable(&self, name: &str) -> Option<Cow<'_, Value>> {
        let execution = self.execution;
        let children = &execution.run(ROOT).children;
        match name {
            "previous" => {
                let last = children
                    .last()
                    .and_then(|c| execution.run(*c).output.as_ref());
                Some(last.map_or_else(|| Cow::Owned(value::null()), Cow::Borrowed))
            }
            "all_previous_outputs" | "all_step_outputs" => {
                Some(Cow::Owned(execution.outputs(children)))
            }
            name => execution.common_variable(name, self.given),
        }
    }

    fn step(&self, id: &str) -> Option<StepView<'_>> {
        self.execution.child(ROOT, id).map(view_of)
    }

    fn step_ids(&self) -> Vec<String> {
        self.execution.child_ids(ROOT).collect()
    }
}

impl Execution {
    /// What `previous` is for a step: the output of the sibling before it, or what the step
    /// around it was given.
    pub fn previous(&self, id: RunId) -> &Value {
        let Some(parent) = self.run(id).parent else {
            return &self.input;
        };
        if let Some(states) = self.run(parent).states.as_ref() {
            let handed_on = (states.current == id).then_some(&states.given);
            return handed_on.or(self.run(id).input.as_ref()).unwrap_or(&NULL);
        }
        match self.node(id).previous {
            Some(before) => self
                .child(parent, &self.plan.node(before).id)
                .and_then(|run| run.output.as_ref())
                .unwrap_or(&NULL),
            None => self.given_to(parent),
        }
    }

    /// What a step was given; a frame without an input of its own, what its step was given.
    pub fn given_to(&self, id: RunId) -> &Value {
        let run = self.run(id);
        match (&run.input, run.parent) {
            (Some(input), _) => input,
            (None, None) => &self.input,
            (None, Some(holder)) if self.is_frame(id) => self.given_to(holder),
            (None, Some(_)) => &NULL,
        }
    }

    /// The frame of the item that a step is run for.
    fn item_frame(&self, id: RunId) -> Option<RunId> {
        let mut within = Some(id);
        while let Some(run) = within {
            let parent = self.run(run).parent?;
            if self.each(parent).is_some() {
                return Some(run);
            }
            within = Some(parent);
        }
        None
    }

    /// The item that a step is run for.
    pub fn item_around(&self, id: RunId) -> Option<&Value> {
        let frame = self.item_frame(id)?;
        self.run(frame).input.as_ref()
    }

    /// The steps beside a step that expressions know; a frame has none.
    fn siblings(&self, id: RunId) -> &[RunId] {
        let parent = self.run(id).parent.filter(|_| self.run(id).index.is_none());
        let parent = parent.filter(|around| !self.node(*around).hides_steps);
        parent.map_or(&[], |p| &self.run(p).children)
    }

    pub(super) fn child(&self, parent: RunId, id: &str) -> Option<&StepRun> {
        let found = self.find(&self.child_path(parent, id))?;
        let found = (self.node(found).role == Role::Step).then_some(found)?;
        Some(self.run(found))
    }

    fn child_ids(&self, parent: RunId) -> impl Iterator<Item = String> {
        let children = self.run(parent).children.iter();
        let hidden = self.node(parent).hides_steps;
        let named = children.filter(move |c| self.run(**c).index.is_none() && !hidden);
        named.map(|c| self.node(*c).id.clone())
    }

    /// Outputs of the steps in reach that have ended, by id, the nearer one where two share
    /// an id; `before`: only of those before the step, or before the one that holds it.
    fn outputs_around(&self, id: RunId, before: bool) -> Value {
        value::object(self.outputs_in_reach(id, before))
    }

    /// Outputs of the steps in reach that have ended and come before a step, by id, in order;
    /// the nearer one where two share an id.
    pub fn outputs_before(&self, id: RunId) -> Vec<(String, Value)> {
        let mut nearest: Vec<(String, Value)> = Vec::new();
        for (id, output) in self.outputs_in_reach(id, true) {
            nearest.retain(|(known, _)| *known != id);
            nearest.push((id, output));
        }
        nearest
    }

    fn outputs_in_reach(&self, id: RunId, before: bool) -> Vec<(String, Value)> {
        let mut levels = Vec::new();
        let mut within = Some(id);
        while let Some(run) = within {
            levels.push(run);
            within = self.run(run).parent;
        }
        let in_reach = levels.iter().rev().flat_map(|level| {
            let siblings = self.siblings(*level).iter();
            // States have no order but that in which they ended.
            let by_place = before && !self.is_state(*level);
            siblings.take_while(move |run| !(by_place && *run == level))
        });
        self.pairs(in_reach)
    }

    /// Outputs of those steps that have ended, by id.
    fn outputs<'a>(&self, runs: impl IntoIterator<Item = &'a RunId>) -> Value {
        value::object(self.pairs(runs))
    }

    fn pairs<'a>(&self, runs: impl IntoIterator<Item = &'a RunId>) -> Vec<(String, Value)> {
        let ended = runs
            .into_iter()
            .filter(|run| self.run(**run).is_ended() && !self.is_frame(**run));
        let pairs = ended.map(|run| {
            let output = self.run(*run).output.clone();
            let id = self.node(*run).id.clone();
            (id, output.unwrap_or_else(value::null))
        });
        pairs.collect()
    }

    fn common_variable<'a>(&'a self, name: &str, given: Given<'a>) -> Option<Cow<'a, Value>> {
        match name {
            "input" => Some(Cow::Borrowed(&self.input)),
            "vars" => Some(Cow::Borrowed(&self.vars)),
            "execution" => Some(Cow::Owned(self.describe())),
            "output" => given.output.map(Cow::Borrowed),
            "value" => given.value.map(Cow::Borrowed),
            _ => None,
        }
    }

    /// The variable `execution`.
    fn describe(&self) -> Value {
        let labels = self.labels.iter();
        let ending = self.ending.as_ref();
        let state = ending.map_or(self.state, |ending| ending.state);
        let error = ending.and_then(|ending| ending.error.as_ref());
        let error = error.map_or_else(value::null, error_value);
        value::object([
            ("id", value::string(self.id.to_string())),
            ("namespace", value::string(&self.namespace)),
            ("workflow", value::string(&self.workflow)),
            ("version", value::number(f64::from(self.version))),
            ("state", value::string(state.as_str_name())),
            ("error", error),
            ("attempt", value::number(f64::from(self.attempt))),
            (
                "labels",
                value::object(labels.map(|(k, v)| (k.clone(), value::string(v)))),
            ),
            (
                "start_time",
                value::string(prost_types::Timestamp::from(self.create_time).to_string()),
            ),
        ])
    }
}

fn view_of(run: &StepRun) -> StepView<'_> {
    StepView {
        output: Cow::Borrowed(run.output.as_ref().unwrap_or(&NULL)),
        state: run.state.as_str_name(),
        error: run
            .error
            .as_ref()
            .map_or(Cow::Borrowed(&NULL), |e| Cow::Owned(error_value(e))),
        attempts: run.attempt,
        iterations: run.frames.as_ref().map_or(0, |frames| frames.begun),
        exit: (run.exit != Exit::Unspecified).then(|| run.exit.as_str_name()),
        failures: match &run.items {
            Some(items) => Cow::Borrowed(items.failures()),
            None => Cow::Borrowed(&NULL),
        },
    }
}

/// An error as expressions see it.
pub(super) fn error_value(error: &Error) -> Value {
    value::object(members(error))
}

fn caught_value(error: &Error, attempt: u32) -> Value {
    let attempt = ("attempt", value::number(f64::from(attempt)));
    value::object(members(error).into_iter().chain([attempt]))
}

fn members(error: &Error) -> [(&'static str, Value); 3] {
    [
        ("class", value::string(&error.class)),
        ("message", value::string(&error.message)),
        ("step", value::string(&error.step)),
    ]
}
