//! What can be wrong with YAML text, in words, with line and column.

use saphyr_parser::{ScanError, Tag};

use super::DEPTH_MAX;
use crate::core::finding::{self, Finding};

/// A key that is not a scalar.
pub(super) fn bad_key(line: u32, column: u32) -> Finding {
    at(
        line,
        column,
        "key",
        "a key must be a name, not a mapping, a list or nothing",
        "text that begins with `{{` must stand in quotes: \"{{ … }}\"",
    )
}

/// A tag that is unknown, or is not what the value is.
pub(super) fn bad_tag(tag: &Tag, line: u32, column: u32) -> Finding {
    at(
        line,
        column,
        "tag",
        &format!("the tag `{tag}` does not fit here"),
        "remove the tag",
    )
}

/// Values nested beyond the bound.
pub(super) fn too_deep(line: u32, column: u32) -> Finding {
    at(
        line,
        column,
        "limit",
        &format!("values are nested more than {DEPTH_MAX} deep"),
        "make the definition flatter",
    )
}

/// Text that the parser refuses.
pub(super) fn syntax(error: &ScanError, source: &str) -> Finding {
    let line = u32::try_from(error.marker().line()).unwrap_or(u32::MAX);
    let column = u32::try_from(error.marker().col() + 1).unwrap_or(u32::MAX);
    let text = source
        .lines()
        .nth(error.marker().line().saturating_sub(1))
        .unwrap_or_default();
    let indent = &text[..text.len() - text.trim_start().len()];
    let hint = if indent.contains('\t') {
        "indent with spaces; YAML takes no tabs"
    } else if text.contains("{{") {
        "put text that holds `{{ … }}` in quotes"
    } else {
        "check the indentation and the quotes here and in the line before"
    };
    at(
        line,
        column,
        "yaml",
        &format!("this is not YAML: {}", error.info()),
        hint,
    )
}

/// An error about the text at a place.
pub(super) fn at(line: u32, column: u32, rule: &str, message: &str, hint: &str) -> Finding {
    Finding {
        line,
        column,
        ..finding::error("", rule, message, hint)
    }
}
