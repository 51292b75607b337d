//! Tasks that agents plan, and tasks that are divided, on a real server: every one a step of its
//! own, none done twice.

use serde_json::{Value as Json, json};
use tutti::{
    core::value,
    proto::{Agent, RegisterAgentRequest, execution::State, step_execution::State as StepState},
};

use crate::{
    loops::events,
    support::{TestServer, json_of},
};

/// Polls for an agent's task and completes it; its step, and what it was given.
async fn turn(server: &TestServer, agent: &str, output: Json) -> (String, Json) {
    let task = server.poll(agent).await;
    server.complete(&task, output).await.unwrap();
    (task.step, json_of(&task.input))
}

/// Registers the searching agent.
async fn describe(server: &TestServer, description: &str) {
    let agent = Agent {
        id: "search".into(),
        description: description.into(),
        skills: vec!["searching".into()],
        input_schema: Some(value::from_json(&json!({"type": "string"}))),
        ..Agent::default()
    };
    let request = RegisterAgentRequest {
        agent: Some(agent),
        ..Default::default()
    };
    server.agents().register_agent(request).await.unwrap();
}

#[tokio::test]
async fn planned_tasks_go_on_after_a_restart_and_failures_are_told_to_who_joins() {
    let mut server = TestServer::start().await;
    let source = "
name: research
steps:
  - id: r
    orchestrate:
      plan: { agent: planner }
      allow: [search, sums]
      max_rounds: 2
      synthesis: { agent: joiner }
output: '{{ steps.r.output }}'
";
    server.register(source).await;
    describe(&server, "finds what is written").await;
    let id = server.begin("research", json!("why?")).await;
    describe(&server, "finds nothing any more").await;
    let find = |query: &str| json!({"agent": "search", "input": query});
    let plan = json!({"tasks": [find("a"), find("b"), {"agent": "shell", "input": "rm"}]});
    turn(&server, "planner", plan).await;
    let first = turn(&server, "search", json!("found a")).await;
    assert_eq!(first, ("r/rounds[1]/tasks[0]/task".into(), json!("a")));
    server.restart().await;
    let second = server.poll("search").await;
    assert_eq!(second.step, "r/rounds[1]/tasks[1]/task");
    server.fail(&second, "own").await.unwrap();
    let done = json!({"tasks": [{"agent": "sums", "input": 2}], "done": true});
    let (step, given) = turn(&server, "planner", done).await;
    assert_eq!(step, "r/rounds[2]/plan");
    assert_eq!(given["task"], json!("why?"));
    assert_eq!(
        given["agents"],
        json!([
            {
                "name": "search",
                "description": "finds what is written",
                "input_schema": {"type": "string"},
                "skills": ["searching"],
            },
            {"name": "sums", "description": null, "input_schema": null, "skills": []},
        ]),
        "as it was when the execution started"
    );
    let results = given["results"].as_array().unwrap();
    assert_eq!(results[0]["output"], json!("found a"));
    let classes = [&results[1]["error"]["class"], &results[2]["error"]["class"]];
    assert_eq!(classes, [&json!("own"), &json!("refused")]);
    turn(&server, "sums", json!(4)).await;
    let (step, given) = turn(&server, "joiner", json!("because")).await;
    assert_eq!(step, "r/synthesis");
    assert_eq!(given["results"][3]["output"], json!(4));
    let execution = server.ended(&id).await;
    assert_eq!(json_of(&execution.output), json!("because"));
    let all = events(&server, &id).await;
    let of = |step: &str| all.iter().filter(|e| e.step == step).count();
    assert_eq!(of("r/rounds[1]/tasks[0]/task"), 3, "done once");
    assert_eq!(execution.steps[0].kind, "orchestrate");
}

#[tokio::test]
async fn a_task_is_divided_over_a_restart_and_bounded_in_calls() {
    let mut server = TestServer::start().await;
    let source = "
name: sum
steps:
  - id: sum
    input: '{{ input.of }}'
    decompose:
      simple: size(task) <= 1
      decompose: { agent: divider }
      solve: { agent: solver }
      combine: { agent: combiner }
      max_calls: 5
output: '{{ steps.sum.output }}'
";
    server.register(source).await;
    let id = server.begin("sum", json!({"of": [1, 2]})).await;
    let (step, given) = turn(&server, "divider", json!({"tasks": [[1], [2]]})).await;
    assert_eq!(step, "sum/decompose");
    assert_eq!(given, json!({"task": [1, 2], "depth": 0}));
    let first = turn(&server, "solver", json!(10)).await;
    assert_eq!(first, ("sum/parts[0]/part/solve".into(), json!([1])));
    server.restart().await;
    let second = turn(&server, "solver", json!(20)).await;
    assert_eq!(second, ("sum/parts[1]/part/solve".into(), json!([2])));
    let (step, given) = turn(&server, "combiner", json!(30)).await;
    assert_eq!(step, "sum/combine");
    assert_eq!(given, json!({"task": [1, 2], "results": [10, 20]}));
    let execution = server.ended(&id).await;
    assert_eq!(json_of(&execution.output), json!(30));
    let shown = |path: &str| execution.steps.iter().find(|s| s.path == path).unwrap();
    assert_eq!(shown("sum").kind, "decompose");
    assert_eq!(shown("sum/parts[1]").state(), StepState::Completed);

    let id = server.begin("sum", json!({"of": [1, 2, 3, 4, 5]})).await;
    let parts = json!({"tasks": [[1], [2], [3], [4], [5]]});
    turn(&server, "divider", parts).await;
    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Failed);
    let error = execution.error.unwrap();
    assert_eq!(error.class, "limit");
    assert_eq!(error.message, "step sum has made 5 calls, max_calls is 5");
}
