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
        self.later_of_role(role);
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

    /// Who plays a role, when there is one of this name.
    pub(super) fn role(&mut self, name: &str) -> Option<Target> {
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
        let target = |(name, part): (String, Part)| (name, part.target);
        parts.into_iter().map(target).collect()
    }
}
