//! Compiling lists of steps and each step in them: ids, kinds, and the fields that every
//! step takes.

use super::{
    Block, Call, Join, Kind, Mode, NodeId, Select, Switch, Target,
    compile::{Compiler, blank},
    expressions::{bare, literal},
    order::Child,
};
use crate::{
    core::finding,
    proto::{
        self, Step,
        block::Mode as WrittenMode,
        call, join,
        step::{self, OnError},
    },
};

/// Where a list of steps stands.
#[derive(Clone, Copy)]
pub(super) struct Around<'c> {
    /// The list's field.
    pub list: &'static str,
    /// The step that holds it.
    pub node: NodeId,
    /// The condition of its branch.
    pub condition: &'c str,
}

/// The most characters of a step's id.
const ID_LENGTH_MAX: usize = 64;

impl<'a> Compiler<'a> {
    /// Compiles a list of steps and relates them; the ids come in the order in which they
    /// run (SEQUENCE) or stand.
    pub fn children(
        &mut self,
        steps: &'a [Step],
        around: Around<'_>,
        mode: WrittenMode,
    ) -> (Mode, Vec<NodeId>) {
        if steps.is_empty() {
            let hint = "give at least one step";
            self.error(
                &format!(".{}", around.list),
                "required",
                "there are no steps",
                hint,
            );
        }
        self.branch(steps, around, mode)
    }

    /// As `children`, for a list that may be empty.
    fn branch(
        &mut self,
        steps: &'a [Step],
        around: Around<'_>,
        mode: WrittenMode,
    ) -> (Mode, Vec<NodeId>) {
        self.enter(steps);
        let mut children = Vec::with_capacity(steps.len());
        for (place, step) in steps.iter().enumerate() {
            let segment = format!(".{}[{place}]", around.list);
            let path = self.path_of(&segment);
            self.names.levels[0].position = place;
            let node = self.within(&segment, |c| c.step(step, place, around));
            let level = self.levels.last_mut().expect("entered above");
            let reads = std::mem::take(&mut level.reads);
            children.push(Child {
                node,
                step,
                path,
                reads,
            });
        }
        let related = self.relate(mode, &children);
        self.leave();
        related
    }

    fn step(&mut self, step: &'a Step, place: usize, around: Around<'_>) -> NodeId {
        self.check_id(step, place);
        let parent = &self.nodes[around.node.0 as usize].path;
        let path = match parent.as_str() {
            "" => step.id.clone(),
            parent => format!("{parent}/{}", step.id),
        };
        let name = if step.name.is_empty() {
            &step.id
        } else {
            &step.name
        };
        let node = blank(&step.id, name, path, Some(around.node));
        let condition = match step.when.as_str() {
            "" => around.condition,
            when => bare(when),
        };
        let id = self.push(node, condition.to_owned());
        self.data(step, id);
        self.policies(step, id);
        let kind = self.kind(step, id);
        self.node(id).kind = kind;
        id
    }

