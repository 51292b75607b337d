//! Compiling roles: names of the workflow's own for who does what, so that they are bound in
//! one place.

use std::collections::BTreeMap;

use super::{Select, Target, compile::Compiler};
use crate::proto::{self, Workflow, role};

/// A role, and whether any step names it.
#[derive(Debug)]
pub(in crate::core) struct Part {
    target: Target,
    is_read: bool,
    /// The agents that it may use as tools.
    tools: Vec<String>,
    has_used_tools: bool,
    /// What of the earlier steps it is handed on.
    pub(super) context: Option<proto::Context>,
}

/// The most characters of a role's name.
const NAME_LENGTH_MAX: usize = 64;

impl Compiler<'_> {
    /// Takes up the roles of the workflow, before its steps.
    pub(super) fn roles(&mut self, workflow: &Workflow) {
        let names: BTreeMap<_, _> = workflow.agents.iter().collect();
        for (name, role) in names {
            let target = self.within(&format!(".agents.{name}"), |c| c.part(name, role));
            let part = Part {
                target,
                is_read: false,
                tools: role.tools.clone(),
                has_used_tools: false,
                context: role.context.clone(),
            };
            self.roles.insert(name.clone(), part);
        }
    }

    fn part(&mut self, name: &str, role: &proto::Role) -> Target {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > NAME_LENGTH_MAX || !name.chars().all(fits) {
            let message = format!("`{name}` is not a name for a role");
            let hint = format!("use a-z A-Z 0-9 - _ . , at most {NAME_LENGTH_MAX} characters");
            self.error("", "pattern", message, hint);
        }
        self.tools_of_role(role);
        match &role.target {
            Some(role::Target::Agent(agent)) => {
                self.check_target(".agent", agent, "agent");
                if agent.contains("{{") {
                    let hint = "give the step that calls it the expression instead";
                    let message = "a role is bound when the workflow is written";
                    self.error(".agent", "conflict", message, hint);
                }
                if !role.labels.is_empty() {
                    let hint = "remove them, or name a `skill`";
                    let message = "labels go with `skill`, not with `agent`";
                    self.error(".labels", "conflict", message, hint);
                }
                Target::Agent(agent.clone())
            }
            Some(role::Target::Skill(skill)) => {
                self.check_target(".skill", skill, "skill");
                Target::Skill {
                    skill: skill.clone(),
                    labels: role.labels.clone().into_iter().collect(),
                    select: Select::default(),
                }
            }
            None => {
                let hint = "give `agent` or `skill`";
                self.error("", "required", "nobody plays the role", hint);
                Target::Agent(String::new())
            }
        }
    }

    fn tools_of_role(&mut self, role: &proto::Role) {
        for (place, tool) in role.tools.iter().enumerate() {
            let field = format!(".tools[{place}]");
            self.check_target(&field, tool, "tool");
            if tool.contains("{{") {
                let message = "a role is bound when the workflow is written";
                self.error(&field, "conflict", message, "name an agent");
            }
            if role.tools[..place].contains(tool) {
                let message = format!("`{tool}` is there twice");
                self.error(&field, "duplicate-name", message, "remove one");
            }
        }
    }

    /// The tools of a role for a pattern that gives it any, when there is one of this name.
    pub(in crate::core) fn role_tools(&mut self, name: &str) -> Vec<String> {
        let part = self.roles.get_mut(name);
        part.map_or_else(Vec::new, |part| {
            part.has_used_tools = true;
            part.tools.clone()
        })
    }

    /// Who plays a role, when there is one of this name.
    pub(in crate::core) fn role(&mut self, name: &str) -> Option<Target> {
        let part = self.roles.get_mut(name)?;
        part.is_read = true;
        Some(part.target.clone())
    }

    /// Any of the roles may be named by what an expression gives.
    pub(super) fn roles_read(&mut self) {
        for part in self.roles.values_mut() {
            part.is_read = true;
        }
    }

    /// The roles as the plan keeps them, once every step is compiled.
    pub(super) fn roles_end(&mut self) -> BTreeMap<String, Target> {
        let parts = std::mem::take(&mut self.roles);
        for (name, _) in parts.iter().filter(|(_, part)| !part.is_read) {
            let hint = "remove it, or name it where a step names its agent";
            let message = format!("no step names the role `{name}`");
            self.warn(&format!(".agents.{name}"), "unused", message, hint);
        }
        let unused = |part: &Part| !part.tools.is_empty() && !part.has_used_tools;
        for (name, _) in parts.iter().filter(|(_, part)| unused(part)) {
            let hint =
                "remove them, or let a `react` without tools of its own reason with the role";
            let message = format!("no step gives the role `{name}` tools");
            self.warn(&format!(".agents.{name}.tools"), "unused", message, hint);
        }
        let target = |(name, part): (String, Part)| (name, part.target);
        parts.into_iter().map(target).collect()
    }
}
