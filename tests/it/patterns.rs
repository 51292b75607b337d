//! Patterns over loops on a real server: shown by their names, durable turn by turn, told once.

mod killed;

use prost::Message as _;
use serde_json::{Value as Json, json};
use tutti::{
    core::value,
    proto::{
        Agent, Event, RegisterAgentRequest, StepScheduled, ValidateWorkflowRequest,
        event::Kind,
        execution::State,
        step_execution::{Exit, State as StepState},
    },
};

use crate::{
    loops::events,
    support::{TestServer, json_of},
};

const REACT: &str = "
name: react
steps:
  - id: answer
    react:
      reason: { agent: thinker, retry: { max_attempts: 3, initial_delay: 1ms, jitter: 0 } }
      tools: [ { agent: lookup, description: 'knows much' }, { agent: other } ]
      max_iterations: 60
output: '{{ steps.answer.output }}'
";

/// Polls for an agent's task at this step and completes it; what it was given.
async fn turn(server: &TestServer, agent: &str, step: &str, output: Json) -> Json {
    let task = server.poll(agent).await;
    assert_eq!(task.step, step);
    server.complete(&task, output).await.unwrap();
    json_of(&task.input)
}

fn act(tool: &str, input: impl Into<Json>) -> Json {
    json!({"thought": "hm", "action": {"tool": tool, "input": input.into()}})
}

fn scheduled(event: &Event) -> Option<&StepScheduled> {
    match &event.kind {
        Some(Kind::StepScheduled(scheduled)) => Some(scheduled),
        _ => None,
    }
}

#[tokio::test]
async fn a_reasoner_goes_on_after_a_restart_with_the_turn_it_was_in() {
    let mut server = TestServer::start().await;
    let schema = json!({"type": "string"});
    let lookup = Agent {
        id: "lookup".into(),
        input_schema: Some(value::from_json(&schema)),
        ..Default::default()
    };
    let request = RegisterAgentRequest {
        agent: Some(lookup),
        ..Default::default()
    };
    server.agents().register_agent(request).await.unwrap();
    server.register(REACT).await;
    let id = server.begin("react", json!({"question": "q"})).await;
    turn(&server, "thinker", "answer[1]/reason", act("lookup", "x")).await;
    turn(&server, "lookup", "answer[1]/tool/lookup", json!("found x")).await;
    server.restart().await;
    let task = server.poll("thinker").await;
    let given = json_of(&task.input);
    assert_eq!(given["task"], json!({"question": "q"}));
    assert_eq!(
        given["tools"][0],
        json!({"name": "lookup", "description": "knows much", "input_schema": schema})
    );
    let first = json!({"thought": "hm", "action": {"tool": "lookup", "input": "x"},
        "observation": "found x"});
    assert_eq!(given["transcript"], json!([first]));
    server.fail(&task, "unavailable").await.unwrap();
    turn(&server, "thinker", "answer[2]/reason", act("shell", "rm")).await;
    turn(&server, "thinker", "answer[3]/reason", act("other", 1)).await;
    let refused = server.poll("other").await;
    server.fail(&refused, "refused").await.unwrap();
    let done = json!({"thought": "now", "answer": 42});
    let given = turn(&server, "thinker", "answer[4]/reason", done).await;
    let class = |n: usize| &given["transcript"][n]["observation"]["error"]["class"];
    assert_eq!([class(1), class(2)], [&json!("refused"), &json!("refused")]);
    let execution = server.ended(&id).await;
    assert_eq!(
        json_of(&execution.output),
        json!({"answer": 42, "iterations": 4})
    );
    let step = |path: &str| execution.steps.iter().find(|s| s.path == path).unwrap();
    let answer = step("answer");
    assert_eq!((answer.kind.as_str(), answer.iterations), ("react", 4));
    assert_eq!(answer.exit(), Exit::Condition);
    let shown = json_of(&step("answer[2]/reason").input);
    assert_eq!(
        shown["transcript"],
        json!([first]),
        "GetExecution shows it whole"
    );
    assert_eq!(step("answer[3]/tool/other").state(), StepState::Failed);
    let all = events(&server, &id).await;
    let done = all.iter().filter(|e| e.step == "answer[1]/reason");
    assert_eq!(done.count(), 3, "scheduled, started and completed, once");
}

#[tokio::test]
async fn fifty_turns_are_kept_in_bytes_that_grow_with_the_turns() {
    let server = TestServer::start().await;
    server.register(REACT).await;
    let id = server.begin("react", json!("q")).await;
    let (asked, found) = ("x".repeat(400), "y".repeat(400));
    for n in 1..=50 {
        let reason = format!("answer[{n}]/reason");
        let given = turn(&server, "thinker", &reason, act("lookup", &*asked)).await;
        assert_eq!(given["transcript"].as_array().unwrap().len(), n - 1);
        let tool = format!("answer[{n}]/tool/lookup");
        turn(&server, "lookup", &tool, json!(found)).await;
    }
    let all = events(&server, &id).await;
    let last = all.iter().filter(|e| e.step == "answer[50]/reason");
    let gathered = last.filter_map(scheduled).next().unwrap().gathered.clone();
    let gathered = gathered.expect("the transcript is left out");
    assert_eq!((gathered.path.as_str(), gathered.count), ("answer", 49));
    let bytes = |from: usize, to: usize| -> usize {
        let first = |n: usize| {
            let step = format!("answer[{n}]/reason");
            all.iter().position(|e| e.step == step).unwrap_or(all.len())
        };
        all[first(from)..first(to)]
            .iter()
            .map(Event::encoded_len)
            .sum()
    };
    let (early, late) = (bytes(2, 26), bytes(26, 50));
    assert!(late * 100 <= early * 103, "{early} then {late} bytes");
    server.terminate(&id).await;
}

