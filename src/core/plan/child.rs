//! Compiling steps that run another execution.

use super::{Child, Source, compile::Compiler, policies::is_workflow_name};
use crate::proto;

/// A workflow that a definition names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The field that names it.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Its version; `None`: the newest.
    pub version: Option<u32>,
}

impl Compiler<'_> {
    pub(super) fn child(&mut self, child: &proto::Child) -> Child {
        let proto::Child {
            name,
            version,
            detached,
        } = child;
        let version = (*version > 0).then_some(*version);
        if name.is_empty() {
            let hint = "give the name of a registered workflow";
            self.error(".name", "required", "the workflow has no name", hint);
        } else if is_workflow_name(name) {
            self.references.push(Reference {
                path: self.path_of(".name"),
                name: name.clone(),
                version,
            });
        } else {
            let message = format!("`{name}` is not a workflow's name");
            let hint = "a-z 0-9 - _ . and at most 128 characters";
            self.error(".name", "invalid-name", message, hint);
        }
        Child {
            source: Source::Registered {
                name: name.clone(),
                version,
            },
            detached: *detached,
        }
    }
}
