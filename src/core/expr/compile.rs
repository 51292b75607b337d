//! From a syntax tree to something to evaluate: paths become slots, operators and macros are
//! replaced by those of `operators`, and every name is checked.

use cel::{
    IdedExpr,
    common::ast::{
        CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators,
    },
};

use super::{
    Names, References,
    library::{self, Style},
    macros,
    names::Problem,
    parse::call,
    path::{Key, Path, Root},
    read::Read,
    rewrite::{has, meter, meter_rounds, replace_operator},
};
use crate::core::finding::did_you_mean;

/// The name of slot `number`.
fn slot_name(number: usize) -> String {
    format!("@{number}")
}

/// The slot that `name` means, if it is a slot's.
pub(super) fn slot_number(name: &str) -> Option<usize> {
    name.strip_prefix('@')?.parse().ok()
}

/// The slot that is all of a tree.
pub(super) fn only_slot(tree: &IdedExpr) -> Option<usize> {
    match &tree.expr {
        Expr::Ident(name) => slot_number(name),
        _ => None,
    }
}

/// Compiles one tree in place.
pub(super) struct Compiler<'n> {
    names: &'n Names,
    /// Variables that macros around this place bind.
    bound: Vec<String>,
    /// The paths read, each once.
    pub paths: Vec<Path>,
    pub references: References,
    pub problems: Vec<Problem>,
}

impl<'n> Compiler<'n> {
    pub fn new(names: &'n Names) -> Self {
        Self {
            names,
            bound: Vec::new(),
            paths: Vec::new(),
            references: References::default(),
            problems: Vec::new(),
        }
    }

    /// Compiles `tree` and all below it.
    pub fn visit(&mut self, tree: &mut IdedExpr) {
        if self.replace_path(tree) {
            return;
        }
        macros::expand(tree);
        match &mut tree.expr {
            Expr::Call(call) => self.call(call),
            Expr::Select(select) if select.test => tree.expr = self.presence(select),
            Expr::Select(select) => self.visit(&mut select.operand),
            Expr::List(list) => list.elements.iter_mut().for_each(|e| self.visit(e)),
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        self.visit(&mut entry.key);
                        self.visit(&mut entry.value);
                    }
                }
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Struct(message) => self.problems.push(Problem {
                message: format!("`{}{{…}}`: messages cannot be made", message.type_name),
                hint: "write a map: {'name': value}".into(),
                rule: "expression",
            }),
            Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    /// Replaces a path by its slot. False when the tree is no path.
    fn replace_path(&mut self, tree: &mut IdedExpr) -> bool {
        let Some((name, keys)) = path_of(tree) else {
            return false;
        };
        if self.bound.contains(&name) || self.is_type(&name, &keys) {
            return false;
        }
        match self.resolve(&name, &keys) {
            Ok(path) => {
                let slot = self.slot(path);
                tree.expr = Expr::Ident(slot_name(slot));
            }
            Err(problem) => {
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
            }
        }
        true
    }

    /// True for the likes of `int` and `google.protobuf.Timestamp`.
    fn is_type(&self, name: &str, keys: &[Key]) -> bool {
        if name == "steps" || self.names.variables.contains(&name) {
            return false;
        }
        let mut full = name.to_owned();
        for key in keys {
            let Key::Name(key) = key else { return false };
            full.push('.');
            full.push_str(key);
        }
        library::is_type(&full)
    }

    /// `has(operand.field)`. A step is present when it is in reach, which is known by now.
    fn presence(&mut self, select: &mut SelectExpr) -> Expr {
        if let Some((name, mut keys)) = path_of(&select.operand)
            && name == "steps"
            && !self.bound.contains(&name)
        {
            keys.push(Key::Name(select.field.clone()));
            match self.resolve(&name, &keys) {
                Ok(path) if keys.len() == 1 => {
                    self.slot(path);
                    return Expr::Literal(LiteralValue::Boolean(true.into()));
                }
                Ok(_) => {}
                Err(problem) => self.problems.push(problem),
            }
        }
        self.visit(&mut select.operand);
        has(select)
    }

    fn resolve(&self, name: &str, keys: &[Key]) -> Result<Path, Problem> {
        let keys = keys.to_vec();
        if name == "steps" {
            return self.names.path_into_steps(&keys);
        }
        match self.names.root(name)? {
            // `NAME_output[0]` means what `steps.NAME.output[0]` does.
            Root::Step(id, _) => {
                let mut all = vec![Key::Name(id), Key::Name("output".into())];
                all.extend(keys);
                self.names.path_into_steps(&all)
            }
            root => Ok(Path { root, keys }),
        }
    }

