//! Compiling expressions and templates where they stand: their errors become findings, what
//! they read becomes known to the steps that depend on it.

use std::collections::BTreeMap;

use prost_types::value::Kind;

use super::compile::{Compiler, Level};
use crate::{
    core::{
        expr::{self, Expr, References, StepName, Template},
        value::{Struct, Value},
    },
    proto::{Step, block::Mode, step},
};

/// What a step reads of its siblings.
#[derive(Debug, Default)]
pub(in crate::core) struct Reads {
    /// Place of the sibling, and the field that reads it first.
    pub steps: BTreeMap<usize, String>,
    /// True when `previous` is read.
    pub previous: bool,
    /// The field that reads the steps as a whole.
    pub all: Option<String>,
}

impl<'a> Compiler<'a> {
    /// Compiles an expression; `None` when it does not compile.
    pub fn expr(&mut self, source: &str) -> Option<Expr> {
        if self.too_long(source.len()) {
            return None;
        }
        match Expr::compile(source, &self.names) {
            Ok(expr) => {
                self.note(expr.references());
                Some(expr)
            }
            Err(errors) => {
                for error in errors {
                    self.expression_error("", &error);
                }
                None
            }
        }
    }

    /// Compiles a template; `None` when anything in it does not compile.
    pub fn template(&mut self, value: &Value) -> Option<Template> {
        if self.too_long(longest_expression(value)) {
            return None;
        }
        match Template::compile(value, &self.names) {
            Ok(template) => {
                self.note(&template.references());
                Some(template)
            }
            Err(errors) => {
                for (place, error) in errors {
                    self.expression_error(&place, &error);
                }
                None
            }
        }
    }

    /// Compiles the members of `field`, in order of name.
    pub fn templates(&mut self, field: &str, members: &Struct) -> Vec<(String, Template)> {
        self.within(field, |c| {
            let members = members.fields.iter();
            members
                .filter_map(|(name, value)| {
                    let template = c.within(&format!(".{name}"), |c| c.template(value))?;
                    Some((name.clone(), template))
                })
                .collect()
        })
    }

    /// Runs `compile` with more variables in scope.
    pub fn with_variables<T>(
        &mut self,
        more: &[&'static str],
        compile: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.names.variables.len();
        self.names.variables.extend(more);
        let result = compile(self);
        self.names.variables.truncate(before);
        result
    }

    /// Brings the steps of a list into scope.
    pub fn enter(&mut self, steps: &'a [Step]) {
        let names = steps.iter().map(step_name).collect();
        self.names.levels.insert(0, expr::Level::new(names));
        let mut level = Level {
            steps,
            places: std::collections::HashMap::with_capacity(steps.len()),
            reads: Reads::default(),
        };
        for (place, step) in steps.iter().enumerate() {
            level.places.entry(step.id.as_str()).or_insert(place);
        }
        self.levels.push(level);
    }

    /// Takes the innermost list out of scope.
    pub fn leave(&mut self) {
        self.names.levels.remove(0);
        self.levels.pop();
    }

    /// Remembers what an expression reads, for the step on whose level it is.
    fn note(&mut self, references: &References) {
        self.check_reads(references);
        let ended = self.levels_ended;
        let path = || self.path.trim_start_matches('.').to_owned();
        for id in &references.steps {
            let found = self
                .levels
                .iter_mut()
                .skip(ended)
                .rev()
                .find_map(|level| Some((*level.places.get(id.as_str())?, level)));
            if let Some((place, level)) = found {
                let path = self.path.trim_start_matches('.');
                let first = || path.to_owned();
                level.reads.steps.entry(place).or_insert_with(first);
            }
        }
        let reads = |name: &str| references.variables.contains(name);
        let all =
            references.steps_dynamic || reads("all_previous_outputs") || reads("all_step_outputs");
        let path = all.then(path);
        if let Some(level) = self.levels.iter_mut().skip(ended).next_back() {
            level.reads.previous |= reads("previous");
        }
        for level in self.levels.iter_mut().skip(ended).filter(|_| all) {
            level.reads.all = level.reads.all.take().or_else(|| path.clone());
        }
    }

    fn expression_error(&mut self, place: &str, error: &expr::Error) {
        self.error(place, error.rule, error.to_string(), error.hint.as_str());
    }

    fn too_long(&mut self, bytes: usize) -> bool {
        let most = self.limits.expression_bytes_max;
        if bytes > most {
            let message = format!("the expression has {bytes} bytes; the most is {most}");
            let hint = "limit `expression_bytes_max`: compute parts of it in a `set` step";
            self.error("", "limit", message, hint);
        }
        bytes > most
    }
}

/// `true` or `false` when the expression is nothing but that.
pub(super) fn literal(source: &str) -> Option<bool> {
    match bare(source) {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The expression without blanks and braces around it.
pub(super) fn bare(source: &str) -> &str {
    let trimmed = source.trim();
    trimmed
        .strip_prefix("{{")
        .and_then(|s| s.strip_suffix("}}"))
        .map_or(trimmed, str::trim)
}

fn step_name(step: &Step) -> StepName {
    let children = match &step.kind {
        Some(step::Kind::Block(block))
            if !matches!(block.mode(), Mode::Sequence | Mode::States) =>
        {
            block.steps.iter().map(|s| s.id.clone()).collect()
        }
        _ => Vec::new(),
    };
    StepName {
        id: step.id.clone(),
        children,
    }
}

/// The bytes of the longest `{{ … }}` in any text of the value.
fn longest_expression(value: &Value) -> usize {
    match &value.kind {
        Some(Kind::StringValue(text)) => text
            .split("{{")
            .skip(1)
            .map(|part| part.find("}}").unwrap_or(part.len()))
            .max()
            .unwrap_or(0),
        Some(Kind::ListValue(list)) => {
            let items = list.values.iter().map(longest_expression);
            items.max().unwrap_or(0)
        }
        Some(Kind::StructValue(object)) => {
            let members = object.fields.values().map(longest_expression);
            members.max().unwrap_or(0)
        }
        _ => 0,
    }
}
