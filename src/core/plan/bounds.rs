//! The bounds of a definition's size, checked before anything else is done with it.

use prost::Message as _;
use prost_types::value::Kind;

use crate::{
    core::{
        finding::{self, Finding},
        limits::Limits,
        value::{Struct, Value},
    },
    proto::{Gate, PatternCall, Step, Workflow, gate, step},
};

/// So many depths of a `decompose` are counted; more are refused by a limit of their own.
const DEPTHS_COUNTED_MAX: u32 = 100;

/// How deep messages may be nested. Decoders take 100; what carries a definition needs some.
const MESSAGE_DEPTH_MAX: usize = 80;

/// What is beyond a bound.
pub(super) fn check(workflow: &Workflow, limits: &Limits) -> Vec<Finding> {
    let mut size = Size::default();
    size.workflow(workflow);
    let rows = [
        (
            "steps",
            "steps, inner ones included",
            size.steps,
            limits.workflow_steps_max,
            "workflow_steps_max",
        ),
        (
            "steps",
            "levels of steps within steps",
            size.step_depth,
            limits.workflow_depth_max,
            "workflow_depth_max",
        ),
        (
            "",
            "bytes as encoded Protobuf",
            workflow.encoded_len(),
            limits.workflow_bytes_max,
            "workflow_bytes_max",
        ),
        (
            "",
            "levels of steps and data within each other",
            size.message_depth,
            MESSAGE_DEPTH_MAX,
            "message_depth_max",
        ),
    ];
    rows.into_iter()
        .filter(|(_, _, is, most, _)| is > most)
        .map(|(path, what, is, most, name)| {
            let message = format!("the definition has {is} {what}; the most is {most}");
            let hint = format!("limit `{name}`: split the workflow or make it flatter");
            finding::error(path, "limit", message, hint)
        })
        .collect()
}

#[derive(Default)]
struct Size {
    steps: usize,
    step_depth: usize,
    message_depth: usize,
}

impl Size {
    fn workflow(&mut self, workflow: &Workflow) {
        let values = [
            &workflow.input_schema,
            &workflow.output_schema,
            &workflow.output,
        ];
        for value in values.into_iter().flatten() {
            self.value(value, 2);
        }
        if let Some(variables) = &workflow.variables {
            self.object(variables, 2);
        }
        self.gates(&workflow.goal, 2);
        self.list(&workflow.steps, 1, 2);
        self.list(&workflow.finally, 1, 2);
    }

    fn list(&mut self, steps: &[Step], depth: usize, message_depth: usize) {
        self.steps = self.steps.saturating_add(steps.len());
        if !steps.is_empty() {
            self.step_depth = self.step_depth.max(depth);
            self.message_depth = self.message_depth.max(message_depth);
        }
        for step in steps {
            self.step(step, depth, message_depth);
        }
    }

    fn step(&mut self, step: &Step, depth: usize, message_depth: usize) {
        let inner = message_depth + 1;
        for value in [&step.input, &step.output].into_iter().flatten() {
            self.value(value, inner);
        }
        if let Some(save) = &step.save {
            self.object(save, inner);
        }
        if let Some(gates) = &step.gates {
            self.gates(&gates.before, inner + 1);
            self.gates(&gates.after, inner + 1);
        }
        for catch in &step.catch {
            self.list(&catch.steps, depth + 1, inner + 1);
        }
        if let Some(input) = step.compensation.as_ref().and_then(|c| c.input.as_ref()) {
            self.value(input, inner + 1);
        }
        let summarizer = step.context.as_ref().and_then(|c| c.summarizer.as_ref());
        if let Some(input) = summarizer.and_then(|call| call.input.as_ref()) {
            self.value(input, inner + 2);
        }
        match &step.kind {
            Some(step::Kind::Block(block)) => self.list(&block.steps, depth + 1, inner + 1),
            Some(step::Kind::Switch(switch)) => {
                for case in &switch.cases {
                    self.list(&case.steps, depth + 1, inner + 2);
                }
                self.list(&switch.otherwise, depth + 1, inner + 1);
            }
            Some(step::Kind::Saga(saga)) => self.list(&saga.steps, depth + 1, inner + 1),
            Some(step::Kind::Set(set)) => self.object(set, inner),
            Some(step::Kind::Each(each)) => self.list(&each.steps, depth + 1, inner + 1),
            Some(step::Kind::MapReduce(pattern)) => {
                self.calls(pattern.map.iter().chain(&pattern.reduce), inner + 2);
            }
            Some(step::Kind::Generate(call)) => self.calls([call], inner + 1),
            Some(step::Kind::Loop(looped)) => self.list(&looped.steps, depth + 1, inner + 1),
            Some(step::Kind::Refine(pattern)) => {
                let calls = pattern.draft.iter().chain(&pattern.review);
                self.calls(calls.chain(&pattern.revise), inner + 2);
            }
            Some(step::Kind::React(pattern)) => {
                self.calls(pattern.reason.iter().chain(&pattern.tools), inner + 2);
            }
            Some(step::Kind::Orchestrate(pattern)) => {
                self.calls(pattern.plan.iter().chain(&pattern.synthesis), inner + 2);
            }
            Some(step::Kind::Decompose(pattern)) => {
                let calls = pattern.decompose.iter().chain(&pattern.solve);
                let calls = calls.chain(&pattern.combine);
                // Each depth has steps of its own.
                for _ in 0..=pattern.max_depth.clamp(3, DEPTHS_COUNTED_MAX) {
                    self.calls(calls.clone(), inner + 2);
                }
            }
            Some(step::Kind::GroupChat(pattern)) => {
                let calls = pattern.participants.iter().chain(&pattern.manager);
                self.calls(calls.chain(&pattern.judge), inner + 2);
            }
            _ => {}
        }
    }

    /// The calls of a pattern; each is a step.
    fn calls<'p>(&mut self, calls: impl IntoIterator<Item = &'p PatternCall>, depth: usize) {
        for call in calls {
            self.steps = self.steps.saturating_add(1);
            if let Some(input) = &call.input {
                self.value(input, depth);
            }
        }
    }

    fn gates(&mut self, gates: &[Gate], depth: usize) {
        for gate in gates {
            if let Some(gate::Check::JsonSchema(schema)) = &gate.check {
                self.value(schema, depth + 1);
            }
        }
    }

    fn value(&mut self, value: &Value, depth: usize) {
        self.message_depth = self.message_depth.max(depth);
        match &value.kind {
            Some(Kind::ListValue(list)) => {
                for item in &list.values {
                    self.value(item, depth + 2);
                }
            }
            Some(Kind::StructValue(object)) => self.object(object, depth + 1),
            _ => {}
        }
    }

    /// A member of an object is a message (its entry) that holds another.
    fn object(&mut self, object: &Struct, depth: usize) {
        self.message_depth = self.message_depth.max(depth);
        for value in object.fields.values() {
            self.value(value, depth + 2);
        }
    }
}
