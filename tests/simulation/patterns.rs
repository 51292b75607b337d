//! Patterns over loops, and agents that answer as these ask: mostly.

use serde_json::{Value as Json, json};
use tutti::{
    core::{
        execution::Execution,
        value::{self, Value},
    },
    proto::{
        Decompose, GroupChat, Orchestrate, PatternCall, React, Refine, Vote, pattern_call, step,
        vote::Rule,
    },
};

use crate::{
    rng::Rng,
    shape::{retry, seconds},
};

pub fn kind(rng: &mut Rng) -> step::Kind {
    match rng.below(5) {
        3 => step::Kind::Orchestrate(Orchestrate {
            plan: Some(call(rng, "planner")),
            allow: vec!["worker".into()],
            max_parallel: rng.below(3) as u32,
            max_tasks: 1 + rng.below(5) as u32,
            synthesis: rng.chance(50).then(|| call(rng, "joiner")),
            max_rounds: 1 + rng.below(3) as u32,
        }),
        4 => step::Kind::Decompose(Decompose {
            simple: "task == 1 || depth == 2".into(),
            decompose: Some(call(rng, "divider")),
            solve: Some(call(rng, "worker")),
            combine: Some(call(rng, "joiner")),
            max_depth: 1 + rng.below(2) as u32,
            max_calls: 1 + rng.below(12) as u32,
        }),
        0 => step::Kind::React(React {
            reason: Some(call(rng, "reasoner")),
            tools: vec![call(rng, "worker"), call(rng, "other")],
            max_iterations: 1 + rng.below(4) as u32,
        }),
        1 => step::Kind::Refine(Refine {
            draft: Some(call(rng, "worker")),
            review: rng.chance(70).then(|| call(rng, "reviewer")),
            until: "draft == 1 || round == 2".into(),
            revise: rng.chance(50).then(|| call(rng, "reviser")),
            max_rounds: 1 + rng.below(3) as u32,
        }),
        _ => step::Kind::GroupChat(GroupChat {
            participants: vec![call(rng, "worker"), call(rng, "other")],
            manager: rng.chance(50).then(|| call(rng, "manager")),
            max_rounds: 1 + rng.below(3) as u32,
            until: if rng.chance(30) {
                "last.content == 1".into()
            } else {
                String::new()
            },
            vote: rng.chance(50).then(|| Vote {
                rule: (*rng.pick(&[Rule::Majority, Rule::Unanimous, Rule::Weighted])).into(),
                options: vec!["yes".into(), "no".into()],
            }),
            judge: rng.chance(50).then(|| call(rng, "judge")),
            ..GroupChat::default()
        }),
    }
}

fn call(rng: &mut Rng, agent: &str) -> PatternCall {
    PatternCall {
        target: Some(pattern_call::Target::Agent(agent.into())),
        timeout: rng.chance(20).then(|| seconds(1 + rng.below(20))),
        retry: rng.chance(40).then(|| retry(rng)),
        ..PatternCall::default()
    }
}

/// What the agent of a task answers; `calm`: as it should, and so that the pattern ends.
pub fn answer(rng: &mut Rng, execution: &Execution, task: u64, calm: bool) -> Value {
    let run = execution.task(task).map(|run| execution.run(run));
    let step = run.map_or("", |run| &*run.path);
    if !calm && rng.chance(10) {
        return value::number(rng.below(5) as f64);
    }
    let place = if calm { 0 } else { rng.below(3) };
    let end = step.rsplit('/').next().unwrap_or_default();
    let answers: [Json; 3] = match end {
        "reason" => [
            json!({"answer": 1}),
            json!({"thought": "t", "action": {"tool": "worker", "input": 2}}),
            json!({"action": {"tool": "nobody"}}),
        ],
        "manager" => [
            json!({"done": true, "answer": 1}),
            json!({"speaker": "worker"}),
            json!({"speaker": "other"}),
        ],
        end if end.ends_with("].judge") => [
            json!({"score": 1}),
            json!({"score": 0, "reason": "no"}),
            json!({"score": 0.5}),
        ],
        "judge" => [
            json!({"verdict": 1}),
            json!({"verdict": null}),
            json!({"verdict": "x"}),
        ],
        "plan" => [
            json!({"tasks": [{"agent": "worker"}], "done": true}),
            json!({"tasks": [{"agent": "worker", "input": 1}, {"skill": "other"}]}),
            json!({"tasks": []}),
        ],
        "decompose" => [
            json!({"tasks": [1, 1]}),
            json!({"tasks": [2, 3, 1]}),
            json!({"tasks": 1}),
        ],
        _ if step.contains("/speaker/") => [
            json!({"content": 1}),
            json!({"content": "long"}),
            json!({"content": null}),
        ],
        _ if step.contains("/vote/") => [
            json!({"vote": "yes"}),
            json!({"vote": "no", "reason": 1}),
            json!({"vote": "maybe"}),
        ],
        _ => return value::number(if calm { 1.0 } else { rng.below(5) as f64 }),
    };
    value::from_json(&answers[place])
}