    fn check_id(&mut self, step: &Step, place: usize) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if step.id.is_empty() {
            let hint = "give it one, unique among its siblings";
            self.error(".id", "required", "the step has no id", hint);
        } else if step.id.len() > ID_LENGTH_MAX || !step.id.chars().all(allowed) {
            let message = format!("`{}` is not an id", step.id);
            let hint = "a-z A-Z 0-9 - _, at most 64 characters";
            self.error(".id", "invalid-id", message, hint);
        } else {
            let level = self.levels.last().expect("a step stands in a list");
            let first = level.places[step.id.as_str()];
            if first != place {
                let message = format!(
                    "`{}` is also the id of step {} of the list",
                    step.id,
                    first + 1
                );
                self.error(".id", "duplicate-id", message, "rename one of the two");
            }
        }
    }

    /// What goes into the step and what comes out of it.
    fn data(&mut self, step: &Step, id: NodeId) {
        if !step.when.is_empty() {
            if literal(&step.when) == Some(false) {
                let hint = "remove the step, or give it a condition that can be true";
                self.warn(".when", "dead-step", "the step never runs", hint);
            }
            let when = self.within(".when", |c| c.expr(&step.when));
            self.node(id).when = when;
        }
        if let Some(input) = &step.input
            && let Some(template) = self.within(".input", |c| c.template(input))
        {
            self.node(id).input = super::Input::Template(template);
        }
        let (output, save) = self.with_variables(&["output"], |c| {
            let output = step.output.as_ref();
            let output = output.and_then(|o| c.within(".output", |c| c.template(o)));
            let save = step.save.as_ref();
            (output, save.map_or(Vec::new(), |s| c.templates(".save", s)))
        });
        let node = self.node(id);
        (node.output, node.save) = (output, save);
    }

    fn policies(&mut self, step: &Step, id: NodeId) {
        let calls = matches!(step.kind, Some(step::Kind::Agent(_) | step::Kind::Call(_)));
        let (timeout, queue_timeout, total_timeout) = self.timeouts(step, calls);
        let retry = self.retry(step.retry.as_ref());
        let retries = retry.is_some();
        let (before, after) = match &step.gates {
            Some(gates) => (
                self.gates(".gates.before", &gates.before, &["value"], retries),
                self.gates(".gates.after", &gates.after, &["value", "output"], retries),
            ),
            None => (Vec::new(), Vec::new()),
        };
        let tolerates_failure = step.on_error() == OnError::Continue;
        let node = self.node(id);
        (node.timeout, node.queue_timeout, node.total_timeout) =
            (timeout, queue_timeout, total_timeout);
        (node.before, node.after) = (before, after);
        (node.retry, node.tolerates_failure) = (retry, tolerates_failure);
    }

    fn kind(&mut self, step: &'a Step, id: NodeId) -> Kind {
        match &step.kind {
            Some(step::Kind::Agent(agent)) => {
                self.check_target(".agent", agent, "agent");
                Kind::Call(Call {
                    target: Target::Agent(agent.clone()),
                    short: true,
                })
            }
            Some(step::Kind::Call(call)) => Kind::Call(self.within(".call", |c| c.call(call))),
            Some(step::Kind::Block(block)) => {
                Kind::Block(self.within(".block", |c| c.block(block, id)))
            }
            Some(step::Kind::Switch(switch)) => {
                Kind::Switch(self.within(".switch", |c| c.switch(switch, id)))
            }
            Some(step::Kind::Set(set)) => Kind::Set(self.templates(".set", set)),
            None => {
                let hint = "give it one of agent, call, block, switch, set";
                self.error("", "required", "the step has no kind", hint);
                Kind::Set(Vec::new())
            }
        }
    }

    fn call(&mut self, call: &proto::Call) -> Call {
        let named = matches!(call.target, Some(call::Target::Agent(_)));
        if named && call.select() != call::Select::Unspecified {
            let hint = "remove it, or name a `skill`";
            self.error(
                ".select",
                "conflict",
                "an agent named by id is not selected",
                hint,
            );
        }
        if named && !call.labels.is_empty() {
            let hint = "remove them, or name a `skill`";
            self.error(
                ".labels",
                "conflict",
                "labels go with `skill`, not with `agent`",
                hint,
            );
        }
        let target = match &call.target {
            Some(call::Target::Agent(agent)) => {
                self.check_target(".agent", agent, "agent");
                Target::Agent(agent.clone())
            }
            Some(call::Target::Skill(skill)) => {
                self.check_target(".skill", skill, "skill");
                Target::Skill {
                    skill: skill.clone(),
                    labels: call.labels.clone().into_iter().collect(),
                    select: match call.select() {
                        call::Select::LeastLoaded => Select::LeastLoaded,
                        call::Select::RoundRobin | call::Select::Unspecified => Select::RoundRobin,
                    },
                }
            }
            None => {
                let hint = "give `agent` or `skill`";
                self.error("", "required", "the call names nobody", hint);
                Target::Agent(String::new())
            }
        };
        Call {
            target,
            short: false,
        }
    }

    fn check_target(&mut self, field: &str, target: &str, what: &str) {
        if target.is_empty() {
            let message = format!("the {what} has no name");
            self.error(field, "required", message, "");
        }
    }

    fn block(&mut self, block: &'a proto::Block, id: NodeId) -> Block {
        let around = Around {
            list: "steps",
            node: id,
            condition: "",
        };
        let (mode, children) = self.children(&block.steps, around, block.mode());
        if mode == Mode::Sequence && block.max_parallel > 0 {
            let hint = "remove it, or choose PARALLEL or GRAPH";
            self.warn(
                ".max_parallel",
                "unused",
                "it has no effect in SEQUENCE",
                hint,
            );
        }
        let join = block.join.as_ref();
        Block {
            mode,
            join: join.and_then(|j| self.within(".join", |c| c.join(j, mode, children.len()))),
            children,
            max_parallel: (block.max_parallel > 0).then_some(block.max_parallel),
        }
    }

    fn join(&mut self, join: &proto::Join, mode: Mode, children: usize) -> Option<Join> {
        if mode == Mode::Sequence {
            let hint = "remove it, or choose PARALLEL or GRAPH";
            self.error("", "conflict", "in SEQUENCE every step must succeed", hint);
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
        Switch { cases, otherwise }
    }

    fn case(
        &mut self,
        case: &'a proto::Case,
        id: NodeId,
    ) -> Option<(crate::core::expr::Expr, Vec<NodeId>)> {
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

    /// The hint for a name that is not known: the nearest one that is.
    pub fn suggest<'n>(&mut self, given: &str, known: impl Iterator<Item = &'n str>) -> String {
        if self.suggestions_left == 0 {
            return String::new();
        }
        self.suggestions_left -= 1;
        finding::did_you_mean(given, known)
            .map_or(String::new(), |name| format!("did you mean `{name}`?"))
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
