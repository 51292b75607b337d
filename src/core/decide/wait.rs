//! Waits: when one is over is decided once, when it begins, and is in its event.

use super::turn::Turn;
use crate::{
    core::{
        execution::{Error, Given, RunId},
        plan::{Kind, Wait},
        time::Time,
        value,
    },
    proto::{WaitBegun, event},
};

impl Turn<'_> {
    /// Begins the wait of a step that has begun; one that is over already ends at once.
    pub fn begin_wait(&mut self, run: RunId) {
        match self.wait_due(run) {
            Ok(due) if due <= self.now => self.end_wait(run),
            Ok(due) => {
                let begun = WaitBegun {
                    due_time: Some(due.into()),
                };
                self.emit(run, event::Kind::WaitBegun(begun));
            }
            Err(error) => self.attempt_failed(run, error, None, None),
        }
    }

    fn wait_due(&self, run: RunId) -> Result<Time, Error> {
        let Kind::Wait(Wait(moments)) = &self.node(run).kind else {
            return Ok(self.now);
        };
        let scope = self.scope(run, Given::default());
        let dues = moments.iter().map(|moment| {
            let failure = |why| {
                let message = format!("wait.{}: {why}", moment.field);
                self.error(run, "expression", message)
            };
            let given = moment.template.eval(&scope);
            let given = given.map_err(|e| failure(e.to_string()))?;
            moment.due(&given, self.now).map_err(failure)
        });
        let dues = dues.collect::<Result<Vec<_>, _>>()?;
        Ok(dues.into_iter().min().unwrap_or(self.now))
    }

    /// The wait is over: the step gives what it was given.
    pub fn end_wait(&mut self, run: RunId) {
        let given = self.execution.run(run).input.clone();
        self.attempt_succeeded(run, given.unwrap_or_else(value::null), None);
    }
}
