//! `react`: turns of reasoning and acting, the transcript told once.

use prost::Message as _;

use super::*;
use crate::proto::event;

const ANSWER: &str = "
steps:
  - id: solve
    input: { question: '{{ input }}' }
    react:
      reason: { agent: thinker, retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 } }
      tools: [ { agent: search, description: finds }, { skill: text/sums }, { agent: known } ]
      max_iterations: 3
";

fn act(tool: &str, input: Json) -> Json {
    json!({"thought": "so", "action": {"tool": tool, "input": input}})
}

fn answer(answer: Json) -> Json {
    json!({"thought": "done", "answer": answer})
}

/// What the events of a step scheduled: what is left out, and the input that they hold.
fn scheduled(case: &Case, step: &str) -> (Option<(String, String, u32)>, Json) {
    let events = case.events.iter().filter(|e| e.step == step);
    let mut found = events.filter_map(|e| match &e.kind {
        Some(event::Kind::StepScheduled(s)) => Some(s),
        _ => None,
    });
    let scheduled = found.next_back().unwrap();
    let gathered = scheduled.gathered.clone();
    let gathered = gathered.map(|g| (g.field, g.path, g.count));
    let input = scheduled.input.as_ref().map_or(Json::Null, value::to_json);
    (gathered, input)
}

#[test]
fn the_reasoner_is_shown_what_its_tools_gave_until_it_answers() {
    let mut case = given(ANSWER, json!("how many?"));
    let tools = json!([
        {"name": "search", "description": "finds", "input_schema": null},
        {"name": "text/sums", "description": null, "input_schema": null},
        {"name": "known", "description": "says what it knows", "input_schema": {"type": "object"}},
    ]);
    assert_eq!(
        case.input("solve[1]/reason"),
        json!({"task": {"question": "how many?"}, "tools": tools, "transcript": []})
    );
    case.complete("solve[1]/reason", act("search", json!({"for": "x"})));
    assert_eq!(case.input("solve[1]/tool/search"), json!({"for": "x"}));
    case.complete("solve[1]/tool/search", json!([1, 2]));
    let first = json!({"thought": "so", "action": {"tool": "search", "input": {"for": "x"}},
        "observation": [1, 2]});
    assert_eq!(case.input("solve[2]/reason")["transcript"], json!([first]));
    case.complete("solve[2]/reason", act("text/sums", json!(7)));
    assert_eq!(case.input("solve[2]/tool/#2"), json!(7));
    case.complete("solve[2]/tool/#2", json!(8));
    case.complete("solve[3]/reason", answer(json!("3")));
    assert_eq!(case.step("solve[3]/tool"), StepState::Skipped);
    assert_eq!(
        case.output(),
        json!({"solve": {"answer": "3", "iterations": 3}})
    );
}

#[test]
fn the_events_hold_the_transcript_once() {
    let mut case = given(ANSWER, json!("q"));
    case.complete("solve[1]/reason", act("search", json!(1)))
        .complete("solve[1]/tool/search", json!("found"));
    let (gathered, told) = scheduled(&case, "solve[2]/reason");
    assert_eq!(gathered, Some(("transcript".into(), "solve".into(), 1)));
    assert!(told.get("transcript").is_none() && told.get("tools").is_some());
    assert_eq!(
        case.input("solve[2]/reason")["transcript"][0]["observation"],
        json!("found"),
        "what the agent is given is whole"
    );
    case.fail("solve[2]/reason", "unavailable").after(1);
    let (gathered, _) = scheduled(&case, "solve[2]/reason");
    assert_eq!(gathered.unwrap().2, 1, "of a second attempt too");
    let plan = Arc::clone(&case.execution.plan);
    let again = Execution::replay(plan, &case.events).unwrap();
    assert_eq!(again, case.execution);
}

