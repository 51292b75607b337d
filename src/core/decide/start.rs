//! The first decision: what is accepted as an execution.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use super::{Outcome, Outputs, Rejection, turn::Turn};
use crate::{
    core::{
        execution::{Execution, Parent, ROOT},
        expr::{Scope, StepView},
        limits::Limits,
        plan::Plan,
        time::Time,
        value::{Struct, Value},
    },
    proto::{Event, ExecutionStarted, KnownAgent, Workflow, event},
};

/// What is to be started.
#[derive(Clone, Debug)]
pub struct Start {
    /// The execution's id.
    pub id: Uuid,
    /// The namespace.
    pub namespace: String,
    /// The version; 0 with `definition`.
    pub version: u32,
    /// The definition, when it is not a registered one.
    pub definition: Option<Workflow>,
    /// The input.
    pub input: Value,
    /// The start's labels; they win over the workflow's.
    pub labels: HashMap<String, String>,
    /// The start's request id.
    pub request_id: String,
    /// Whose child it is to be.
    pub parent: Option<Parent>,
    /// What is known of the agents that its plan tells others of.
    pub agents: HashMap<String, KnownAgent>,
}

/// Accepts an execution and begins its first steps.
///
/// # Errors
/// `Rejection::Input` and `Rejection::Variable`.
pub fn start(
    plan: Arc<Plan>,
    start: Start,
    now: Time,
    limits: &Limits,
    outputs: &mut dyn Outputs,
) -> Result<(Execution, Outcome), Rejection> {
    if let Some(schema) = &plan.input_schema {
        let violations = schema.violations(&start.input);
        if !violations.is_empty() {
            return Err(Rejection::Input(violations));
        }
    }
    let variables = variables(&plan, &start.input)?;
    let mut labels: HashMap<String, String> = plan.labels.clone().into_iter().collect();
    labels.extend(start.labels);
    let deadline = plan.nodes[0].timeout.map(|t| now.after(t).into());
    let event = Event {
        execution_id: start.id.to_string(),
        sequence: 1,
        time: Some(now.into()),
        step: String::new(),
        kind: Some(event::Kind::ExecutionStarted(ExecutionStarted {
            namespace: start.namespace,
            workflow: plan.name.clone(),
            version: start.version,
            definition: start.definition,
            input: Some(start.input),
            variables: Some(variables),
            labels,
            request_id: start.request_id,
            deadline,
            parent: start.parent.map(Into::into),
            agents: start.agents,
        })),
    };
    let mut execution = Execution::create(plan, &event)
        .expect("an execution_started with a UUID makes an execution");
    let mut turn = Turn::new(&mut execution, now, limits, outputs);
    turn.tell_parent_of_start();
    turn.enter_first_state(ROOT);
    turn.pump();
    turn.tell_parent_of_end();
    let mut outcome = turn.finish();
    outcome.events.insert(0, event);
    Ok((execution, outcome))
}

fn variables(plan: &Plan, input: &Value) -> Result<Struct, Rejection> {
    let scope = InputScope { input };
    let mut variables = Struct::default();
    for (name, template) in &plan.variables {
        let value = template.eval(&scope).map_err(|e| Rejection::Variable {
            name: name.clone(),
            message: e.to_string(),
        })?;
        variables.fields.insert(name.clone(), value);
    }
    Ok(variables)
}

/// What the templates of `variables` see: only the input.
struct InputScope<'a> {
    input: &'a Value,
}

impl Scope for InputScope<'_> {
    fn variable(&self, name: &str) -> Option<std::borrow::Cow<'_, Value>> {
        (name == "input").then_some(std::borrow::Cow::Borrowed(self.input))
    }

    fn step(&self, _id: &str) -> Option<StepView<'_>> {
        None
    }

    fn step_ids(&self) -> Vec<String> {
        Vec::new()
    }
}
