//! An execution as the api shows it.

use std::{ops::ControlFlow, time::Duration};

use super::{
    Execution, ExecutionState, ROOT, RunId, StepRun, StepState,
    listing::{Found, ITEM},
};
use crate::{
    core::{
        plan::{Kind, Node, NodeId, Target},
        time::{Time, message},
        value::{Kind as ValueKind, Struct, Value},
    },
    proto,
};

/// Says what a task, by its number, waits for that no worker has accepted; `None`: any worker.
pub type WaitingFor<'a> = dyn Fn(u64) -> Option<String> + 'a;

/// The execution as it stands at `now`, with at most `steps_max` of its steps.
pub fn view(
    execution: &Execution,
    now: Time,
    steps_max: usize,
    waiting_for: &WaitingFor<'_>,
) -> proto::Execution {
    let (steps, left_out) = execution.view_steps(steps_max, waiting_for);
    let payloads = |run, step: &mut _| execution.run(run).show_payloads(step);
    proto::Execution {
        steps: filled(steps, payloads),
        steps_left_out: left_out,
        input: Some(execution.input.clone()),
        output: execution.output.clone(),
        variables: object(execution.vars.clone()),
        ..outline(execution, now)
    }
}

/// As `view`, of an execution that nobody needs any more: its payloads are moved, not copied.
pub fn into_view(
    mut execution: Execution,
    now: Time,
    steps_max: usize,
    waiting_for: &WaitingFor<'_>,
) -> proto::Execution {
    let (steps, left_out) = execution.view_steps(steps_max, waiting_for);
    let payloads = |run, step: &mut _| execution.run_mut(run).move_payloads(step);
    proto::Execution {
        steps: filled(steps, payloads),
        steps_left_out: left_out,
        input: Some(std::mem::take(&mut execution.input)),
        output: execution.output.take(),
        variables: object(std::mem::take(&mut execution.vars)),
        ..outline(&execution, now)
    }
}

/// The steps, those with payloads of their own filled with them.
fn filled(
    steps: Vec<(Option<RunId>, proto::StepExecution)>,
    mut payloads: impl FnMut(RunId, &mut proto::StepExecution),
) -> Vec<proto::StepExecution> {
    let steps = steps.into_iter().map(|(run, mut step)| {
        if let Some(run) = run {
            payloads(run, &mut step);
        }
        step
    });
    steps.collect()
}

fn object(value: Value) -> Option<Struct> {
    match value.kind {
        Some(ValueKind::StructValue(fields)) => Some(fields),
        _ => None,
    }
}

/// The execution as it stands at `now`, as lists show it: without steps and payloads.
pub fn outline(execution: &Execution, now: Time) -> proto::Execution {
    let mut outline = summary(execution);
    tell_time(&mut outline, now);
    outline
}

/// Adds what changes with the clock to a summary.
pub fn tell_time(summary: &mut proto::Execution, now: Time) {
    if summary.end_time.is_some() {
        return;
    }
    let created = summary.create_time.map(Time::from).unwrap_or_default();
    let elapsed = now.since(created);
    let remaining = remaining(elapsed, summary.progress_percent);
    summary.elapsed = Some(message(elapsed));
    summary.estimated_completion_time = remaining.map(|span| now.after(span).into());
}

/// What is kept of the execution for lists, at each change of its state: without steps,
/// payloads and what changes with the clock.
pub fn summary(execution: &Execution) -> proto::Execution {
    proto::Execution {
        execution_id: execution.id.to_string(),
        namespace: execution.namespace.clone(),
        workflow: execution.workflow.clone(),
        version: execution.version,
        state: execution.state.into(),
        error: execution.error.clone(),
        create_time: Some(execution.create_time.into()),
        end_time: execution.end_time.map(Into::into),
        labels: execution.labels.clone(),
        attempt: execution.attempt,
        last_sequence: execution.sequence,
        deadline: execution.deadline.map(Into::into),
        next_attempt_time: execution.next_attempt_time.map(Into::into),
        parent: execution.parent.as_deref().cloned().map(Into::into),
        progress_percent: execution.progress(),
        average_step_time: execution.average_step_time().map(message),
        elapsed: execution
            .end_time
            .map(|end| message(end.since(execution.create_time))),
        ..proto::Execution::default()
    }
}

