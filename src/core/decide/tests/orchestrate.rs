//! `orchestrate`: what is planned, done at once and joined; what goes wrong on the way.

use super::*;

const RESEARCH: &str = "
steps:
  - id: r
    input: { question: '{{ input }}' }
    orchestrate:
      plan: { agent: p, retry: { max_attempts: 2, initial_delay: 1s, jitter: 0 } }
      allow: [search, sums]
      max_parallel: 2
      max_tasks: 4
      synthesis: { agent: s }
";

fn search(query: &str) -> Json {
    json!({"agent": "search", "input": {"query": query}})
}

/// How the planner is told of someone who is not registered.
fn unknown(name: &str) -> Json {
    json!({"name": name, "description": null, "input_schema": null, "skills": []})
}

#[test]
fn the_planner_is_told_what_was_known_of_those_whom_it_may_call() {
    let yaml = "
agents: { writer: { agent: known }, painter: { skill: painting } }
steps:
  - { id: r, orchestrate: { plan: { agent: p }, allow: [known, writer, painter, nobody] } }
";
    let case = given(yaml, json!(null));
    let known = |name: &str| {
        json!({
            "name": name,
            "description": "says what it knows",
            "input_schema": {"type": "object"},
            "skills": ["knowing"],
        })
    };
    let mut painter = unknown("painter");
    painter["skills"] = json!(["painting"]);
    assert_eq!(
        case.input("r/rounds[1]/plan")["agents"],
        json!([known("known"), known("writer"), painter, unknown("nobody")])
    );
    assert!(case.execution.plan.tells_of.contains("known"));
}

fn result(task: Json, output: Json) -> Json {
    json!({"task": task, "output": output, "error": null})
}

#[test]
fn a_plan_is_done_at_once_and_what_it_gave_is_joined() {
    let mut case = given(RESEARCH, json!("why?"));
    let agents = json!([unknown("search"), unknown("sums")]);
    let task = json!({"question": "why?"});
    assert_eq!(
        case.input("r/rounds[1]/plan"),
        json!({"task": task, "agents": agents, "results": []})
    );
    let sums = json!({"skill": "sums", "input": [1, 2]});
    let tasks = [search("a"), sums.clone(), search("c")];
    case.complete("r/rounds[1]/plan", json!({"tasks": tasks}));
    let at_once = ["r/rounds[1]/tasks[0]/task", "r/rounds[1]/tasks[1]/task"];
    assert_eq!(case.waiting(), at_once);
    assert_eq!(case.input(at_once[0]), json!({"query": "a"}));
    assert_eq!(case.input(at_once[1]), json!([1, 2]));
    let targets = case.effects.iter().filter_map(|effect| match effect {
        Effect::Dispatch(d) if d.step.ends_with("task") => Some(format!("{:?}", d.target)),
        _ => None,
    });
    let targets: Vec<String> = targets.collect();
    assert!(targets[0].contains("Agent(\"search\")"), "{targets:?}");
    assert!(targets[1].contains("skill: \"sums\""), "{targets:?}");
    case.complete(at_once[1], json!(3));
    case.complete("r/rounds[1]/tasks[2]/task", json!("c found"));
    case.complete(at_once[0], json!("a found"));
    let results = json!([
        result(search("a"), json!("a found")),
        result(sums, json!(3)),
        result(search("c"), json!("c found")),
    ]);
    assert_eq!(
        case.input("r/synthesis"),
        json!({"task": task, "results": results})
    );
    let answer = json!({"answer": 42});
    assert_eq!(
        case.complete("r/synthesis", answer.clone()).output(),
        json!({"r": answer})
    );
}

#[test]
fn a_task_that_fails_or_is_not_allowed_is_a_result() {
    let yaml = RESEARCH.replace("      synthesis: { agent: s }\n", "");
    let mut case = given(&yaml, json!(1));
    let other = json!({"agent": "other"});
    case.complete("r/rounds[1]/plan", json!({"tasks": [search("a"), other]}));
    case.fail("r/rounds[1]/tasks[0]/task", "own");
    let output = case.output();
    let results = output["r"].as_array().unwrap();
    assert_eq!(results[0]["error"]["class"], "own");
    assert_eq!(results[0]["output"], Json::Null);
    assert_eq!(results[0]["task"], search("a"));
    assert_eq!(results[1]["error"]["class"], "refused");
    assert_eq!(
        results[1]["error"]["message"],
        "`other` is not among those allowed: search, sums"
    );
    assert_eq!(results[1]["error"]["step"], "r/rounds[1]/tasks[1]/task");
    assert_eq!(results[1]["task"], other);
}

#[test]
fn more_tasks_than_there_may_be_fail_the_step() {
    let mut case = given(RESEARCH, json!(1));
    let tasks: Vec<Json> = (0..5).map(|_| search("a")).collect();
    case.complete("r/rounds[1]/plan", json!({"tasks": tasks}));
    let words = "there are 5 in all, max_tasks is 4";
    assert_eq!(case.error(), ("limit", words, "r/rounds[1]/tasks"));
}

#[test]
fn a_plan_that_is_none_is_asked_for_again() {
    for plan in [
        json!("search"),
        json!({"tasks": [{"input": 1}]}),
        json!({"tasks": {}}),
        json!({"done": false}),
    ] {
        let mut case = given(RESEARCH, json!(1));
        case.complete("r/rounds[1]/plan", plan.clone());
        assert_eq!(case.step("r/rounds[1]/plan"), StepState::Retrying, "{plan}");
        case.after(1)
            .complete("r/rounds[1]/plan", json!({"done": true}));
        assert_eq!(case.input("r/synthesis")["results"], json!([]));
    }
}

const ROUNDS: &str = "
steps:
  - id: r
    orchestrate: { plan: { agent: p }, max_tasks: 3, max_rounds: 2 }
";

#[test]
fn the_next_plan_knows_what_was_done_and_the_last_one_says_that_it_is() {
    let mut case = given(ROUNDS, json!("t"));
    assert_eq!(case.input("r/rounds[1]/plan")["agents"], json!([]));
    case.complete("r/rounds[1]/plan", json!({"tasks": [search("a")]}));
    case.complete("r/rounds[1]/tasks[0]/task", json!("found"));
    let first = result(search("a"), json!("found"));
    assert_eq!(case.input("r/rounds[2]/plan")["results"], json!([first]));
    case.complete(
        "r/rounds[2]/plan",
        json!({"tasks": [search("b")], "done": true}),
    );
    case.complete("r/rounds[2]/tasks[0]/task", json!("more"));
    let second = result(search("b"), json!("more"));
    assert_eq!(case.output(), json!({"r": [first, second]}));
}

#[test]
fn tasks_of_all_rounds_are_counted_and_plans_are_bounded() {
    let second_plan = || {
        let mut case = given(ROUNDS, json!("t"));
        case.complete(
            "r/rounds[1]/plan",
            json!({"tasks": [search("a"), search("b")]}),
        );
        case.complete("r/rounds[1]/tasks[0]/task", json!(1));
        case.complete("r/rounds[1]/tasks[1]/task", json!(1));
        case
    };
    let mut case = second_plan();
    case.complete(
        "r/rounds[2]/plan",
        json!({"tasks": [search("a"), search("b")]}),
    );
    assert_eq!(case.error().1, "there are 4 in all, max_tasks is 3");
    let mut case = second_plan();
    case.complete("r/rounds[2]/plan", json!({"tasks": [search("a")]}));
    case.complete("r/rounds[2]/tasks[0]/task", json!(1));
    assert_eq!((case.error().0, case.error().2), ("limit", "r/rounds"));
}