#[tokio::test]
async fn a_draft_is_revised_and_a_reasoner_without_an_answer_fails() {
    let server = TestServer::start().await;
    server
        .register(
            "
name: refine
mode: SEQUENCE
steps:
  - id: text
    refine: { draft: { agent: writer }, review: { agent: reviewer }, until: review.score > 1 }
  - id: think
    react: { reason: { agent: thinker }, tools: [ { agent: t } ], max_iterations: 1 }
",
        )
        .await;
    let id = server.begin("refine", json!("topic")).await;
    turn(&server, "writer", "text[1]/draft", json!("one")).await;
    turn(&server, "reviewer", "text[1]/review", json!({"score": 1})).await;
    let given = turn(&server, "writer", "text[2]/revise", json!("two")).await;
    assert_eq!(
        given,
        json!({"input": "topic", "draft": "one", "review": {"score": 1}, "round": 2})
    );
    turn(&server, "reviewer", "text[2]/review", json!({"score": 2})).await;
    let given = turn(&server, "thinker", "think[1]/reason", act("t", 0)).await;
    assert_eq!(
        given["task"],
        json!({"output": "two", "review": {"score": 2}, "rounds": 2, "accepted": true})
    );
    turn(&server, "t", "think[1]/tool/t", json!(0)).await;
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Failed);
    let error = execution.error.unwrap();
    assert_eq!(
        (error.class.as_str(), error.step.as_str()),
        ("limit", "think")
    );
}

#[tokio::test]
async fn a_group_speaks_votes_and_is_judged_over_one_transcript() {
    let mut server = TestServer::start().await;
    server
        .register(
            "
name: chat
steps:
  - id: chat
    group_chat:
      participants: [ { agent: a, role: pro }, { agent: b, role: contra, weight: 2 } ]
      manager: { agent: m }
      vote: { rule: WEIGHTED, options: [approve, reject] }
      judge: { agent: j }
",
        )
        .await;
    let id = server.begin("chat", json!("go?")).await;
    turn(
        &server,
        "m",
        "chat/talk[1]/manager",
        json!({"speaker": "b"}),
    )
    .await;
    let said = json!({"content": "no"});
    let given = turn(&server, "b", "chat/talk[1]/speaker/b", said).await;
    assert_eq!(
        given,
        json!({"task": "go?", "role": "contra", "messages": []})
    );
    server.restart().await;
    let messages = json!([{"speaker": "b", "content": "no"}]);
    let given = turn(&server, "m", "chat/talk[2]/manager", json!({"done": true})).await;
    assert_eq!(given["messages"], messages);
    let vote = json!({"vote": "approve", "reason": "why not"});
    let given = turn(&server, "a", "chat/vote/a", vote).await;
    assert_eq!(
        given,
        json!({"task": "go?", "messages": messages, "options": ["approve", "reject"]})
    );
    turn(&server, "b", "chat/vote/b", json!({"vote": "reject"})).await;
    let verdict = json!({"verdict": "b", "reason": "louder"});
    let given = turn(&server, "j", "chat/judge", verdict.clone()).await;
    assert_eq!(given, json!({"task": "go?", "messages": messages}));
    let execution = server.ended(&id).await;
    let output = json_of(&execution.output)["chat"].take();
    assert_eq!(
        (&output["answer"], &output["rounds"]),
        (&json!("reject"), &json!(1))
    );
    assert_eq!(
        (&output["messages"], &output["verdict"]),
        (&messages, &verdict)
    );
    assert_eq!(output["votes"][1]["weight"], json!(2));
    let chat = execution.steps.iter().find(|s| s.path == "chat").unwrap();
    assert_eq!(chat.kind, "group_chat");
}

#[tokio::test]
async fn what_is_wrong_with_a_pattern_is_found_where_it_is_written() {
    let server = TestServer::start().await;
    let source = "name: x
steps:
  - id: a
    react: { reason: { agent: r } }
  - id: b
    refine: { draft: { agent: d }, untill: draft }
  - id: c
    group_chat:
      participants: [ { agent: p } ]
      vote: { options: [ yes ] }
";
    let request = ValidateWorkflowRequest {
        source: source.into(),
        ..Default::default()
    };
    let answer = server.workflows().validate_workflow(request).await;
    let findings = answer.unwrap().into_inner().findings;
    let found: Vec<_> = findings
        .iter()
        .map(|f| (f.line, f.rule.as_str(), f.path.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (4, "required", "steps[0].react.tools"),
            (6, "required", "steps[1].refine.until"),
            (6, "unknown-field", "steps[1].refine.untill"),
            (10, "required", "steps[2].group_chat.vote.options"),
        ]
    );
}
