//! Random definitions: nested, with every policy, all of them valid.

use tutti::{
    core::value,
    proto::{
        Block, Cache, Call, Case, Child, Each, Gate, Gates, Join, Judge, Loop, Repair, RetryPolicy,
        Step, Switch, Transition, Wait, Workflow, block, cache, call, gate, join, step, wait,
    },
};

use crate::{beside, patterns, rng::Rng};

const DEPTH_MAX: usize = 3;
const STEPS_MAX: usize = 4;

pub fn workflow(rng: &mut Rng) -> Workflow {
    let mode = mode(rng);
    let mut workflow = Workflow {
        name: "simulated".into(),
        steps: steps(rng, mode, 0),
        mode: mode.into(),
        max_transitions: transitions(rng, mode),
        max_parallel_steps: if rng.chance(30) {
            1 + rng.below(3) as u32
        } else {
            0
        },
        timeout: rng.chance(20).then(|| seconds(20 + rng.below(200))),
        retry: rng.chance(30).then(|| retry(rng)),
        goal: if rng.chance(10) {
            vec![gate(rng)]
        } else {
            vec![]
        },
        ..Workflow::default()
    };
    beside::add_to_workflow(rng, &mut workflow);
    beside::mark(rng, &mut workflow);
    workflow
}

fn mode(rng: &mut Rng) -> block::Mode {
    *rng.pick(&[
        block::Mode::Unspecified,
        block::Mode::Sequence,
        block::Mode::Parallel,
        block::Mode::Graph,
        block::Mode::States,
    ])
}

pub fn steps(rng: &mut Rng, mode: block::Mode, depth: usize) -> Vec<Step> {
    let count = 1 + rng.below(STEPS_MAX);
    let mut steps: Vec<Step> = Vec::new();
    for place in 0..count {
        let mut step = step(rng, format!("s{place}"), depth);
        if place > 0 && mode != block::Mode::Parallel {
            relate(rng, &mut step, &steps, mode);
        }
        steps.push(step);
    }
    if mode == block::Mode::States {
        lead_on(rng, &mut steps);
    }
    steps
}

/// Ways between states: anywhere under a condition, else to the next one.
fn lead_on(rng: &mut Rng, steps: &mut [Step]) {
    let count = steps.len();
    for (place, step) in steps.iter_mut().enumerate() {
        let conditions = ["output == 1", "output == null", "output > 2", "1 > 2"];
        let ways = (0..rng.below(3)).map(|_| Transition {
            when: (*rng.pick(&conditions)).into(),
            to: format!("s{}", rng.below(count)),
            input: rng.chance(30).then(|| value::string("{{ output }}")),
        });
        step.next = ways.collect();
        if place + 1 < count {
            step.next.push(Transition {
                when: if rng.chance(10) { "input != 7" } else { "" }.into(),
                to: format!("s{}", place + 1),
                input: None,
            });
        } else if rng.chance(80) {
            step.next.clear();
        }
    }
}

fn transitions(rng: &mut Rng, mode: block::Mode) -> u32 {
    match mode {
        block::Mode::States => 1 + rng.below(9) as u32,
        _ => 0,
    }
}

/// Makes a step wait for, or read, one before it.
fn relate(rng: &mut Rng, step: &mut Step, before: &[Step], mode: block::Mode) {
    let other = rng.pick(before).id.clone();
    let one_by_one = matches!(mode, block::Mode::Sequence | block::Mode::States);
    if !one_by_one && rng.chance(50) {
        step.depends_on.push(other.clone());
    }
    if rng.chance(30) {
        let text = format!("{{{{ steps.{other}.output }}}}");
        step.input = Some(value::string(text));
    }
    if rng.chance(20) {
        step.when = format!("steps.{other}.state == 'COMPLETED'");
    }
}

/// How one of several agents is chosen.
fn chosen(rng: &mut Rng) -> Call {
    let keys = ["execution.id", "input", "string(execution.attempt)"];
    match rng.chance(50) {
        true => Call::default(),
        false => Call {
            select: call::Select::Sticky.into(),
            key: (*rng.pick(&keys)).into(),
            ..Call::default()
        },
    }
}

fn step(rng: &mut Rng, id: String, depth: usize) -> Step {
    let kind = match rng.below(if depth < DEPTH_MAX { 13 } else { 8 }) {
        0..=3 => step::Kind::Agent("worker".into()),
        4 => step::Kind::Call(Call {
            target: Some(call::Target::Skill("skill".into())),
            fallback: vec![called("worker"); rng.below(3)],
            ..chosen(rng)
        }),
        5 => step::Kind::Set(prost_types::Struct {
            fields: [(format!("v{}", rng.below(3)), value::number(1.0))].into(),
        }),
        6 => step::Kind::Workflow(Child {
            name: "other".into(),
            version: rng.below(2) as u32,
            detached: rng.chance(20),
        }),
        7 => step::Kind::Wait(wait(rng)),
        8 => step::Kind::Block(block(rng, depth)),
        9 => step::Kind::Loop(looped(rng, depth)),
        10 => step::Kind::Each(each(rng, depth)),
        11 => patterns::kind(rng),
        _ => step::Kind::Switch(switch(rng, depth)),
    };
    let is_call = matches!(kind, step::Kind::Agent(_) | step::Kind::Call(_));
    let mut step = Step {
        id,
        kind: Some(kind),
        when: if rng.chance(8) {
            "1 > 2".into()
        } else {
            String::new()
        },
        timeout: rng.chance(20).then(|| seconds(1 + rng.below(20))),
        queue_timeout: (is_call && rng.chance(20)).then(|| seconds(1 + rng.below(20))),
        total_timeout: rng.chance(15).then(|| seconds(5 + rng.below(60))),
        retry: rng.chance(40).then(|| retry(rng)),
        on_error: match rng.below(20) {
            0..=4 => step::OnError::Continue.into(),
            5 => step::OnError::Park.into(),
            _ => step::OnError::Unspecified.into(),
        },
        gates: rng.chance(15).then(|| Gates {
            before: if rng.chance(20) {
                vec![gate(rng)]
            } else {
                vec![]
            },
            after: vec![gate(rng)],
        }),
        save: rng.chance(15).then(|| prost_types::Struct {
            fields: [("saved".to_owned(), value::string("{{ output }}"))].into(),
        }),
        cache: rng.chance(10).then(|| Cache {
            scope: cache::Scope::Execution.into(),
            ..Cache::default()
        }),
        output: rng.chance(10).then(|| {
            value::string("{{ missing(output) ? 1 : 2 }}".replace("missing(output)", "output == 1"))
        }),
        output_schema: rng
            .chance(8)
            .then(|| value::object([("minimum", value::number(2.0))])),
        ..Step::default()
    };
    if depth <= DEPTH_MAX {
        beside::add_to_step(rng, &mut step);
    }
    let useless = matches!(step.kind, Some(step::Kind::Set(_) | step::Kind::Wait(_)));
    if useless || step.compensation.is_some() {
        step.cache = None;
    }
    step
}

