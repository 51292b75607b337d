//! How deep the syntax tree of a text will be, found without building it, so that what is too
//! deep never reaches the parser and the evaluation, which recurse.

use super::token::{Kind, Token, tokens};

/// How deep a syntax tree may be: brackets, signs, operators and selections in one another.
/// The evaluation recurses once or more per level, with frames of some 45 KiB when they are not
/// optimized; this keeps it inside a stack of 2 MiB.
pub(super) const NESTING_MAX: usize = 32;

/// The macros that iterate; a body lies two levels deeper than an argument would.
const MACROS: &[&str] = &[
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "filter",
    "map",
    "sortBy",
];

/// How many operators can bind tighter than the one to their left.
const PRECEDENCES: usize = 4;

/// True when the tree of `source` is no deeper than `NESTING_MAX`. The depth is never taken for
/// less than it is.
pub(super) fn is_bounded(source: &str) -> bool {
    let mut levels = vec![Level::default()];
    let mut previous: Option<Token> = None;
    for token in tokens(source, 0) {
        let nested = levels.len() > 1;
        let level = levels.last_mut().expect("the outermost level stays");
        match token.kind {
            Kind::Sign('(' | '[' | '{') => {
                let macro_body = previous.is_some_and(|p| MACROS.contains(&p.text(source)));
                levels.push(Level {
                    body: if macro_body { 2 } else { 0 },
                    ..Level::default()
                });
            }
            Kind::Sign(')' | ']' | '}') if nested => {
                let inner = level.depth();
                levels.pop();
                let outer = levels.last_mut().expect("the outermost level stays");
                outer.operand = outer.operand.max(inner) + 1;
            }
            _ => level.take(token, source, previous),
        }
        let deepest = levels.last().map_or(0, Level::depth);
        if levels.len() > NESTING_MAX || deepest > NESTING_MAX {
            return false;
        }
        previous = Some(token);
    }
    true
}

/// What stands between two brackets, as deep as it is so far.
#[derive(Default)]
struct Level {
    /// What the brackets add by themselves.
    body: usize,
    /// The deepest of the arguments before the last comma.
    arguments: usize,
    /// The deepest of what stands before the last `? : && ||`.
    before: usize,
    /// `?` so far: each choice is in the branch of the one before.
    choices: usize,
    /// `||` so far, `&&` in a row, and the most of them in a row. Each become balanced trees.
    ors: usize,
    ands: usize,
    ands_max: usize,
    /// Operators so far, and the tree to the left of the operand.
    operators: usize,
    left: usize,
    /// Signs before the operand.
    signs: usize,
    /// The operand with its selections, calls and indexes.
    operand: usize,
}

impl Level {
    fn depth(&self) -> usize {
        let logic = bits(self.ors) + bits(self.ands_max.max(self.ands));
        let now = self.before.max(self.tree() + self.choices) + logic;
        self.body + self.arguments.max(now)
    }

    /// The tree of the operators so far.
    fn tree(&self) -> usize {
        let operand = self.signs + self.operand;
        self.left.max(operand + self.operators.min(PRECEDENCES))
    }

    fn take(&mut self, token: Token, source: &str, previous: Option<Token>) {
        let doubled = |sign: char| previous.is_some_and(|p| p.is(sign) && p.end == token.start);
        match token.kind {
            Kind::Sign(',') => {
                *self = Self {
                    body: self.body,
                    arguments: self.depth() - self.body,
                    ..Self::default()
                }
            }
            Kind::Sign('?') => {
                self.choices += 1;
                self.begin();
            }
            Kind::Sign(':') => self.begin(),
            Kind::Sign('&') if doubled('&') => {
                self.ands += 1;
                self.begin();
            }
            Kind::Sign('|') if doubled('|') => {
                self.ors += 1;
                self.ands_max = self.ands_max.max(self.ands);
                self.ands = 0;
                self.begin();
            }
            Kind::Sign('.') => self.operand += 1,
            Kind::Sign('!') => self.signs += 1,
            Kind::Sign('-') if !previous.is_some_and(ends_operand) => self.signs += 1,
            Kind::Sign('+' | '-' | '*' | '/' | '%' | '<' | '>' | '=') => self.operate(),
            Kind::Word if token.text(source) == "in" => self.operate(),
            _ => {}
        }
    }

    /// An operator: all so far is its left side. (`<=` and `==` count twice, which is no harm.)
    fn operate(&mut self) {
        self.left = self.tree() + 1;
        self.operators += 1;
        (self.signs, self.operand) = (0, 0);
    }

    /// Begins another part of a choice or of `&&` and `||`.
    fn begin(&mut self) {
        self.before = self.before.max(self.tree() + self.choices);
        self.operators = 0;
        self.left = 0;
        (self.signs, self.operand) = (0, 0);
    }
}

/// The depth of a balanced tree of `count` operators.
fn bits(count: usize) -> usize {
    (usize::BITS - count.leading_zeros()) as usize
}

/// True when a `-` after `token` subtracts.
fn ends_operand(token: Token) -> bool {
    match token.kind {
        Kind::Sign(c) => matches!(c, ')' | ']' | '}'),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_within_the_bound() {
        for source in [
            "steps.a.output.total > 100 && (steps.b.state == 'COMPLETED' || !has(input.x.y))",
            "input.l.filter(i, i.a * i.b > 1 && has(i.c)).map(i, {'a': i.a, 'b': [i.b + 1]}).size()",
            "input.l.filter(a, a.l.exists(b, b.l.all(c, c.x > 0 && c.y in [1, 2, 3])))",
            "a + b.c.d + e + f['x'][0] + g + h(i) + j + k + 'l' + 'm' + n + o + p",
            "a == 1 ? 'x' : b == 2 ? 'y' : c == 3 ? 'z' : d == 4 ? 'u' : 'v'",
            "x.trim().replace('a', 'b').replace('c', 'd').split(',').map(p, p.trim())",
        ] {
            assert!(is_bounded(source), "{source}");
        }
    }

    #[test]
    fn trees_that_deepen_from_the_inside_are_seen() {
        let sums = "+1".repeat(20);
        let mut source = String::from("1");
        for _ in 0..3 {
            source = format!("({source}{sums})");
        }
        assert!(!is_bounded(&source));
        let mut source = String::from("x");
        for _ in 0..20 {
            source = format!("-({source}.a)");
        }
        assert!(!is_bounded(&source));
        let mut source = String::from("1");
        for _ in 0..12 {
            source = format!("({source}) == 1 ? 1 : 0");
        }
        assert!(!is_bounded(&source));
        let mut source = String::from("true");
        for _ in 0..20 {
            source = format!("true && (false || {source})");
        }
        assert!(!is_bounded(&source));
    }
}
