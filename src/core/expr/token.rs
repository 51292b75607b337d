//! The words of a CEL text, found without parsing it: enough to skip string literals and
//! comments, and to find where a `}}` ends an expression. Knows nothing of names.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A letter or `_`, then letters, digits and `_`.
    Word,
    /// A digit, then letters, digits and `_` (`1.5` is number, punctuation, number).
    Number,
    /// A string or bytes literal with its quotes and prefix; `closed` tells if it ends.
    Text { closed: bool },
    /// Any other single character.
    Sign(char),
}

/// A token and its bytes in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

impl Token {
    pub fn text<'s>(&self, source: &'s str) -> &'s str {
        &source[self.start..self.end]
    }

    pub fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }
}

/// The tokens of `source` from byte `from` on. White space and comments are left out.
pub(super) fn tokens(source: &str, from: usize) -> Tokens<'_> {
    Tokens { source, at: from }
}

/// Iterates over the tokens of a source.
pub(super) struct Tokens<'s> {
    source: &'s str,
    at: usize,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blanks();
        let rest = &self.source[self.at..];
        let first = rest.chars().next()?;
        let (kind, length) = match first {
            _ if text_prefix(rest).is_some() => self.text(rest),
            c if c.is_ascii_alphabetic() || c == '_' => (Kind::Word, word_length(rest)),
            c if c.is_ascii_digit() => (Kind::Number, word_length(rest)),
            c => (Kind::Sign(c), c.len_utf8()),
        };
        let start = self.at;
        self.at += length;
        Some(Token {
            kind,
            start,
            end: self.at,
        })
    }
}

impl Tokens<'_> {
    fn skip_blanks(&mut self) {
        loop {
            let rest = &self.source[self.at..];
            let blank = rest.len() - rest.trim_start().len();
            self.at += blank;
            let rest = &rest[blank..];
            if !rest.starts_with("//") {
                return;
            }
            // A comment in a template ends with the template's braces.
            let end = [rest.find('\n'), rest.find("}}")];
            self.at += end.into_iter().flatten().min().unwrap_or(rest.len());
        }
    }

    fn text(&self, rest: &str) -> (Kind, usize) {
        let (prefix, quote, raw) = text_prefix(rest).expect("the caller saw a literal begin");
        let body = prefix + quote.len();
        let mut at = body;
        while at < rest.len() {
            if rest[at..].starts_with(quote) {
                return (Kind::Text { closed: true }, at + quote.len());
            }
            let c = rest[at..].chars().next().expect("at is inside the text");
            at += c.len_utf8();
            if c == '\\' && !raw {
                at += rest[at..].chars().next().map_or(0, char::len_utf8);
            }
        }
        (Kind::Text { closed: false }, rest.len())
    }
}

/// The prefix length, the quote and the rawness of the literal that `rest` begins with.
fn text_prefix(rest: &str) -> Option<(usize, &str, bool)> {
    let prefix = rest
        .bytes()
        .take_while(|b| matches!(b, b'r' | b'R' | b'b' | b'B'))
        .count();
    let quoted = &rest[prefix..];
    if prefix > 2 || !quoted.starts_with(['"', '\'']) {
        return None;
    }
    let raw = rest[..prefix].contains(['r', 'R']);
    let triple = quoted.starts_with("\"\"\"") || quoted.starts_with("'''");
    Some((prefix, &quoted[..if triple { 3 } else { 1 }], raw))
}

fn word_length(rest: &str) -> usize {
    rest.bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
        .count()
}

/// Where the `}}` stands that closes the expression beginning at byte `from`: string literals,
/// comments and the braces of maps are stepped over. The error says whether a quote is open.
pub(super) fn closing_braces(source: &str, from: usize) -> Result<usize, Unclosed> {
    let mut depth = 0_usize;
    for token in tokens(source, from) {
        match token.kind {
            Kind::Text { closed: false } => return Err(Unclosed { in_text: true }),
            Kind::Sign('{') => depth += 1,
            Kind::Sign('}') if depth > 0 => depth -= 1,
            Kind::Sign('}') if source[token.end..].starts_with('}') => return Ok(token.start),
            _ => {}
        }
    }
    Err(Unclosed { in_text: false })
}

/// No closing braces were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    /// True when that is because a string literal never ends.
    pub in_text: bool,
}
