//! Compiling what runs beside a step: the steps that take its failure, the call that undoes it.

use super::{
    Block, Catch, Input, Kind, Mode, NodeId, Role,
    call::of_pattern,
    compile::{Compiler, blank},
    expressions::bare,
    steps::Around,
};
use crate::{
    core::value,
    proto::{
        self, PatternCall, Step, block::Mode as WrittenMode, step::OnError, workflow::OnFailure,
    },
};

impl<'a> Compiler<'a> {
    /// What the step says of what runs beside it.
    pub(super) fn beside(&mut self, step: &'a Step, id: NodeId) {
        let catches = self.catches(&step.catch, id);
        let compensation = step.compensation.as_ref();
        let compensation = compensation.map(|call| self.compensation(call, id));
        let undoes = matches!(step.kind, Some(proto::step::Kind::Saga(_)));
        if !catches.is_empty() || compensation.is_some() || undoes {
            let beside = self.node(id).beside.get_or_insert_default();
            (beside.catches, beside.compensation) = (catches, compensation);
            beside.undoes = undoes;
        }
        self.mark(&step.mark, id);
        if step.on_error() == OnError::Park {
            self.node(id).beside.get_or_insert_default().parks = true;
        }
    }

    fn catches(&mut self, catches: &'a [proto::Catch], id: NodeId) -> Vec<Catch> {
        let mut taken = false;
        let mut compiled = Vec::with_capacity(catches.len());
        for (index, catch) in catches.iter().enumerate() {
            compiled.extend(self.within(&format!(".catch[{index}]"), |c| {
                if taken {
                    let hint = "remove it, or give `classes` or `when` to the one before it";
                    c.warn("", "dead-step", "a catch before it takes every error", hint);
                }
                c.catch(catch, index, id)
            }));
            taken |= catch.classes.is_empty() && matches!(bare(&catch.when), "" | "true");
        }
        compiled
    }

    fn catch(&mut self, catch: &'a proto::Catch, index: usize, id: NodeId) -> Option<Catch> {
        for (place, class) in catch.classes.iter().enumerate() {
            self.check_class(&format!(".classes[{place}]"), class);
        }
        let classes = catch.classes.clone();
        let (when, steps) = self.with_variables(&["error"], |c| {
            let when = match catch.when.as_str() {
                "" => Some(None),
                when => c.within(".when", |c| c.expr(when)).map(Some),
            };
            let steps = c.block_beside(&catch.steps, &format!("catch[{index}]"), id, Role::Catch);
            (when, steps)
        });
        Some(Catch {
            classes,
            when: when?,
            steps,
        })
    }

    /// A sequence of steps beside a node, at `.steps` of the current field.
    pub(super) fn block_beside(
        &mut self,
        steps: &'a [Step],
        name: &str,
        owner: NodeId,
        role: Role,
    ) -> NodeId {
        let id = self.push_beside(name, owner, role);
        let list = if role == Role::Finally {
            "finally"
        } else {
            "steps"
        };
        let around = Around {
            list,
            node: id,
            condition: "",
        };
        let (_, children) = self.branch(steps, around, WrittenMode::Sequence);
        self.node(id).kind = Kind::Block(Block {
            mode: Mode::Sequence,
            children,
            max_parallel: None,
            join: None,
            states: None,
        });
        id
    }

    pub(super) fn push_beside(&mut self, name: &str, owner: NodeId, role: Role) -> NodeId {
        let path = match self.nodes[owner.0 as usize].path.as_str() {
            "" => name.to_owned(),
            around => format!("{around}/{name}"),
        };
        let mut node = blank(name, name, path, Some(owner));
        node.role = role;
        self.push(node, String::new())
    }

    fn compensation(&mut self, call: &'a PatternCall, owner: NodeId) -> NodeId {
        if !self.undoes {
            let message =
                "nothing asks for it: no saga is around it, and `on_failure` is not COMPENSATE";
            let hint = "put the step into a `saga`, or set the workflow's `on_failure: COMPENSATE`";
            self.warn(".compensation", "unused", message, hint);
        }
        let id = self.push_beside("compensation", owner, Role::Compensation);
        // When it runs every step has ended: what it reads orders nothing.
        let before = std::mem::replace(&mut self.levels_ended, self.levels.len());
        self.within(".compensation", |c| c.call_beside(call, id));
        self.levels_ended = before;
        id
    }

