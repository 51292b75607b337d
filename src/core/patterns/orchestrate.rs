//! `orchestrate`: an agent plans tasks, other agents do them at once, another joins what they gave.
//! Each round is an iteration: the planner's call, then one for each of its tasks. A task that
//! fails is a result like any other; what it gives or how it failed is told to the next plan.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    core::plan::{
        self, Call, Choice, Compiler, ITEM_VARIABLES, Input, Kind, Loop, Name, NodeId, Seen,
        Target, Told,
    },
    proto::{Each, Orchestrate},
};

/// The tasks of all rounds together where there may be any number.
const TASKS_DEFAULT: u32 = 20;

/// The plans where there may be any number.
const ROUNDS_DEFAULT: u32 = 1;

/// What the planner's own input may name besides.
const VARIABLES: [&str; 4] = ["task", "agents", "results", "iteration"];

/// What the pattern's own expressions may name besides.
const OWN_VARIABLES: [&str; 7] = [
    "task", "agents", "results", "planned", "done", "gave", "failure",
];

/// The pattern as nodes: the loop `rounds` with `plan` and `tasks`, then `synthesis`.
pub(in crate::core) fn compile(c: &mut Compiler<'_>, written: &Orchestrate, id: NodeId) -> Kind {
    check_allowed(c, &written.allow);
    c.node(id).names = names(c, written);
    let rounds = rounds(c, written, id);
    let mut steps = vec![rounds];
    if let Some(call) = &written.synthesis {
        let own = json!({"task": "{{ task }}", "results": "{{ results }}"});
        let synthesis = c.with_variables(&["task", "results"], |c| {
            let input = c.own_input(&own);
            c.within(".synthesis", |c| {
                c.pattern_call(id, "synthesis", call, input)
            })
        });
        steps.push(synthesis);
    } else {
        let gives = c.with_variables(&OWN_VARIABLES, |c| c.own(&json!("{{ results }}")));
        c.node(id).gives = gives;
    }
    c.node(id).hides_steps = true;
    c.one_by_one(steps)
}

fn check_allowed(c: &mut Compiler<'_>, allow: &[String]) {
    let mut known = BTreeSet::new();
    for (place, name) in allow.iter().enumerate() {
        let field = format!(".allow[{place}]");
        if name.is_empty() {
            let hint = "name an agent, a role or a skill";
            c.error(&field, "required", "nobody is named", hint);
        } else if !known.insert(name) {
            let message = format!("`{name}` is there twice");
            c.error(&field, "duplicate-name", message, "remove one");
        }
    }
}

/// What is planned, done and seen of it.
fn names(c: &mut Compiler<'_>, written: &Orchestrate) -> Vec<Name> {
    let told = written.allow.iter().map(|name| {
        // Without a role of that name it is an agent, or else a skill.
        let (agent, skill) = match c.role(name) {
            Some(Target::Skill { skill, .. }) => (None, Some(skill)),
            Some(Target::Agent(agent)) => (Some(agent), None),
            None => (Some(name.clone()), None),
        };
        Told {
            name: name.clone(),
            description: String::new(),
            agent,
            skill,
        }
    });
    let told: Vec<Told> = told.collect();
    c.tells_of
        .extend(told.iter().filter_map(|told| told.agent.clone()));
    vec![
        ("task", Seen::Given),
        ("agents", Seen::Agents(told)),
        ("results", Seen::Joined("rounds")),
    ]
}

