//! How steps end, and what that means for those around them.

use std::time::Duration;

use super::{review::Verdict, turn::Turn};
use crate::{
    core::{
        execution::{Error, Exit, Given, Progress, ROOT, RunId, StepState},
        gate,
        plan::{Asked, Kind as PlanKind, Role},
        retry,
        value::{Kind, Struct, Value},
    },
    proto::{MarkSet, ReviewBegun, StepCompleted, StepFailed, StepRetryScheduled, Usage, event},
};

/// Why what an attempt gave does not stand.
pub(super) struct Fault {
    pub error: Error,
    /// A gate asks for another attempt, whatever the class.
    pub retried: bool,
}

impl Turn<'_> {
    /// An attempt gave `given`: it is checked, shaped and kept, or the attempt fails.
    pub fn attempt_succeeded(&mut self, run: RunId, given: Value, usage: Option<Usage>) {
        if run == ROOT {
            return self.whole_succeeded(&given);
        }
        match self.made_of(run, run, given, &[]) {
            Ok(given) => self.concluded(run, given, usage, Exit::Unspecified),
            Err(error) => self.attempt_failed(run, error, None, usage),
        }
    }

    /// What a step gives, of what the steps within it gave: a pattern makes something of it, as
    /// it looks from `at`.
    pub fn made_of(
        &self,
        run: RunId,
        at: RunId,
        given: Value,
        more: &[(&'static str, &Value)],
    ) -> Result<Value, Error> {
        let Some(gives) = &self.node(run).gives else {
            return Ok(given);
        };
        let seen = Given {
            more,
            ..Given::default()
        };
        let made = gives.eval(&self.scope(at, seen));
        made.map_err(|e| self.error(run, "expression", e.to_string()))
    }

    /// The step's attempt gave this.
    pub fn concluded(&mut self, run: RunId, given: Value, usage: Option<Usage>, exit: Exit) {
        let attempt = self.execution.run(run).attempt;
        self.conclude(run, given, None, attempt, (usage, exit));
    }

    /// A `set` made this object.
    pub fn set_succeeded(&mut self, run: RunId, written: Value, attempt: u32) {
        let saved = match &written.kind {
            Some(Kind::StructValue(saved)) => saved.clone(),
            _ => Struct::default(),
        };
        self.conclude(
            run,
            written,
            Some(saved),
            attempt,
            (None, Exit::Unspecified),
        );
    }

    /// A `restore` gives `vars` as they were.
    pub fn vars_restored(&mut self, run: RunId, vars: Value, attempt: u32) {
        self.conclude(run, vars, None, attempt, (None, Exit::Unspecified));
    }

    fn conclude(
        &mut self,
        run: RunId,
        given: Value,
        written: Option<Struct>,
        attempt: u32,
        (usage, exit): (Option<Usage>, Exit),
    ) {
        if let Err(error) = self.check_size(run, "output", &given) {
            return self.fail_step(run, error, usage);
        }
        match self.check_gates(run, false, &given, &Progress::default()) {
            Verdict::Passed => self.accepted(run, given, written, attempt, (usage, exit)),
            Verdict::Violated(fault) if fault.retried => {
                self.retry_or_fail(run, fault.error, None, usage, true);
            }
            Verdict::Violated(fault) => self.fail_step(run, fault.error, usage),
            asked @ Verdict::Ask { .. } => {
                let kept = ReviewBegun {
                    value: Some(given),
                    attempt,
                    written,
                    usage,
                    exit: exit.into(),
                    ..ReviewBegun::default()
                };
                self.begin_review(run, kept, asked);
            }
        }
    }

    /// What an attempt gave has passed its gates: it is shaped and kept.
    pub fn accepted(
        &mut self,
        run: RunId,
        given: Value,
        written: Option<Struct>,
        attempt: u32,
        (usage, exit): (Option<Usage>, Exit),
    ) {
        match self.shape(run, given, written) {
            Ok((output, _)) if self.node(run).role == Role::Compensation => {
                self.compensated(run, output, usage);
            }
            Ok((output, saved)) => {
                // What the last step for an item gave is known without being said.
                let is_known = self.execution.is_item(run) && self.node(run).output.is_none();
                let completed = StepCompleted {
                    attempt,
                    output: (!is_known).then_some(output),
                    saved,
                    usage,
                    exit: exit.into(),
                };
                let kept = self.node(run).cache.is_some().then(|| completed.clone());
                self.emit(run, event::Kind::StepCompleted(completed));
                if let Some(completed) = kept {
                    self.keep_output(run, &completed);
                }
                self.step_ended(run);
            }
            Err(fault) if fault.retried => self.retry_or_fail(run, fault.error, None, usage, true),
            Err(fault) => self.fail_step(run, fault.error, usage),
        }
    }

    /// The step's output and what is saved, from what the attempt gave.
    fn shape(
        &mut self,
        run: RunId,
        given: Value,
        written: Option<Struct>,
    ) -> Result<(Value, Option<Struct>), Fault> {
        let fail = |error| Fault {
            error,
            retried: false,
        };
        if let Some(error) = self.answer_fault(run, &given) {
            let policy = self.node(run).retry.as_ref();
            let retried = policy.is_some_and(|p| retry::is_retried(p, &error.class));
            return Err(Fault { error, retried });
        }
        let node = self.node(run);
        let scope = self.scope(run, seen(&given));
        let mut saved = written;
        for (name, template) in &node.save {
            let value = template
                .eval(&scope)
                .map_err(|e| fail(self.error(run, "expression", format!("save.{name}: {e}"))))?;
            let saved = saved.get_or_insert_default();
            saved.fields.insert(name.clone(), value);
        }
        let output = match &node.output {
            Some(template) => template
                .eval(&scope)
                .map_err(|e| fail(self.error(run, "expression", format!("output: {e}"))))?,
            None => given,
        };
        self.check_size(run, "output", &output).map_err(fail)?;
        self.pass_output_schema(run, &output)?;
        Ok((output, saved))
    }

    /// Why what the step gave is not what it was asked for.
    fn answer_fault(&self, run: RunId, given: &Value) -> Option<Error> {
        match self.node(run).role {
            Role::Auxiliary(Asked::Judge(_)) => {
                Some(self.error(run, "invalid_output", gate::misjudged(given)?))
            }
            _ => self.generated_fault(run, given),
        }
    }

    /// An attempt failed: another is called or the next one scheduled, if there is one; else the
    /// step fails.
    pub fn attempt_failed(
        &mut self,
        run: RunId,
        error: Error,
        retry_after: Option<Duration>,
        usage: Option<Usage>,
    ) {
        if run == ROOT {
            return self.whole_failed(error);
        }
        let policy = self.node(run).retry.as_ref();
        let retried = policy.is_some_and(|p| retry::is_retried(p, &error.class));
        self.retry_or_fail(run, error, retry_after, usage, retried);
    }

    /// The next of its call's fallbacks is called; without one, the step's next attempt is
    /// scheduled if `retried` and the policy has one left; else it fails.
    pub fn retry_or_fail(
        &mut self,
        run: RunId,
        error: Error,
        retry_after: Option<Duration>,
        usage: Option<Usage>,
        retried: bool,
    ) {
        if self.undo_first(run, &error, retried) || self.fall_back(run, &error, usage) {
            return;
        }
        // An attempt of a `set` or `restore` begins and ends at once: only those before are in the state.
        let at_once = matches!(self.node(run).kind, PlanKind::Set(_) | PlanKind::Restore(_));
        let begun = u32::from(at_once);
        let attempt = self.execution.run(run).attempt + begun;
        let round = self.execution.run(run).round() + begun;
        let due = self
            .node(run)
            .retry
            .as_ref()
            .filter(|policy| retried && round < policy.max_attempts)
            .map(|policy| {
                let seed = (self.execution.id, &self.execution.run(run).path, attempt);
                let wait = retry::backoff(policy, round + 1, retry::spread(seed));
                self.now.after(wait.max(retry_after.unwrap_or_default()))
            });
        let total = self.execution.run(run).total_deadline;
        match due {
            Some(due) if total.is_none_or(|total| due < total) => {
                let scheduled = StepRetryScheduled {
                    attempt: attempt + 1,
                    due_time: Some(due.into()),
                    error: Some(error),
                    usage,
                };
                self.emit(run, event::Kind::StepRetryScheduled(scheduled));
            }
            _ => self.fail_step(run, error, usage),
        }
    }

    /// The step fails, whatever its retry policy.
    pub fn fail_step(&mut self, run: RunId, error: Error, usage: Option<Usage>) {
        if run == ROOT {
            return self.whole_failed(error);
        }
        if self.undo_first(run, &error, false) {
            return;
        }
        if self.node(run).role == Role::Compensation {
            return self.compensation_failed(run, error, usage);
        }
        let error = match self.caught(run, error, usage) {
            Some(error) => error,
            None => return,
        };
        let Some(error) = self.parked(run, error, usage) else {
            return;
        };
        let failed = StepFailed {
            attempt: self.execution.run(run).attempt,
            error: Some(error.clone()),
            tolerated: self.node(run).tolerates_failure || self.is_item_tolerated(run),
            usage,
        };
        let tolerated = failed.tolerated;
        self.emit(run, event::Kind::StepFailed(failed));
        if self.node(run).role != Role::Step {
            return self.beside_ended(run);
        }
        let parent = self.parent(run);
        let joins = self
            .execution
            .block(parent)
            .is_some_and(|b| b.join.is_some());
        if tolerated || joins {
            self.child_ended(run);
        } else {
            self.fail_around(parent, run, error);
        }
    }

    /// A failure within: what still runs there is cancelled, and the step around fails.
    fn fail_around(&mut self, parent: RunId, failed: RunId, error: Error) {
        let path = self.execution.run(failed).path.clone();
        self.cancel_within(parent, &format!("step {path} failed"));
        let error = self.items_error(parent, error);
        self.attempt_failed(parent, error, None, None);
    }

    /// A step has completed.
    pub fn step_ended(&mut self, run: RunId) {
        if let Some(mark) = self.node(run).mark() {
            let name = mark.to_owned();
            self.emit(run, event::Kind::MarkSet(MarkSet { name }));
        }
        match self.node(run).role {
            Role::Step => self.child_ended(run),
            _ => self.beside_ended(run),
        }
    }

    /// A step has ended and the rest goes on: the step around it may have ended by that.
    pub fn child_ended(&mut self, run: RunId) {
        let parent = self.parent(run);
        if !self.is_open(parent) {
            return;
        }
        if self.execution.each(parent).is_some() {
            return self.settle_items(parent);
        }
        if let PlanKind::Loop(_) = self.node(parent).kind {
            return self.iteration_ended(parent, run);
        }
        if self.execution.machine(parent).is_some() {
            return self.state_ended(parent, run);
        }
        let around = self.execution.run(parent);
        let all = u32::try_from(around.children.len()).unwrap_or(u32::MAX);
        let (ended, completed) = (around.ended, around.completed);
        let join = self.execution.block(parent).and_then(|b| b.join);
        let Some(join) = join else {
            if ended == all {
                let output = self.execution.children_output(parent);
                self.attempt_succeeded(parent, output, None);
            }
            return;
        };
        if completed + (all - ended) < join.successes {
            let words = format!(
                "{completed} of {all} steps completed and {} have ended otherwise, {} must complete",
                ended - completed,
                join.successes
            );
            let error = self.join_error(parent, words);
            self.cancel_within(parent, "too few steps can complete");
            self.attempt_failed(parent, error, None, None);
        } else if completed >= join.successes && (join.cancel_rest || ended == all) {
            self.cancel_within(parent, "enough steps have completed");
            let output = self.execution.children_output(parent);
            self.attempt_succeeded(parent, output, None);
        }
    }

    /// The error of a join that missed: the class of its children's last failure.
    fn join_error(&self, parent: RunId, words: String) -> Error {
        let children = self.execution.run(parent).children.iter();
        let last = children
            .map(|c| self.execution.run(*c))
            .filter(|c| c.state == StepState::Failed)
            .max_by_key(|c| c.end_time)
            .and_then(|c| c.error.as_ref());
        let class = last.map_or("agent_error", |e| e.class.as_str());
        let cause = last.map_or(String::new(), |e| format!("; last: {}", e.message));
        self.error(parent, class, words + &cause)
    }

    fn parent(&self, run: RunId) -> RunId {
        self.execution.run(run).parent.unwrap_or(ROOT)
    }
}

/// What gates and templates over a result see of it.
pub(super) fn seen(given: &Value) -> Given<'_> {
    Given {
        output: Some(given),
        value: Some(given),
        ..Given::default()
    }
}
