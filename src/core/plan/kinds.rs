//! Compiling what a step does: blocks with their joins, switches with their cases; other kinds
//! have files of their own.

use super::{
    Block, Join, Kind, Mode, NodeId, Switch,
    compile::Compiler,
    expressions::{bare, literal},
    states::Machine,
    steps::Around,
};
use crate::{
    core::{expr::Expr, patterns},
    proto::{self, Step, block::Mode as WrittenMode, join, step},
};

impl<'a> Compiler<'a> {
    /// What the step does, compiled with all that it holds.
    pub(super) fn kind(&mut self, step: &'a Step, id: NodeId) -> Kind {
        match &step.kind {
            Some(step::Kind::Agent(agent)) => Kind::Call(self.agent_alone(agent)),
            Some(step::Kind::Call(call)) => Kind::Call(self.within(".call", |c| c.call(call))),
            Some(step::Kind::Block(block)) => {
                Kind::Block(self.within(".block", |c| c.block(block, id)))
            }
            Some(step::Kind::Switch(switch)) => {
                Kind::Switch(self.within(".switch", |c| c.switch(switch, id)))
            }
            Some(step::Kind::Workflow(child)) => {
                Kind::Child(self.within(".workflow", |c| c.child(child)))
            }
            Some(step::Kind::Saga(saga)) => Kind::Block(self.within(".saga", |c| c.saga(saga, id))),
            Some(step::Kind::Restore(restore)) => self.restore(restore, id),
            Some(step::Kind::Set(set)) => Kind::Set(self.templates(".set", set)),
            Some(step::Kind::Each(each)) => self.within(".each", |c| c.each(each, id)),
            Some(step::Kind::Wait(wait)) => self.within(".wait", |c| c.wait(wait)),
            Some(step::Kind::Loop(looped)) => self.within(".loop", |c| c.looped(looped, id)),
            Some(step::Kind::MapReduce(written)) => self.pattern(id, "map_reduce", |c| {
                patterns::map_reduce::compile(c, written, id)
            }),
            Some(step::Kind::Generate(written)) => self.pattern(id, "generate", |c| {
                patterns::generate::compile(c, written, id)
            }),
            Some(step::Kind::React(written)) => {
                self.pattern(id, "react", |c| patterns::react::compile(c, written, id))
            }
            Some(step::Kind::Refine(written)) => {
                self.pattern(id, "refine", |c| patterns::refine::compile(c, written, id))
            }
            Some(step::Kind::Orchestrate(written)) => self.pattern(id, "orchestrate", |c| {
                patterns::orchestrate::compile(c, written, id)
            }),
            Some(step::Kind::Decompose(written)) => self.pattern(id, "decompose", |c| {
                patterns::decompose::compile(c, written, id)
            }),
            Some(step::Kind::GroupChat(written)) => self.pattern(id, "group_chat", |c| {
                patterns::group_chat::compile(c, written, id)
            }),
            None => {
                let hint = "give it one, as agent, call, block, switch, loop, each";
                self.error("", "required", "the step has no kind", hint);
                Kind::Set(Vec::new())
            }
        }
    }

    /// A pattern: known by its name, run by primitives.
    fn pattern(
        &mut self,
        id: NodeId,
        name: &'static str,
        compile: impl FnOnce(&mut Self) -> Kind,
    ) -> Kind {
        self.node(id).written = Some(name);
        self.within(&format!(".{name}"), compile)
    }

