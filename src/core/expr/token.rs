//! The words of a CEL text, found without parsing it: enough to skip string literals and
//! comments, to find where a `}}` ends an expression, and to refuse what is nested too deep for
//! a parser that recurses. Knows nothing of names.

/// How deep an expression may be nested: brackets, signs, operators and selections in a row.
/// The evaluation recurses once or more per level, with frames of some 45 KiB when they are not
/// optimized; this keeps it inside a stack of 2 MiB.
pub(super) const NESTING_MAX: usize = 32;

/// The macros that iterate.
const MACROS: &[&str] = &[
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "filter",
    "map",
    "sortBy",
];

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

/// True when `source` is nested no deeper than `NESTING_MAX`. Never says less than the depth of
/// the tree a parser would build.
pub(super) fn nesting_is_bounded(source: &str) -> bool {
    let mut levels = vec![Chain::default()];
    let mut outer = 0;
    let mut previous: Option<Token> = None;
    for token in tokens(source, 0) {
        let nested = levels.len() > 1;
        let chain = levels.last_mut().expect("the outermost level stays");
        match token.kind {
            Kind::Sign('(' | '[' | '{') => {
                chain.open(token, source, previous);
                outer += chain.depth() + 1;
                levels.push(Chain::default());
            }
            Kind::Sign(')' | ']' | '}') if nested => {
                levels.pop();
                outer -= levels.last().map_or(0, Chain::depth) + 1;
            }
            _ => chain.extend(token, source, previous),
        }
        let depth = outer + levels.last().map_or(0, Chain::depth);
        if depth > NESTING_MAX {
            return false;
        }
        previous = Some(token);
    }
    true
}

/// What stands in a row on one level of brackets.
#[derive(Default)]
struct Chain {
    /// `? :`, each in the branch of the one before.
    choices: usize,
    /// Binary operators, each with all before it as its left side.
    operators: usize,
    /// Signs, selections, calls and indexes of the last operand.
    links: usize,
}

impl Chain {
    fn depth(&self) -> usize {
        self.choices + self.operators + self.links
    }

    /// Takes in an opening bracket: an index is a link, and a macro's body lies deeper than the
    /// arguments of a function.
    fn open(&mut self, token: Token, source: &str, previous: Option<Token>) {
        let Some(before) = previous.filter(|p| ends_operand(*p)) else {
            return;
        };
        if token.is('[') {
            self.links += 1;
        } else if MACROS.contains(&before.text(source)) {
            self.links += 2;
        }
    }

    fn extend(&mut self, token: Token, source: &str, previous: Option<Token>) {
        let adjacent = previous.filter(|p| p.end == token.start);
        match token.kind {
            Kind::Sign(',') => *self = Self::default(),
            // `&&` and `||` are parsed into balanced trees.
            Kind::Sign(':' | '&' | '|') => (self.operators, self.links) = (0, 0),
            Kind::Sign('?') => {
                self.choices += 1;
                (self.operators, self.links) = (0, 0);
            }
            Kind::Sign('.' | '!') => self.links += 1,
            Kind::Sign('-') if !previous.is_some_and(ends_operand) => self.links += 1,
            Kind::Sign('=') if !adjacent.is_some_and(|p| p.is('=')) => {}
            Kind::Sign('+' | '-' | '*' | '/' | '%' | '<' | '>' | '=') => {
                self.operators += 1;
                self.links = 0;
            }
            Kind::Word if token.text(source) == "in" => {
                self.operators += 1;
                self.links = 0;
            }
            _ => {}
        }
    }
}

/// True when a `-` after `token` subtracts.
fn ends_operand(token: Token) -> bool {
    match token.kind {
        Kind::Sign(c) => matches!(c, ')' | ']' | '}'),
        _ => true,
    }
}
