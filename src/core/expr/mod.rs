//! Expressions and templates: CEL with the reference documents' spellings, compiled once with
//! the names that are in scope, evaluated often against a `Scope`.

use std::{borrow::Cow, collections::BTreeSet};

use crate::core::value::Value;

/// What an expression may name, from where it stands.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The steps in reach, the innermost level (the siblings) first.
    pub levels: Vec<Level>,
    /// Variables in scope besides `steps`: `input`, `vars`, `previous`, `execution`, …
    pub variables: Vec<&'static str>,
}

/// The steps of one level.
#[derive(Clone, Debug, Default)]
pub struct Level {
    /// The steps, in list order.
    pub steps: Vec<StepName>,
    /// The place in the list of the step in which the expression stands (or which holds it).
    pub position: usize,
}

/// What is known of a step at compile time.
#[derive(Clone, Debug, Default)]
pub struct StepName {
    /// Its id.
    pub id: String,
    /// For a PARALLEL or GRAPH block: the ids of its children, in order; `output[0]` means the
    /// first of them.
    pub children: Vec<String>,
}

/// What an expression reads, found when it is compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Variables read, `steps` not among them.
    pub variables: BTreeSet<String>,
    /// Steps read by a name that is known statically.
    pub steps: BTreeSet<String>,
    /// True when `steps` is used otherwise: as a whole, or with a computed name.
    pub steps_dynamic: bool,
}

/// Why an expression does not compile, or did not evaluate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} in `{source_text}`")]
pub struct Error {
    /// The expression as it was written.
    pub source_text: String,
    /// What is wrong, in words.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
    /// The rule's name, for findings: `expression`, `unknown-step`, `unknown-variable`, …
    pub rule: &'static str,
}

/// Where an evaluation finds its values.
pub trait Scope {
    /// The value of a variable (never `steps`); `None` when it has none here.
    fn variable(&self, name: &str) -> Option<Cow<'_, Value>>;
    /// A step in reach by its id: siblings first, then outwards.
    fn step(&self, id: &str) -> Option<StepView<'_>>;
    /// Ids of all steps in reach.
    fn step_ids(&self) -> Vec<String>;
}

/// What an expression sees of a step: `steps.<id>.{output,state,error,attempts}`.
#[derive(Clone, Debug)]
pub struct StepView<'a> {
    /// Its output; null before it completed.
    pub output: Cow<'a, Value>,
    /// Its state's name, as in the API: `COMPLETED`, …
    pub state: &'static str,
    /// Its error as `{class, message, step}`; null without one.
    pub error: Cow<'a, Value>,
    /// Attempts begun.
    pub attempts: u32,
}

/// A CEL expression, compiled.
#[derive(Debug)]
pub struct Expr {}

impl Expr {
    /// Compiles `source`, with or without `{{ }}` around it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(_source: &str, _names: &Names) -> Result<Self, Vec<Error>> {
        unimplemented!()
    }

    /// What it reads.
    pub fn references(&self) -> &References {
        unimplemented!()
    }

    /// Its value.
    ///
    /// # Errors
    /// Why it has none: a missing key, a division by zero, …
    pub fn eval(&self, _scope: &dyn Scope) -> Result<Value, Error> {
        unimplemented!()
    }

    /// Its value, which must be a boolean.
    ///
    /// # Errors
    /// As `eval`, and when the value is not a boolean.
    pub fn eval_bool(&self, _scope: &dyn Scope) -> Result<bool, Error> {
        unimplemented!()
    }
}

/// A value whose strings may hold `{{ CEL }}`, compiled.
#[derive(Debug)]
pub struct Template {}

impl Template {
    /// Compiles every string in `value`; each error is given with its JSON pointer-like path
    /// inside the value (`.a[0]`, empty for the value itself).
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn compile(_value: &Value, _names: &Names) -> Result<Self, Vec<(String, Error)>> {
        unimplemented!()
    }

    /// What its expressions read, all together.
    pub fn references(&self) -> &References {
        unimplemented!()
    }

    /// Its value. A string that is one `{{ … }}` keeps the type of the expression's value.
    ///
    /// # Errors
    /// Why one of its expressions has no value.
    pub fn eval(&self, _scope: &dyn Scope) -> Result<Value, Error> {
        unimplemented!()
    }
}
