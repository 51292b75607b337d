//! The kernel's decisions, read as sentences: given a workflow, when this happens, then that.

#![allow(clippy::unwrap_used)]

mod blocks;
mod cache;
mod calls;
mod catch;
mod children;
mod compensate;
mod context;
mod decompose;
mod each;
mod ends;
mod finally;
mod group_chat;
mod loops;
mod map_reduce;
mod orchestrate;
mod outputs;
mod park;
mod past;
mod react;
mod refine;
mod retries;
mod review;
mod schemas;
mod standing;
mod states;
mod sticky;
mod tasks;
mod waits;

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Command, Effect, Rejection, Remembered, Start, decide, start};
use crate::{
    core::{
        definition,
        execution::{Execution, ExecutionState, Parent, StepState, into_view, view},
        limits::Limits,
        plan,
        time::Time,
        value,
    },
    proto::{Event, KnownAgent},
};

/// An execution under test, and all that was decided.
struct Case {
    execution: Execution,
    now: Time,
    events: Vec<Event>,
    effects: Vec<Effect>,
    limits: Limits,
    leases: u64,
    outputs: Remembered,
}

/// An execution of this workflow, begun.
fn given(yaml: &str, input: Json) -> Case {
    try_given(yaml, input).unwrap()
}

fn try_given(yaml: &str, input: Json) -> Result<Case, Rejection> {
    begin(yaml, input, None)
}

/// An execution of this workflow, begun as the child of another.
fn child_of(parent: Parent, yaml: &str) -> Case {
    begin(yaml, Json::Null, Some(parent)).unwrap()
}

fn begin(yaml: &str, input: Json, parent: Option<Parent>) -> Result<Case, Rejection> {
    let yaml = format!("name: case\n{yaml}");
    let parsed = definition::parse(&yaml);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let limits = Limits::default();
    let compiled = plan::compile(&parsed.workflow.unwrap(), &limits);
    let plan = Arc::new(compiled.unwrap_or_else(|f| panic!("{f:#?}")).plan);
    let now = Time::from_nanos(1_000_000_000_000);
    let begun = Start {
        id: Uuid::from_u128(1),
        namespace: "default".into(),
        version: 1,
        definition: None,
        input: value::from_json(&input),
        labels: [("by".to_owned(), "start".to_owned())].into(),
        request_id: String::new(),
        parent,
        agents: known_agents(),
    };
    let mut outputs = Remembered::default();
    let (execution, outcome) = start(plan, begun, now, &limits, &mut outputs)?;
    Ok(Case {
        execution,
        now,
        events: outcome.events,
        effects: outcome.effects,
        limits,
        leases: 0,
        outputs,
    })
}

/// What every execution under test knows of agents.
fn known_agents() -> HashMap<String, KnownAgent> {
    let known = KnownAgent {
        description: "says what it knows".into(),
        input_schema: Some(value::from_json(&json!({"type": "object"}))),
        skills: vec!["knowing".into()],
    };
    [("known".to_owned(), known)].into()
}

impl Case {
    fn when(&mut self, command: Command) -> Result<(), Rejection> {
        let outcome = decide(
            &mut self.execution,
            command,
            self.now,
            &self.limits,
            &mut self.outputs,
        )?;
        self.events.extend(outcome.events);
        self.effects.extend(outcome.effects);
        if self.execution.is_ended() {
            self.is_shown_alike_when_moved();
        }
        Ok(())
    }

    fn is_shown_alike_when_moved(&self) {
        let (steps_max, waiting_for) = (100, |task| Some(format!("task {task}")));
        let copied = view(&self.execution, self.now, steps_max, &waiting_for);
        let moved = into_view(self.execution.clone(), self.now, steps_max, &waiting_for);
        assert_eq!(moved, copied);
    }

    fn task(&self, step: &str) -> u64 {
        let run = self.execution.find(step);
        let run = run.unwrap_or_else(|| panic!("no step {step}"));
        self.execution.run(run).scheduled
    }

    /// A worker accepts the step's attempt; its lease.
    fn accept(&mut self, step: &str) -> u64 {
        assert_eq!(self.step(step), StepState::Waiting, "{step}");
        self.leases += 1;
        let lease = self.leases;
        let task = self.task(step);
        self.when(Command::Accept {
            task,
            worker_id: "w".into(),
            agent: "a".into(),
            lease,
        })
        .unwrap();
        lease
    }

    /// A worker accepts the step's attempt and completes it.
    fn complete(&mut self, step: &str, output: Json) -> &mut Self {
        let lease = self.accept(step);
        let command = self.completion(step, lease, output);
        self.when(command).unwrap();
        self
    }

    fn completion(&self, step: &str, lease: u64, output: Json) -> Command {
        Command::Complete {
            task: self.task(step),
            lease,
            output: value::from_json(&output),
            usage: None,
        }
    }

    /// A worker accepts the step's attempt and fails it.
    fn fail(&mut self, step: &str, class: &str) -> &mut Self {
        let lease = self.accept(step);
        let task = self.task(step);
        self.when(Command::Fail {
            task,
            lease,
            class: class.into(),
            message: format!("{step} says no"),
            retry_after: None,
            usage: None,
        })
        .unwrap();
        self
    }

    /// Time passes, and what is due happens.
    fn after(&mut self, seconds: u64) -> &mut Self {
        self.now = self.now.after(Duration::from_secs(seconds));
        self.when(Command::Tick).unwrap();
        self
    }

    fn state(&self) -> ExecutionState {
        self.execution.state
    }

    fn step(&self, path: &str) -> StepState {
        let run = self.execution.find(path);
        self.execution
            .run(run.unwrap_or_else(|| panic!("no step {path}")))
            .state
    }

    fn attempt(&self, path: &str) -> u32 {
        self.execution
            .run(self.execution.find(path).unwrap())
            .attempt
    }

    fn input(&self, path: &str) -> Json {
        let run = self.execution.run(self.execution.find(path).unwrap());
        value::to_json(run.input.as_ref().unwrap())
    }

    fn output_of(&self, path: &str) -> Json {
        let run = self.execution.run(self.execution.find(path).unwrap());
        run.output.as_ref().map_or(Json::Null, value::to_json)
    }

    fn vars(&self) -> Json {
        value::to_json(&self.execution.vars)
    }

    fn output(&self) -> Json {
        assert_eq!(
            self.state(),
            ExecutionState::Completed,
            "{:?}",
            self.execution.error
        );
        value::to_json(self.execution.output.as_ref().unwrap())
    }

    /// Class, message and step of the execution's error.
    fn error(&self) -> (&str, &str, &str) {
        let error = self.execution.error.as_ref().unwrap();
        (&error.class, &error.message, &error.step)
    }

    /// Class and message of a step's error.
    fn step_error(&self, path: &str) -> (&str, &str) {
        let run = self.execution.run(self.execution.find(path).unwrap());
        let error = run.error.as_ref().unwrap();
        (&error.class, &error.message)
    }

    /// Paths of the steps whose tasks are handed out and not accepted.
    fn waiting(&self) -> Vec<String> {
        let runs = self.execution.runs();
        runs.filter(|(_, r)| r.state == StepState::Waiting)
            .map(|(_, r)| r.path.to_string())
            .collect()
    }
}