fn rounds(c: &mut Compiler<'_>, written: &Orchestrate, id: NodeId) -> NodeId {
    let max_iterations = c.iterations(".max_rounds", written.max_rounds, ROUNDS_DEFAULT);
    let rounds = c.pattern_node(id, "rounds");
    let body = c.pattern_node(rounds, "");
    let of_plan = |members| Seen::Output(vec!["plan".into()], members);
    c.node(body).names = vec![
        ("planned", of_plan(&["tasks"])),
        ("done", of_plan(&["done"])),
        ("iteration", Seen::Index),
    ];
    let plan = c.with_variables(&VARIABLES, |c| plan(c, written, body));
    let tasks = c.with_variables(&OWN_VARIABLES, |c| tasks(c, written, body));
    c.node(body).kind = c.one_by_one(plan.into_iter().chain([tasks]).collect());
    c.node(body).hides_steps = true;
    let until = c.with_variables(&OWN_VARIABLES, |c| {
        c.expr("done == true || planned == null || size(planned) == 0")
    });
    let made = c.node(rounds);
    (made.input, made.hides_steps) = (Input::Previous, true);
    made.kind = Kind::Loop(Box::new(Loop {
        while_: None,
        until: until.into_iter().collect(),
        max_iterations,
        // One plan is all there is; of several the last says that it is.
        must_end: max_iterations > 1,
        body,
    }));
    rounds
}

fn plan(c: &mut Compiler<'_>, written: &Orchestrate, body: NodeId) -> Option<NodeId> {
    let input = c.own_input(&json!({
        "task": "{{ task }}", "agents": "{{ agents }}", "results": "{{ results }}",
    }));
    let plan = c.required_call(".plan", written.plan.as_ref(), |c, call| {
        c.pattern_call(body, "plan", call, input)
    })?;
    let named = |who: &str| json!({"required": [who], "properties": {who: {"type": "string", "minLength": 1}}});
    let task = json!({"type": "object", "anyOf": [named("agent"), named("skill")]});
    let schema = json!({"type": "object", "anyOf": [
        {"required": ["tasks"], "properties": {"tasks": {"type": "array", "items": task}}},
        {"required": ["done"], "properties": {"done": {"const": true}, "tasks": false}},
    ]});
    let words = "the planner answers neither {tasks: [{agent or skill, input}]} nor {done: true}";
    c.must_answer(plan, &schema, Some(words));
    Some(plan)
}

/// The tasks of a plan, each an item that gives `{task, output, error}`.
fn tasks(c: &mut Compiler<'_>, written: &Orchestrate, body: NodeId) -> NodeId {
    let most = c.limits.each_items_max;
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    c.within_limit(".max_tasks", written.max_tasks, most, "each_items_max");
    let tasks = c.pattern_node(body, "tasks");
    let frame = c.pattern_node(tasks, "");
    let task = c.pattern_node(frame, "task");
    let (input, by, result) = c.with_variables(&ITEM_VARIABLES, |c| {
        let result =
            json!({"task": "{{ item }}", "output": "{{ gave }}", "error": "{{ failure }}"});
        (
            c.own_input(&json!("{{ has(item.input) ? item.input : null }}")),
            c.own(&json!("{{ item }}")),
            c.own(&result),
        )
    });
    let made = c.node(task);
    (made.input, made.tolerates_failure) = (input, true);
    made.kind = Kind::Call(Call {
        target: Target::Agent(String::new()),
        key: None,
        role: String::new(),
        short: false,
        choice: by.map(|by| Choice {
            by,
            allow: written.allow.clone(),
        }),
        fallback: Vec::new(),
    });
    c.node(frame).kind = c.one_by_one(vec![task]);
    let made = c.node(frame);
    (made.output, made.hides_steps) = (result, true);
    made.names = vec![
        ("gave", Seen::Output(vec!["task".into()], &[])),
        ("failure", Seen::Failure("task")),
    ];
    let each = Each {
        items: "planned == null ? [] : planned".into(),
        max_parallel: written.max_parallel,
        ..Each::default()
    };
    let max_tasks = match written.max_tasks {
        0 => TASKS_DEFAULT,
        given => given,
    };
    let kind = c.each_over(&each, frame);
    let nothing = c.own_input(&json!(null));
    let made = c.node(tasks);
    (made.input, made.hides_steps) = (nothing, true);
    made.kind = match kind {
        Kind::Each(each) => Kind::Each(plan::Each {
            most: Some((max_tasks, "max_tasks")),
            ..each
        }),
        kind => kind,
    };
    tasks
}
