//! Text extraction: the text within HTML, Markdown or a plain file.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Value, json};
use tutti_client::TaskError;

use super::{Job, text::words};

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is well-formed")
}

static TITLE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?is)<title[^>]*>(.*?)</title>"));
static UNSEEN: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?is)<!--.*?-->|<script\b.*?</script>|<style\b.*?</style>|<head\b.*?</head>|<!doctype[^>]*>",
    )
});
static BLOCK: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i)</?(p|div|h[1-6]|section|article|header|footer|table|ul|ol|blockquote|hr)\b[^>]*>")
});
static LINE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)<br\b[^>]*>|</(tr|li)>"));
static CELL: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)</(td|th)>"));
static TAG: LazyLock<Regex> = LazyLock::new(|| regex(r"(?s)</?[a-zA-Z][^>]*>"));
static ENTITY: LazyLock<Regex> = LazyLock::new(|| regex(r"&(#x?[0-9a-fA-F]+|[a-zA-Z]+);"));
static MARKUP: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?m)^[ \t]*(#{1,6}|>|[-*+])[ \t]+|^[ \t]*(```.*|[-*_]{3,})[ \t]*$|\*\*|__|`")
});
static LINK: LazyLock<Regex> = LazyLock::new(|| regex(r"!?\[([^\]]*)\]\([^)]*\)"));
static BLANKS: LazyLock<Regex> = LazyLock::new(|| regex(r"[ \t\u{a0}]+"));
static GAPS: LazyLock<Regex> = LazyLock::new(|| regex(r"\n{3,}"));

/// The agent: `{content, media_type, name}` to `{text, title, media_type, characters, words}`.
///
/// # Errors
/// `validation` without content, `unsupported` for another type than HTML, Markdown or plain
/// text.
pub fn work(job: &Job) -> Result<Value, TaskError> {
    let content = job.input["content"]
        .as_str()
        .filter(|c| !c.trim().is_empty());
    let content = content.ok_or_else(|| TaskError::validation("the input has no `content`"))?;
    let media_type = media_type(&job.input);
    let text = match media_type {
        "text/html" => html(content),
        "text/markdown" => markdown(content),
        "text/plain" => content.to_owned(),
        other => {
            return Err(TaskError::new(
                "unsupported",
                format!("cannot read {other}"),
            ));
        }
    };
    let text = tidy(&text);
    let title = TITLE
        .captures(content)
        .map(|found| tidy(&decode(&found[1])));
    Ok(json!({
        "characters": text.chars().count(),
        "words": words(&text).len(),
        "title": title,
        "media_type": media_type,
        "text": text,
    }))
}

/// The type as given, or what the name's ending tells.
fn media_type(input: &Value) -> &str {
    if let Some(given) = input["media_type"].as_str() {
        return given.split(';').next().unwrap_or(given).trim();
    }
    let name = input["name"].as_str().unwrap_or_default();
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" | "htm" => "text/html",
        "md" | "markdown" => "text/markdown",
        _ => "text/plain",
    }
}

fn html(content: &str) -> String {
    let content = content.replace(['\n', '\r'], " ");
    let seen = UNSEEN.replace_all(&content, " ");
    let blocks = BLOCK.replace_all(&seen, "\n\n");
    let lines = LINE.replace_all(&blocks, "\n");
    let cells = CELL.replace_all(&lines, "  ");
    decode(&TAG.replace_all(&cells, ""))
}

fn markdown(content: &str) -> String {
    let linked = LINK.replace_all(content, "$1");
    MARKUP.replace_all(&linked, "").into_owned()
}

/// Entities as the characters they stand for; unknown ones stay as they are.
fn decode(text: &str) -> String {
    let character = |found: &Captures<'_>| {
        let name = &found[1];
        let number = match name.strip_prefix('#') {
            None => return named(name).map_or_else(|| found[0].to_owned(), str::to_owned),
            Some(number) => match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            },
        };
        let decoded = number.ok().and_then(char::from_u32);
        decoded.map_or_else(|| found[0].to_owned(), String::from)
    };
    ENTITY.replace_all(text, character).into_owned()
}

fn named(name: &str) -> Option<&'static str> {
    let known = [
        ("amp", "&"),
        ("lt", "<"),
        ("gt", ">"),
        ("quot", "\""),
        ("apos", "'"),
        ("nbsp", " "),
        ("euro", "€"),
        ("pound", "£"),
        ("ndash", "–"),
        ("mdash", "—"),
        ("hellip", "…"),
        ("rsquo", "’"),
        ("ldquo", "“"),
        ("rdquo", "”"),
        ("auml", "ä"),
        ("ouml", "ö"),
        ("uuml", "ü"),
        ("szlig", "ß"),
        ("eacute", "é"),
    ];
    known
        .into_iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| text)
}

/// Without blanks that follow one another, at line ends or as lines.
fn tidy(text: &str) -> String {
    let single = BLANKS.replace_all(text, " ");
    let lines: Vec<&str> = single.lines().map(str::trim).collect();
    GAPS.replace_all(&lines.join("\n"), "\n\n")
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(input: Value) -> String {
        let output = work(&Job::with(input)).expect("there is content");
        output["text"].as_str().expect("a text").to_owned()
    }

    #[test]
    fn html_gives_what_a_reader_sees() {
        let page = "<!DOCTYPE html><html><head><title>A &amp; B</title><style>p{}</style></head>\
                    <body><h1>Hello</h1><p>Costs <b>&euro; 5</b>&#33;<br>Bye</p>\
                    <script>var x = '<p>no</p>';</script>\
                    <table><tr><td>Sum</td><td>5</td></tr></table></body></html>";
        let input = json!({ "name": "a.html", "content": page });
        assert_eq!(text(input.clone()), "Hello\n\nCosts € 5!\nBye\n\nSum 5");
        let output = work(&Job::with(input)).expect("there is content");
        assert_eq!(output["title"], "A & B");
        assert_eq!(output["words"], 6);
    }

    #[test]
    fn markdown_loses_its_marks() {
        let content = "# Title\n\n- **one**\n- [two](http://example.com)\n\n```rust\ncode\n```";
        let input = json!({ "media_type": "text/markdown; charset=utf-8", "content": content });
        assert_eq!(text(input), "Title\n\none\ntwo\n\ncode");
    }

    #[test]
    fn plain_text_stays() {
        assert_eq!(
            text(json!({ "content": "a < b\n\n\n\nc  d &amp;" })),
            "a < b\n\nc d &amp;"
        );
    }

    #[test]
    fn other_types_are_refused_by_name() {
        let input = json!({ "media_type": "application/pdf", "content": "%PDF" });
        let error = work(&Job::with(input)).expect_err("not read");
        assert_eq!(error.class, "unsupported");
        assert!(error.message.contains("application/pdf"));
    }
}
