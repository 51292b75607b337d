//! The tree as YAML text that reads well and reads back as the same tree.

use serde_json::Value as Json;

use super::{
    scalar::{self, Scalar},
    tree::Tree,
};

/// Writes the tree in block style, two spaces a level.
pub fn yaml(tree: &Tree) -> String {
    let mut out = String::new();
    match tree {
        Tree::Map(members) if !members.is_empty() => map(&mut out, members, 0, false),
        Tree::List(items) if !items.is_empty() => list(&mut out, items, 0, false),
        other => {
            out.push_str(&inline(other));
            out.push('\n');
        }
    }
    out
}

/// Members, one a line; the first goes on the current line when `begun`.
fn map(out: &mut String, members: &[(String, Tree)], indent: usize, mut begun: bool) {
    for (key, value) in members {
        if !begun {
            pad(out, indent);
        }
        begun = false;
        out.push_str(&text(key));
        out.push(':');
        match value {
            Tree::Map(inner) if !inner.is_empty() => {
                out.push('\n');
                map(out, inner, indent + 2, false);
            }
            Tree::List(items) if !items.is_empty() => {
                out.push('\n');
                list(out, items, indent + 2, false);
            }
            scalar => leaf(out, scalar, indent + 2),
        }
    }
}

/// Items, each after a dash; the first goes on the current line when `begun`.
fn list(out: &mut String, items: &[Tree], indent: usize, mut begun: bool) {
    for item in items {
        if !begun {
            pad(out, indent);
        }
        begun = false;
        out.push('-');
        match item {
            Tree::Map(inner) if !inner.is_empty() => {
                out.push(' ');
                map(out, inner, indent + 2, true);
            }
            Tree::List(inner) if !inner.is_empty() => {
                out.push(' ');
                list(out, inner, indent + 2, true);
            }
            scalar => leaf(out, scalar, indent + 2),
        }
    }
}

/// A value after a key or dash, to the end of its line or lines.
fn leaf(out: &mut String, value: &Tree, indent: usize) {
    out.push(' ');
    match value {
        Tree::Leaf(Json::String(s)) if fits_block(s) => block(out, s, indent),
        other => {
            out.push_str(&inline(other));
            out.push('\n');
        }
    }
}

fn block(out: &mut String, text: &str, indent: usize) {
    out.push_str(if text.ends_with('\n') { "|" } else { "|-" });
    out.push('\n');
    for line in text.lines() {
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
        out.push('\n');
    }
}

/// True for text of several lines that a literal block holds without loss.
fn fits_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.ends_with('\n')
        && !body.starts_with(char::is_whitespace)
        && body.chars().all(|c| c == '\n' || is_printable(c))
}

fn inline(value: &Tree) -> String {
    match value {
        Tree::Leaf(Json::String(s)) => text(s),
        Tree::Leaf(json) => json.to_string(),
        Tree::List(_) => "[]".into(),
        Tree::Map(_) => "{}".into(),
    }
}

/// Text as a plain scalar where that is safe, else in double quotes.
fn text(text: &str) -> String {
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_word = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
    let safe = (starts_well || is_word)
        && !text.ends_with(' ')
        && text.chars().all(is_plain)
        && scalar::resolve(text) == Scalar::String;
    if safe { text.to_owned() } else { quoted(text) }
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || " _-./()'+=<>&|!?*%$@~;,[]{}\"".contains(c)
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c => out.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// Characters that stand for themselves in YAML text; line breaks of any kind do not.
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}
