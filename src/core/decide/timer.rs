//! What happens when time has passed, and when someone asks for the end.

use super::turn::Turn;
use crate::{
    core::{
        execution::{Ending, ExecutionState, ROOT, RunId, StepState, TimerKind},
        plan::Role,
        value,
    },
    proto::{ExecutionCancelRequested, ExecutionCancelled, ExecutionRetried, event},
};

impl Turn<'_> {
    /// Fires every timer that is due.
    pub fn tick(&mut self) {
        while !self.execution.is_ended() {
            let Some((run, kind)) = self.execution.due_timer(self.now) else {
                return;
            };
            match kind {
                TimerKind::Total if run == ROOT => self.execution_timed_out(),
                TimerKind::Retry if run == ROOT => self.attempt_whole_again(),
                TimerKind::Retry => self.attempt_again(run),
                TimerKind::Wait => self.end_wait(run),
                TimerKind::Total => self.step_out_of_time(run),
                TimerKind::Attempt | TimerKind::Queue => self.attempt_out_of_time(run, kind),
            }
        }
    }

    fn execution_timed_out(&mut self) {
        let words = format!(
            "the execution took longer than {}",
            self.span(ROOT, TimerKind::Attempt)
        );
        let error = Some(self.error(ROOT, "timeout", words));
        self.cancel_within(ROOT, "the execution timed out");
        self.end(Ending {
            state: ExecutionState::TimedOut,
            output: None,
            error,
            reason: String::new(),
        });
    }

    fn attempt_whole_again(&mut self) {
        let attempt = self.execution.attempt + 1;
        self.emit(
            ROOT,
            event::Kind::ExecutionRetried(ExecutionRetried { attempt }),
        );
    }

    /// Begins the step's next attempt, with what the last one was given.
    pub fn attempt_again(&mut self, run: RunId) {
        let input = self.execution.run(run).input.clone();
        let input = input.unwrap_or_else(value::null);
        let context = self.execution.context(run).cloned();
        self.begin_attempt(run, input, context);
    }

    fn step_out_of_time(&mut self, run: RunId) {
        let words = format!(
            "all attempts took longer than {}",
            self.span(run, TimerKind::Total)
        );
        self.stop(run, "the step timed out", true);
        let error = self.error(run, "timeout", words);
        self.fail_step(run, error, None);
    }

    fn attempt_out_of_time(&mut self, run: RunId, kind: TimerKind) {
        let span = self.span(run, kind);
        let words = if kind == TimerKind::Queue {
            format!("no worker accepted the task within {span}")
        } else {
            format!("the attempt took longer than {span}")
        };
        self.stop(run, "the attempt timed out", kind == TimerKind::Attempt);
        let error = self.error(run, "timeout", words);
        self.attempt_failed(run, error, None, None);
    }

    /// Takes back what the step has in progress.
    fn stop(&mut self, run: RunId, reason: &str, timed_out: bool) {
        self.cancel_within(run, reason);
        if self.execution.run(run).state != StepState::Retrying {
            self.take_back(run, reason, timed_out);
        }
    }

    /// The span of a timer, in words.
    fn span(&self, run: RunId, kind: TimerKind) -> String {
        let node = self.node(run);
        let span = match kind {
            TimerKind::Total if node.role == Role::Finally => Some(self.limits.finally_timeout),
            TimerKind::Total => node.total_timeout,
            TimerKind::Queue => node.queue_timeout,
            TimerKind::Attempt | TimerKind::Retry | TimerKind::Wait => node.timeout,
        };
        span.map_or_else(|| "its timeout".into(), |span| format!("{span:?}"))
    }

    /// Ends the execution on request.
    pub fn cancel(&mut self, reason: &str) {
        let requested = ExecutionCancelRequested {
            reason: reason.to_owned(),
        };
        self.emit(ROOT, event::Kind::ExecutionCancelRequested(requested));
        self.cancel_within(ROOT, "the execution was cancelled");
        self.end(Ending {
            state: ExecutionState::Cancelled,
            output: None,
            error: None,
            reason: reason.to_owned(),
        });
    }

    /// Ends the execution now.
    pub fn terminate(&mut self, reason: &str) {
        self.terminating = true;
        self.cancel_within(ROOT, "the execution was cancelled");
        let cancelled = ExecutionCancelled {
            reason: reason.to_owned(),
            terminated: true,
        };
        self.emit(ROOT, event::Kind::ExecutionCancelled(cancelled));
    }
}
