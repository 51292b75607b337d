//! Loops, and compiling them.

use super::{
    Kind, NodeId, Seen,
    compile::Compiler,
    expressions::{bare, literal},
};
use crate::{
    core::{
        expr::{Expr, Template},
        value,
    },
    proto,
};

/// Steps run again and again.
#[derive(Debug)]
pub struct Loop {
    /// Asked before each iteration; false ends the loop.
    pub while_: Option<Expr>,
    /// Asked in turn after each iteration; the first that is true ends the loop.
    pub until: Vec<Expr>,
    /// The most iterations; at least 1.
    pub max_iterations: u32,
    /// True when a loop that reaches them fails.
    pub must_end: bool,
    /// What an iteration runs: a block without an id, which names what is within.
    pub body: NodeId,
}

/// The iterations of a loop that does not say how many.
const ITERATIONS_DEFAULT: u32 = 10;

/// What expressions in a loop may name besides.
const NAMES: [&str; 2] = ["iteration", "last"];

impl<'a> Compiler<'a> {
    pub(super) fn looped(&mut self, written: &'a proto::Loop, id: NodeId) -> Kind {
        let max_iterations = self.iterations(
            ".max_iterations",
            written.max_iterations,
            ITERATIONS_DEFAULT,
        );
        self.with_variables(&NAMES, |c| {
            if literal(&written.r#while) == Some(false) {
                let hint = "remove the loop, or give it a condition that can be true";
                c.warn(".while", "dead-step", "the loop never runs", hint);
            }
            let while_ = c.condition(".while", &written.r#while);
            let body = c.body(id, &written.steps, &[]);
            c.node(body).names = vec![("iteration", Seen::Index), ("last", Seen::Last(&[]))];
            c.enter(&written.steps);
            let until = c.condition(".until", &written.until);
            c.leave();
            Kind::Loop(Box::new(Loop {
                while_,
                until: until.into_iter().collect(),
                max_iterations,
                must_end: false,
                body,
            }))
        })
    }

    /// The expression at `field`; `None` when there is none.
    pub(in crate::core) fn condition(&mut self, field: &str, source: &str) -> Option<Expr> {
        match source {
            "" => None,
            source => self.within(field, |c| c.expr(source)),
        }
    }

    /// As `condition`, of a pattern: `previous` is what the step was given.
    pub(in crate::core) fn asked(&mut self, field: &str, source: &str) -> Option<Expr> {
        self.enter(&[]);
        let asked = self.condition(field, source);
        self.leave();
        asked
    }

    /// The value of the expression at `field` of a pattern, as a template.
    pub(in crate::core) fn given_by(&mut self, field: &str, source: &str) -> Option<Template> {
        let template = value::string(format!("{{{{ {} }}}}", bare(source)));
        self.enter(&[]);
        let given = self.within(field, |c| c.template(&template));
        self.leave();
        given
    }

    /// A number of iterations, `default` for 0, within the server's limit.
    pub(in crate::core) fn iterations(&mut self, field: &str, given: u32, default: u32) -> u32 {
        let most = self.limits.iterations_max;
        if given > most {
            let message = format!("{given} times are more than the server's {most}");
            let hint = format!("limit `iterations_max`: give a number from 1 to {most}");
            self.error(field, "limit", message, hint);
        }
        if given == 0 { default.min(most) } else { given }
    }
}
