//! The steps of one list, as expressions know them: found by id without going through the list,
//! since every expression of a long list asks.

use std::collections::HashMap;

/// The steps of one level.
#[derive(Clone, Debug, Default)]
pub struct Level {
    steps: Vec<StepName>,
    /// The place of the first step of each id.
    places: HashMap<String, usize>,
    /// Of the ids with dashes: the place of the first that reads so with `_` for `-`.
    respelled: HashMap<String, usize>,
}

/// What is known of a step at compile time.
#[derive(Clone, Debug, Default)]
pub struct StepName {
    /// Its id.
    pub id: String,
    /// For a PARALLEL or GRAPH block: the ids of its children, in order; `output[0]` means the
    /// first of them.
    pub children: Vec<String>,
}

impl Level {
    /// The level of these steps, in list order.
    pub fn new(steps: Vec<StepName>) -> Self {
        let mut places = HashMap::with_capacity(steps.len());
        let mut respelled = HashMap::new();
        for (place, step) in steps.iter().enumerate() {
            places.entry(step.id.clone()).or_insert(place);
            if step.id.contains('-') {
                respelled.entry(step.id.replace('-', "_")).or_insert(place);
            }
        }
        Self {
            steps,
            places,
            respelled,
        }
    }

    /// The steps, in list order.
    pub fn steps(&self) -> &[StepName] {
        &self.steps
    }

    /// The place of the first step of this id.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// The first step of this id.
    pub(super) fn step(&self, id: &str) -> Option<&StepName> {
        self.steps.get(self.place(id)?)
    }

    /// The first step whose id has dashes and is `name` with `_` for them.
    pub(super) fn respelled(&self, name: &str) -> Option<&StepName> {
        self.steps.get(*self.respelled.get(name)?)
    }
}
