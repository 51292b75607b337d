//! Expressions and templates: CEL with the reference documents' spellings, compiled once with
//! the names that are in scope, evaluated often against a `Scope`.
//!
//! What differs from plain CEL, because the data is JSON:
//! - A number that is whole within ±2^53 is an int, any other a double. `+ - * /` mix the two;
//!   between ints `/` keeps CEL's whole division. Division by zero is an error for both.
//! - `has(a.b)` is false when `a` is null. Maps iterate in the order of their keys.
//! - Besides CEL's standard library there are, of its extensions, those of strings (without
//!   `format`), `math.greatest`, `math.least` and the rounding ones, `sort`, `sortBy`, `slice`,
//!   `flatten`, `reverse`, `base64.encode` and `.decode`, optionals (`a.?b.orValue(0)`), and our
//!   own `toJson(value)` and `fromJson(text)`. `library` lists them all.
//! - What an evaluation costs is bounded, and so is how deep an expression is nested.
//!
//! Steps may have dashes in their ids: `steps.order-validation.output`. On the output of a block
//! with children `[0]` is the first child. In `NAME_output` an id that is `NAME` wins over one
//! that only has `-` for `_`, and that over the place in the list that `step_N` means.

mod compile;
mod convert;
mod eval;
mod functions;
mod lent;
mod level;
mod library;
mod macros;
mod messages;
mod meter;
mod names;
mod nesting;
mod operators;
mod parse;
mod path;
mod read;
mod rewrite;
mod sorting;
mod spelling;
mod template;
#[cfg(test)]
mod tests;
mod token;

pub use level::{Level, StepName};
pub use path::Key;
pub use read::{Read, Shape, Source};

use std::{borrow::Cow, collections::BTreeSet};

use prost_types::value::Kind;

use crate::core::value::{self, Value};

/// What an expression may name, from where it stands.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The steps in reach, the innermost level (the siblings) first.
    pub levels: Vec<Level>,
    /// Variables in scope besides `steps`: `input`, `vars`, `previous`, `execution`, …
    pub variables: Vec<&'static str>,
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
    /// Members read by names that are known statically.
    pub reads: BTreeSet<Read>,
}

impl References {
    /// Adds all that `other` reads.
    fn extend(&mut self, other: &Self) {
        self.variables.extend(other.variables.iter().cloned());
        self.steps.extend(other.steps.iter().cloned());
        self.steps_dynamic |= other.steps_dynamic;
        self.reads.extend(other.reads.iter().cloned());
    }
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

/// What an expression sees of a step: `steps.<id>.{output,state,error,attempts}`, of a loop also
/// `iterations` and `exit`, of a collection `failures`.
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
    /// Iterations begun.
    pub iterations: u32,
    /// Why a loop went no further.
    pub exit: Option<&'static str>,
    /// The items that failed, as a list of `{index, error}`; null but for an `each`.
    pub failures: Cow<'a, Value>,
}

/// A CEL expression, compiled.
#[derive(Debug)]
pub struct Expr {
    source_text: String,
    references: References,
    /// What it reads, when it does nothing else.
    only: Option<Read>,
    code: Code,
}

#[derive(Debug)]
enum Code {
    Constant(Value),
    Program(eval::Program),
}