    fn call_beside(&mut self, call: &'a PatternCall, id: NodeId) {
        for (field, given) in [
            (".description", !call.description.is_empty()),
            (".role", !call.role.is_empty()),
            (".weight", call.weight.is_some()),
        ] {
            if given {
                self.warn(field, "unused", "it has no effect here", "remove it");
            }
        }
        let compiled = self.with_variables(&["result"], |c| c.call(&of_pattern(call)));
        let default = value::string("{{ result }}");
        let input = call.input.as_ref().unwrap_or(&default);
        let input = self.with_variables(&["result"], |c| c.within(".input", |c| c.template(input)));
        let timeout = self.timeout(".timeout", call.timeout.as_ref());
        let queue_timeout = self.timeout(".queue_timeout", call.queue_timeout.as_ref());
        let total_timeout = self.timeout(".total_timeout", call.total_timeout.as_ref());
        let retry = self.retry(call.retry.as_ref());
        let node = self.node(id);
        node.input = input.map_or(Input::Previous, Input::Template);
        (node.timeout, node.queue_timeout) = (timeout, queue_timeout);
        (node.total_timeout, node.retry) = (total_timeout, retry);
        node.kind = Kind::Call(compiled);
    }

    /// A saga: a sequence whose failure undoes what completed in it.
    pub(super) fn saga(&mut self, saga: &'a proto::Saga, id: NodeId) -> Block {
        let around = Around {
            list: "steps",
            node: id,
            condition: "",
        };
        let undoes = std::mem::replace(&mut self.undoes, true);
        let (mode, children) = self.children(&saga.steps, around, WrittenMode::Sequence);
        self.undoes = undoes;
        Block {
            mode,
            children,
            max_parallel: None,
            join: None,
            states: None,
        }
    }

    /// The steps at the workflow's end, which see all others as ended.
    pub(super) fn finally(&mut self, workflow: &'a proto::Workflow) -> Option<NodeId> {
        if workflow.finally.is_empty() {
            return None;
        }
        let named = workflow.steps.iter().position(|s| s.id == "finally");
        if let Some(place) = named {
            let message = "`finally` is the address of the workflow's `finally`";
            let field = format!(".steps[{place}].id");
            self.error(&field, "reserved-id", message, "rename the step");
        }
        self.enter(&workflow.steps);
        let before = std::mem::replace(&mut self.levels_ended, self.levels.len());
        let id = self.block_beside(&workflow.finally, "finally", NodeId(0), Role::Finally);
        self.levels_ended = before;
        self.leave();
        Some(id)
    }

    /// An id that is the address of what runs beside the step around.
    pub(super) fn check_reserved(&mut self, step: &Step, around: NodeId) {
        let parent = &self.nodes[around.0 as usize];
        let taken = match step.id.as_str() {
            "catch" => !parent.catches().is_empty(),
            "compensation" => parent.compensation().is_some(),
            _ => false,
        };
        if taken {
            let id = &step.id;
            let message = format!("`{id}` is the address of the `{id}` of the step around it");
            self.error(".id", "reserved-id", message, "rename the step");
        }
    }

    /// Whether a failure of the whole undoes completed steps.
    pub(super) fn undoes_all(workflow: &proto::Workflow) -> bool {
        workflow.on_failure() == OnFailure::Compensate
    }

    /// What the workflow says of its failure.
    pub(super) fn beside_all(&mut self, workflow: &proto::Workflow) {
        if Self::undoes_all(workflow) {
            self.nodes[0].beside.get_or_insert_default().undoes = true;
        }
        if workflow.on_failure() == OnFailure::Park {
            self.nodes[0].beside.get_or_insert_default().parks = true;
        }
    }
}