    fn block(&mut self, block: &'a proto::Block, id: NodeId) -> Block {
        let around = Around {
            list: "steps",
            node: id,
            condition: "",
        };
        let machine = Machine {
            initial: &block.initial,
            max_transitions: block.max_transitions,
        };
        let mut compiled = self.block_of(&block.steps, around, block.mode(), machine);
        let (mode, all) = (compiled.mode, compiled.children.len());
        let one_by_one = matches!(mode, Mode::Sequence | Mode::States);
        if one_by_one && block.max_parallel > 0 {
            let hint = "remove it, or choose PARALLEL or GRAPH";
            let message = "it has no effect where one step runs at a time";
            self.warn(".max_parallel", "unused", message, hint);
        }
        let join = block.join.as_ref();
        compiled.join = join.and_then(|j| self.within(".join", |c| c.join(j, mode, all)));
        compiled.max_parallel = (block.max_parallel > 0).then_some(block.max_parallel);
        compiled
    }

    fn join(&mut self, join: &proto::Join, mode: Mode, children: usize) -> Option<Join> {
        if matches!(mode, Mode::Sequence | Mode::States) {
            let hint = "remove it, or choose PARALLEL or GRAPH";
            let message = "where one step runs at a time every step must succeed";
            self.error("", "conflict", message, hint);
            return None;
        }
        let all = u32::try_from(children).expect("steps are bounded");
        let successes = match join.need {
            None => all,
            Some(join::Need::Successes(n)) if n >= 1 && n <= all => n,
            Some(join::Need::Successes(n)) => {
                let message = format!("{n} of {all} steps cannot be what must succeed");
                let hint = format!("give a number from 1 to {all}");
                self.error(".successes", "out-of-range", message, hint);
                return None;
            }
            Some(join::Need::Share(share)) if share > 0.0 && share <= 1.0 => share_of(share, all),
            Some(join::Need::Share(share)) => {
                let message = format!("{share} is not a share of the steps");
                let hint = "give a number above 0 and at most 1";
                self.error(".share", "out-of-range", message, hint);
                return None;
            }
        };
        Some(Join {
            successes,
            cancel_rest: join.cancel_rest,
        })
    }

    fn switch(&mut self, switch: &'a proto::Switch, id: NodeId) -> Switch {
        if switch.cases.is_empty() {
            let hint = "give at least one case";
            self.error(".cases", "required", "the switch has no cases", hint);
        }
        let mut taken = false;
        let mut cases = Vec::with_capacity(switch.cases.len());
        for (place, case) in switch.cases.iter().enumerate() {
            let segment = format!(".cases[{place}]");
            self.within(&segment, |c| {
                if taken || literal(&case.when) == Some(false) {
                    let hint = "remove it, or change the conditions";
                    c.warn("", "dead-step", "the case never fits", hint);
                }
                cases.extend(c.case(case, id));
            });
            taken |= literal(&case.when) == Some(true);
        }
        if taken && !switch.otherwise.is_empty() {
            let hint = "remove it, or change the case that is always true";
            self.warn(
                ".otherwise",
                "dead-step",
                "a case always fits before it",
                hint,
            );
        }
        let around = Around {
            list: "otherwise",
            node: id,
            condition: "otherwise",
        };
        let (_, otherwise) = self.branch(&switch.otherwise, around, WrittenMode::Sequence);
        Switch {
            cases,
            otherwise,
            misfit: None,
        }
    }

    fn case(&mut self, case: &'a proto::Case, id: NodeId) -> Option<(Expr, Vec<NodeId>)> {
        let when = if case.when.is_empty() {
            let hint = "give a condition, or move the steps to `otherwise`";
            self.error(".when", "required", "the case has no condition", hint);
            None
        } else {
            self.within(".when", |c| c.expr(&case.when))
        };
        let around = Around {
            list: "steps",
            node: id,
            condition: bare(&case.when),
        };
        let (_, steps) = self.branch(&case.steps, around, WrittenMode::Sequence);
        when.map(|when| (when, steps))
    }
}

/// A share of the children in whole ones, rounded up; what is whole but for the last bits of
/// a double stays so.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn share_of(share: f64, all: u32) -> u32 {
    let exact = share * f64::from(all);
    let whole = (exact - 1e-9).ceil() as u32;
    whole.clamp(1, all.max(1))
}
