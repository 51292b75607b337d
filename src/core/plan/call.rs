//! Compiling who is called: an agent, a role of the workflow, a skill, or whom an expression
//! names; and who is called after them.

use std::collections::BTreeMap;

use super::{Kind, Node, Plan, compile::Compiler};
use crate::{
    core::{
        expr::{Expr, Template},
        value,
    },
    proto::{self, PatternCall, call, pattern_call},
};

/// An agent to call.
#[derive(Debug)]
pub struct Call {
    /// Who.
    pub target: Target,
    /// What `Select::Sticky` goes by; evaluated when the step begins.
    pub key: Option<Box<Expr>>,
    /// The role that `target` plays; empty when it was not named by one.
    pub role: String,
    /// Written as `agent:` rather than `call:`; only for showing.
    pub short: bool,
    /// Says who, instead of `target`, when the step begins.
    pub choice: Option<Choice>,
    /// Who is called next, in order, when an attempt fails; without any of their own.
    pub fallback: Vec<Self>,
}

/// An agent named by an expression.
#[derive(Debug)]
pub struct Choice {
    /// Gives an agent's id or a role, or an object with `agent` or `skill`.
    pub by: Template,
    /// The only ones that may be named; empty: any.
    pub allow: Vec<String>,
}

/// Who is called.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The agent with this id.
    Agent(String),
    /// An agent with this skill and all these labels.
    Skill {
        /// The skill.
        skill: String,
        /// The labels.
        labels: BTreeMap<String, String>,
        /// How one of several is chosen.
        select: Select,
    },
}

/// How one of several agents is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Select {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// The one with the fewest tasks in progress.
    LeastLoaded,
    /// The same one for the same key, which is this; empty in a plan, where it is not known yet.
    Sticky(Box<str>),
}

impl Target {
    /// The same, with this as what STICKY goes by.
    pub fn with_key(&self, key: &str) -> Self {
        match self {
            Self::Skill {
                skill,
                labels,
                select: Select::Sticky(_),
            } => Self::Skill {
                skill: skill.clone(),
                labels: labels.clone(),
                select: Select::Sticky(key.into()),
            },
            target => target.clone(),
        }
    }

    /// What STICKY goes by; `None` for any other way of choosing.
    pub fn sticky_key(&self) -> Option<&str> {
        match self {
            Self::Skill {
                select: Select::Sticky(key),
                ..
            } => Some(key),
            _ => None,
        }
    }
}

