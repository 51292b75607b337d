//! Compiling what of the earlier steps a step is handed on: of its own, or that of the role that
//! it calls.

use super::{Asked, Input, NodeId, compile::Compiler};
use crate::{
    core::expr::Expr,
    proto::{self, Step, context, step},
};

/// What of the earlier steps is handed on.
#[derive(Debug)]
pub struct Context {
    /// What, by its expression, in order of weight; `None`: the outputs of all steps before.
    pub select: Option<Vec<(String, Expr)>>,
    /// The most tokens; `None`: no bound.
    pub tokens_max: Option<u32>,
    /// What happens with more.
    pub overflow: Overflow,
    /// False when the step's input reads it: the agent is then not given it once more.
    pub handed: bool,
}

/// What happens with a context beyond its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// The step fails.
    Fail,
    /// What comes last is left out.
    Truncate,
    /// This call makes it shorter.
    Summarize(NodeId),
}

impl Compiler<'_> {
    /// Compiles the context of a step, before its input, which may read it.
    pub(super) fn context(&mut self, step: &Step, id: NodeId) {
        let calls = match &step.kind {
            Some(step::Kind::Agent(agent)) => Some(agent.as_str()),
            Some(step::Kind::Call(call)) => match &call.target {
                Some(proto::call::Target::Agent(agent)) => Some(agent.as_str()),
                _ => Some(""),
            },
            _ => None,
        };
        if let Some(written) = &step.context {
            let context = self.within(".context", |c| c.context_of(written, id));
            self.node(id).context = context.map(Box::new);
        } else if let Some(agent) = calls {
            self.context_of_role(agent, id);
        }
    }

    /// The context of a role, for a call of it that says nothing itself.
    pub(in crate::core) fn context_of_role(&mut self, role: &str, id: NodeId) {
        let Some(written) = self.roles.get(role).and_then(|part| part.context.clone()) else {
            return;
        };
        let field = format!(".agents.{role}.context");
        let before = std::mem::replace(&mut self.path, field);
        let context = self.context_of(&written, id);
        self.path = before;
        self.node(id).context = context.map(Box::new);
    }

    fn context_of(&mut self, written: &proto::Context, id: NodeId) -> Option<Context> {
        let mut select = Vec::with_capacity(written.select.len());
        for (place, source) in written.select.iter().enumerate() {
            let compiled = self.within(&format!(".select[{place}]"), |c| c.expr(source));
            select.push((super::expressions::bare(source).to_owned(), compiled?));
        }
        if select.is_empty() {
            // Orders the step after those before it.
            self.expr("all_previous_outputs")?;
        }
        let bounded = written.max_tokens > 0;
        let overflow = match (written.overflow(), &written.summarizer) {
            (context::Overflow::Summarize, None) => {
                let hint = "give who summarises: `summarizer: { agent: … }`";
                self.error(".summarizer", "required", "nobody summarises", hint);
                return None;
            }
            (context::Overflow::Summarize, Some(call)) => {
                Overflow::Summarize(self.within(".summarizer", |c| c.summarizer(call, id)))
            }
            (_, Some(_)) => {
                let hint = "set `overflow: SUMMARIZE`, or remove it";
                let message = "`summarizer` goes with SUMMARIZE";
                self.error(".summarizer", "conflict", message, hint);
                return None;
            }
            (context::Overflow::Fail, None) => Overflow::Fail,
            (context::Overflow::Unspecified | context::Overflow::Truncate, None) => {
                Overflow::Truncate
            }
        };
        if !bounded && written.overflow() == context::Overflow::Fail {
            let hint = "give `max_tokens`, or remove it";
            self.warn(
                ".overflow",
                "unused",
                "without a bound there is no overflow",
                hint,
            );
        }
        Some(Context {
            select: (!select.is_empty()).then_some(select),
            tokens_max: bounded.then_some(written.max_tokens),
            overflow,
            handed: true,
        })
    }

    fn summarizer(&mut self, call: &proto::PatternCall, id: NodeId) -> NodeId {
        let input = call.input.as_ref();
        let input = input.and_then(|input| {
            self.with_variables(&["context"], |c| c.within(".input", |c| c.template(input)))
        });
        let node = self.auxiliary(id, "context.summarizer", Asked::Summary, call);
        if let Some(input) = input {
            self.node(node).input = Input::Template(input);
        }
        node
    }

    /// Notes whether the step's input reads its context; else an agent must be there to take it.
    pub(super) fn check_context(&mut self, step: &Step, id: NodeId) {
        let reads = match &self.node(id).input {
            Input::Template(input) => input.references().variables.contains("context"),
            _ => false,
        };
        let calls = matches!(step.kind, Some(step::Kind::Agent(_) | step::Kind::Call(_)));
        let Some(context) = &mut self.node(id).context else {
            return;
        };
        context.handed = calls && !reads;
        if !calls && !reads {
            let hint = "read `context` in its `input`, or give it to the steps within";
            let message = "the step calls no agent, and its input does not read it";
            self.warn(".context", "unused", message, hint);
        }
    }
}
