//! `group_chat`: who speaks when, what each is given, how it is decided.

use super::*;
use crate::proto::event;

const MANAGED: &str = "
steps:
  - id: chat
    group_chat:
      participants: [ { agent: a, role: critic, description: doubts }, { skill: helping } ]
      manager: { agent: m, retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 } }
      max_rounds: 3
";

fn says(content: &str) -> Json {
    json!({"content": content, "aside": "not kept"})
}

fn message(speaker: &str, content: &str) -> Json {
    json!({"speaker": speaker, "content": content})
}

#[test]
fn the_manager_says_who_speaks_and_when_it_is_over() {
    let mut case = given(MANAGED, json!("ship?"));
    let participants = json!([
        {"agent": "a", "role": "critic", "description": "doubts"},
        {"skill": "helping", "role": null, "description": null},
    ]);
    assert_eq!(
        case.input("chat/talk[1]/manager"),
        json!({"task": "ship?", "participants": participants, "messages": []})
    );
    case.complete("chat/talk[1]/manager", json!({"speaker": "a"}));
    assert_eq!(
        case.input("chat/talk[1]/speaker/a"),
        json!({"task": "ship?", "role": "critic", "messages": []})
    );
    case.complete("chat/talk[1]/speaker/a", says("why?"));
    let first = message("a", "why?");
    assert_eq!(
        case.input("chat/talk[2]/manager")["messages"],
        json!([first])
    );
    case.complete("chat/talk[2]/manager", json!({"speaker": "helping"}));
    assert_eq!(
        case.input("chat/talk[2]/speaker/helping"),
        json!({"task": "ship?", "role": null, "messages": [first]})
    );
    case.complete("chat/talk[2]/speaker/helping", says("tested"));
    case.complete(
        "chat/talk[3]/manager",
        json!({"done": true, "answer": "yes"}),
    );
    assert_eq!(case.step("chat/talk[3]/speaker"), StepState::Skipped);
    let messages = [first, message("helping", "tested")];
    assert_eq!(
        case.output(),
        json!({"chat": {"messages": messages, "answer": "yes", "votes": null, "verdict": null, "rounds": 2}})
    );
}

#[test]
fn a_manager_that_names_nobody_known_is_asked_again() {
    let mut case = given(MANAGED, json!(1));
    case.complete("chat/talk[1]/manager", json!({"speaker": "z"}));
    assert_eq!(case.step("chat/talk[1]/manager"), StepState::Retrying);
    case.after(1)
        .complete("chat/talk[1]/manager", json!({"done": false}));
    let (class, words, _) = case.error();
    assert_eq!(class, "invalid_output");
    assert!(words.ends_with("one of a, helping"), "{words}");
    case = given(MANAGED, json!(1));
    case.complete("chat/talk[1]/manager", json!({"speaker": "a"}))
        .complete("chat/talk[1]/speaker/a", json!("plain"));
    assert_eq!(case.error().0, "invalid_output");
}

#[test]
fn a_chat_without_an_end_in_time_ends_without_an_answer() {
    let mut case = given(MANAGED, json!(1));
    for round in 1..=3 {
        case.complete(
            &format!("chat/talk[{round}]/manager"),
            json!({"speaker": "a"}),
        )
        .complete(&format!("chat/talk[{round}]/speaker/a"), says("hm"));
    }
    let output = &case.output()["chat"];
    assert_eq!(
        (&output["answer"], &output["rounds"]),
        (&json!(null), &json!(3))
    );
}

#[test]
fn in_turn_each_speaks_once_a_round_and_inputs_may_select() {
    let mut case = given(
        "
steps:
  - id: c
    group_chat:
      participants:
        - { agent: a }
        - { agent: b, role: short, input: { as: '{{ role }}', of: '{{ task }}', heard: '{{ last }}', round: '{{ round }}' } }
      until: last.content == 'END' && round > 1
      max_rounds: 5
",
        json!("T"),
    );
    case.complete("c/talk[1]/speaker/a", says("END"));
    assert_eq!(
        case.input("c/talk[2]/speaker/b"),
        json!({"as": "short", "of": "T", "heard": message("a", "END"), "round": 1})
    );
    case.complete("c/talk[2]/speaker/b", says("no"));
    case.complete("c/talk[3]/speaker/a", says("END"));
    let output = &case.output()["c"];
    assert_eq!(output["rounds"], json!(2));
    assert_eq!(output["messages"].as_array().unwrap().len(), 3);
}

