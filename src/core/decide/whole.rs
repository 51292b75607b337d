//! How the whole execution succeeds or fails: its output and goal, and its further attempts.

use super::{
    end::{Fault, seen},
    review::Verdict,
    turn::Turn,
};
use crate::{
    core::{
        execution::{Ending, Error, ExecutionState, Progress, ROOT, WorkflowScope},
        retry,
        value::Value,
    },
    proto::{ExecutionRetryScheduled, ReviewBegun, event},
};

impl Turn<'_> {
    /// A workflow whose steps have all ended already, as after a retry, ends.
    pub fn settle_empty_root(&mut self) {
        let waiting = self.execution.next_attempt_time.is_some();
        if waiting || self.execution.is_ended() || self.execution.is_ending() {
            return;
        }
        let root = self.execution.run(ROOT);
        if root.awaited().is_some() || self.execution.is_parked_whole() {
            return;
        }
        if let Some(state) = self.execution.current_state(ROOT) {
            if self.execution.run(state).is_ended() {
                self.state_ended(ROOT, state);
            }
            return;
        }
        let all = u32::try_from(root.children.len()).unwrap_or(u32::MAX);
        if root.ended == all {
            let output = self.execution.children_output(ROOT);
            self.whole_succeeded(&output);
        }
    }

    /// All steps have ended and gave `given` together.
    pub fn whole_succeeded(&mut self, given: &Value) {
        let output = match self.whole_output(given) {
            Ok(output) => output,
            Err(fault) => return self.goal_missed(fault),
        };
        match self.check_gates(ROOT, false, &output, &Progress::default()) {
            Verdict::Passed => self.end(Ending {
                state: ExecutionState::Completed,
                output: Some(output),
                error: None,
                reason: String::new(),
            }),
            Verdict::Violated(fault) => self.goal_missed(fault),
            asked @ Verdict::Ask { .. } => {
                let kept = ReviewBegun {
                    value: Some(output),
                    attempt: self.execution.attempt,
                    ..ReviewBegun::default()
                };
                self.begin_review(ROOT, kept, asked);
            }
        }
    }

    /// What the steps gave together does not stand.
    pub fn goal_missed(&mut self, fault: Fault) {
        match fault.retried {
            true => self.retry_whole(fault.error, true),
            false => self.end_failed(fault.error),
        }
    }

    fn whole_output(&mut self, given: &Value) -> Result<Value, Fault> {
        let fail = |error| Fault {
            error,
            retried: false,
        };
        let root = self.node(ROOT);
        let scope = WorkflowScope {
            execution: self.execution,
            given: seen(given),
        };
        let output = match &root.output {
            Some(template) => template
                .eval(&scope)
                .map_err(|e| fail(self.error(ROOT, "expression", format!("output: {e}"))))?,
            None => given.clone(),
        };
        self.check_size(ROOT, "output", &output).map_err(fail)?;
        if let Some(schema) = &self.execution.plan.output_schema
            && let Some(first) = schema.violations(&output).first()
        {
            let words = format!(
                "the output breaks output_schema at '{}': {}",
                first.pointer, first.message
            );
            return Err(fail(self.error(ROOT, "validation", words)));
        }
        Ok(output)
    }

    /// A failure that nothing within stops.
    pub fn whole_failed(&mut self, error: Error) {
        let policy = self.node(ROOT).retry.as_ref();
        let retried = policy.is_some_and(|p| retry::is_retried(p, &error.class));
        self.retry_whole(error, retried);
    }

    fn retry_whole(&mut self, error: Error, retried: bool) {
        let attempt = self.execution.attempt;
        let policy = self.node(ROOT).retry.as_ref();
        let Some(policy) = policy.filter(|p| retried && attempt < p.max_attempts) else {
            return self.end_failed(error);
        };
        let wait = retry::backoff(
            policy,
            attempt + 1,
            retry::spread((self.execution.id, attempt)),
        );
        let scheduled = ExecutionRetryScheduled {
            attempt: attempt + 1,
            due_time: Some(self.now.after(wait).into()),
            error: Some(error),
        };
        self.emit(ROOT, event::Kind::ExecutionRetryScheduled(scheduled));
    }
}