fn called(agent: &str) -> Call {
    Call {
        target: Some(call::Target::Agent(agent.into())),
        ..Call::default()
    }
}

fn block(rng: &mut Rng, depth: usize) -> Block {
    let mode = mode(rng);
    let steps = steps(rng, mode, depth + 1);
    let joins = matches!(mode, block::Mode::Parallel | block::Mode::Graph) && rng.chance(40);
    let join = joins.then(|| Join {
        need: Some(if rng.chance(50) {
            join::Need::Successes(1 + rng.below(steps.len()) as u32)
        } else {
            join::Need::Share(0.5)
        }),
        cancel_rest: rng.chance(50),
    });
    Block {
        mode: mode.into(),
        max_transitions: transitions(rng, mode),
        max_parallel: if rng.chance(30) {
            1 + rng.below(2) as u32
        } else {
            0
        },
        steps,
        join,
        ..Block::default()
    }
}

fn wait(rng: &mut Rng) -> Wait {
    let mut one = || {
        let text = *rng.pick(&["0s", "2s", "30s", "{{ vars.none }}", "{{ input }}s"]);
        Wait {
            r#for: Some(wait::For::Duration(value::string(text))),
            ..Wait::default()
        }
    };
    let (first, second) = (one(), one());
    if rng.chance(70) {
        return first;
    }
    Wait {
        first_of: vec![first, second],
        ..Wait::default()
    }
}

fn each(rng: &mut Rng, depth: usize) -> Each {
    let items = ["[]", "[1]", "[1, 2, 3]", "[1, 2, 3, 4, 5, 6, 7]", "input"];
    Each {
        items: (*rng.pick(&items)).into(),
        steps: steps(rng, block::Mode::Sequence, depth + 1),
        max_parallel: rng.below(4) as u32,
        batch_size: if rng.chance(30) {
            1 + rng.below(3) as u32
        } else {
            0
        },
        max_failures: rng.below(3) as u32,
        max_failure_share: if rng.chance(30) { 0.5 } else { 0.0 },
    }
}

fn looped(rng: &mut Rng, depth: usize) -> Loop {
    let conditions = ["", "last != 7", "iteration < 3", "last == 1"];
    Loop {
        r#while: rng.pick(&conditions[..3]).to_string(),
        until: rng.pick(&conditions).to_string(),
        max_iterations: 1 + rng.below(3) as u32,
        steps: steps(rng, block::Mode::Sequence, depth + 1),
    }
}

fn switch(rng: &mut Rng, depth: usize) -> Switch {
    let cases = (0..1 + rng.below(2)).map(|_| Case {
        when: (*rng.pick(&["1 < 2", "2 < 1", "input == 7"])).into(),
        steps: steps(rng, block::Mode::Sequence, depth + 1),
    });
    let cases = cases.collect();
    let otherwise = if rng.chance(50) {
        steps(rng, block::Mode::Sequence, depth + 1)
    } else {
        vec![]
    };
    Switch { cases, otherwise }
}

pub fn retry(rng: &mut Rng) -> RetryPolicy {
    RetryPolicy {
        max_attempts: 1 + rng.below(3) as u32,
        initial_delay: Some(seconds(1 + rng.below(5))),
        ..RetryPolicy::default()
    }
}

fn gate(rng: &mut Rng) -> Gate {
    let on_violation = rng.below(5) as i32;
    Gate {
        check: Some(match rng.below(4) {
            0 => gate::Check::NotEmpty(true),
            1 => gate::Check::Cel("value != 3".into()),
            2 => gate::Check::Judge(Judge {
                agent: "judge".into(),
                threshold: rng.chance(30).then_some(2.0),
                retry: rng.chance(30).then(|| retry(rng)),
                timeout: rng.chance(30).then(|| seconds(1 + rng.below(20))),
                ..Judge::default()
            }),
            _ => gate::Check::Json(true),
        }),
        on_violation,
        repair: (on_violation == gate::OnViolation::Repair as i32).then(|| Repair {
            agent: "fixer".into(),
            attempts: rng.below(3) as u32,
            retry: rng.chance(30).then(|| retry(rng)),
            ..Repair::default()
        }),
        ..Gate::default()
    }
}

pub fn seconds(seconds: usize) -> prost_types::Duration {
    prost_types::Duration {
        seconds: seconds as i64,
        nanos: 0,
    }
}
