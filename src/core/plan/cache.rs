//! Compiling `cache`: what identifies the work of a step, whoever asks for it.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{Kind, NodeId, Target, compile::Compiler};
use crate::{
    core::{definition::fingerprint, expr::Expr},
    proto::{self, Step, Workflow, step},
};

/// A step's output is kept for steps that are given the same.
#[derive(Debug)]
pub struct Cache {
    /// How long it is kept.
    pub ttl: Duration,
    /// What tells work apart; `None`: the step's input.
    pub key: Option<Expr>,
    /// Who shares it.
    pub scope: Scope,
    /// A SHA-256 of what the step does and how its output is made: its kind, with who plays the
    /// roles it names, its `output`, `save`, gates and schemas.
    pub identity: [u8; 32],
}

/// Who shares an output that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All workflows of the namespace.
    Namespace,
    /// The executions of the workflow, whatever version.
    Workflow,
    /// The steps of one execution.
    Execution,
}

impl Compiler<'_> {
    /// The step's cache, once its kind is compiled.
    pub(super) fn cache(&mut self, step: &Step, id: NodeId) -> Option<Box<Cache>> {
        let written = step.cache.as_ref()?;
        self.within(".cache", |c| {
            c.check_cached(step);
            let key = match written.key.as_str() {
                "" => None,
                key => c.with_variables(&["value"], |c| c.within(".key", |c| c.expr(key))),
            };
            Some(Box::new(Cache {
                ttl: c.ttl(written),
                key,
                scope: match written.scope() {
                    proto::cache::Scope::Namespace => Scope::Namespace,
                    proto::cache::Scope::Execution => Scope::Execution,
                    proto::cache::Scope::Workflow | proto::cache::Scope::Unspecified => {
                        Scope::Workflow
                    }
                },
                identity: c.identity(step, id),
            }))
        })
    }

    fn check_cached(&mut self, step: &Step) {
        if step.compensation.is_some() {
            let hint = "remove one of the two";
            let message = "an output that was kept has done nothing that could be undone";
            self.error("", "conflict", message, hint);
        }
        let useless = match step.kind {
            Some(step::Kind::Set(_)) => "set",
            Some(step::Kind::Wait(_)) => "wait",
            Some(step::Kind::Restore(_)) => "restore",
            _ => return,
        };
        let message = format!("`{useless}` has no output that is worth keeping");
        self.error("", "conflict", message, "remove it");
    }

    fn ttl(&mut self, written: &proto::Cache) -> Duration {
        let most = self.limits.cache_timeout;
        let given = self.timeout(".ttl", written.ttl.as_ref());
        if given.is_some_and(|given| given > most) {
            let message = format!("outputs are kept for {most:?} at most");
            let hint = "limit `cache_timeout`: shorten it, or leave it out for the longest";
            self.error(".ttl", "limit", message, hint);
        }
        given.unwrap_or(most)
    }

    fn identity(&self, step: &Step, id: NodeId) -> [u8; 32] {
        let content = Step {
            output: step.output.clone(),
            save: step.save.clone(),
            gates: step.gates.clone(),
            context: step.context.clone(),
            input_schema: step.input_schema.clone(),
            output_schema: step.output_schema.clone(),
            kind: step.kind.clone(),
            ..Step::default()
        };
        let mut hash = Sha256::new();
        hash.update(fingerprint(&Workflow {
            steps: vec![content],
            ..Workflow::default()
        }));
        // The step's own nodes are the last so far.
        for node in &self.nodes[id.0 as usize..] {
            if let Kind::Call(call) = &node.kind {
                let all = std::iter::once(call).chain(&call.fallback);
                for call in all.filter(|call| !call.role.is_empty()) {
                    add(&mut hash, &call.role);
                    add_target(&mut hash, &call.target);
                }
            }
        }
        hash.finalize().into()
    }
}

fn add_target(hash: &mut Sha256, target: &Target) {
    match target {
        Target::Agent(agent) => add(hash, agent),
        Target::Skill { skill, labels, .. } => {
            add(hash, skill);
            for (name, value) in labels {
                add(hash, name);
                add(hash, value);
            }
        }
    }
}

fn add(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
}
