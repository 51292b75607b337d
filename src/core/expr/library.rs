//! What expressions may call: the CEL standard library and a chosen part of its extensions, in
//! one environment that all expressions share. A name that is not listed here is unknown, even
//! if the `cel` crate has it: what is listed has a known bound on its work.

use std::sync::{Arc, LazyLock};

use cel::{
    DeclarationError, Env, ExecutionError,
    common::{types::DYN_TYPE, value::CowVal},
    extensions,
};

use super::{functions, operators, sorting};

/// `+` for all kinds of numbers, strings and lists, with a meter.
pub(super) const ADD: &str = "@add";
/// `-` for all kinds of numbers.
pub(super) const SUBTRACT: &str = "@subtract";
/// `*` for all kinds of numbers.
pub(super) const MULTIPLY: &str = "@multiply";
/// `/` for all kinds of numbers.
pub(super) const DIVIDE: &str = "@divide";
/// `==` for lent and made values alike.
pub(super) const EQUAL: &str = "@equal";
/// `!=` for lent and made values alike.
pub(super) const UNEQUAL: &str = "@unequal";
/// `in` for lent and made values alike, with a meter.
pub(super) const CONTAINED: &str = "@contained";
/// `has(a.b)`, which is false when `a` is null.
pub(super) const HAS: &str = "@has";
/// One round of a macro, with a meter.
pub(super) const STEP: &str = "@step";
/// What a macro iterates over, in an order that is always the same.
pub(super) const RANGE: &str = "@range";

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `size(x)`
    Global,
    /// `x.trim()`
    Member,
    /// Both.
    Either,
}

/// The functions, by name. Macros are no functions: they are gone when names are checked.
const FUNCTIONS: &[(Style, &[&str])] = &[
    (Style::Either, &["size", "matches"]),
    (
        Style::Global,
        &[
            "base64.decode",
            "base64.encode",
            "bool",
            "bytes",
            "double",
            "duration",
            "dyn",
            "fromJson",
            "int",
            "math.greatest",
            "math.least",
            "math.abs",
            "math.ceil",
            "math.floor",
            "math.round",
            "math.sign",
            "math.sqrt",
            "math.trunc",
            "optional.none",
            "optional.of",
            "optional.ofNonZeroValue",
            "string",
            "timestamp",
            "toJson",
            "type",
            "uint",
        ],
    ),
    (
        Style::Member,
        &[
            "charAt",
            "contains",
            "endsWith",
            "flatten",
            "getDate",
            "getDayOfMonth",
            "getDayOfWeek",
            "getDayOfYear",
            "getFullYear",
            "getHours",
            "getMilliseconds",
            "getMinutes",
            "getMonth",
            "getSeconds",
            "hasValue",
            "indexOf",
            "join",
            "lastIndexOf",
            "lowerAscii",
            "or",
            "orValue",
            "replace",
            "reverse",
            "slice",
            "sort",
            "split",
            "startsWith",
            "substring",
            "trim",
            "upperAscii",
            "value",
        ],
    ),
];

/// What stands before the dot in names of functions.
pub(super) const SPACES: &[&str] = &["base64", "lists", "math", "optional", "strings"];

/// The macros, for messages.
pub(super) const MACROS: &[&str] = &[
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "filter",
    "has",
    "map",
    "sortBy",
];

/// Functions that are replaced by our own, with a meter as one more argument: what they make can
/// be far larger than what they are given, or they would not mix numbers.
const METERED: &[(&str, &str)] = &[
    ("join", "@join"),
    ("replace", "@replace"),
    ("toJson", "@toJson"),
    ("fromJson", "@fromJson"),
    ("sort", "@sort"),
    ("@sortByAssociatedKeys", "@sortBy"),
];

/// The environment of all expressions.
pub(super) fn environment() -> &'static Arc<Env> {
    static ENVIRONMENT: LazyLock<Arc<Env>> =
        LazyLock::new(|| Arc::new(build().expect("the library declares every function once")));
    &ENVIRONMENT
}

