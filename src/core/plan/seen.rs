//! Names that a step gives to the expressions within it, and what each of them means.

use super::Node;
use crate::core::{patterns::Ballot, value::Value};

/// A name, and what it means.
pub type Name = (&'static str, Seen);

/// Members within members: those of `action` called `tool` are `["action", "tool"]`.
pub type Members = &'static [&'static str];

/// What a name means where a step gives it. What is not there is null.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Always this.
    Constant(Value),
    /// The tools of a reasoner, as it is told of them.
    Tools(Vec<Told>),
    /// Those whom a planner may call, as it is told of them.
    Agents(Vec<Told>),
    /// What the step was given.
    Given,
    /// The number of the iteration, from 1.
    Index,
    /// The number of the round, from 1, where a round has so many iterations.
    Round(u32),
    /// A member of what the iteration before gave; of one that has ended, of what it gave.
    Last(Members),
    /// A member of what the first of these steps within that gave anything gave.
    Output(Vec<String>, Members),
    /// What the steps within gave, in order.
    Children,
    /// The error of the step within this one, or within that, which failed.
    Failure(&'static str),
    /// What the iterations so far gave; with a step's id, those of that loop within this step.
    Gathered(Option<&'static str>),
    /// The lists that the iterations of the loop of this id so far gave, joined.
    Joined(&'static str),
    /// What was voted for within the step of this id.
    Winner(&'static str, Box<Ballot>),
}

/// Who is told of: a tool of a reasoner, or one whom a planner may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it is named by.
    pub name: String,
    /// What it is for, in words; empty: as the agent says.
    pub description: String,
    /// The agent that it is, when that is known.
    pub agent: Option<String>,
    /// The skill that it is found by, when that is known.
    pub skill: Option<String>,
}

impl Node {
    /// What a name means that the step gives.
    pub fn meaning(&self, name: &str) -> Option<&Seen> {
        let mut names = self.names.iter();
        names.find(|(known, _)| *known == name).map(|(_, is)| is)
    }
}
