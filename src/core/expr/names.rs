//! What the names in an expression mean: variables, steps in reach, and the reference
//! documents' spellings of them that are plain CEL names.

use super::{
    Level, Names, StepName,
    path::{Field, Key, Path, Root},
};
use crate::core::finding::did_you_mean;

/// Something wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub message: String,
    pub hint: String,
    pub rule: &'static str,
}

/// Variables that exist wherever the scope resolves them.
const ALWAYS: &[&str] = &["all_previous_outputs", "all_step_outputs"];

impl Names {
    /// Ids in reach, the innermost level first.
    pub(super) fn step_ids(&self) -> impl Iterator<Item = &str> {
        let steps = self.levels.iter().flat_map(Level::steps);
        steps.map(|step| step.id.as_str())
    }

    pub(super) fn knows_step(&self, id: &str) -> bool {
        self.step(id).is_some()
    }

    fn step(&self, id: &str) -> Option<&StepName> {
        self.levels.iter().find_map(|level| level.step(id))
    }

    /// What a name that begins a path means; `steps` not among them. A step means its output.
    pub(super) fn root(&self, name: &str) -> Result<Root, Problem> {
        if self.variables.contains(&name) || ALWAYS.contains(&name) {
            return Ok(Root::Variable(name.to_owned()));
        }
        if name == "previous_step_output" {
            return self
                .root("previous")
                .map_err(|_| self.unknown_variable(name));
        }
        match name.strip_suffix("_output") {
            Some(step) => self.output_of(step),
            None => Err(self.unknown_variable(name)),
        }
    }

    /// `NAME_output`: the step of that id, else with `-` for `_`, else for `step_N` the N-th.
    fn output_of(&self, name: &str) -> Result<Root, Problem> {
        let respelled = || self.levels.iter().find_map(|level| level.respelled(name));
        let step = self.step(name).or_else(respelled);
        let number = name
            .strip_prefix("step_")
            .and_then(|n| n.parse::<usize>().ok());
        let id = match (step, number) {
            (Some(step), _) => step.id.clone(),
            (None, Some(number)) => self.nth(number)?,
            (None, None) => return Err(self.unknown_step(name)),
        };
        Ok(Root::Step(id, Some(Field::Output)))
    }

    fn nth(&self, number: usize) -> Result<String, Problem> {
        let steps = self.levels.first().map_or(&[][..], Level::steps);
        let step = number.checked_sub(1).and_then(|place| steps.get(place));
        step.map(|step| step.id.clone()).ok_or_else(|| Problem {
            message: format!("there is no step {number}: this level has {}", steps.len()),
            hint: "step_1_output is the output of the first step of the level".into(),
            rule: "unknown-step",
        })
    }

    /// What `steps` with `keys` after it means.
    pub(super) fn path_into_steps(&self, keys: &[Key]) -> Result<Path, Problem> {
        let Some((id, keys)) = keys.split_first() else {
            let root = Root::Steps;
            return Ok(Path {
                root,
                keys: Vec::new(),
            });
        };
        let id = id.to_string();
        let step = self.step(&id).ok_or_else(|| self.unknown_step(&id))?;
        let Some((first, rest)) = keys.split_first() else {
            let root = Root::Step(id, None);
            return Ok(Path {
                root,
                keys: Vec::new(),
            });
        };
        let field = field(&id, &first.to_string())?;
        let mut keys = rest.to_vec();
        if let (Field::Output, Some(Key::Index(index))) = (field, keys.first())
            && !step.children.is_empty()
        {
            keys[0] = Key::Name(child(step, *index)?);
        }
        let root = Root::Step(id, Some(field));
        Ok(Path { root, keys })
    }

    fn unknown_step(&self, id: &str) -> Problem {
        let mut in_reach: Vec<_> = self.step_ids().collect();
        in_reach.dedup();
        let list = if in_reach.is_empty() {
            "no step is in reach here".to_owned()
        } else {
            format!("in reach are {}", some_of(&in_reach))
        };
        let hint = match did_you_mean(id, in_reach) {
            Some(near) => format!("did you mean `{near}`? {list}"),
            None => list,
        };
        Problem {
            message: format!("unknown step `{id}`"),
            hint,
            rule: "unknown-step",
        }
    }

    fn unknown_variable(&self, name: &str) -> Problem {
        let known = self.variables.iter().copied().chain(["steps"]);
        let hint = if self.knows_step(name) {
            format!("`{name}` is a step: write steps.{name}.output")
        } else if let Some(near) = did_you_mean(name, known.clone()) {
            format!("did you mean `{near}`?")
        } else {
            format!("known here are {}", some_of(&known.collect::<Vec<_>>()))
        };
        Problem {
            message: format!("unknown variable `{name}`"),
            hint,
            rule: "unknown-variable",
        }
    }
}

fn field(id: &str, name: &str) -> Result<Field, Problem> {
    Field::named(name).ok_or_else(|| Problem {
        message: format!("a step has no `{name}`"),
        hint: match did_you_mean(name, Field::NAMES) {
            Some(near) => format!("did you mean steps.{id}.{near}?"),
            None => format!(
                "a step has {}; did you mean steps.{id}.output.{name}?",
                some_of(&Field::NAMES)
            ),
        },
        rule: "unknown-field",
    })
}

fn child(block: &StepName, index: i64) -> Result<String, Problem> {
    let place = usize::try_from(index).ok();
    let child = place.and_then(|place| block.children.get(place));
    child.cloned().ok_or_else(|| Problem {
        message: format!(
            "`{}` has no child {index}: it has {}, counted from 0",
            block.id,
            block.children.len()
        ),
        hint: format!("its children are {}", some_of(&block.children)),
        rule: "unknown-step",
    })
}

/// Up to ten names for a message.
fn some_of<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<_> = names
        .iter()
        .take(10)
        .map(|n| format!("`{}`", n.as_ref()))
        .collect();
    let more = names.len().saturating_sub(shown.len());
    let list = shown.join(", ");
    if more > 0 {
        format!("{list} and {more} more")
    } else {
        list
    }
}
