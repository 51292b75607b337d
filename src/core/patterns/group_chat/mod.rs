//! `group_chat`: agents speak with each other over one transcript; then comes the vote, all at
//! once, and the judge.

mod ballot;
mod talk;
mod vote;

use serde_json::json;

pub use self::ballot::Ballot;
use super::choice::Named;
use crate::{
    core::{
        plan::{Compiler, Kind, Name, NodeId, Seen},
        value,
    },
    proto::GroupChat,
};

/// What the judge may name in an input of its own.
const JUDGE_VARIABLES: [&str; 2] = ["task", "messages"];

/// What the chat's own output is made of.
const OUTPUT_VARIABLES: [&str; 5] = ["messages", "said", "votes", "winner", "verdict"];

/// The pattern as nodes: the loop `talk`, then `vote` and `judge`.
pub(in crate::core) fn compile(c: &mut Compiler<'_>, written: &GroupChat, id: NodeId) -> Kind {
    let participants = c.by_name(".participants", &written.participants);
    check(c, written, &participants);
    let ballot = vote::ballot(c, written, &participants);
    c.node(id).names = names(ballot);
    c.node(id).hides_steps = true;
    let talk = talk::talk(c, written, &participants, id);
    let vote = written.vote.is_some();
    let vote = vote.then(|| vote::vote(c, written, &participants, id));
    let judge = c.with_variables(&JUDGE_VARIABLES, |c| judge(c, written, id));
    let length = round_length(written);
    let output = json!({
        "messages": "{{ messages }}",
        "answer": if vote.is_some() { "{{ winner }}" } else { "{{ said }}" },
        "votes": "{{ votes }}",
        "verdict": "{{ verdict }}",
        "rounds": format!("{{{{ (size(messages) + {length} - 1) / {length} }}}}"),
    });
    c.node(id).gives = c.with_variables(&OUTPUT_VARIABLES, |c| c.own(&output));
    c.one_by_one([Some(talk), vote, judge].into_iter().flatten().collect())
}

/// How many messages a round has.
fn round_length(written: &GroupChat) -> u32 {
    let chosen = written.manager.is_some() || !written.speaker.is_empty();
    let all = u32::try_from(written.participants.len()).unwrap_or(u32::MAX);
    if chosen { 1 } else { all.max(1) }
}

fn check(c: &mut Compiler<'_>, written: &GroupChat, participants: &[Named<'_>]) {
    if written.participants.is_empty() {
        let hint = "give at least one: `participants: [ { agent: … } ]`";
        c.error(".participants", "required", "nobody takes part", hint);
    }
    if written.manager.is_some() && !written.speaker.is_empty() {
        let hint = "remove one of the two; without both each speaks in turn";
        let message = "both `manager` and `speaker` say who speaks next";
        c.error(".speaker", "conflict", message, hint);
    }
    for one in participants {
        let weight = one.weight();
        if !(weight > 0.0 && weight.is_finite()) {
            let field = format!("{}.weight", one.field);
            let message = format!("{weight} is not a weight");
            c.error(&field, "out-of-range", message, "give a number above 0");
        }
    }
}

fn judge(c: &mut Compiler<'_>, written: &GroupChat, id: NodeId) -> Option<NodeId> {
    let call = written.judge.as_ref()?;
    let input = c.own_input(&json!({"task": "{{ task }}", "messages": "{{ messages }}"}));
    let judge = c.within(".judge", |c| c.pattern_call(id, "judge", call, input));
    let schema = json!({"type": "object", "required": ["verdict"]});
    c.must_answer(judge, &schema, None);
    Some(judge)
}

/// What the vote, the judge and the chat's own output name.
fn names(ballot: Option<Ballot>) -> Vec<Name> {
    let of = |id: &str| Seen::Output(vec![id.into()], &[]);
    let mut names = vec![
        ("task", Seen::Given),
        ("messages", Seen::Gathered(Some("talk"))),
        ("said", of("talk")),
        ("votes", of("vote")),
        ("verdict", of("judge")),
    ];
    if let Some(ballot) = ballot {
        let options = ballot.options.iter().map(value::string).collect();
        names.push(("options", Seen::Constant(value::list(options))));
        names.push(("winner", Seen::Winner("vote", Box::new(ballot))));
    }
    names
}
