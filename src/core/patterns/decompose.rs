//! `decompose`: a task is divided until its parts are simple; their results are put together on the
//! way back.
//!
//! How deep a task may be divided is written down, so the recursion is unrolled: a switch for each
//! depth, simple or not, within the collection of the parts of the one above. The plan stays a
//! tree: what may run is validated, shown and bounded before anything does, every part is a step
//! with a path of its own, and the calls are counted in one place, the step itself. Child
//! executions of the workflow would hide the parts from who watches, and count by themselves.

use serde_json::json;

use crate::{
    core::{
        plan::{Compiler, Input, Kind, Misfit, NodeId, Seen, Switch},
        value,
    },
    proto::{Decompose, Each},
};

/// How often a task is divided where it may be any number.
const DEPTH_DEFAULT: u32 = 3;

/// The calls in all where there may be any number.
const CALLS_DEFAULT: u32 = 100;

/// What the calls' own inputs and `simple` may name besides.
const VARIABLES: [&str; 2] = ["task", "depth"];

/// What the pattern's own expressions may name besides.
const OWN_VARIABLES: [&str; 4] = ["task", "depth", "divided", "results"];

/// The pattern as nodes: a switch of `solve` or `decompose`, `parts` and `combine`, and in each of
/// the parts such a switch again.
pub(in crate::core) fn compile(c: &mut Compiler<'_>, written: &Decompose, id: NodeId) -> Kind {
    let most = c.limits.decompose_depth_max;
    c.within_limit(".max_depth", written.max_depth, most, "decompose_depth_max");
    let max_depth = match written.max_depth {
        0 => DEPTH_DEFAULT.min(most),
        given => given.min(most),
    };
    let max_calls = c.iterations(".max_calls", written.max_calls, CALLS_DEFAULT);
    if written.simple.trim().is_empty() {
        let hint = "say when a task is solved as it is: `simple: size(task.text) < 200`";
        c.error(".simple", "required", "nothing is ever simple", hint);
    }
    for (field, call) in [
        (".decompose", &written.decompose),
        (".solve", &written.solve),
        (".combine", &written.combine),
    ] {
        c.required_call(field, call.as_ref(), |_, _| id);
    }
    c.node(id).max_calls = Some(max_calls);
    level(c, written, id, (0, max_depth))
}

/// What is done with a task at a depth: the node's kind.
fn level(c: &mut Compiler<'_>, written: &Decompose, id: NodeId, depth: (u32, u32)) -> Kind {
    let (at, most) = depth;
    let made = c.node(id);
    made.hides_steps = true;
    made.names = vec![
        ("task", Seen::Given),
        ("depth", Seen::Constant(value::number(f64::from(at)))),
        (
            "divided",
            Seen::Output(vec!["decompose".into()], &["tasks"]),
        ),
        ("results", Seen::Output(vec!["parts".into()], &[])),
    ];
    let simple = c.with_variables(&VARIABLES, |c| c.asked(".simple", &written.simple));
    let solve = call(c, id, "solve", |c| {
        (written.solve.as_ref(), c.own_input(&json!("{{ task }}")))
    });
    if let Some(solve) = solve {
        c.conditions[solve.0 as usize] = written.simple.clone();
    }
    let otherwise = match at < most {
        true => divide(c, written, id, depth),
        false => Vec::new(),
    };
    Kind::Switch(Switch {
        cases: simple
            .into_iter()
            .map(|simple| (simple, solve.into_iter().collect()))
            .collect(),
        otherwise,
        misfit: Some(Misfit {
            class: "limit",
            message: format!("the task is not simple at depth {at}, max_depth is {most}"),
        }),
    })
}

/// The call at a field of the pattern's, if it is there.
fn call<'w>(
    c: &mut Compiler<'_>,
    around: NodeId,
    id: &'static str,
    made_of: impl FnOnce(&mut Compiler<'_>) -> (Option<&'w crate::proto::PatternCall>, Input),
) -> Option<NodeId> {
    let (call, input) = c.with_variables(&OWN_VARIABLES, made_of);
    let call = call?;
    let field = format!(".{id}");
    Some(c.with_variables(&VARIABLES, |c| {
        c.within(&field, |c| c.pattern_call(around, id, call, input))
    }))
}

fn divide(c: &mut Compiler<'_>, written: &Decompose, id: NodeId, depth: (u32, u32)) -> Vec<NodeId> {
    let decompose = call(c, id, "decompose", |c| {
        let input = json!({"task": "{{ task }}", "depth": "{{ depth }}"});
        (written.decompose.as_ref(), c.own_input(&input))
    });
    if let Some(decompose) = decompose {
        let tasks = json!({"type": "array", "minItems": 1});
        let schema =
            json!({"type": "object", "required": ["tasks"], "properties": {"tasks": tasks}});
        c.must_answer(
            decompose,
            &schema,
            Some("a task is divided into {tasks: […]}"),
        );
    }
    let parts = parts(c, written, id, depth);
    let combine = call(c, id, "combine", |c| {
        let input = json!({"task": "{{ task }}", "results": "{{ results }}"});
        (written.combine.as_ref(), c.own_input(&input))
    });
    let steps = decompose.into_iter().chain([parts]).chain(combine);
    let steps: Vec<NodeId> = steps.collect();
    c.one_by_one(steps.clone());
    for step in &steps {
        c.conditions[step.0 as usize] = "otherwise".into();
    }
    steps
}

/// The parts of a task, at once; each is a task at the next depth. What is wrong with their calls
/// was said at the first.
fn parts(c: &mut Compiler<'_>, written: &Decompose, id: NodeId, depth: (u32, u32)) -> NodeId {
    let parts = c.pattern_node(id, "parts");
    let frame = c.pattern_node(parts, "");
    let part = c.pattern_node(frame, "part");
    c.node(part).input = Input::Previous;
    let (at, most) = depth;
    let kind = c.unheard(|c| level(c, written, part, (at + 1, most)));
    c.node(part).kind = kind;
    c.node(frame).kind = c.one_by_one(vec![part]);
    c.node(frame).hides_steps = true;
    let each = Each {
        items: "divided".into(),
        ..Each::default()
    };
    let kind = c.with_variables(&OWN_VARIABLES, |c| c.each_over(&each, frame));
    let nothing = c.own_input(&json!(null));
    let made = c.node(parts);
    (made.input, made.hides_steps, made.kind) = (nothing, true, kind);
    parts
}
