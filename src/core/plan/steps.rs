//! Compiling lists of steps and each step in them: ids, kinds, and the fields that every
//! step takes.

use super::{
    Input, Mode, NodeId,
    compile::{Compiler, blank},
    expressions::{bare, literal},
    order::Child,
};
use crate::{
    core::{
        expr::Template,
        finding,
        value::{self, Value},
    },
    proto::{
        Step,
        block::Mode as WrittenMode,
        step::{self, OnError},
    },
};

/// Where a list of steps stands.
#[derive(Clone, Copy)]
pub(super) struct Around<'c> {
    /// The list's field.
    pub list: &'static str,
    /// The step that holds it.
    pub node: NodeId,
    /// The condition of its branch.
    pub condition: &'c str,
}

/// The most characters of a step's id.
const ID_LENGTH_MAX: usize = 64;
/// The priority of what goes last.
const PRIORITY_LAST: u8 = 9;

impl<'a> Compiler<'a> {
    /// Compiles a list of steps and relates them; the ids come in the order in which they
    /// run (SEQUENCE) or stand.
    pub(super) fn children(
        &mut self,
        steps: &'a [Step],
        around: Around<'_>,
        mode: WrittenMode,
    ) -> (Mode, Vec<NodeId>) {
        self.some_steps(steps, around.list);
        self.branch(steps, around, mode)
    }

    pub(super) fn some_steps(&mut self, steps: &[Step], list: &str) {
        if steps.is_empty() {
            let hint = "give at least one step";
            let message = "there are no steps";
            self.error(&format!(".{list}"), "required", message, hint);
        }
    }

    /// As `children`, for a list that may be empty.
    pub(super) fn branch(
        &mut self,
        steps: &'a [Step],
        around: Around<'_>,
        mode: WrittenMode,
    ) -> (Mode, Vec<NodeId>) {
        self.list(steps, around, |c, children| {
            c.no_transitions(children);
            c.relate(mode, children)
        })
    }

