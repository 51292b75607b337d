//! `react`: an agent reasons and acts with tools until it has an answer. Each turn is an iteration:
//! the reasoner's call, then that of the tool it names; what the turn gives is its entry in the
//! transcript.

use serde_json::json;

use super::choice::Named;
use crate::{
    core::{
        plan::{Compiler, Kind, Loop, Name, NodeId, Seen, Told},
        value::{self, Value},
    },
    proto::{PatternCall, React, pattern_call::Target},
};

/// The turns of a reasoner that may take any number.
const TURNS_DEFAULT: u32 = 8;

/// What the reasoner's and the tools' own inputs may name besides.
const VARIABLES: [&str; 4] = ["task", "tools", "transcript", "iteration"];

/// What a turn's own expressions may name besides.
const TURN_VARIABLES: [&str; 8] = [
    "iteration",
    "thought",
    "action",
    "tool_input",
    "answer",
    "observation",
    "failure",
    "names",
];

/// A turn's entry in the transcript.
const ENTRY: &str = "{{ answer != null ? {'thought': thought, 'answer': answer} : {
    'thought': thought,
    'action': action,
    'observation': failure != null
        ? {'error': {'class': failure.class, 'message': failure.message}}
        : action.tool in names
            ? observation
            : {'error': {'class': 'refused', 'message': 'there is no tool `' + action.tool + '`'}}
} }}";

/// The pattern as nodes: in each iteration `reason`, then `tool` with the call of the one named.
pub(in crate::core) fn compile(c: &mut Compiler<'_>, written: &React, id: NodeId) -> Kind {
    let max_iterations = c.iterations(".max_iterations", written.max_iterations, TURNS_DEFAULT);
    let calls = tools_of(c, written);
    let tools = match written.tools.is_empty() {
        false => c.by_name(".tools", &calls),
        // What is wrong with a role's tools was said of the role.
        true => c.unheard(|c| c.by_name(".tools", &calls)),
    };
    if calls.is_empty() {
        let hint = "give at least one: `tools: [ { agent: … } ]`";
        c.error(".tools", "required", "there are no tools", hint);
    }
    let body = c.pattern_node(id, "");
    c.node(body).names = names(c, &tools);
    let reason = c.with_variables(&VARIABLES, |c| reason(c, written, body));
    let (tool, entry, until, gives) = c.with_variables(&TURN_VARIABLES, |c| {
        (
            tool(c, &tools, body),
            c.own(&json!(ENTRY)),
            c.expr("answer != null"),
            c.own(&json!({"answer": "{{ answer }}", "iterations": "{{ iteration }}"})),
        )
    });
    c.node(body).kind = c.one_by_one(reason.into_iter().chain([tool]).collect());
    c.node(body).output = entry;
    c.node(body).hides_steps = true;
    (c.node(id).gives, c.node(id).hides_steps) = (gives, true);
    Kind::Loop(Box::new(Loop {
        while_: None,
        until: until.into_iter().collect(),
        max_iterations,
        must_end: true,
        body,
    }))
}

/// The tools as written; left out, those of the role that reasons.
fn tools_of(c: &mut Compiler<'_>, written: &React) -> Vec<PatternCall> {
    let target = written
        .reason
        .as_ref()
        .and_then(|call| call.target.as_ref());
    match target {
        Some(Target::Agent(role)) if written.tools.is_empty() => {
            let tools = c.role_tools(role).into_iter();
            let call = |agent| PatternCall {
                target: Some(Target::Agent(agent)),
                ..PatternCall::default()
            };
            tools.map(call).collect()
        }
        _ => written.tools.clone(),
    }
}

fn reason(c: &mut Compiler<'_>, written: &React, body: NodeId) -> Option<NodeId> {
    let input = c.own_input(&json!({
        "task": "{{ task }}", "tools": "{{ tools }}", "transcript": "{{ transcript }}",
    }));
    let reason = c.required_call(".reason", written.reason.as_ref(), |c, call| {
        c.pattern_call(body, "reason", call, input)
    })?;
    let tool = json!({
        "type": "object", "required": ["tool"], "properties": {"tool": {"type": "string"}},
    });
    let schema = json!({"type": "object", "anyOf": [
        {"required": ["answer"], "properties": {"answer": {"not": {"type": "null"}}}},
        {"required": ["action"], "properties": {"action": tool}},
    ]});
    let words =
        "the reasoner answers neither {thought, action: {tool, input}} nor {thought, answer}";
    c.must_answer(reason, &schema, Some(words));
    Some(reason)
}

fn tool(c: &mut Compiler<'_>, tools: &[Named<'_>], body: NodeId) -> NodeId {
    let named = c.own(&json!("{{ action.tool }}"));
    let tool = c.one_of((body, "tool"), named, tools, None, |c, around, tool| {
        let input = c.own_input(&json!("{{ tool_input }}"));
        let call = c.pattern_call(around, &tool.id, tool.call, input);
        c.node(call).tolerates_failure = true;
        call
    });
    c.only_when(tool, "answer == null");
    tool
}

fn names(c: &mut Compiler<'_>, tools: &[Named<'_>]) -> Vec<Name> {
    let told = tools.iter().map(|tool| Told {
        name: tool.name.to_owned(),
        description: tool.call.description.clone(),
        agent: c.agent_named(tool),
        skill: None,
    });
    let told: Vec<Told> = told.collect();
    c.tells_of
        .extend(told.iter().filter_map(|tool| tool.agent.clone()));
    let known: Vec<Value> = tools.iter().map(|t| value::string(t.name)).collect();
    let reason = |members| Seen::Output(vec!["reason".into()], members);
    vec![
        ("task", Seen::Given),
        ("tools", Seen::Tools(told)),
        ("transcript", Seen::Gathered(None)),
        ("iteration", Seen::Index),
        ("thought", reason(&["thought"])),
        ("action", reason(&["action"])),
        ("tool_input", reason(&["action", "input"])),
        ("answer", reason(&["answer"])),
        ("observation", Seen::Output(vec!["tool".into()], &[])),
        ("failure", Seen::Failure("tool")),
        ("names", Seen::Constant(value::list(known))),
    ]
}
