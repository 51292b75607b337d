//! From a text to a syntax tree: refuses what is nested too deep, reads plain paths
//! (`steps.pay.output.charge`) by itself because most templates are one and CEL's parser is
//! slow, and puts the parser's complaints into one line each.

use cel::{
    IdedExpr, ParseError,
    common::ast::{CallExpr, Expr, LiteralValue, SelectExpr, operators},
    parser::PrattParser,
};

use super::{
    nesting::{self, NESTING_MAX},
    spelling::Respelled,
    token::{Kind, Token, tokens},
};

/// What is wrong with a text, in one line.
pub(super) type Complaint = String;

/// The syntax tree of `text`, macros expanded.
///
/// # Errors
/// What is wrong, with the column in `source`, the text as it was written.
pub(super) fn parse(text: &Respelled, source: &str) -> Result<IdedExpr, Complaint> {
    let cel = text.cel.trim();
    if cel.is_empty() {
        return Err("the expression is empty".into());
    }
    if let Some(path) = plain_path(cel) {
        return Ok(path);
    }
    if !nesting::is_bounded(cel) {
        return Err(format!("nested deeper than {NESTING_MAX} levels"));
    }
    let parser = PrattParser::new()
        .enable_optional_syntax(true)
        .enable_ident_escape_syntax(true);
    parser.parse(&text.cel).map_err(|found| {
        let placed = found.errors.iter().find(|error| error.pos.0 > 0);
        // What follows the first error is about the parser's guesses, not about the text.
        placed.or(found.errors.first()).map_or_else(
            || "cannot be read".to_owned(),
            |error| complaint(error, text, source),
        )
    })
}

fn complaint(error: &ParseError, text: &Respelled, source: &str) -> Complaint {
    let Some(at) = place(error, text) else {
        return in_words(&error.msg, "");
    };
    let found = source.get(at..).and_then(|_| tokens(source, at).next());
    let message = in_words(&error.msg, found.map_or("", |token| token.text(source)));
    format!("{message} ({})", position(source, at))
}

/// The parser's message as one that speaks of the text; `found` is what stands at its place.
fn in_words(message: &str, found: &str) -> String {
    let message = message.replace(['\n', '\r'], " ");
    let message = message.trim_start_matches("Syntax error: ");
    let found = if found.is_empty() {
        "the end".to_owned()
    } else {
        format!("`{found}`")
    };
    match message.split_once(" expecting ") {
        Some((_, "<EOF>")) => format!("unexpected {found}"),
        Some((_, "expression")) => format!("expected an expression, found {found}"),
        Some((_, expected)) => format!("expected {}, found {found}", expected.replace('\'', "`")),
        None if message == "unexpected token" => format!("unexpected {found}"),
        None => message.replace('\'', "`"),
    }
}

/// The byte in the source that the parser complains about.
fn place(error: &ParseError, text: &Respelled) -> Option<usize> {
    let (line, column) = error.pos;
    let before = usize::try_from(line).ok()?.checked_sub(1)?;
    let column = usize::try_from(column).ok()?.checked_sub(1)?;
    let line = text.cel.split_inclusive('\n').nth(before)?;
    let start = line.as_ptr() as usize - text.cel.as_ptr() as usize;
    Some(text.source_place(start + column.min(line.len())))
}

/// `column 7`, or `line 2, column 3` in a text of several lines.
fn position(source: &str, at: usize) -> String {
    let before = source.get(..at).unwrap_or(source);
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    if source.contains('\n') {
        let line = before.matches('\n').count() + 1;
        format!("line {line}, column {column}")
    } else {
        format!("column {column}")
    }
}

/// The tree of `name.name[0]["name"]`; `None` for anything else.
fn plain_path(cel: &str) -> Option<IdedExpr> {
    let words: Vec<Token> = tokens(cel, 0).take(2 * NESTING_MAX).collect();
    if words.last()?.end != cel.len() || cel.contains(char::is_whitespace) {
        return None;
    }
    let mut tree = node(Expr::Ident(name(words[0], cel)?));
    let mut rest = &words[1..];
    while let Some(first) = rest.first() {
        let (next, used) = match (first.kind, rest) {
            (Kind::Sign('.'), [_, field, ..]) => (select(tree, name(*field, cel)?), 2),
            (Kind::Sign('['), [_, key, close, ..]) if close.is(']') => {
                (index(tree, literal(*key, cel)?), 3)
            }
            _ => return None,
        };
        tree = next;
        rest = &rest[used..];
    }
    Some(tree)
}

/// A name that is no word of the language's own.
fn name(token: Token, cel: &str) -> Option<String> {
    const RESERVED: &[&str] = &[
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "var",
        "void",
        "while",
    ];
    let text = token.text(cel);
    (token.kind == Kind::Word && !RESERVED.contains(&text)).then(|| text.to_owned())
}

fn literal(token: Token, cel: &str) -> Option<LiteralValue> {
    let text = token.text(cel);
    match token.kind {
        Kind::Number => Some(LiteralValue::Int(text.parse::<i64>().ok()?.into())),
        Kind::Text { closed: true } if !text.contains('\\') => {
            let inner = text.strip_prefix(['"', '\''])?.strip_suffix(['"', '\''])?;
            let plain = !inner.is_empty() && !inner.contains(['"', '\'']);
            plain.then(|| LiteralValue::String(inner.to_owned().into()))
        }
        _ => None,
    }
}

/// A node without a place of its own.
pub(super) fn node(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}

/// `operand.field`
pub(super) fn select(operand: IdedExpr, field: String) -> IdedExpr {
    node(Expr::Select(SelectExpr {
        operand: Box::new(operand),
        field,
        test: false,
    }))
}

/// `operand[key]`
fn index(operand: IdedExpr, key: LiteralValue) -> IdedExpr {
    call(operators::INDEX, vec![operand, node(Expr::Literal(key))])
}

/// `name(args)`
pub(super) fn call(name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    node(Expr::Call(CallExpr {
        func_name: name.to_owned(),
        target: None,
        args,
    }))
}
