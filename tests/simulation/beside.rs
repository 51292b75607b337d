//! What runs beside steps and at the end of it all: catches, compensations, sagas, `finally`.

use tutti::{
    core::value,
    proto::{
        Catch, Context, PatternCall, Restore, Saga, Step, Workflow, context::Overflow,
        pattern_call, step, workflow::OnFailure,
    },
};

use crate::{
    rng::Rng,
    shape::{retry, seconds, steps},
};

/// How deep the steps are that stand beside others.
const INNERMOST: usize = 4;

pub fn add_to_step(rng: &mut Rng, step: &mut Step) {
    if rng.chance(15) {
        let block = match &step.kind {
            Some(step::Kind::Block(block)) if block.join.is_none() => Some(block.clone()),
            _ => None,
        };
        // Only what stands alone can be put in order.
        let alone = |s: &Step| s.depends_on.is_empty() && s.input.is_none() && s.when.is_empty();
        let alone = |s: &Step| alone(s) && s.next.is_empty();
        if let Some(block) = block.filter(|b| b.steps.iter().all(alone)) {
            step.kind = Some(step::Kind::Saga(Saga { steps: block.steps }));
        }
    }
    if rng.chance(15) {
        step.catch = (0..1 + rng.below(2)).map(|_| catch(rng)).collect();
    }
    if matches!(step.kind, Some(step::Kind::Agent(_))) && rng.chance(15) {
        step.context = Some(context(rng));
    }
    if rng.chance(25) {
        step.compensation = Some(compensation(rng));
    }
}

pub fn add_to_workflow(rng: &mut Rng, workflow: &mut Workflow) {
    workflow.on_failure = match rng.below(10) {
        0..=2 => OnFailure::Compensate.into(),
        3 => OnFailure::Park.into(),
        _ => OnFailure::Unspecified.into(),
    };
    if rng.chance(20) {
        workflow.finally = inner(rng);
    }
}

/// A step marks `vars`, another may take them back.
pub fn mark(rng: &mut Rng, workflow: &mut Workflow) {
    if rng.chance(30) {
        workflow.steps[0].mark = "m".into();
        let mut later = workflow.steps.iter_mut().skip(1);
        let set = later.find(|s| matches!(s.kind, Some(step::Kind::Set(_))));
        if let Some(step) = set {
            step.kind = Some(step::Kind::Restore(Restore { to: "m".into() }));
        }
    }
}

fn context(rng: &mut Rng) -> Context {
    let overflow = rng.below(4) as i32;
    let asks = overflow == Overflow::Summarize as i32;
    Context {
        max_tokens: rng.below(3) as u32,
        select: (0..rng.below(3)).map(|_| "input".into()).collect(),
        overflow,
        summarizer: asks.then(|| PatternCall {
            input: None,
            ..compensation(rng)
        }),
    }
}

fn catch(rng: &mut Rng) -> Catch {
    Catch {
        classes: match rng.below(3) {
            0 => vec!["timeout".into(), "own".into()],
            _ => vec![],
        },
        when: match rng.below(4) {
            0 => "error.attempt > 1".into(),
            1 => "error.class != 'unavailable'".into(),
            _ => String::new(),
        },
        steps: if rng.chance(90) { inner(rng) } else { vec![] },
    }
}

fn inner(rng: &mut Rng) -> Vec<Step> {
    steps(rng, tutti::proto::block::Mode::Sequence, INNERMOST)
}

fn compensation(rng: &mut Rng) -> PatternCall {
    PatternCall {
        target: Some(pattern_call::Target::Agent("undoer".into())),
        input: rng.chance(50).then(|| value::string("{{ result }}")),
        timeout: rng.chance(30).then(|| seconds(1 + rng.below(20))),
        queue_timeout: rng.chance(20).then(|| seconds(1 + rng.below(20))),
        total_timeout: rng.chance(20).then(|| seconds(5 + rng.below(60))),
        retry: rng.chance(40).then(|| retry(rng)),
        ..PatternCall::default()
    }
}