#[test]
fn a_tool_that_fails_or_is_not_in_the_list_is_shown_to_the_reasoner() {
    let mut case = given(ANSWER, json!("q"));
    case.complete("solve[1]/reason", act("search", json!(1)));
    case.fail("solve[1]/tool/search", "refused");
    case.complete("solve[2]/reason", act("rm", json!("-rf")));
    let transcript = &case.input("solve[3]/reason")["transcript"];
    let observed: Vec<_> = (0..2).map(|n| &transcript[n]["observation"]).collect();
    assert_eq!(
        observed,
        [
            &json!({"error": {"class": "refused", "message": "solve[1]/tool/search says no"}}),
            &json!({"error": {"class": "refused", "message": "there is no tool `rm`"}}),
        ]
    );
    case.complete("solve[3]/reason", answer(json!(null)));
    assert_eq!(
        case.step("solve[3]/reason"),
        StepState::Retrying,
        "null is no answer"
    );
}

#[test]
fn an_answer_that_is_none_is_asked_for_again_as_its_retry_says() {
    let mut case = given(ANSWER, json!("q"));
    case.complete("solve[1]/reason", json!("I think"));
    assert_eq!(case.step("solve[1]/reason"), StepState::Retrying);
    case.after(1)
        .complete("solve[1]/reason", json!({"action": {"input": 1}}));
    let (class, words, step) = case.error();
    assert_eq!((class, step), ("invalid_output", "solve[1]/reason"));
    assert!(
        words.contains("{thought, action: {tool, input}}"),
        "{words}"
    );
}

#[test]
fn a_reasoner_without_an_answer_in_time_fails_the_step() {
    let mut case = given(ANSWER, json!("q"));
    for turn in 1..=3 {
        case.complete(&format!("solve[{turn}]/reason"), act("search", json!(1)))
            .complete(&format!("solve[{turn}]/tool/search"), json!(1));
    }
    assert_eq!((case.error().0, case.error().2), ("limit", "solve"));
    assert!(case.error().1.contains("after 3 iterations"));
}

#[test]
fn inputs_of_their_own_see_the_pattern_and_the_steps_around() {
    let mut case = given(
        "
mode: SEQUENCE
steps:
  - { id: before, agent: a }
  - id: solve
    react:
      reason:
        agent: thinker
        input: { asked: '{{ task }}', so_far: '{{ transcript }}', turn: '{{ iteration }}', b: '{{ steps.before.output }}', p: '{{ previous }}' }
      tools: [ { agent: t, input: { note: '{{ steps.before.output }}', call: '{{ tool_input }}' } } ]
    output: '{{ output.answer }}'
    gates: { after: [ { cel: output.iterations == 2 } ] }
",
        json!(0),
    );
    case.complete("before", json!("B"));
    case.complete("solve[1]/reason", json!({"action": {"tool": "t"}}));
    assert_eq!(
        case.input("solve[1]/tool/t"),
        json!({"note": "B", "call": null})
    );
    case.complete("solve[1]/tool/t", json!(5));
    let entry = json!({"thought": null, "action": {"tool": "t"}, "observation": 5});
    assert_eq!(
        case.input("solve[2]/reason"),
        json!({"asked": "B", "so_far": [entry], "turn": 2, "b": "B", "p": "B"})
    );
    let (gathered, _) = scheduled(&case, "solve[2]/reason");
    assert_eq!(gathered.unwrap().0, "so_far");
    case.complete("solve[2]/reason", answer(json!(9)));
    assert_eq!(case.output(), json!(9));
}

#[test]
fn the_events_of_fifty_turns_grow_with_the_turns_and_not_with_their_square() {
    let yaml = "steps: [ { id: r, react: { reason: { agent: a }, tools: [ { agent: t } ], max_iterations: 50 } } ]";
    let mut case = given(yaml, json!("q"));
    let mut sizes = Vec::new();
    for turn in 1..=50 {
        let before = case.events.len();
        case.complete(
            &format!("r[{turn}]/reason"),
            act("t", json!("x".repeat(500))),
        )
        .complete(&format!("r[{turn}]/tool/t"), json!("y".repeat(500)));
        let events = case.events[before..].iter();
        sizes.push(events.map(prost::Message::encoded_len).sum::<usize>());
    }
    let (first, second) = sizes.split_at(25);
    let (first, second): (usize, usize) = (first.iter().sum(), second.iter().sum());
    assert!(second * 100 <= first * 103, "{first} then {second} bytes");
    assert!(case.events.iter().map(|e| e.encoded_len()).max() < Some(2_000));
}
