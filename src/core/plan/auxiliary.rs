//! Compiling the calls that a step needs besides its own attempts: who judges or repairs what
//! its gates check, who summarises what it is handed on. Each is a node beside the step, named
//! by the field that asks for it.

use super::{Asked, Kind, NodeId, Role, compile::Compiler};
use crate::proto::{PatternCall, Step};

impl Compiler<'_> {
    /// The node of a call at the current field. Without timeouts of its own it has those of the
    /// step's attempts.
    pub(super) fn auxiliary(
        &mut self,
        owner: NodeId,
        name: &str,
        asked: Asked,
        written: &PatternCall,
    ) -> NodeId {
        let id = self.push_beside(name, owner, Role::Auxiliary(asked));
        let timeouts = Step {
            timeout: written.timeout,
            queue_timeout: written.queue_timeout,
            total_timeout: written.total_timeout,
            ..Step::default()
        };
        let (timeout, queue_timeout, total_timeout) = self.timeouts(&timeouts, true);
        let retry = self.retry(written.retry.as_ref());
        let kind = Kind::Call(self.call(&super::call::of_pattern(written)));
        let around = self.node(owner);
        // Those of the workflow span all of it.
        let own = around.parent.is_some();
        let timeout = timeout.or(around.timeout.filter(|_| own));
        let queue_timeout = queue_timeout.or(around.queue_timeout.filter(|_| own));
        let beside = around.beside.get_or_insert_default();
        beside.auxiliary.push(id);
        let node = self.node(id);
        (node.timeout, node.queue_timeout) = (timeout, queue_timeout);
        (node.total_timeout, node.retry) = (total_timeout, retry);
        node.kind = kind;
        id
    }
}
