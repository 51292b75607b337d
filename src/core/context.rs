//! What of earlier steps is handed on to an agent: parts in order of weight, each with where it
//! is from, counted in tokens of four characters, and cut to a bound. Pure.

use crate::core::value::{self, Kind, Value};

/// How many characters are counted as one token.
pub const TOKEN_CHARACTERS: usize = 4;

/// A part of a context.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The id of a step, an expression, or `summary`.
    pub from: String,
    /// What is handed on.
    pub value: Value,
}

/// How many tokens the parts have together, rounded up.
pub fn tokens(parts: &[Part]) -> usize {
    let characters = parts.iter().map(|part| characters(&part.value));
    characters.sum::<usize>().div_ceil(TOKEN_CHARACTERS)
}

/// Leaves out what comes last beyond so many tokens: a text is cut, any other value goes whole,
/// and with it all after it.
pub fn truncate(mut parts: Vec<Part>, tokens_max: usize) -> Vec<Part> {
    let mut room = tokens_max.saturating_mul(TOKEN_CHARACTERS);
    for place in 0..parts.len() {
        let size = characters(&parts[place].value);
        if size <= room {
            room -= size;
            continue;
        }
        let kept = match &mut parts[place].value.kind {
            Some(Kind::StringValue(text)) if room > 0 => {
                *text = text.chars().take(room).collect();
                place + 1
            }
            _ => place,
        };
        parts.truncate(kept);
        break;
    }
    parts
}

/// The parts as one value: a list of `{from, value}`.
pub fn as_value(parts: Vec<Part>) -> Value {
    let parts = parts.into_iter().map(|part| {
        let from = ("from", value::string(part.from));
        value::object([from, ("value", part.value)])
    });
    value::list(parts.collect())
}

fn characters(value: &Value) -> usize {
    match &value.kind {
        Some(Kind::StringValue(text)) => text.chars().count(),
        _ => value::to_text(value).chars().count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(values: &[Value]) -> Vec<Part> {
        let part = |value: &Value| Part {
            from: "x".into(),
            value: value.clone(),
        };
        values.iter().map(part).collect()
    }

    fn kept(values: &[Value], tokens_max: usize) -> Vec<Value> {
        let kept = truncate(parts(values), tokens_max);
        kept.into_iter().map(|part| part.value).collect()
    }

    #[test]
    fn four_characters_are_a_token() {
        assert_eq!(
            tokens(&parts(&[value::string("ääää"), value::string("b")])),
            2
        );
        assert_eq!(
            tokens(&parts(&[value::list(vec![value::null()])])),
            2,
            "[null]"
        );
        assert_eq!(tokens(&[]), 0);
    }

    #[test]
    fn what_comes_last_is_left_out_and_a_text_is_cut() {
        let text = value::string("abcdefgh");
        let list = value::list(vec![value::number(1.0), value::number(2.0)]);
        assert_eq!(
            kept(&[text.clone(), text.clone()], 4),
            vec![text.clone(); 2]
        );
        assert_eq!(
            kept(&[text.clone(), text.clone(), list.clone()], 3),
            [text.clone(), value::string("abcd")]
        );
        assert_eq!(
            kept(&[list, text], 1),
            [],
            "no half of a list, and nothing after it"
        );
    }
}
