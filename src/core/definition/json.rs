//! The one thing in which JSON text is not YAML: characters beyond U+FFFF written as two
//! escapes (RFC 8259 §7).

use std::borrow::Cow;

/// Rewrites pairs of surrogate escapes (`\ud83d\ude00`) as YAML writes them (`\U0001F600`),
/// when the text is a JSON object; other text comes back as it is.
pub fn join_surrogates(source: &str) -> Cow<'_, str> {
    if !source.trim_start().starts_with('{') || !has_surrogate(source) {
        return Cow::Borrowed(source);
    }
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match pair(rest) {
            Some(code) => {
                out.push_str(&format!("\\U{code:08X}"));
                12
            }
            None => {
                let escape = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                out.push_str(&rest[..escape]);
                escape
            }
        };
        rest = &rest[taken..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn has_surrogate(source: &str) -> bool {
    source.contains("\\ud") || source.contains("\\uD")
}

/// The code point of the two escapes that `text` begins with.
fn pair(text: &str) -> Option<u32> {
    let high = unit(text)?;
    let low = unit(text.get(6..)?)?;
    let is_pair = (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(&low);
    is_pair.then(|| 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
}

fn unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_joined_only_in_json() {
        assert_eq!(
            join_surrogates(r#"{"a": "\ud83d\ude00 \\ud83d\ude00 \n"}"#),
            r#"{"a": "\U0001F600 \\ud83d\ude00 \n"}"#
        );
        assert_eq!(join_surrogates(r"a: \ud83d\ude00"), r"a: \ud83d\ude00");
        assert_eq!(join_surrogates("{\\ud83d\\"), "{\\ud83d\\");
        assert_eq!(join_surrogates("{\\uD8é\\"), "{\\uD8é\\");
    }
}
