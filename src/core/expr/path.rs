//! Static paths: `steps.pay.output.charge`, `item.lines[0].price`. Each one an expression names
//! becomes a slot, filled straight from the scope's values, so that only what is read is looked
//! at, and nothing is copied.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use prost_types::value::Kind;

use super::{Scope, StepView};
use crate::core::value::{self, Value};

static NULL: Value = Value {
    kind: Some(Kind::NullValue(0)),
};

/// Where a path begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// A variable.
    Variable(String),
    /// A step, as a whole or one of its fields.
    Step(String, Option<Field>),
    /// `steps` as a whole.
    Steps,
}

/// What there is to see of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Output,
    State,
    Error,
    Attempts,
    Iterations,
    Exit,
    Failures,
}

impl Field {
    pub const NAMES: [&'static str; 7] = [
        "output",
        "state",
        "error",
        "attempts",
        "iterations",
        "exit",
        "failures",
    ];

    /// Those that make up a step as an object; the others are there for some kinds only.
    pub const MEMBERS: [&'static str; 4] = ["output", "state", "error", "attempts"];

    pub fn named(name: &str) -> Option<Self> {
        let place = Self::NAMES.iter().position(|known| *known == name)?;
        let all = [
            Self::Output,
            Self::State,
            Self::Error,
            Self::Attempts,
            Self::Iterations,
            Self::Exit,
            Self::Failures,
        ];
        Some(all[place])
    }
}

/// One step of a path into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A member of an object.
    Name(String),
    /// An item of a list, from 0.
    Index(i64),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Index(index) => index.fmt(f),
        }
    }
}

/// A path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub root: Root,
    pub keys: Vec<Key>,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    Value(&'a Value),
    State(&'static str),
    Count(u32),
    Step(&'a StepView<'a>),
    Steps(&'a BTreeMap<String, StepView<'a>>),
}

/// What a path begins with, taken from a scope for one evaluation.
#[derive(Debug)]
pub(super) enum Origin<'s> {
    Variable(Option<Cow<'s, Value>>),
    Step(Option<StepView<'s>>),
    Steps(BTreeMap<String, StepView<'s>>),
}

impl Path {
    /// True when both begin with the same variable or step.
    pub fn begins_as(&self, other: &Self) -> bool {
        match (&self.root, &other.root) {
            (Root::Step(a, _), Root::Step(b, _)) => a == b,
            (a, b) => a == b,
        }
    }

    /// Takes from `scope` what the path begins with.
    pub fn origin<'s>(&self, scope: &'s dyn Scope) -> Origin<'s> {
        match &self.root {
            Root::Variable(name) => Origin::Variable(scope.variable(name)),
            Root::Step(id, _) => Origin::Step(scope.step(id)),
            Root::Steps => {
                let ids = scope.step_ids().into_iter();
                Origin::Steps(
                    ids.filter_map(|id| Some((id.clone(), scope.step(&id)?)))
                        .collect(),
                )
            }
        }
    }

    /// Follows the path.
    ///
    /// # Errors
    /// What was missing, in words.
    pub fn follow<'a>(&self, origin: &'a Origin<'_>) -> Result<Found<'a>, String> {
        let found = match (&self.root, origin) {
            (Root::Variable(name), Origin::Variable(value)) => {
                let none = || format!("`{name}` has no value here");
                Found::Value(value.as_ref().ok_or_else(none)?)
            }
            (Root::Step(id, field), Origin::Step(step)) => {
                let none = || format!("step `{id}` is not known here");
                of_step(step.as_ref().ok_or_else(none)?, *field)
            }
            (_, Origin::Steps(steps)) => Found::Steps(steps),
            _ => unreachable!("an origin is made by the path that follows it"),
        };
        if self.keys.is_empty() {
            return Ok(found);
        }
        let Found::Value(start) = found else {
            return Err(format!("no such key: {}", self.keys[0]));
        };
        let walked = self.keys.iter().try_fold(start, |at, key| enter(at, key));
        walked.map(Found::Value)
    }
}

impl Found<'_> {
    /// A copy as JSON data.
    pub fn to_value(self) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::State(state) => value::string(state),
            Self::Count(count) => value::number(count.into()),
            Self::Step(step) => value::object(
                Field::MEMBERS
                    .iter()
                    .map(|name| (*name, of_step(step, Field::named(name)).to_value())),
            ),
            Self::Steps(steps) => value::object(
                steps
                    .iter()
                    .map(|(id, step)| (id.clone(), Found::Step(step).to_value())),
            ),
        }
    }
}

/// A step or one of its fields.
pub(super) fn of_step<'a>(step: &'a StepView<'_>, field: Option<Field>) -> Found<'a> {
    match field {
        None => Found::Step(step),
        Some(Field::Output) => Found::Value(&step.output),
        Some(Field::State) => Found::State(step.state),
        Some(Field::Error) => Found::Value(&step.error),
        Some(Field::Attempts) => Found::Count(step.attempts),
        Some(Field::Iterations) => Found::Count(step.iterations),
        Some(Field::Exit) => step.exit.map_or(Found::Value(&NULL), Found::State),
        Some(Field::Failures) => Found::Value(&step.failures),
    }
}

fn enter<'a>(at: &'a Value, key: &Key) -> Result<&'a Value, String> {
    match (&at.kind, key) {
        (Some(Kind::StructValue(object)), Key::Name(name)) => object
            .fields
            .get(name)
            .ok_or_else(|| format!("no such key: {key}")),
        (Some(Kind::ListValue(list)), Key::Index(index)) => usize::try_from(*index)
            .ok()
            .and_then(|index| list.values.get(index))
            .ok_or_else(|| format!("index out of bounds: {index} of {}", list.values.len())),
        _ => Err(format!("no such key: {key} ({} has none)", kind_name(at))),
    }
}

/// The kind of `value`, in words.
fn kind_name(value: &Value) -> &'static str {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => "null",
        Some(Kind::BoolValue(_)) => "a boolean",
        Some(Kind::NumberValue(_)) => "a number",
        Some(Kind::StringValue(_)) => "a string",
        Some(Kind::ListValue(_)) => "a list",
        Some(Kind::StructValue(_)) => "an object",
    }
}
