//! The schemas of a step: what its input and its output must fulfil.

use super::{Input, Node, NodeId, compile::Compiler};
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
        let node = &self.nodes[id.0 as usize];
        let input = match &node.input {
            Input::Template(input) => Some(input),
            _ => None,
        };
        let input = self.clashes(input, step.input_schema.as_ref(), schemas.input.as_ref());
        let output = step.output_schema.as_ref();
        let output = self.clashes(node.output.as_ref(), output, schemas.output.as_ref());
        self.report_clashes(".input", input);
        self.report_clashes(".output", output);
        if schemas.input.is_some() || schemas.output.is_some() {
            self.node(id).schemas = Some(Box::new(schemas));
        }
    }
}
