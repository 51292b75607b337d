//! A transcript is in the events once: each of its entries is what an iteration gave. An input
//! that holds it is told without it, and made whole again when the event is folded.

use super::{Execution, RunId};
use crate::{
    core::{
        plan::Seen,
        value::{self, Kind, Value},
    },
    proto::Gathered,
};

impl Execution {
    /// What the first iterations of a loop gave, in their order; nothing for those that gave
    /// nothing.
    pub(super) fn outputs_of(&self, looped: RunId, count: u32) -> Value {
        let frames = self.run(looped).frames.as_ref();
        let outputs = frames.map(|frames| frames.outputs(count as usize).cloned().collect());
        value::list(outputs.unwrap_or_default())
    }

    /// Takes the member out of a step's input that is the list of what the iterations in its
    /// reach gave, if any is; what says how to put it back.
    pub fn leave_gathered_out(&self, id: RunId, input: &mut Value) -> Option<Gathered> {
        let (looped, count) = self.gathered_in_reach(id)?;
        let list = self.outputs_of(looped, count);
        let Some(Kind::StructValue(object)) = &mut input.kind else {
            return None;
        };
        let (field, _) = object.fields.iter().find(|(_, member)| **member == list)?;
        let field = field.clone();
        object.fields.remove(&field);
        Some(Gathered {
            field,
            path: self.run(looped).path.to_string(),
            count,
        })
    }

    /// Puts back what was left out of an input.
    pub(super) fn put_gathered_back(&self, input: &mut Value, gathered: &Gathered) {
        let Some(looped) = self.find(&gathered.path) else {
            return;
        };
        let list = self.outputs_of(looped, gathered.count);
        if let Some(Kind::StructValue(object)) = &mut input.kind {
            object.fields.insert(gathered.field.clone(), list);
        }
    }

    /// The loop whose iterations a name in a step's reach gathers, and how many; `None` when
    /// none does or there are none yet.
    fn gathered_in_reach(&self, id: RunId) -> Option<(RunId, u32)> {
        let mut within = Some(id);
        while let Some(at) = within {
            let mut names = self.node(at).names.iter();
            let of = names.find_map(|(_, seen)| match seen {
                Seen::Gathered(of) => Some(*of),
                _ => None,
            });
            if let Some(of) = of {
                return self.gathered_from(at, of).filter(|(_, count)| *count > 0);
            }
            within = self.run(at).parent;
        }
        None
    }
}