/// The time still needed at the pace so far; `None` before there is any progress.
fn remaining(elapsed: Duration, progress_percent: f64) -> Option<Duration> {
    let share = (100.0 - progress_percent) / progress_percent;
    Duration::try_from_secs_f64(elapsed.as_secs_f64() * share).ok()
}

impl Execution {
    /// Ended steps as a share of known steps, 0 to 100.
    fn progress(&self) -> f64 {
        if self.state == ExecutionState::Completed {
            return 100.0;
        }
        let (ended, known) = self.steps_below(ROOT);
        #[allow(clippy::cast_precision_loss)]
        let share = ended as f64 / known.max(1) as f64;
        share * 100.0
    }

    /// How many steps within a step have ended by themselves, and how many there are; those
    /// of a block that has not begun count too.
    fn steps_below(&self, id: RunId) -> (usize, usize) {
        use StepState::{Compensated, Completed, Failed, Skipped};
        let run = self.run(id);
        if let Some(items) = &run.items {
            return (run.ended as usize, items.total() as usize);
        }
        if let Kind::Loop(_) = self.node(id).kind {
            // A loop is one step: how often it goes round is not known.
            return (0, 0);
        }
        if run.children.is_empty() {
            return (0, self.nodes_below(run.node));
        }
        let of_child = |child: &RunId| {
            let state = self.run(*child).state;
            let ended = matches!(state, Completed | Failed | Skipped | Compensated);
            let (below_ended, below) = self.steps_below(*child);
            (usize::from(ended) + below_ended, 1 + below)
        };
        let children = run.children.iter().map(of_child);
        children.fold((0, 0), |sum, child| (sum.0 + child.0, sum.1 + child.1))
    }

    fn nodes_below(&self, node: NodeId) -> usize {
        match &self.plan.node(node).kind {
            Kind::Block(block) => {
                let below = block.children.iter().map(|child| self.nodes_below(*child));
                block.children.len() + below.sum::<usize>()
            }
            _ => 0,
        }
    }

    fn average_step_time(&self) -> Option<Duration> {
        let nanos = u64::try_from(self.calls_completed_nanos).unwrap_or(0);
        let mean = nanos.checked_div(u64::from(self.calls_completed))?;
        Some(Duration::from_nanos(mean))
    }

    /// The steps that there is room for, in order, and how many more there are. Items of which
    /// nothing is to be said but what they gave, or that have not begun, come last. With those
    /// that have payloads of their own, which they are without.
    fn view_steps(
        &self,
        most: usize,
        waiting_for: &WaitingFor<'_>,
    ) -> (Vec<(Option<RunId>, proto::StepExecution)>, u32) {
        let (mut all, mut quiet) = (0_usize, 0_usize);
        let _ = self.walk(&[], &mut |_, found, over| {
            all += 1;
            quiet += usize::from(self.is_quiet(found, over));
            ControlFlow::Continue(())
        });
        let mut quiet_room = most.saturating_sub(all - quiet);
        let mut steps = Vec::new();
        let _ = self.walk(&[], &mut |_, found, over| {
            if self.is_quiet(found, over) {
                if quiet_room == 0 {
                    return ControlFlow::Continue(());
                }
                quiet_room -= 1;
            }
            if steps.len() == most {
                return ControlFlow::Break(());
            }
            let run = match found {
                Found::Run(run) => Some(run),
                Found::Planned(..) | Found::Item(..) => None,
            };
            steps.push((run, self.view_bare(found, over, waiting_for)));
            ControlFlow::Continue(())
        });
        let left_out = all - steps.len();
        (steps, u32::try_from(left_out).unwrap_or(u32::MAX))
    }