    /// Compiles the steps of a list, then relates them while they are in scope.
    pub(super) fn list<T>(
        &mut self,
        steps: &'a [Step],
        around: Around<'_>,
        relate: impl FnOnce(&mut Self, &[Child<'a>]) -> T,
    ) -> T {
        self.enter(steps);
        let mut children = Vec::with_capacity(steps.len());
        for (place, step) in steps.iter().enumerate() {
            let segment = format!(".{}[{place}]", around.list);
            let path = self.path_of(&segment);
            let node = self.within(&segment, |c| c.step(step, place, around));
            let level = self.levels.last_mut().expect("entered above");
            let reads = std::mem::take(&mut level.reads);
            children.push(Child {
                node,
                step,
                path,
                reads,
            });
        }
        let related = relate(self, &children);
        self.leave();
        related
    }

    fn step(&mut self, step: &'a Step, place: usize, around: Around<'_>) -> NodeId {
        self.check_id(step, place);
        self.check_reserved(step, around.node);
        let parent = &self.nodes[around.node.0 as usize].path;
        let path = match parent.as_str() {
            "" => step.id.clone(),
            parent => format!("{parent}/{}", step.id),
        };
        let name = if step.name.is_empty() {
            &step.id
        } else {
            &step.name
        };
        let node = blank(&step.id, name, path, Some(around.node));
        let condition = match step.when.as_str() {
            "" => around.condition,
            when => bare(when),
        };
        let id = self.push(node, condition.to_owned());
        self.times(step, id);
        self.context(step, id);
        self.data(step, id);
        self.check_context(step, id);
        self.policies(step, id);
        self.schemas(step, id);
        self.beside(step, id);
        let kind = self.kind(step, id);
        self.node(id).kind = kind;
        self.node(id).cache = self.cache(step, id);
        id
    }

    fn check_id(&mut self, step: &Step, place: usize) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if step.id.is_empty() {
            let hint = "give it one, unique among its siblings";
            self.error(".id", "required", "the step has no id", hint);
        } else if step.id.len() > ID_LENGTH_MAX || !step.id.chars().all(allowed) {
            let message = format!("`{}` is not an id", step.id);
            let hint = "a-z A-Z 0-9 - _, at most 64 characters";
            self.error(".id", "invalid-id", message, hint);
        } else {
            let level = self.levels.last().expect("a step stands in a list");
            let first = level.places[step.id.as_str()];
            if first != place {
                let message = format!(
                    "`{}` is also the id of step {} of the list",
                    step.id,
                    first + 1
                );
                self.error(".id", "duplicate-id", message, "rename one of the two");
            }
        }
    }

    /// What goes into the step and what comes out of it.
    fn data(&mut self, step: &Step, id: NodeId) {
        if !step.when.is_empty() {
            if literal(&step.when) == Some(false) {
                let hint = "remove the step, or give it a condition that can be true";
                self.warn(".when", "dead-step", "the step never runs", hint);
            }
            let when = self.within(".when", |c| c.expr(&step.when));
            self.node(id).when = when;
        }
        if let Some(input) = &step.input
            && let Some(template) = self.input_template(input, id)
        {
            self.node(id).input = Input::Template(template);
        }
        let (output, save) = self.with_variables(&["output"], |c| {
            let output = step.output.as_ref();
            let output = output.and_then(|o| c.within(".output", |c| c.template(o)));
            let save = step.save.as_ref();
            (output, save.map_or(Vec::new(), |s| c.templates(".save", s)))
        });
        let node = self.node(id);
        (node.output, node.save) = (output, save);
    }

    /// The step's input, which may read its context.
    fn input_template(&mut self, input: &Value, id: NodeId) -> Option<Template> {
        let more: &[&str] = match self.node(id).context {
            Some(_) => &["context"],
            None => &[],
        };
        self.with_variables(more, |c| c.within(".input", |c| c.template(input)))
    }

    /// How long it may take: what is asked beside it goes by that too.
    fn times(&mut self, step: &Step, id: NodeId) {
        let calls = matches!(step.kind, Some(step::Kind::Agent(_) | step::Kind::Call(_)));
        let (timeout, queue_timeout, total_timeout) = self.timeouts(step, calls);
        let node = self.node(id);
        (node.timeout, node.queue_timeout, node.total_timeout) =
            (timeout, queue_timeout, total_timeout);
    }

    fn policies(&mut self, step: &Step, id: NodeId) {
        let retry = self.retry(step.retry.as_ref());
        let retries = retry.is_some();
        let (before, after) = match &step.gates {
            Some(gates) => (
                self.gates(id, ".gates.before", &gates.before, &["value"], retries),
                self.gates(
                    id,
                    ".gates.after",
                    &gates.after,
                    &["value", "output"],
                    retries,
                ),
            ),
            None => (Vec::new(), Vec::new()),
        };
        self.queueing(step, id);
        let tolerates_failure = step.on_error() == OnError::Continue;
        let node = self.node(id);
        (node.before, node.after) = (before, after);
        (node.retry, node.tolerates_failure) = (retry, tolerates_failure);
    }

    /// Where the step's tasks stand among those of others.
    fn queueing(&mut self, step: &Step, id: NodeId) {
        let priority = u8::try_from(step.priority).unwrap_or(u8::MAX);
        if priority > PRIORITY_LAST {
            let message = format!("{} is not a priority", step.priority);
            let hint = format!("give a number from 1, first, to {PRIORITY_LAST}, last");
            self.error(".priority", "out-of-range", message, hint);
        }
        let key = match step.fairness_key.as_str() {
            "" => None,
            key => self.within(".fairness_key", |c| c.template(&value::string(key))),
        };
        let node = self.node(id);
        node.priority = (priority > 0).then_some(priority);
        node.fairness_key = key;
    }

    /// The hint for a name that is not known: the nearest one that is.
    pub fn suggest<'n>(&mut self, given: &str, known: impl Iterator<Item = &'n str>) -> String {
        if self.suggestions_left == 0 {
            return String::new();
        }
        self.suggestions_left -= 1;
        finding::did_you_mean(given, known)
            .map_or(String::new(), |name| format!("did you mean `{name}`?"))
    }
}
