//! Compiling loops.

use super::{Kind, Loop, NodeId, Seen, compile::Compiler, expressions::literal};
use crate::{core::expr::Expr, proto};

/// The iterations of a loop that does not say how many.
const ITERATIONS_DEFAULT: u32 = 10;

/// What expressions in a loop may name besides.
const NAMES: &[(&str, Seen)] = &[("iteration", Seen::Index), ("last", Seen::Last)];

impl<'a> Compiler<'a> {
    pub(super) fn looped(&mut self, written: &'a proto::Loop, id: NodeId) -> Kind {
        let max_iterations = self.iterations(
            ".max_iterations",
            written.max_iterations,
            ITERATIONS_DEFAULT,
        );
        self.with_names(NAMES, |c| {
            if literal(&written.r#while) == Some(false) {
                let hint = "remove the loop, or give it a condition that can be true";
                c.warn(".while", "dead-step", "the loop never runs", hint);
            }
            let while_ = c.condition(".while", &written.r#while);
            let body = c.body(id, &written.steps, &[]);
            c.enter(&written.steps);
            c.names.levels[0].position = written.steps.len();
            let until = c.condition(".until", &written.until);
            c.leave();
            Kind::Loop(Box::new(Loop {
                while_,
                until,
                max_iterations,
                body,
                names: NAMES,
            }))
        })
    }

    /// Runs `compile` with the names of a loop in scope.
    pub(super) fn with_names<T>(
        &mut self,
        names: &[(&'static str, Seen)],
        compile: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let names: Vec<&'static str> = names.iter().map(|(name, _)| *name).collect();
        self.with_variables(&names, compile)
    }

    /// The expression at `field`; `None` when there is none.
    pub(super) fn condition(&mut self, field: &str, source: &str) -> Option<Expr> {
        match source {
            "" => None,
            source => self.within(field, |c| c.expr(source)),
        }
    }

    /// A number of iterations, `default` for 0, within the server's limit.
    pub(super) fn iterations(&mut self, field: &str, given: u32, default: u32) -> u32 {
        let most = self.limits.iterations_max;
        if given > most {
            let message = format!("{given} times are more than the server's {most}");
            let hint = format!("limit `iterations_max`: give a number from 1 to {most}");
            self.error(field, "limit", message, hint);
        }
        if given == 0 { default.min(most) } else { given }
    }
}
