//! Evaluation of a compiled tree against a scope.

use std::{borrow::Cow, sync::Arc};

use cel::{
    Context, ExecutionError, IdedExpr, Value as CelValue,
    common::{ast::Expr, value::CowVal},
    context::VariableResolver,
};

use super::{
    Code, Scope, StepView,
    compile::slot_number,
    convert,
    lent::lend,
    library, messages,
    meter::Meter,
    path::{Origin, Path},
    rewrite::METER,
};
use crate::core::value::Value;

/// A compiled tree and the paths it reads.
#[derive(Debug)]
pub(super) struct Program {
    tree: IdedExpr,
    paths: Vec<Path>,
    /// For each path, the first that begins as it does.
    begins: Vec<usize>,
}

impl Program {
    pub fn new(tree: IdedExpr, paths: Vec<Path>) -> Self {
        let first = |path: &Path| paths.iter().position(|p| p.begins_as(path));
        let begins = paths.iter().map(|path| first(path).unwrap_or(0)).collect();
        Self {
            tree,
            paths,
            begins,
        }
    }

    /// The value, when it is the same in every scope; else the program. What fails in every
    /// scope is left to fail when it is evaluated.
    pub fn fold(self) -> Code {
        if self.paths.is_empty()
            && let Ok(value) = self.run(&Nothing)
        {
            return Code::Constant(value);
        }
        Code::Program(self)
    }

    /// The value in `scope`.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn run(&self, scope: &dyn Scope) -> Result<Value, String> {
        if let Some(path) = self.only_path() {
            let origin = path.origin(scope);
            return Ok(path.follow(&origin)?.to_value());
        }
        let slots = self.slots(scope);
        let mut context = Context::with_env(Arc::clone(library::environment()));
        context.set_variable_resolver(&slots);
        CelValue::resolve_val(&self.tree, &context)
            .and_then(|value| convert::to_value(value.as_ref(), &slots.meter))
            .map_err(|error| slots.explain(&error))
    }

    /// The path that is all there is to the expression.
    fn only_path(&self) -> Option<&Path> {
        match &self.tree.expr {
            Expr::Ident(name) => self.paths.get(slot_number(name)?),
            _ => None,
        }
    }

    fn slots<'s>(&'s self, scope: &'s dyn Scope) -> Slots<'s> {
        let of_its_own = |(place, path): (usize, &'s Path)| {
            (self.begins[place] == place).then(|| path.origin(scope))
        };
        Slots {
            program: self,
            origins: self.paths.iter().enumerate().map(of_its_own).collect(),
            meter: Meter::default(),
        }
    }
}

/// A scope without anything.
pub(super) struct Nothing;

impl Scope for Nothing {
    fn variable(&self, _name: &str) -> Option<Cow<'_, Value>> {
        None
    }

    fn step(&self, _id: &str) -> Option<StepView<'_>> {
        None
    }

    fn step_ids(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What one evaluation reads and may still cost.
struct Slots<'s> {
    program: &'s Program,
    origins: Vec<Option<Origin<'s>>>,
    meter: Meter,
}

impl Slots<'_> {
    fn fill(&self, slot: usize) -> Option<Result<CowVal<'_, '_>, String>> {
        let path = self.program.paths.get(slot)?;
        let origin = self.origins[self.program.begins[slot]].as_ref()?;
        Some(path.follow(origin).map(lend))
    }

    /// The error in words; that of a slot says what its path lacks.
    fn explain(&self, error: &ExecutionError) -> String {
        if let ExecutionError::UndeclaredReference(name) = error
            && let Some(Some(Err(message))) = slot_number(name).map(|slot| self.fill(slot))
        {
            return message;
        }
        messages::of(error)
    }
}

impl VariableResolver for Slots<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        if name == METER {
            return Some(CowVal::Borrowed(&self.meter));
        }
        self.fill(slot_number(name)?)?.ok()
    }
}