#[test]
fn an_expression_says_who_speaks_and_must_name_a_participant() {
    let yaml = "
steps:
  - id: c
    group_chat:
      participants: [ { agent: a }, { agent: b } ]
      speaker: \"size(messages) == 0 ? 'b' : input.then\"
      max_rounds: 2
";
    let mut case = given(yaml, json!({"then": "a"}));
    case.complete("c/talk[1]/speaker/b", says("x"));
    assert_eq!(case.input("c/talk[2]/speaker"), json!("a"));
    case.complete("c/talk[2]/speaker/a", says("y"));
    assert_eq!(case.output()["c"]["rounds"], json!(2));
    case = given(yaml, json!({"then": "z"}));
    case.complete("c/talk[1]/speaker/b", says("x"));
    assert_eq!(case.error().0, "invalid_output");
    assert!(case.error().1.contains("none of a, b"));
}

const VOTED: &str = "
steps:
  - id: c
    group_chat:
      participants: [ { agent: a, weight: 3 }, { agent: b }, { agent: d } ]
      max_rounds: 1
      vote: { rule: RULE, options: [yes, 'no'] }
      judge: { agent: j }
";

fn voted(rule: &str) -> Case {
    let mut case = given(&VOTED.replace("RULE", rule), json!("T"));
    for (place, speaker) in ["a", "b", "d"].into_iter().enumerate() {
        case.complete(
            &format!("c/talk[{}]/speaker/{speaker}", place + 1),
            says(speaker),
        );
    }
    case
}

#[test]
fn all_vote_at_once_and_a_judge_has_the_last_word() {
    let mut case = voted("MAJORITY");
    assert_eq!(case.waiting(), ["c/vote/a", "c/vote/b", "c/vote/d"]);
    let messages = [message("a", "a"), message("b", "b"), message("d", "d")];
    assert_eq!(
        case.input("c/vote/b"),
        json!({"task": "T", "messages": messages, "options": ["yes", "no"]})
    );
    let told = case.events.iter().filter_map(|e| match &e.kind {
        Some(event::Kind::StepScheduled(s)) if e.step.starts_with("c/vote/") => Some(s),
        _ => None,
    });
    let gathered: Vec<_> = told.map(|s| s.gathered.clone().unwrap()).collect();
    assert!(gathered.iter().all(|g| g.path == "c/talk" && g.count == 3));
    case.complete("c/vote/d", json!({"vote": "no", "reason": "late"}))
        .complete("c/vote/b", json!({"vote": "no"}))
        .complete("c/vote/a", json!({"vote": "yes"}));
    assert_eq!(
        case.input("c/judge"),
        json!({"task": "T", "messages": messages})
    );
    case.complete("c/judge", json!({"verdict": "d", "reason": "r"}));
    let output = &case.output()["c"];
    assert_eq!(output["answer"], json!("no"));
    assert_eq!(
        output["votes"],
        json!([
            {"speaker": "a", "vote": "yes", "reason": null},
            {"speaker": "b", "vote": "no", "reason": null},
            {"speaker": "d", "vote": "no", "reason": "late"},
        ])
    );
    assert_eq!(output["verdict"], json!({"verdict": "d", "reason": "r"}));
}

#[test]
fn a_vote_may_be_weighted_and_may_have_no_winner() {
    for (rule, votes, answer) in [
        ("WEIGHTED", ["yes", "no", "no"], json!("yes")),
        ("UNANIMOUS", ["yes", "yes", "no"], json!(null)),
        ("UNANIMOUS", ["no", "no", "no"], json!("no")),
    ] {
        let mut case = voted(rule);
        for (voter, vote) in ["a", "b", "d"].into_iter().zip(votes) {
            case.complete(&format!("c/vote/{voter}"), json!({"vote": vote}));
        }
        case.complete("c/judge", json!({"verdict": 1}));
        let output = &case.output()["c"];
        assert_eq!(output["answer"], answer, "{rule}");
        let weight = &output["votes"][0]["weight"];
        assert_eq!(weight.as_i64(), (rule == "WEIGHTED").then_some(3));
    }
    let mut case = voted("MAJORITY");
    case.complete("c/vote/a", json!({"vote": "maybe"}));
    assert_eq!(
        (case.error().0, case.error().2),
        ("invalid_output", "c/vote/a")
    );
}
