//! What the messages hold and this version does not serve yet: refused, so that nothing that is
//! written is silently without effect.

use super::compile::Compiler;
use crate::proto::{Call, call::Select};

impl Compiler<'_> {
    /// Refuses what a call says and this version does not serve.
    pub(super) fn later_of_call(&mut self, call: &Call) {
        self.later_fields(&[(".key", !call.key.is_empty())]);
        self.later_values(&[(".select", call.select() == Select::Sticky)]);
    }

    fn later_fields(&mut self, fields: &[(&str, bool)]) {
        for (field, _) in fields.iter().filter(|(_, given)| *given) {
            let name = field.trim_start_matches('.');
            let message = format!("`{name}` is not supported by this version");
            let hint = "remove it, or use a server that has it";
            self.error(field, "unsupported-field", message, hint);
        }
    }

    fn later_values(&mut self, fields: &[(&str, bool)]) {
        for (field, _) in fields.iter().filter(|(_, given)| *given) {
            let message = "this value is not supported by this version";
            let hint = "use another one, or a server that has it";
            self.error(field, "unsupported-value", message, hint);
        }
    }
}
