//! What the names mean that a step gives to the expressions within it.

use std::borrow::Cow;

use super::{Execution, RunId, StepState, scope::error_value};
use crate::{
    core::{
        plan::{Seen, Told},
        value::{self, Value},
    },
    proto::KnownAgent,
};

/// What has no value.
pub(super) static NULL: Value = Value {
    kind: Some(value::Kind::NullValue(0)),
};

impl Execution {
    /// What a name means to a step: as the nearest around which gives it a meaning says, itself
    /// included.
    pub(super) fn named(&self, id: RunId, name: &str) -> Option<Cow<'_, Value>> {
        let mut within = Some(id);
        while let Some(at) = within {
            if let Some(seen) = self.node(at).meaning(name) {
                return Some(self.seen(at, seen));
            }
            within = self.run(at).parent;
        }
        None
    }

    fn seen<'a>(&'a self, at: RunId, seen: &'a Seen) -> Cow<'a, Value> {
        let index = self.run(at).index.unwrap_or(0);
        match seen {
            Seen::Constant(value) => Cow::Borrowed(value),
            Seen::Tools(tools) => {
                let told = tools.iter().map(|tool| value::object(self.told_of(tool)));
                Cow::Owned(value::list(told.collect()))
            }
            Seen::Agents(agents) => {
                let told = agents.iter().map(|agent| {
                    let skills = ("skills", self.skills_of(agent));
                    value::object(self.told_of(agent).into_iter().chain([skills]))
                });
                Cow::Owned(value::list(told.collect()))
            }
            Seen::Given => Cow::Borrowed(self.given_to(at)),
            Seen::Index => Cow::Owned(value::number(f64::from(index))),
            Seen::Round(length) => {
                let round = index.div_ceil((*length).max(1));
                Cow::Owned(value::number(f64::from(round)))
            }
            Seen::Last(members) => {
                let last = self
                    .iteration_around(at)
                    .map(|frame| self.last_output(frame));
                Cow::Borrowed(last.map_or(&NULL, |last| within(last, members)))
            }
            Seen::Output(ids, members) => {
                let gave = ids.iter().find_map(|id| self.gave(at, id));
                Cow::Borrowed(gave.map_or(&NULL, |output| within(output, members)))
            }
            Seen::Children => {
                let children = self.run(at).children.iter();
                let gave = children.map(|child| self.run(*child).output.clone());
                let gave = gave.map(|output| output.unwrap_or_else(value::null));
                Cow::Owned(value::list(gave.collect()))
            }
            Seen::Failure(id) => {
                let error = self.failure_within(at, id);
                Cow::Owned(error.unwrap_or_else(value::null))
            }
            Seen::Gathered(of) => Cow::Owned(self.gathered(at, *of)),
            Seen::Joined(id) => {
                let looped = self.find(&self.child_path(at, id));
                Cow::Owned(value::list(
                    looped.map_or_else(Vec::new, |l| self.joined(l)),
                ))
            }
            Seen::Winner(id, ballot) => {
                let votes = self.gave(at, id).unwrap_or(&NULL);
                Cow::Owned(ballot.winner(votes))
            }
        }
    }

    fn known(&self, told: &Told) -> Option<&KnownAgent> {
        self.agents.get(told.agent.as_ref()?)
    }

    fn skills_of(&self, told: &Told) -> Value {
        let known = self.known(told).map(|known| known.skills.iter());
        let skills = known.into_iter().flatten().chain(&told.skill);
        value::list(skills.map(value::string).collect())
    }

    fn told_of(&self, told: &Told) -> [(&'static str, Value); 3] {
        let known = self.known(told);
        let description = match (told.description.as_str(), known) {
            ("", Some(known)) => known.description.as_str(),
            (description, _) => description,
        };
        let schema = known.and_then(|known| known.input_schema.clone());
        [
            ("name", value::string(&told.name)),
            ("description", value::text_or_null(description)),
            ("input_schema", schema.unwrap_or_else(value::null)),
        ]
    }

    fn gave(&self, at: RunId, id: &str) -> Option<&Value> {
        let output = self.child(at, id)?.output.as_ref();
        output.filter(|output| !value::is_null(output))
    }

    /// The error of the step that failed within a step of this one.
    fn failure_within(&self, at: RunId, id: &str) -> Option<Value> {
        let around = self.child(at, id)?;
        let within = around.children.iter().map(|child| self.run(*child));
        let failed = std::iter::once(around)
            .chain(within)
            .find(|run| run.state == StepState::Failed)?;
        failed.error.as_ref().map(error_value)
    }

    /// The iteration that a step is in, or is.
    fn iteration_around(&self, id: RunId) -> Option<RunId> {
        let mut at = id;
        while !self.is_frame(at) {
            at = self.run(at).parent?;
        }
        Some(at)
    }

    /// What the iteration before gave; of one that has ended, what it gave itself.
    fn last_output(&self, frame: RunId) -> &Value {
        let run = self.run(frame);
        let frames = run.parent.and_then(|loop_| self.run(loop_).frames.as_ref());
        let place = self.iterations_at(frame).checked_sub(1);
        let last = place.and_then(|place| frames?.output(place as usize));
        last.unwrap_or(&NULL)
    }

    /// How many iterations an iteration sees: those before it, and once it has ended itself.
    fn iterations_at(&self, frame: RunId) -> u32 {
        let run = self.run(frame);
        let index = run.index.unwrap_or(0);
        index.saturating_sub(u32::from(!run.is_ended()))
    }

    /// The loop whose iterations a name that gathers means, and how many of them.
    pub(super) fn gathered_from(&self, at: RunId, of: Option<&str>) -> Option<(RunId, u32)> {
        let Some(id) = of else {
            return Some((self.run(at).parent?, self.iterations_at(at)));
        };
        let looped = self.find(&self.child_path(at, id))?;
        let frames = self.run(looped).frames.as_ref();
        Some((looped, frames.map_or(0, |frames| frames.begun)))
    }

    /// The loop that a step is in, if any.
    pub fn loop_around(&self, id: RunId) -> Option<RunId> {
        self.run(self.iteration_around(id)?).parent
    }

    /// The lists that the iterations of a loop gave, joined.
    pub fn joined(&self, looped: RunId) -> Vec<Value> {
        let frames = self.run(looped).frames.as_ref();
        let lists = frames.map(|frames| frames.outputs(frames.begun as usize));
        let lists = lists.into_iter().flatten();
        let items = lists.filter_map(|list| match &list.kind {
            Some(value::Kind::ListValue(list)) => Some(&list.values),
            _ => None,
        });
        items.flatten().cloned().collect()
    }

    fn gathered(&self, at: RunId, of: Option<&str>) -> Value {
        let from = self.gathered_from(at, of);
        from.map_or_else(
            || value::list(Vec::new()),
            |(looped, count)| self.outputs_of(looped, count),
        )
    }
}

fn within<'a>(value: &'a Value, members: &[&str]) -> &'a Value {
    let found = members
        .iter()
        .try_fold(value, |value, name| value::member(value, name));
    found.unwrap_or(&NULL)
}