/// How `name` may be called; `None` when there is no such function.
pub(super) fn style(name: &str) -> Option<Style> {
    let listed = FUNCTIONS.iter().find(|(_, names)| names.contains(&name));
    listed.map(|(style, _)| *style)
}

/// The names that users write.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let functions = FUNCTIONS.iter().flat_map(|(_, names)| names.iter());
    let written = functions.copied().filter(|name| !name.contains('@'));
    written.chain(MACROS.iter().copied())
}

/// Our own function in place of `name`, when it has one.
pub(super) fn metered(name: &str) -> Option<&'static str> {
    let (_, own) = METERED.iter().find(|(known, _)| *known == name)?;
    Some(own)
}

/// True for the name of a type, as in `type(x) == int`.
pub(super) fn is_type(name: &str) -> bool {
    environment().types().find_type(name).is_some()
}

type Function = for<'b, 'v> fn(Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError>;

/// Our own functions: name, arguments, implementation. None can be written by users: `@` is in
/// no CEL name.
const OWN: &[(&str, usize, Function)] = &[
    (ADD, 3, operators::add),
    (SUBTRACT, 2, operators::subtract),
    (MULTIPLY, 2, operators::multiply),
    (DIVIDE, 2, operators::divide),
    (EQUAL, 2, operators::is_equal),
    (UNEQUAL, 2, operators::is_unequal),
    (CONTAINED, 3, operators::is_contained),
    (HAS, 2, operators::has),
    (STEP, 2, operators::step),
    (RANGE, 1, operators::range),
    ("@toJson", 2, functions::to_json),
    ("@fromJson", 2, functions::from_json),
    ("@join", 2, functions::join),
    ("@join", 3, functions::join),
    ("@replace", 4, functions::replace),
    ("@replace", 5, functions::replace),
    ("@sort", 2, sorting::sort),
    ("@sortBy", 3, sorting::sort_by),
    ("math.ceil", 1, functions::whole),
    ("math.floor", 1, functions::whole),
    ("math.round", 1, functions::whole),
    ("math.trunc", 1, functions::whole),
];

fn build() -> Result<Env, DeclarationError> {
    let mut env = Env::stdlib();
    env.add_extension(extensions::strings)?;
    env.add_extension(extensions::math)?;
    env.add_extension(extensions::lists)?;
    env.add_extension(extensions::encoders)?;
    for (name, arguments, function) in OWN {
        let any = (0..*arguments).map(|_| DYN_TYPE).collect();
        env.add_overload(name, &format!("{name}_{arguments}"), any, *function)?;
    }
    Ok(env)
}

#[cfg(test)]
mod tests {
    use cel::{
        Context, Value,
        common::ast::{CallExpr, Expr, LiteralValue},
    };

    use super::*;
    use crate::core::expr::parse::node;

    const MACROS_OF_MATH: &[&str] = &["math.greatest", "math.least"];

    /// True when the environment has the function; no arguments fit, so it is never called.
    fn exists(name: &str, member: bool) -> bool {
        let target = member.then(|| Box::new(node(Expr::Literal(LiteralValue::Null))));
        let call = node(Expr::Call(CallExpr {
            func_name: name.to_owned(),
            target,
            args: Vec::new(),
        }));
        let context = Context::with_env(Arc::clone(environment()));
        let outcome = Value::resolve(&call, &context);
        !matches!(outcome, Err(ExecutionError::UndeclaredReference(_)))
    }

    #[test]
    fn every_listed_function_exists_as_it_is_listed() {
        for (style, names) in FUNCTIONS {
            for name in names.iter().filter(|name| !MACROS_OF_MATH.contains(name)) {
                let (name, style) = match metered(name) {
                    Some(own) => (own, Style::Global),
                    None => (*name, *style),
                };
                let global = style == Style::Member || exists(name, false);
                let member = style == Style::Global || exists(name, true);
                assert!(global && member, "{name}");
            }
        }
        assert!(!exists("nope", false) && !exists("nope", true));
    }
}
