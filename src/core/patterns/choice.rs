//! Calls of a pattern that are known by name, and the step that makes the one that is named: a
//! switch whose input is the name, so that the events say what was chosen.

use std::collections::BTreeSet;

use crate::{
    core::{
        expr::Template,
        plan::{self, Compiler, Input, Kind, Misfit, NodeId, Seen, Switch},
        value::{self, Value},
    },
    proto::{PatternCall, pattern_call::Target},
};

/// A call that is known by name.
pub(super) struct Named<'w> {
    /// Who it goes to, as written: an agent, a role or a skill.
    pub name: &'w str,
    /// Its step's id: the name where that can be one, else its place, from `#1`.
    pub id: String,
    /// Its field.
    pub field: String,
    pub call: &'w PatternCall,
}

impl Named<'_> {
    /// How it is described to who chooses a participant.
    pub fn described(&self) -> Value {
        let who = match self.call.target {
            Some(Target::Skill(_)) => "skill",
            _ => "agent",
        };
        value::object([
            (who, value::string(self.name)),
            ("role", value::text_or_null(&self.call.role)),
            ("description", value::text_or_null(&self.call.description)),
        ])
    }

    /// What its vote weighs.
    pub fn weight(&self) -> f64 {
        self.call.weight.unwrap_or(1.0)
    }
}

/// The most characters of a step's id.
const ID_LENGTH_MAX: usize = 64;

impl Compiler<'_> {
    /// The calls of a list by their names, which must be there, fixed, and each another.
    pub(super) fn by_name<'w>(&mut self, list: &str, calls: &'w [PatternCall]) -> Vec<Named<'w>> {
        let mut known = BTreeSet::new();
        let mut named = Vec::with_capacity(calls.len());
        for (place, call) in calls.iter().enumerate() {
            let field = format!("{list}[{place}]");
            let name = match &call.target {
                Some(Target::Agent(name) | Target::Skill(name)) => name.as_str(),
                None => "",
            };
            if name.contains("{{") {
                let hint = "write who it is; choosing among them is what the pattern does";
                let message = "a name that is chosen by is not an expression";
                self.error(&field, "conflict", message, hint);
                continue;
            }
            if !name.is_empty() && !known.insert(name) {
                let message = format!("`{name}` is there twice");
                let hint = "remove one, or bind it to another role";
                self.error(&field, "duplicate-name", message, hint);
            }
            let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let is_id = name.len() <= ID_LENGTH_MAX && name.chars().all(fits);
            named.push(Named {
                name,
                id: match is_id && !name.is_empty() {
                    true => name.to_owned(),
                    false => format!("#{}", place + 1),
                },
                field,
                call,
            });
        }
        named
    }

    /// The agent that a name means; `None` when it is found by a skill.
    pub(super) fn agent_named(&mut self, named: &Named<'_>) -> Option<String> {
        match (&named.call.target, self.role(named.name)) {
            (Some(Target::Agent(_)), Some(plan::Target::Agent(agent))) => Some(agent),
            (Some(Target::Agent(agent)), None) => Some(agent.clone()),
            _ => None,
        }
    }

    /// The step that makes the call which `by` names; `make` compiles each. Without `misfit` a
    /// name that is none of theirs makes no call, with it the step fails and this is why.
    pub(super) fn one_of(
        &mut self,
        (around, id): (NodeId, &str),
        by: Option<Template>,
        calls: &[Named<'_>],
        misfit: Option<String>,
        mut make: impl FnMut(&mut Self, NodeId, &Named<'_>) -> NodeId,
    ) -> NodeId {
        let node = self.pattern_node(around, id);
        let mut cases = Vec::with_capacity(calls.len());
        for named in calls {
            let call = self.within(&named.field, |c| make(c, node, named));
            self.conditions[call.0 as usize] = format!("{id} == '{}'", named.name);
            let name = serde_json::Value::from(named.name);
            let fits = self.with_variables(&[CHOSEN], |c| c.expr(&format!("{CHOSEN} == {name}")));
            cases.extend(fits.map(|fits| (fits, vec![call])));
        }
        let made = self.node(node);
        made.input = by.map_or(Input::Previous, Input::Template);
        made.names = vec![(CHOSEN, Seen::Given)];
        made.hides_steps = true;
        made.kind = Kind::Switch(Switch {
            cases,
            otherwise: Vec::new(),
            misfit: misfit.map(|message| Misfit {
                class: "invalid_output",
                message,
            }),
        });
        node
    }
}

/// What the switch's own conditions call the name it was given.
const CHOSEN: &str = "chosen";
