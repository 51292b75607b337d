//! The calls within a pattern.

use crate::{
    core::{
        expr::Template,
        plan::{
            Block, Check, Compiler, Gate, Input, Kind, Mode, NodeId, OnViolation, blank, of_pattern,
        },
        value,
    },
    proto::{PatternCall, Step, pattern_call},
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
        if let Some(pattern_call::Target::Agent(role)) = &written.target {
            self.context_of_role(role, node);
        }
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
            self.node(pair[1]).previous = Some(pair[0]);
        }
        self.one_by_one(children)
    }

    /// As `in_sequence`, but `previous` is to each what the step around was given.
    pub(super) fn one_by_one(&mut self, children: Vec<NodeId>) -> Kind {
        for pair in children.windows(2) {
            self.node(pair[1]).depends_on = vec![pair[0]];
        }
        block(Mode::Sequence, children)
    }

    /// Relates nodes of a pattern as what is done all at once.
    pub(super) fn at_once(&mut self, children: Vec<NodeId>) -> Kind {
        block(Mode::Parallel, children)
    }

    /// A template of the pattern's own.
    pub(super) fn own(&mut self, template: &serde_json::Value) -> Option<Template> {
        self.template(&value::from_json(template))
    }

    /// As `own`, for what a call is given.
    pub(super) fn own_input(&mut self, template: &serde_json::Value) -> Input {
        self.own(template).map_or(Input::Previous, Input::Template)
    }

    /// The step is skipped unless this condition of the pattern's own holds.
    pub(super) fn only_when(&mut self, node: NodeId, condition: &str) {
        let when = self.expr(condition);
        self.node(node).when = when;
        self.conditions[node.0 as usize] = condition.to_owned();
    }

    /// Compiles without saying what is wrong: it was said before.
    pub(super) fn unheard<T>(&mut self, compile: impl FnOnce(&mut Self) -> T) -> T {
        let heard = self.findings.len();
        let made = compile(self);
        self.findings.truncate(heard);
        made
    }

    /// What a call answers must fulfil a schema of the pattern's own: else the attempt fails with
    /// class `invalid_output` and these words, or what is wrong.
    pub(super) fn must_answer(
        &mut self,
        call: NodeId,
        schema: &serde_json::Value,
        words: Option<&str>,
    ) {
        let schema = self.schema("", Some(&value::from_json(schema)));
        let message = words.and_then(|words| self.template(&value::string(words)));
        self.node(call).after.extend(schema.map(|schema| Gate {
            check: Check::JsonSchema(schema),
            message,
            on_violation: OnViolation::Retry,
            repair: None,
        }));
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

fn block(mode: Mode, children: Vec<NodeId>) -> Kind {
    Kind::Block(Block {
        mode,
        children,
        max_parallel: None,
        join: None,
        states: None,
    })
}