    fn slot(&mut self, path: Path) -> usize {
        match &path.root {
            Root::Variable(name) => drop(self.references.variables.insert(name.clone())),
            Root::Step(id, _) => drop(self.references.steps.insert(id.clone())),
            Root::Steps => self.references.steps_dynamic = true,
        }
        if let Some(read) = Read::of(&path).filter(|read| !read.keys.is_empty()) {
            self.references.reads.insert(read);
        }
        let known = self.paths.iter().position(|known| *known == path);
        known.unwrap_or_else(|| {
            self.paths.push(path);
            self.paths.len() - 1
        })
    }

    fn call(&mut self, call: &mut CallExpr) {
        let qualified = call
            .target
            .as_deref()
            .and_then(|target| self.qualified(target, call));
        let name = qualified.unwrap_or_else(|| {
            if let Some(target) = &mut call.target {
                self.visit(target);
            }
            call.func_name.clone()
        });
        let written = name.starts_with(|c: char| c.is_ascii_alphabetic()) && !name.contains('@');
        if written {
            self.check_function(&name, call.target.is_some() && name == call.func_name);
        }
        // The arguments of a macro that was not expanded hold names that it would bind.
        if library::MACROS.contains(&name.as_str()) {
            return;
        }
        for argument in &mut call.args {
            self.visit(argument);
        }
        replace_operator(call);
        if let Some(own) = library::metered(&name) {
            call.args
                .splice(0..0, call.target.take().map(|target| *target));
            call.args.push(meter());
            call.func_name = own.to_owned();
        }
    }

    /// `optional.of`, when the call is one of a function with such a name.
    fn qualified(&self, target: &IdedExpr, call: &CallExpr) -> Option<String> {
        let Expr::Ident(space) = &target.expr else {
            return None;
        };
        let name = format!("{space}.{}", call.func_name);
        let is_space = library::style(&name).is_some() || library::SPACES.contains(&&**space);
        let hidden = self.bound.contains(space) || self.names.root(space).is_ok();
        (is_space && !hidden).then_some(name)
    }

    fn check_function(&mut self, name: &str, member: bool) {
        let message = match library::style(name) {
            Some(Style::Global) if member => format!("`{name}` is called as {name}(value)"),
            Some(Style::Member) if !member => format!("`{name}` is called as value.{name}()"),
            Some(_) => return,
            None if library::MACROS.contains(&name) => {
                format!("`{name}` is called with the wrong number of arguments")
            }
            None => format!("unknown function `{name}`"),
        };
        let near = did_you_mean(name, library::names().filter(|known| *known != name));
        self.problems.push(Problem {
            message,
            hint: near.map_or_else(String::new, |near| format!("did you mean `{near}`?")),
            rule: "unknown-function",
        });
    }

    fn comprehension(&mut self, macro_: &mut ComprehensionExpr) {
        self.visit(&mut macro_.iter_range);
        self.visit(&mut macro_.accu_init);
        let outside = self.bound.len();
        self.bound.push(macro_.accu_var.clone());
        self.visit(&mut macro_.result);
        self.bound.push(macro_.iter_var.clone());
        self.bound.extend(macro_.iter_var2.clone());
        self.visit(&mut macro_.loop_cond);
        self.visit(&mut macro_.loop_step);
        self.bound.truncate(outside);
        meter_rounds(macro_);
        if !matches!(macro_.iter_range.expr, Expr::List(_)) {
            let range = std::mem::take(&mut macro_.iter_range);
            macro_.iter_range = call(library::RANGE, vec![range]);
        }
    }
}

/// The name and keys of `name.key[0]["key"]`.
fn path_of(tree: &IdedExpr) -> Option<(String, Vec<Key>)> {
    let mut keys = Vec::new();
    let mut at = tree;
    loop {
        match &at.expr {
            Expr::Ident(name) => {
                keys.reverse();
                return Some((name.clone(), keys));
            }
            Expr::Select(select) if !select.test => {
                keys.push(Key::Name(select.field.clone()));
                at = &select.operand;
            }
            Expr::Call(call) if call.func_name == operators::INDEX => {
                keys.push(literal_key(call.args.get(1)?)?);
                at = call.args.first()?;
            }
            _ => return None,
        }
    }
}

fn literal_key(tree: &IdedExpr) -> Option<Key> {
    match &tree.expr {
        Expr::Literal(LiteralValue::String(name)) => Some(Key::Name(name.inner().to_owned())),
        Expr::Literal(LiteralValue::Int(index)) => Some(Key::Index(*index.inner())),
        Expr::Literal(LiteralValue::UInt(index)) => {
            i64::try_from(*index.inner()).ok().map(Key::Index)
        }
        _ => None,
    }
}
