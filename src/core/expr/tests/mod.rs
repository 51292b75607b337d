#![allow(clippy::unwrap_used)]
//! Tests of expressions and templates as the rest of the kernel uses them.

mod bounds;
mod checks;
mod evaluation;
mod laws;
mod spellings;
mod templates;

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Value as Json, json};

use super::{Error, Expr, Level, Names, Scope, StepName, StepView, Template};
use crate::core::value::{self, Value};

/// A scope of given variables and steps.
#[derive(Default)]
struct World {
    variables: BTreeMap<String, Value>,
    steps: BTreeMap<String, (Value, Value)>,
}

impl Scope for World {
    fn variable(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.variables.get(name).map(Cow::Borrowed)
    }

    fn step(&self, id: &str) -> Option<StepView<'_>> {
        let (output, error) = self.steps.get(id)?;
        Some(StepView {
            output: Cow::Borrowed(output),
            state: "COMPLETED",
            error: Cow::Owned(error.clone()),
            attempts: 2,
            iterations: 3,
            exit: Some("CONDITION"),
            failures: Cow::Owned(value::null()),
        })
    }

    fn step_ids(&self) -> Vec<String> {
        self.steps.keys().cloned().collect()
    }
}

/// The names of `world`: two levels of steps, `checks` a block of two.
fn names() -> Names {
    let steps = |ids: &[&str]| {
        let step = |id: &&str| StepName {
            id: (*id).into(),
            children: match *id {
                "checks" => vec!["grammar".into(), "facts-check".into()],
                _ => Vec::new(),
            },
        };
        ids.iter().map(step).collect()
    };
    Names {
        levels: vec![
            Level::new(steps(&["a", "order-validation", "checks", "order"])),
            Level::new(steps(&["outer", "research_plan", "2fa", "pre-check"])),
        ],
        variables: vec![
            "input",
            "vars",
            "previous",
            "item",
            "index",
            "execution",
            "result",
            "last",
            "total",
        ],
    }
}

fn world() -> World {
    let variables = json!({
        "input": {
            "name": "Ada", "n": 42, "price": 10.5, "yes": true, "none": null, "empty": "",
            "list": [1, 2, 3], "words": ["b", "a"], "deep": {"a": {"b": [10, {"c": "x"}]}},
            "people": [{"name": "Bo", "age": 3}, {"name": "Cy", "age": 30}],
            "a-b": "dashed", "big": 9_007_199_254_740_992_i64,
        },
        "vars": {"currency": "EUR"},
        "previous": {"x": 7, "list": [5, 6]},
        "item": {"id": 1},
        "index": 0,
        "execution": {"id": "e1", "state": "RUNNING"},
        "result": {"id": "r1", "charge_id": "c1"},
        "total": 1,
        "all_step_outputs": {"a": {"total": 42}},
        "all_previous_outputs": {"a": {"total": 42}, "order": 5},
    });
    let steps = json!({
        "a": {"total": 42, "rate": 1.5, "tags": ["x", "y"]},
        "order-validation": {"total": 100, "lines": [{"sku": "s1"}]},
        "checks": {"grammar": {"ok": true}, "facts-check": {"ok": false}},
        "order": 5,
        "outer": "out",
        "research_plan": {"sources": ["s"]},
        "2fa": {"code": 123},
        "pre-check": null,
    });
    let Json::Object(variables) = variables else {
        unreachable!()
    };
    let Json::Object(steps) = steps else {
        unreachable!()
    };
    World {
        variables: variables
            .iter()
            .map(|(k, v)| (k.clone(), value::from_json(v)))
            .collect(),
        steps: steps
            .iter()
            .map(|(k, v)| {
                let error = json!({"class": "timeout", "message": "slow", "step": k});
                (k.clone(), (value::from_json(v), value::from_json(&error)))
            })
            .collect(),
    }
}

fn compile(source: &str) -> Expr {
    Expr::compile(source, &names()).unwrap_or_else(|e| panic!("{source}: {e:?}"))
}

/// The value of `source` in `world()`, as JSON.
fn eval(source: &str) -> Json {
    let value = compile(source).eval(&world());
    value::to_json(&value.unwrap_or_else(|e| panic!("{source}: {e:?}")))
}

/// The message of the failing evaluation of `source`.
fn failure(source: &str) -> String {
    match compile(source).eval(&world()) {
        Ok(value) => panic!("{source} is {}", value::to_text(&value)),
        Err(error) => error.message,
    }
}

/// The errors of compiling `source`.
fn errors(source: &str) -> Vec<Error> {
    match Expr::compile(source, &names()) {
        Ok(expr) => panic!("{source} compiles: {expr:?}"),
        Err(errors) => errors,
    }
}

/// The value of a template.
fn render(template: &Json) -> Json {
    let compiled = Template::compile(&value::from_json(template), &names());
    let compiled = compiled.unwrap_or_else(|e| panic!("{template}: {e:?}"));
    value::to_json(
        &compiled
            .eval(&world())
            .unwrap_or_else(|e| panic!("{template}: {e:?}")),
    )
}