impl Compiler<'_> {
    /// The call of a step that says only `agent: id`.
    pub(super) fn agent_alone(&mut self, agent: &str) -> Call {
        Call {
            short: true,
            ..self.call_to(agent)
        }
    }

    pub(in crate::core) fn call(&mut self, call: &proto::Call) -> Call {
        let mut compiled = self.alternative(call);
        let (is, most) = (
            call.fallback.len() + 1,
            self.limits.retry_attempts_max as usize,
        );
        if is > most {
            let message = format!("{is} calls in turn are more than the server's {most}");
            let hint = format!("limit `retry_attempts_max`: give at most {}", most - 1);
            self.error(".fallback", "limit", message, hint);
        }
        for (place, written) in call.fallback.iter().enumerate() {
            let next = self.within(&format!(".fallback[{place}]"), |c| c.fallback(written));
            compiled.fallback.push(next);
        }
        compiled
    }

    fn fallback(&mut self, call: &proto::Call) -> Call {
        if !call.fallback.is_empty() {
            let hint = "move them to the end of the list around it";
            self.error(
                ".fallback",
                "conflict",
                "a fallback has no fallback of its own",
                hint,
            );
        }
        self.alternative(call)
    }

    /// One of those that are called in turn.
    fn alternative(&mut self, call: &proto::Call) -> Call {
        let key = self.sticky_key(call);
        match &call.target {
            Some(call::Target::Agent(agent)) => {
                self.refuse_selection(call);
                self.call_to(agent)
            }
            Some(call::Target::Skill(skill)) => {
                self.check_target(".skill", skill, "skill");
                let target = Target::Skill {
                    skill: skill.clone(),
                    labels: call.labels.clone().into_iter().collect(),
                    select: match call.select() {
                        call::Select::LeastLoaded => Select::LeastLoaded,
                        call::Select::Sticky => Select::Sticky("".into()),
                        call::Select::RoundRobin | call::Select::Unspecified => Select::RoundRobin,
                    },
                };
                Call {
                    key,
                    ..Call::to(target)
                }
            }
            None => {
                let hint = "give `agent` or `skill`";
                self.error("", "required", "the call names nobody", hint);
                Call::to(Target::Agent(String::new()))
            }
        }
    }

    /// What STICKY goes by: it needs that, and nothing else does.
    fn sticky_key(&mut self, call: &proto::Call) -> Option<Box<Expr>> {
        match (call.select(), call.key.is_empty()) {
            (call::Select::Sticky, true) => {
                let hint = "give an expression: `key: input.user`";
                self.error(".key", "required", "`select: STICKY` goes by a key", hint);
                None
            }
            (call::Select::Sticky, false) => {
                self.within(".key", |c| c.expr(&call.key)).map(Box::new)
            }
            (_, true) => None,
            (_, false) => {
                let hint = "remove it, or name a `skill` with `select: STICKY`";
                let message = "a key is what `select: STICKY` goes by";
                self.error(".key", "conflict", message, hint);
                None
            }
        }
    }

    fn refuse_selection(&mut self, call: &proto::Call) {
        if call.select() != call::Select::Unspecified {
            let hint = "remove it, or name a `skill`";
            let message = "an agent named by id is not selected";
            self.error(".select", "conflict", message, hint);
        }
        if !call.labels.is_empty() {
            let hint = "remove them, or name a `skill`";
            let message = "labels go with `skill`, not with `agent`";
            self.error(".labels", "conflict", message, hint);
        }
    }

    /// A call to whom a step names: a role, an agent, or who its expression gives.
    fn call_to(&mut self, agent: &str) -> Call {
        self.check_target(".agent", agent, "agent");
        let (target, role) = match self.role(agent) {
            Some(target) => (target, agent.to_owned()),
            None => (Target::Agent(agent.to_owned()), String::new()),
        };
        Call {
            role,
            choice: self.choice(agent),
            ..Call::to(target)
        }
    }

    /// The expression that an agent's id is, when it is one.
    fn choice(&mut self, agent: &str) -> Option<Choice> {
        if !agent.contains("{{") {
            return None;
        }
        // Any of the roles may be who it names.
        self.roles_read();
        let by = self.within(".agent", |c| c.template(&value::string(agent)))?;
        Some(Choice {
            by,
            allow: Vec::new(),
        })
    }

    pub(super) fn check_target(&mut self, field: &str, target: &str, what: &str) {
        if target.is_empty() {
            let message = format!("the {what} has no name");
            self.error(field, "required", message, "");
        }
    }
}

impl Call {
    /// A call to this one, with nobody after.
    fn to(target: Target) -> Self {
        Self {
            target,
            key: None,
            role: String::new(),
            short: false,
            choice: None,
            fallback: Vec::new(),
        }
    }

    /// Who is called once this many of those before have failed; the last of them beyond.
    pub fn alternative(&self, place: u32) -> &Self {
        match (place as usize).min(self.fallback.len()) {
            0 => self,
            place => &self.fallback[place - 1],
        }
    }
}

impl Plan {
    /// The calls whose agents are known before they begin, each with those who may do it, in
    /// turn. A call that leaves one of them to an expression is left out.
    pub fn known_targets(&self) -> impl Iterator<Item = Vec<&Target>> {
        self.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Call(call) => {
                let all = || std::iter::once(call).chain(&call.fallback);
                let known = all().all(|call| call.choice.is_none());
                known.then(|| all().map(|call| &call.target).collect())
            }
            _ => None,
        })
    }
}

impl Node {
    /// The most attempts, those of fallbacks included.
    pub fn attempts_max(&self) -> u32 {
        let retries = self.retry.as_ref().map_or(1, |r| r.max_attempts);
        match &self.kind {
            Kind::Call(call) => retries.saturating_mul(1 + call.fallback.len() as u32),
            _ => retries,
        }
    }
}

/// The call that a pattern's call is, without what is around it.
pub(in crate::core) fn of_pattern(call: &PatternCall) -> proto::Call {
    proto::Call {
        target: call.target.clone().map(|target| match target {
            pattern_call::Target::Agent(agent) => call::Target::Agent(agent),
            pattern_call::Target::Skill(skill) => call::Target::Skill(skill),
        }),
        select: call.select,
        labels: call.labels.clone(),
        fallback: call.fallback.clone(),
        key: call.key.clone(),
    }
}
