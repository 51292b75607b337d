//! The vote of a group chat: every participant is asked at once.

use std::collections::BTreeSet;

use serde_json::json;

use super::Ballot;
use crate::{
    core::{
        patterns::choice::Named,
        plan::{Compiler, NodeId, Seen},
        value,
    },
    proto::{GroupChat, PatternCall, vote::Rule},
};

/// How the votes of a chat are counted; `None` when nobody votes.
pub(super) fn ballot(
    c: &mut Compiler<'_>,
    written: &GroupChat,
    participants: &[Named<'_>],
) -> Option<Ballot> {
    let vote = written.vote.as_ref()?;
    let distinct: BTreeSet<&String> = vote.options.iter().collect();
    if vote.options.len() < 2 {
        let hint = "give at least two: `options: [approve, reject]`";
        c.error(".vote.options", "required", "there is no choice", hint);
    } else if distinct.len() < vote.options.len() {
        let message = "an option is there twice";
        c.error(".vote.options", "duplicate-name", message, "remove one");
    }
    Some(Ballot {
        options: vote.options.clone(),
        rule: vote.rule(),
        weights: participants.iter().map(Named::weight).collect(),
    })
}

/// The step in which all vote; it gives the list of votes, in the order of the participants.
pub(super) fn vote(
    c: &mut Compiler<'_>,
    written: &GroupChat,
    participants: &[Named<'_>],
    id: NodeId,
) -> NodeId {
    let node = c.pattern_node(id, "vote");
    let children = participants.iter().map(|one| {
        // What is wrong with the call was said of what it speaks with.
        c.unheard(|c| ballot_of(c, written, one, node))
    });
    let children = children.collect();
    let gives = c.with_variables(&["cast"], |c| c.own(&json!("{{ cast }}")));
    let votes = c.at_once(children);
    let made = c.node(node);
    (made.names, made.gives) = (vec![("cast", Seen::Children)], gives);
    (made.kind, made.hides_steps) = (votes, true);
    node
}

/// One participant's vote.
fn ballot_of(c: &mut Compiler<'_>, written: &GroupChat, one: &Named<'_>, around: NodeId) -> NodeId {
    let call = PatternCall {
        input: None,
        ..one.call.clone()
    };
    let input = c.with_variables(&["task", "messages", "options"], |c| {
        c.own_input(&json!({
            "task": "{{ task }}", "messages": "{{ messages }}", "options": "{{ options }}",
        }))
    });
    let node = c.pattern_call(around, &one.id, &call, input);
    let vote = written.vote.as_ref();
    let options = vote.map_or(&[][..], |vote| &vote.options);
    let schema = json!({
        "type": "object", "required": ["vote"], "properties": {"vote": {"enum": options}},
    });
    c.must_answer(node, &schema, None);
    let mut output = json!({
        "speaker": "{{ name }}", "vote": "{{ output.vote }}",
        "reason": "{{ output.?reason.orValue(null) }}",
    });
    if vote.is_some_and(|vote| vote.rule() == Rule::Weighted) {
        output["weight"] = json!(one.weight());
    }
    let output = c.with_variables(&["output", "name"], |c| c.own(&output));
    let made = c.node(node);
    made.output = output;
    made.names = vec![("name", Seen::Constant(value::string(one.name)))];
    node
}
