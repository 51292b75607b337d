//! The schemas of a step: what its input and its output must fulfil.

use super::{Node, NodeId, compile::Compiler};
use crate::{core::schema::Schema, proto::Step};

/// What goes into a step and comes out of it must fulfil these.
#[derive(Debug, Default)]
pub struct Schemas {
    /// What the input must fulfil.
    pub input: Option<Schema>,
    /// What the output must fulfil.
    pub output: Option<Schema>,
}

impl Node {
    /// What its input must fulfil.
    pub fn input_schema(&self) -> Option<&Schema> {
        self.schemas.as_ref()?.input.as_ref()
    }

    /// What its output must fulfil.
    pub fn output_schema(&self) -> Option<&Schema> {
        self.schemas.as_ref()?.output.as_ref()
    }
}

impl Compiler<'_> {
    pub(super) fn schemas(&mut self, step: &Step, id: NodeId) {
        let schemas = Schemas {
            input: self.schema(".input_schema", step.input_schema.as_ref()),
            output: self.schema(".output_schema", step.output_schema.as_ref()),
        };
        if schemas.input.is_some() || schemas.output.is_some() {
            self.node(id).schemas = Some(Box::new(schemas));
        }
    }
}
