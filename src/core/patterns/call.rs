//! The calls within a pattern.

use crate::{
    core::plan::{Block, Compiler, Input, Kind, Mode, NodeId, blank, of_pattern},
    proto::{PatternCall, Step},
};

impl Compiler<'_> {
    /// The node of a call within a pattern, at the current field; `input` is what it is given
    /// when it does not say.
    pub(super) fn pattern_call(
        &mut self,
        around: NodeId,
        id: &str,
        written: &PatternCall,
        input: Input,
    ) -> NodeId {
        let node = self.pattern_node(around, id);
        // What it reads as `previous` is of the pattern.
        self.enter(&[]);
        let given = written.input.as_ref();
        let given = given.and_then(|input| self.within(".input", |c| c.template(input)));
        let timeouts = Step {
            timeout: written.timeout,
            queue_timeout: written.queue_timeout,
            total_timeout: written.total_timeout,
            ..Step::default()
        };
        let (timeout, queue_timeout, total_timeout) = self.timeouts(&timeouts, true);
        let retry = self.retry(written.retry.as_ref());
        let kind = Kind::Call(self.call(&of_pattern(written)));
        self.leave();
        let made = self.node(node);
        made.input = given.map_or(input, Input::Template);
        (made.timeout, made.queue_timeout) = (timeout, queue_timeout);
        (made.total_timeout, made.retry) = (total_timeout, retry);
        made.kind = kind;
        node
    }

    /// A node of a pattern that has only a name yet.
    pub(super) fn pattern_node(&mut self, around: NodeId, id: &str) -> NodeId {
        let path = self.node(around).path.clone();
        let path = match id {
            "" => path,
            id => format!("{path}/{id}"),
        };
        self.push(blank(id, id, path, Some(around)), String::new())
    }

    /// Relates nodes of a pattern as a sequence.
    pub(super) fn in_sequence(&mut self, children: Vec<NodeId>) -> Kind {
        for pair in children.windows(2) {
            let node = self.node(pair[1]);
            node.previous = Some(pair[0]);
            node.depends_on = vec![pair[0]];
        }
        Kind::Block(Block {
            mode: Mode::Sequence,
            children,
            max_parallel: None,
            join: None,
            states: None,
        })
    }

    /// The call at a field of a pattern, which must be there.
    pub(super) fn required_call(
        &mut self,
        field: &str,
        written: Option<&PatternCall>,
        compile: impl FnOnce(&mut Self, &PatternCall) -> NodeId,
    ) -> Option<NodeId> {
        let Some(written) = written else {
            let name = field.trim_start_matches('.');
            let message = format!("there is no `{name}`");
            let hint = format!("give who does it: `{name}: {{ agent: … }}`");
            self.error(field, "required", message, hint);
            return None;
        };
        Some(self.within(field, |c| compile(c, written)))
    }
}
