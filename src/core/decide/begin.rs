//! How steps begin: which ones may, what they are given, what each kind does first.

use prost::Message as _;

use super::{context::Shaped, review::Verdict, turn::Turn};
use crate::{
    core::{
        execution::{Error, Given, Progress, ROOT, RunId},
        plan::{Asked, Input, Kind, Role, Switch},
        time::Time,
        value::{self, Value},
    },
    proto::{
        BranchChosen, GateViolated, ReviewBegun, StepScheduled, StepSkipped, StepStarted, event,
    },
};

impl Turn<'_> {
    /// Begins the steps that may begin, until none is left, there is no room, or this is enough
    /// for one decision; a block whose last child ended on the way ends too.
    pub fn pump(&mut self) {
        self.settle_empty_root();
        while !self.execution.is_ended() {
            let going = !self.execution.is_ending() && self.execution.pause.is_none();
            if going && self.execution.sequence > self.limits.execution_events_max {
                let limit = self.limits.execution_events_max;
                let words = format!("the execution has more than {limit} events");
                let error = self.error(ROOT, "limit", words);
                self.end_failed(error);
                return;
            }
            if self.is_long() {
                return;
            }
            let room = self.execution.has_room(self.limits);
            if let Some(run) = self.execution.next_ready(room) {
                self.begin(run);
            } else if !room || !self.begin_next_items() {
                return;
            }
        }
    }

    fn begin(&mut self, run: RunId) {
        match self.is_wanted(run) {
            Ok(true) => {}
            Ok(false) => {
                let reason = "its `when` is false".into();
                self.emit(run, event::Kind::StepSkipped(StepSkipped { reason }));
                return self.child_ended(run);
            }
            Err(error) => return self.fail_step(run, error, None),
        }
        match self.shape_context(run) {
            Ok(Shaped::Ready(context)) => self.begin_with(run, context),
            Ok(Shaped::Ask(call)) => self.ask_agent(run, call, Vec::new()),
            Err(error) => self.fail_step(run, error, None),
        }
    }

    /// Begins the step with this context.
    pub fn begin_with(&mut self, run: RunId, context: Option<Value>) {
        match self.prepare(run, context.as_ref()) {
            Ok(input) => self.check_before(run, input, self.handed(run, context)),
            Err(error) => self.fail_step(run, error, None),
        }
    }

    fn is_wanted(&self, run: RunId) -> Result<bool, Error> {
        let Some(when) = &self.node(run).when else {
            return Ok(true);
        };
        when.eval_bool(&self.scope(run, Given::default()))
            .map_err(|e| self.error(run, "expression", format!("when: {e}")))
    }

    /// Begins the step with its input, once the gates before have passed it.
    fn check_before(&mut self, run: RunId, input: Value, context: Option<Value>) {
        match self.check_gates(run, true, &input, &Progress::default()) {
            Verdict::Passed => self.begin_attempt(run, input, context),
            Verdict::Violated(fault) => self.fail_step(run, fault.error, None),
            asked @ Verdict::Ask { .. } => {
                let kept = ReviewBegun {
                    value: Some(input),
                    before: true,
                    context,
                    ..ReviewBegun::default()
                };
                self.begin_review(run, kept, asked);
            }
        }
    }

    /// The step's input.
    fn prepare(&mut self, run: RunId, context: Option<&Value>) -> Result<Value, Error> {
        let context = context.map(|context| [("context", context)]);
        let given = Given {
            more: context.as_ref().map_or(&[], |known| &known[..]),
            ..Given::default()
        };
        let input = match (&self.node(run).role, &self.node(run).input) {
            (Role::Auxiliary(asked), _) => self.asked(run, *asked)?,
            (_, Input::Template(template)) => template
                .eval(&self.scope(run, given))
                .map_err(|e| self.error(run, "expression", format!("input: {e}")))?,
            (_, Input::Previous) => self.execution.previous(run).clone(),
            (_, Input::Execution) => self.execution.input.clone(),
        };
        self.bytes += self.check_size(run, "input", &input)?;
        self.check_input_schema(run, &input)?;
        Ok(input)
    }

    /// What an agent is given that is asked besides a step's own attempts.
    fn asked(&self, run: RunId, asked: Asked) -> Result<Value, Error> {
        let owner = self.execution.run(run).parent.unwrap_or(ROOT);
        match asked {
            Asked::Judge(gate) => self.asked_of_value(owner, Some(gate)),
            Asked::Repair(_) => self.asked_of_value(owner, None),
            Asked::Summary => self.asked_to_summarize(owner, run),
        }
    }

    pub fn gate_violated(&mut self, run: RunId, before: bool, index: usize, message: String) {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let violated = GateViolated {
            before,
            index,
            message,
        };
        self.emit(run, event::Kind::GateViolated(violated));
    }

    /// The size of a value in bytes.
    ///
    /// # Errors
    /// Class `limit` when it is larger than a payload may be.
    pub fn check_size(&self, run: RunId, what: &str, value: &Value) -> Result<usize, Error> {
        let (size, max) = (value.encoded_len(), self.limits.payload_bytes_max);
        if size > max {
            let words = format!("the {what} is {size} bytes, payload_bytes_max is {max}");
            return Err(self.error(run, "limit", words));
        }
        Ok(size)
    }

    /// # Errors
    /// Class `limit` when a step around has made all the calls that it may.
    fn check_calls(&self, run: RunId) -> Result<(), Error> {
        let Some((around, most)) = self.execution.out_of_calls(run) else {
            return Ok(());
        };
        let around = &self.execution.run(around).path;
        let words = format!("step {around} has made {most} calls, max_calls is {most}");
        Err(self.error(run, "limit", words))
    }

    /// Begins the step's next attempt with this input.
    pub fn begin_attempt(&mut self, run: RunId, input: Value, context: Option<Value>) {
        if let Err(error) = self.try_attempt(run, input, context) {
            self.fail_step(run, error, None);
        }
    }

    /// # Errors
    /// Why the step fails before the attempt.
    fn try_attempt(
        &mut self,
        run: RunId,
        input: Value,
        context: Option<Value>,
    ) -> Result<(), Error> {
        self.check_child_depth(run)?;
        let chosen = self.chosen(run)?;
        let cache_key = match self.execution.run(run).attempt {
            0 => {
                let key = self.cache_key(run, &input, context.as_ref(), chosen.target_name())?;
                if self.complete_by_cache(run, &key, &input) {
                    return Ok(());
                }
                key
            }
            _ => self.execution.run(run).cache_key.clone(),
        };
        if self.call(run).is_some() {
            let scheduled = StepScheduled {
                context,
                cache_key,
                ..chosen.named()
            };
            return self.schedule(run, input, scheduled);
        }
        let attempt = self.execution.run(run).attempt + 1;
        match self.node(run).kind {
            Kind::Set(_) => self.set(run, &input, attempt),
            Kind::Restore(_) => self.restore(run, attempt),
            _ => {
                let started = StepStarted {
                    attempt,
                    input: Some(input),
                    deadline: self.node(run).timeout.map(|t| self.now.after(t).into()),
                    total_deadline: self.total_deadline(run).map(Into::into),
                    cache_key,
                    ..StepStarted::default()
                };
                self.emit(run, event::Kind::StepStarted(started));
                self.begin_within(run);
            }
        }
        Ok(())
    }

    /// Hands out an attempt of a call; who it goes to is said already.
    fn schedule(
        &mut self,
        run: RunId,
        mut input: Value,
        scheduled: StepScheduled,
    ) -> Result<(), Error> {
        let fairness_key = self.fairness_key(run)?;
        self.check_calls(run)?;
        let given_item = self.execution.item_around(run) == Some(&input);
        let gathered = self.execution.leave_gathered_out(run, &mut input);
        let queue_timeout = self.node(run).queue_timeout;
        let scheduled = StepScheduled {
            attempt: self.execution.run(run).attempt + 1,
            input: (!given_item).then_some(input),
            given_item,
            queue_deadline: queue_timeout.map(|t| self.now.after(t).into()),
            total_deadline: self.total_deadline(run).map(Into::into),
            gathered,
            fairness_key,
            ..scheduled
        };
        self.emit(run, event::Kind::StepScheduled(scheduled));
        self.dispatch(run);
        Ok(())
    }

    /// When all attempts of the step must have ended.
    fn total_deadline(&self, run: RunId) -> Option<Time> {
        let set = self.execution.run(run).total_deadline;
        set.or_else(|| self.node(run).total_timeout.map(|t| self.now.after(t)))
    }

    /// What a step that holds others does first.
    fn begin_within(&mut self, run: RunId) {
        match self.node(run).kind {
            Kind::Switch(_) => self.choose_branch(run),
            Kind::Each(_) => self.begin_items(run),
            Kind::Child(_) => self.start_child(run),
            Kind::Wait(_) => self.begin_wait(run),
            Kind::Loop(_) => self.begin_loop(run),
            Kind::Block(_) => self.enter_first_state(run),
            _ => {}
        }
    }

    fn choose_branch(&mut self, run: RunId) {
        let Kind::Switch(switch) = &self.node(run).kind else {
            return;
        };
        match self.fitting_branch(run, switch) {
            Ok(index) => {
                if let (-2, Some(misfit)) = (index, &switch.misfit) {
                    let error = self.error(run, misfit.class, &misfit.message);
                    return self.attempt_failed(run, error, None, None);
                }
                self.emit(run, event::Kind::BranchChosen(BranchChosen { index }));
                if self.execution.run(run).children.is_empty() {
                    self.attempt_succeeded(run, value::null(), None);
                }
            }
            Err(error) => self.attempt_failed(run, error, None, None),
        }
    }

    fn fitting_branch(&self, run: RunId, switch: &Switch) -> Result<i32, Error> {
        for (index, (when, _)) in (0..).zip(&switch.cases) {
            let fits = when
                .eval_bool(&self.scope(run, Given::default()))
                .map_err(|e| self.error(run, "expression", format!("cases[{index}].when: {e}")))?;
            if fits {
                return Ok(index);
            }
        }
        Ok(if switch.otherwise.is_empty() { -2 } else { -1 })
    }

    /// Takes `vars` back, or fails when the step that sets the mark did not complete.
    fn restore(&mut self, run: RunId, attempt: u32) {
        let Kind::Restore(mark) = &self.node(run).kind else {
            return;
        };
        match self.execution.mark(mark).cloned() {
            Some(vars) => self.vars_restored(run, vars, attempt),
            None => {
                let words = format!("restore: the mark `{mark}` has not been set");
                let error = self.error(run, "expression", words);
                self.fail_step(run, error, None);
            }
        }
    }

    fn set(&mut self, run: RunId, input: &Value, attempt: u32) {
        let given = Given {
            value: Some(input),
            ..Given::default()
        };
        let Kind::Set(entries) = &self.node(run).kind else {
            return;
        };
        let scope = self.scope(run, given);
        let written: Result<Vec<_>, Error> = entries
            .iter()
            .map(|(name, template)| {
                let value = template
                    .eval(&scope)
                    .map_err(|e| self.error(run, "expression", format!("set.{name}: {e}")))?;
                Ok((name.clone(), value))
            })
            .collect();
        match written {
            Ok(entries) => self.set_succeeded(run, value::object(entries), attempt),
            Err(error) => self.fail_step(run, error, None),
        }
    }
}