    fn is_quiet(&self, found: Found<'_>, over: bool) -> bool {
        let is_item = matches!(found, Found::Item(..));
        is_item && self.state_of(found, over) != StepState::Failed
    }

    /// A step without its payloads.
    pub(super) fn view_step(&self, run: &StepRun, node: &Node) -> proto::StepExecution {
        let (agent, skill) = match run.target_in(node) {
            Some(Target::Agent(agent)) => (agent.clone(), String::new()),
            Some(Target::Skill { skill, .. }) => (run.agent.clone(), skill.clone()),
            None => Default::default(),
        };
        let kind = match run.index {
            Some(_) if run.parent.is_some_and(|p| self.each(p).is_some()) => ITEM,
            Some(_) => "iteration",
            None => node.kind_name(),
        };
        proto::StepExecution {
            path: run.path.to_string(),
            name: node.name.clone(),
            kind: kind.into(),
            state: run.state.into(),
            attempt: run.attempt,
            agent,
            skill,
            input: None,
            output: None,
            error: run.error.clone(),
            start_time: run.start_time.map(Into::into),
            end_time: run.end_time.map(Into::into),
            worker_id: run.worker_id.clone(),
            waiting_for: String::new(),
            next_attempt_time: run.next_attempt_time.map(Into::into),
            max_attempts: node.attempts_max(),
            usage: run.usage,
            items: None,
            child_execution_id: run
                .child
                .as_ref()
                .map_or(String::new(), |c| c.id.to_string()),
            iterations: run.frames.as_ref().map_or(0, |frames| frames.begun),
            exit: run.exit.into(),
            cached_execution_id: run.cached_from.clone(),
            context: None,
        }
    }

    pub(super) fn waiting_words(&self, id: RunId, waiting_for: &WaitingFor<'_>) -> String {
        let run = self.run(id);
        if let Some(due) = run.wait_time {
            return prost_types::Timestamp::from(due).to_string();
        }
        match run.state {
            StepState::Waiting => waiting_for(run.scheduled).unwrap_or_else(|| "a worker".into()),
            StepState::Retrying if self.is_parked(id) => "the execution to be resumed".into(),
            StepState::Pending if run.waits == 0 && self.pause.is_some() => {
                "the execution to be resumed".into()
            }
            StepState::Retrying => format!("its attempt {}", run.attempt + 1),
            StepState::Pending if self.is_left_out(id) => "a transition to it".into(),
            StepState::Pending if run.waits > 0 => self.unmet_words(id),
            StepState::Pending => "room for more steps in progress".into(),
            _ => String::new(),
        }
    }

    fn unmet_words(&self, id: RunId) -> String {
        let parent = self.run(id).parent.unwrap_or(ROOT);
        let children = self.run(parent).children.iter();
        let unmet: Vec<&str> = children
            .filter(|c| self.run(**c).dependants.contains(&id) && !self.run(**c).is_ended())
            .map(|c| self.node(*c).id.as_str())
            .collect();
        match unmet.as_slice() {
            [one] => format!("step {one}"),
            several => format!("steps {}", several.join(", ")),
        }
    }
}

impl StepRun {
    /// Shows what it was given and gave.
    pub(super) fn show_payloads(&self, step: &mut proto::StepExecution) {
        step.input = self.input.clone();
        step.output = self.output.clone();
        step.context = self.beside.as_ref().and_then(|b| b.context.clone());
    }

    /// As `show_payloads`, leaving it without.
    fn move_payloads(&mut self, step: &mut proto::StepExecution) {
        step.input = self.input.take();
        step.output = self.output.take();
        step.context = self.beside.as_mut().and_then(|b| b.context.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_remains_follows_from_the_pace_and_is_unknown_before_the_first_step() {
        let elapsed = Duration::from_secs(30);
        assert_eq!(remaining(elapsed, 25.0), Some(Duration::from_secs(90)));
        assert_eq!(remaining(elapsed, 100.0), Some(Duration::ZERO));
        assert_eq!(remaining(elapsed, 0.0), None);
        assert_eq!(remaining(Duration::ZERO, 0.0), None);
    }
}
