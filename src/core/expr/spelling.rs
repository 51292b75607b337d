//! The spellings that are not CEL and cannot be read by its parser: `$current.x`,
//! `$context.results.STEP`, and step ids with dashes in `steps.order-validation.output`. They
//! are rewritten word by word, outside string literals, before parsing. Spellings that are
//! plain CEL names (`previous_step_output`, `NAME_output`) are `names`' to resolve.

use super::{
    Names,
    token::{Kind, Token, tokens},
};

/// A text that is CEL, with the way back to where its parts were written.
#[derive(Debug, Default)]
pub(super) struct Respelled {
    /// The text.
    pub cel: String,
    /// Places in `cel` and in the source that mean the same, ascending.
    places: Vec<(usize, usize)>,
    /// Problems found: a message and a hint.
    pub problems: Vec<(String, String)>,
}

impl Respelled {
    /// The byte in the source that byte `at` of `cel` comes from.
    pub fn source_place(&self, at: usize) -> usize {
        let known = self.places.iter().rev().find(|(cel, _)| *cel <= at);
        known.map_or(at, |(cel, source)| source + (at - cel))
    }

    fn push(&mut self, cel: &str, source_place: usize) {
        self.places.push((self.cel.len(), source_place));
        self.cel.push_str(cel);
    }
}

const KNOWN_REFERENCES: &str =
    "the references are $current, $previous, $result, $context.input and $context.results.STEP";

/// `source` in words that CEL's parser knows.
pub(super) fn respell(source: &str, names: &Names) -> Respelled {
    let mut respelled = Respelled::default();
    if !source.contains('$') && !source.contains('-') && !source.contains("steps") {
        respelled.push(source, 0);
        return respelled;
    }
    let words: Vec<Token> = tokens(source, 0).collect();
    let mut copied = 0;
    let mut i = 0;
    while i < words.len() {
        let speller = Speller {
            source,
            names,
            words: &words[i..],
            after_dot: i > 0 && words[i - 1].is('.'),
        };
        let Some(spelled) = speller.spell() else {
            i += 1;
            continue;
        };
        let start = words[i].start;
        respelled.push(&source[copied..start], copied);
        match spelled.cel {
            Ok(cel) => respelled.push(&cel, start),
            Err(problem) => respelled.problems.push(problem),
        }
        copied = spelled.end;
        while i < words.len() && words[i].start < copied {
            i += 1;
        }
    }
    respelled.push(&source[copied..], copied);
    respelled
}

/// True when the whole text is one reference: `$current.x`, `$context.results.a[0]`. What else
/// begins with `$` (`$5`, `$currency`) is plain text.
pub(super) fn is_reference(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('$') else {
        return false;
    };
    let head = rest.len() - rest.trim_start_matches(is_word).len();
    let path = &rest[head..];
    match &rest[..head] {
        "current" | "previous" | "result" => is_path(path, char::is_alphabetic),
        "context" => !path.is_empty() && is_path(path, char::is_alphanumeric),
        _ => false,
    }
}

/// True for `.name`, `[0]` and `["name"]` in a row.
fn is_path(path: &str, begins_name: fn(char) -> bool) -> bool {
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        let name = |c: char| c == '_' || begins_name(c);
        let length = match first {
            '.' if rest[1..].starts_with(name) => 1 + dashed_length(&rest[1..]),
            '[' => rest.find(']').map_or(0, |end| end + 1),
            _ => return false,
        };
        if length < 2 {
            return false;
        }
        rest = &rest[length..];
    }
    true
}

/// One place in the source, at which a spelling may begin.
struct Speller<'a> {
    source: &'a str,
    names: &'a Names,
    words: &'a [Token],
    after_dot: bool,
}

/// What stands for the source up to byte `end`; or a problem, with its hint.
struct Spelled {
    cel: Result<String, (String, String)>,
    end: usize,
}