impl Expr {
    /// Compiles `source`, with or without `{{ }}` around it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(source: &str, names: &Names) -> Result<Self, Vec<Error>> {
        let source = without_braces(source).map_err(|error| vec![error])?;
        let fail = |message, hint, rule| Error {
            source_text: source.to_owned(),
            message,
            hint,
            rule,
        };
        let text = spelling::respell(source, names);
        if !text.problems.is_empty() {
            let problems = text.problems.into_iter();
            return Err(problems
                .map(|(message, hint)| fail(message, hint, "unknown-variable"))
                .collect());
        }
        let mut tree = parse::parse(&text, source)
            .map_err(|complaint| vec![fail(complaint, String::new(), "expression")])?;
        let mut compiler = compile::Compiler::new(names);
        compiler.visit(&mut tree);
        if !compiler.problems.is_empty() {
            let problems = compiler.problems.into_iter();
            return Err(problems.map(|p| fail(p.message, p.hint, p.rule)).collect());
        }
        let only = compile::only_slot(&tree).and_then(|slot| Read::of(compiler.paths.get(slot)?));
        let program = eval::Program::new(tree, compiler.paths);
        Ok(Self {
            source_text: source.to_owned(),
            references: compiler.references,
            only,
            code: program.fold(),
        })
    }

    /// What it reads.
    pub fn references(&self) -> &References {
        &self.references
    }

    /// Its value when that is known without a scope.
    pub fn constant(&self) -> Option<&Value> {
        match &self.code {
            Code::Constant(value) => Some(value),
            Code::Program(_) => None,
        }
    }

    /// Its value.
    ///
    /// # Errors
    /// Why it has none: a missing key, a division by zero, …
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, Error> {
        match &self.code {
            Code::Constant(value) => Ok(value.clone()),
            Code::Program(program) => program.run(scope).map_err(|message| self.failure(message)),
        }
    }

    /// Its value, which must be a boolean.
    ///
    /// # Errors
    /// As `eval`, and when the value is not a boolean.
    pub fn eval_bool(&self, scope: &dyn Scope) -> Result<bool, Error> {
        match self.eval(scope)?.kind {
            Some(Kind::BoolValue(truth)) => Ok(truth),
            kind => Err(self.failure(format!(
                "must be true or false, is {}",
                value::to_text(&Value { kind })
                    .chars()
                    .take(60)
                    .collect::<String>()
            ))),
        }
    }

    fn failure(&self, message: String) -> Error {
        Error {
            source_text: self.source_text.clone(),
            message,
            hint: String::new(),
            rule: "expression",
        }
    }
}

/// A value whose strings may hold `{{ CEL }}`, compiled.
///
/// A string that is one `{{ … }}` (white space around it does not count) keeps the type of the
/// expression's value. In any other string the values become text: strings as they are, null as
/// nothing, all else as compact JSON. Names of members are kept as they are.
#[derive(Debug)]
pub struct Template {
    part: template::Part,
}

impl Template {
    /// Compiles every string in `value`; each error is given with its JSON pointer-like path
    /// inside the value (`.a[0]`, empty for the value itself).
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn compile(value: &Value, names: &Names) -> Result<Self, Vec<(String, Error)>> {
        let part = template::compile(value, "", names)?;
        Ok(Self { part })
    }

    /// What its expressions read, all together.
    pub fn references(&self) -> Cow<'_, References> {
        if let template::Part::Whole(expr) = &self.part {
            return Cow::Borrowed(expr.references());
        }
        let mut references = References::default();
        self.part.collect(&mut references);
        Cow::Owned(references)
    }

    /// Its value when that is known without a scope.
    pub fn constant(&self) -> Option<&Value> {
        match &self.part {
            template::Part::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// What can be seen of its value before it has one.
    pub fn shape(&self) -> Shape<'_> {
        self.part.shape()
    }

    /// Its value. A string that is one `{{ … }}` keeps the type of the expression's value.
    ///
    /// # Errors
    /// Why one of its expressions has no value.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, Error> {
        self.part.eval(scope)
    }
}

/// The text between the braces of `{{ … }}`; a text without them as it is.
fn without_braces(source: &str) -> Result<&str, Error> {
    let trimmed = source.trim();
    let Some(inner) = trimmed.strip_prefix("{{") else {
        return Ok(trimmed);
    };
    let close =
        token::closing_braces(trimmed, 2).map_err(|why| template::unclosed(trimmed, 0, why))?;
    if close + 2 == trimmed.len() {
        return Ok(inner[..close - 2].trim());
    }
    Err(Error {
        source_text: trimmed.to_owned(),
        message: "text after the closing `}}`: this is an expression, not a text".into(),
        hint: "write one expression: `'Order ' + string(input.id)`".into(),
        rule: "expression",
    })
}
