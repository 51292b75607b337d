//! The talk of a group chat: a loop in which each iteration gives one message, or nothing when the
//! manager ends it.

use serde_json::json;

use super::round_length;
use crate::{
    core::{
        expr::{Expr, Template},
        patterns::choice::Named,
        plan::{Compiler, Input, Kind, Loop, Name, NodeId, Seen},
        value::{self, Value},
    },
    proto::GroupChat,
};

/// The rounds of a chat that may take any number.
const ROUNDS_DEFAULT: u32 = 6;

/// What `until`, `speaker` and the manager's own input may name besides.
const VARIABLES: [&str; 4] = ["task", "messages", "round", "last"];

/// What a participant's own input may name besides.
const PARTICIPANT_VARIABLES: [&str; 5] = ["task", "messages", "round", "last", "role"];

/// What the talk's own expressions may name besides.
const OWN_VARIABLES: [&str; 9] = [
    "task",
    "messages",
    "participants",
    "names",
    "iteration",
    "next",
    "done",
    "said",
    "message",
];

/// The step in which they talk; it gives the manager's answer.
pub(super) fn talk(
    c: &mut Compiler<'_>,
    written: &GroupChat,
    participants: &[Named<'_>],
    id: NodeId,
) -> NodeId {
    let max_iterations = messages_max(c, written);
    let talk = c.pattern_node(id, "talk");
    let body = c.pattern_node(talk, "");
    c.node(body).names = names(participants, round_length(written));
    let manager = manager(c, written, participants, body);
    let speaker = speaker(c, written, participants, body);
    c.node(body).kind = c.one_by_one(manager.into_iter().chain([speaker]).collect());
    let until = until(c, written);
    let own = |c: &mut Compiler<'_>, text: &str| {
        c.with_variables(&OWN_VARIABLES, |c| c.own(&json!(text)))
    };
    let (message, said) = (own(c, "{{ message }}"), own(c, "{{ said }}"));
    let made = c.node(body);
    (made.output, made.hides_steps) = (message, true);
    let made = c.node(talk);
    (made.gives, made.hides_steps) = (said, true);
    made.input = Input::Previous;
    made.kind = Kind::Loop(Box::new(Loop {
        while_: None,
        until,
        max_iterations,
        must_end: false,
        body,
    }));
    talk
}

fn messages_max(c: &mut Compiler<'_>, written: &GroupChat) -> u32 {
    let rounds = c.iterations(".max_rounds", written.max_rounds, ROUNDS_DEFAULT);
    let length = round_length(written);
    let (messages, most) = (rounds.saturating_mul(length), c.limits.iterations_max);
    if messages > most && rounds <= most {
        let message = format!("{messages} messages are more than the server's {most}");
        let hint = format!("limit `iterations_max`: give at most {}", most / length);
        c.error(".max_rounds", "limit", message, hint);
    }
    messages
}

/// What ends it: the manager, or what the user says.
fn until(c: &mut Compiler<'_>, written: &GroupChat) -> Vec<Expr> {
    let ended = c.with_variables(&OWN_VARIABLES, |c| c.expr("done == true"));
    let ended = ended.filter(|_| written.manager.is_some());
    let asked = c.with_variables(&VARIABLES, |c| c.asked(".until", &written.until));
    ended.into_iter().chain(asked).collect()
}

fn manager(
    c: &mut Compiler<'_>,
    written: &GroupChat,
    participants: &[Named<'_>],
    body: NodeId,
) -> Option<NodeId> {
    let call = written.manager.as_ref()?;
    let input = c.with_variables(&OWN_VARIABLES, |c| {
        c.own_input(&json!({
            "task": "{{ task }}", "participants": "{{ participants }}",
            "messages": "{{ messages }}",
        }))
    });
    let manager = c.with_variables(&VARIABLES, |c| {
        c.within(".manager", |c| c.pattern_call(body, "manager", call, input))
    });
    let names: Vec<&str> = participants.iter().map(|one| one.name).collect();
    let schema = json!({"type": "object", "anyOf": [
        {"required": ["done"], "properties": {"done": {"const": true}}},
        {"required": ["speaker"], "properties": {"speaker": {"enum": names}}},
    ]});
    let words = format!(
        "the manager answers neither {{done: true, answer}} nor {{speaker}}, one of {}",
        names.join(", ")
    );
    c.must_answer(manager, &schema, Some(&words));
    Some(manager)
}

/// The step in which the one whose turn it is speaks.
fn speaker(
    c: &mut Compiler<'_>,
    written: &GroupChat,
    participants: &[Named<'_>],
    body: NodeId,
) -> NodeId {
    let by = next(c, written);
    let names: Vec<&str> = participants.iter().map(|one| one.name).collect();
    let misfit = format!("who is to speak is none of {}", names.join(", "));
    let speak = |c: &mut Compiler<'_>, around, one: &Named<'_>| participant(c, one, around);
    let speaker = c.one_of((body, "speaker"), by, participants, Some(misfit), speak);
    if written.manager.is_some() {
        c.with_variables(&OWN_VARIABLES, |c| c.only_when(speaker, "done != true"));
    }
    speaker
}

/// Whose turn it is.
fn next(c: &mut Compiler<'_>, written: &GroupChat) -> Option<Template> {
    if !written.speaker.is_empty() {
        return c.with_variables(&VARIABLES, |c| c.given_by(".speaker", &written.speaker));
    }
    let by = match written.manager {
        Some(_) => "{{ next }}",
        None => "{{ names[(iteration - 1) % size(names)] }}",
    };
    c.with_variables(&OWN_VARIABLES, |c| c.own(&json!(by)))
}

/// What one participant says.
fn participant(c: &mut Compiler<'_>, one: &Named<'_>, around: NodeId) -> NodeId {
    let call = c.with_variables(&PARTICIPANT_VARIABLES, |c| {
        let input = c.own_input(&json!({
            "task": "{{ task }}", "role": "{{ role }}", "messages": "{{ messages }}",
        }));
        c.pattern_call(around, &one.id, one.call, input)
    });
    let schema = json!({"type": "object", "required": ["content"]});
    c.must_answer(call, &schema, None);
    let output = c.with_variables(&["output", "name"], |c| {
        c.own(&json!({"speaker": "{{ name }}", "content": "{{ output.content }}"}))
    });
    let made = c.node(call);
    made.output = output;
    made.names = vec![
        ("name", Seen::Constant(value::string(one.name))),
        ("role", Seen::Constant(value::text_or_null(&one.call.role))),
    ];
    call
}

fn names(participants: &[Named<'_>], round_length: u32) -> Vec<Name> {
    let told: Vec<Value> = participants.iter().map(Named::described).collect();
    let names = participants.iter().map(|one| value::string(one.name));
    let manager = |members| Seen::Output(vec!["manager".into()], members);
    vec![
        ("task", Seen::Given),
        ("messages", Seen::Gathered(None)),
        ("round", Seen::Round(round_length)),
        ("last", Seen::Last(&[])),
        ("iteration", Seen::Index),
        ("participants", Seen::Constant(value::list(told))),
        ("names", Seen::Constant(value::list(names.collect()))),
        ("next", manager(&["speaker"])),
        ("done", manager(&["done"])),
        ("said", manager(&["answer"])),
        ("message", Seen::Output(vec!["speaker".into()], &[])),
    ]
}