impl Speller<'_> {
    fn spell(&self) -> Option<Spelled> {
        match self.words[0].kind {
            Kind::Sign('$') => Some(self.reference()),
            Kind::Word | Kind::Number if !self.after_dot => {
                if self.text(0) == "steps" && self.is_sign(1, '.') {
                    self.step()
                } else {
                    self.dashed_output()
                }
            }
            _ => None,
        }
    }

    fn reference(&self) -> Spelled {
        let variable = |cel: &str, words: usize| Spelled {
            cel: Ok(cel.into()),
            end: self.words[words - 1].end,
        };
        match self.text(1) {
            "current" | "previous" => variable("previous", 2),
            "result" => variable("result", 2),
            "context" if self.is_sign(2, '.') && self.text(3) == "input" => variable("input", 4),
            "context" if self.is_sign(2, '.') && self.text(3) == "results" => {
                self.results().unwrap_or_else(|| self.unknown(4))
            }
            "context" if self.is_sign(2, '.') => self.unknown(4),
            _ => self.unknown(2),
        }
    }

    fn unknown(&self, words: usize) -> Spelled {
        let last = self.words[words.min(self.words.len()) - 1];
        let text = &self.source[self.words[0].start..last.end];
        Spelled {
            cel: Err((
                format!("unknown reference `{text}`"),
                KNOWN_REFERENCES.into(),
            )),
            end: last.end,
        }
    }

    /// `$context.results.STEP` and `$context.results["STEP"]`.
    fn results(&self) -> Option<Spelled> {
        if self.is_sign(4, '[') && self.is_sign(6, ']') {
            return Some(Spelled {
                cel: Ok(format!("steps[{}].output", self.text(5))),
                end: self.words[6].end,
            });
        }
        let (id, end) = self.step_at(self.words.get(4).filter(|w| w.is('.'))?.end)?;
        Some(Spelled {
            cel: Ok(format!("steps[\"{id}\"].output")),
            end,
        })
    }

    /// `steps.ID`, when CEL would not read the id as one name. Nothing can be subtracted from a
    /// step, so all that looks like an id is one, known or not.
    fn step(&self) -> Option<Spelled> {
        let rest = &self.source[self.words[1].end..];
        let id = &rest[..dashed_length(rest)];
        (!id.is_empty() && !is_name(id)).then(|| Spelled {
            cel: Ok(format!("steps[\"{id}\"]")),
            end: self.words[1].end + id.len(),
        })
    }

    /// `order-validation_output`, when there is a step `order-validation`.
    fn dashed_output(&self) -> Option<Spelled> {
        let start = self.words[0].start;
        let run = &self.source[start..start + dashed_length(&self.source[start..])];
        let id = run.strip_suffix("_output").filter(|id| id.contains('-'))?;
        self.names.knows_step(id).then(|| Spelled {
            cel: Ok(format!("steps[\"{id}\"].output")),
            end: start + run.len(),
        })
    }

    /// The step whose output is named at byte `at`: the longest id in reach, since from an output
    /// can be subtracted; else all that looks like an id.
    fn step_at(&self, at: usize) -> Option<(&str, usize)> {
        let rest = &self.source[at..];
        let run = &rest[..dashed_length(rest)];
        let dashes = run.rmatch_indices('-').map(|(dash, _)| dash);
        let mut ends = std::iter::once(run.len()).chain(dashes);
        let known = ends.find(|end| self.names.knows_step(&run[..*end]));
        let length = known.unwrap_or(run.len());
        (length > 0).then(|| (&rest[..length], at + length))
    }

    fn text(&self, word: usize) -> &str {
        self.words.get(word).map_or("", |w| w.text(self.source))
    }

    fn is_sign(&self, word: usize, sign: char) -> bool {
        self.words.get(word).is_some_and(|w| w.is(sign))
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The length of the letters, digits, `_` and inner dashes that `text` begins with.
fn dashed_length(text: &str) -> usize {
    let run = text.trim_start_matches(|c| is_word(c) || c == '-');
    text[..text.len() - run.len()].trim_end_matches('-').len()
}

/// True for what CEL reads as one name after a dot.
fn is_name(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && id.chars().all(is_word)
        && !matches!(id, "true" | "false" | "null" | "in")
}
