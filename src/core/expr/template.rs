//! Templates: JSON data whose strings may hold `{{ CEL }}`.

use prost_types::value::Kind;

use super::{
    Code, Error, Expr, Names, References, Scope, Shape,
    eval::Nothing,
    spelling::is_reference,
    token::{Unclosed, closing_braces},
};
use crate::core::value::{self, Value};

/// A compiled part of a template.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "few in a plan, and most are expressions"
)]
pub(super) enum Part {
    /// A value that is the same in every scope.
    Constant(Value),
    /// A string that is one expression: its value keeps its type.
    Whole(Expr),
    /// A string with expressions in it.
    Text(Vec<Piece>),
    List(Vec<Part>),
    Object(Vec<(String, Part)>),
}

/// A piece of a string.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "few in a plan, and most are expressions"
)]
pub(super) enum Piece {
    Plain(String),
    Expression(Expr),
}

impl Piece {
    fn is_constant(&self) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Expression(expr) => matches!(expr.code, Code::Constant(_)),
        }
    }
}

/// Errors with the place inside the value.
pub(super) type Located = Vec<(String, Error)>;

/// Compiles `value`, which lies at `path`.
pub(super) fn compile(value: &Value, path: &str, names: &Names) -> Result<Part, Located> {
    let mut part = match &value.kind {
        Some(Kind::StringValue(text)) => {
            let located = |errors: Vec<Error>| {
                errors
                    .into_iter()
                    .map(|error| (path.to_owned(), error))
                    .collect::<Vec<_>>()
            };
            compile_text(text, names).map_err(located)?
        }
        Some(Kind::ListValue(list)) => {
            let items = list.values.iter().enumerate();
            Part::List(all(
                items.map(|(i, item)| compile(item, &format!("{path}[{i}]"), names))
            )?)
        }
        Some(Kind::StructValue(object)) => {
            Part::Object(all(object.fields.iter().map(|(name, member)| {
                Ok((
                    name.clone(),
                    compile(member, &format!("{path}.{name}"), names)?,
                ))
            }))?)
        }
        _ => Part::Constant(value.clone()),
    };
    part.fold();
    Ok(part)
}

fn all<T>(parts: impl Iterator<Item = Result<T, Located>>) -> Result<Vec<T>, Located> {
    let mut compiled = Vec::new();
    let mut errors = Vec::new();
    for part in parts {
        match part {
            Ok(part) => compiled.push(part),
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() {
        Ok(compiled)
    } else {
        Err(errors)
    }
}

fn compile_text(text: &str, names: &Names) -> Result<Part, Vec<Error>> {
    let trimmed = text.trim();
    if is_reference(trimmed) {
        return Ok(Part::Whole(Expr::compile(trimmed, names)?));
    }
    let pieces = split(text).map_err(|error| vec![error])?;
    if let Some(only) = only_expression(&pieces) {
        return Ok(Part::Whole(Expr::compile(only, names)?));
    }
    let mut compiled = Vec::new();
    let mut errors = Vec::new();
    for piece in pieces {
        match piece {
            Raw::Plain(plain) => compiled.push(Piece::Plain(plain.to_owned())),
            Raw::Expression(source) => match Expr::compile(source, names) {
                Ok(expr) => compiled.push(Piece::Expression(expr)),
                Err(found) => errors.extend(found),
            },
        }
    }
    if errors.is_empty() {
        Ok(Part::Text(compiled))
    } else {
        Err(errors)
    }
}

/// A piece of a string before compiling.
enum Raw<'t> {
    Plain(&'t str),
    Expression(&'t str),
}

fn split(text: &str) -> Result<Vec<Raw<'_>>, Error> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find("{{").map(|open| at + open) {
        if open > at {
            pieces.push(Raw::Plain(&text[at..open]));
        }
        let close = closing_braces(text, open + 2).map_err(|why| unclosed(text, open, why))?;
        pieces.push(Raw::Expression(&text[open + 2..close]));
        at = close + 2;
    }
    if at < text.len() {
        pieces.push(Raw::Plain(&text[at..]));
    }
    Ok(pieces)
}

/// The one expression of a string that holds nothing else but white space.
fn only_expression<'t>(pieces: &[Raw<'t>]) -> Option<&'t str> {
    let mut only = None;
    for piece in pieces {
        match piece {
            Raw::Plain(plain) if plain.trim().is_empty() => {}
            Raw::Expression(source) if only.is_none() => only = Some(*source),
            _ => return None,
        }
    }
    only
}

/// The error for a `{{` at byte `open` that nothing closes.
pub(super) fn unclosed(text: &str, open: usize, why: Unclosed) -> Error {
    let column = text[..open].chars().count() + 1;
    Error {
        source_text: text.to_owned(),
        message: format!("`{{{{` at character {column} is never closed"),
        hint: if why.in_text {
            "a quote inside it is not closed either".into()
        } else {
            "end it with `}}`; to write braces as text, use {{ '{{' }}".into()
        },
        rule: "expression",
    }
}

impl Part {
    /// Becomes a constant, when all of it is.
    fn fold(&mut self) {
        let constant = match self {
            Self::Constant(_) => return,
            Self::Whole(expr) => matches!(expr.code, Code::Constant(_)),
            Self::Text(pieces) => pieces.iter().all(Piece::is_constant),
            Self::List(parts) => parts.iter().all(|part| matches!(part, Self::Constant(_))),
            Self::Object(all) => all
                .iter()
                .all(|(_, part)| matches!(part, Self::Constant(_))),
        };
        if constant && let Ok(value) = self.eval(&Nothing) {
            *self = Self::Constant(value);
        }
    }

    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, Error> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Whole(expr) => expr.eval(scope),
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Plain(plain) => text.push_str(plain),
                        Piece::Expression(expr) => text.push_str(&in_text(&expr.eval(scope)?)),
                    }
                }
                Ok(value::string(text))
            }
            Self::List(parts) => {
                let items: Result<_, _> = parts.iter().map(|part| part.eval(scope)).collect();
                Ok(value::list(items?))
            }
            Self::Object(members) => {
                let member = |(name, part): &(String, Self)| Ok((name.clone(), part.eval(scope)?));
                let members: Result<Vec<_>, Error> = members.iter().map(member).collect();
                Ok(value::object(members?))
            }
        }
    }

    /// What can be seen of its value.
    pub fn shape(&self) -> Shape<'_> {
        match self {
            Self::Constant(value) => Shape::Constant(value),
            Self::Whole(expr) => expr.only.as_ref().map_or(Shape::Unknown, Shape::Read),
            Self::Text(_) => Shape::Text,
            Self::List(parts) => Shape::List(parts.iter().map(Self::shape).collect()),
            Self::Object(members) => {
                let members = members.iter();
                Shape::Object(
                    members
                        .map(|(name, part)| (name.as_str(), part.shape()))
                        .collect(),
                )
            }
        }
    }

    /// Adds what its expressions read.
    pub fn collect(&self, references: &mut References) {
        match self {
            Self::Constant(_) => {}
            Self::Whole(expr) => references.extend(expr.references()),
            Self::Text(pieces) => {
                for piece in pieces {
                    if let Piece::Expression(expr) = piece {
                        references.extend(expr.references());
                    }
                }
            }
            Self::List(parts) => parts.iter().for_each(|part| part.collect(references)),
            Self::Object(members) => members.iter().for_each(|(_, p)| p.collect(references)),
        }
    }
}

/// A value inside a text: null is empty, strings are as they are, the rest is compact JSON.
fn in_text(value: &Value) -> String {
    if value::is_null(value) {
        String::new()
    } else {
        value::to_text(value)
    }
}
