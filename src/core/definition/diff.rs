//! What differs between two definitions, field by field. Members of lists are matched by
//! their `id` where all have one, else by their place.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::tree::Tree;
use crate::{
    core::value,
    proto::{Workflow, diff_workflows_response::Difference},
};

/// The differences from `before` to `after`, in the order of the definition.
///
/// Paths name list members by id where there is one: `steps[pay].timeout`. When members only
/// changed places, one difference of the list itself gives the ids in both orders.
pub fn diff(before: &Workflow, after: &Workflow) -> Vec<Difference> {
    let mut walk = Walk::default();
    walk.compare(&Tree::of(before), &Tree::of(after));
    walk.differences
}

#[derive(Default)]
struct Walk {
    path: String,
    differences: Vec<Difference>,
}

impl Walk {
    fn compare(&mut self, before: &Tree, after: &Tree) {
        match (before, after) {
            (Tree::Map(old), Tree::Map(new)) => self.maps(old, new),
            (Tree::List(old), Tree::List(new)) => match (by_id(old), by_id(new)) {
                (Some(old), Some(new)) => self.identified(&old, &new),
                _ => self.by_place(old, new),
            },
            (old, new) if old == new => {}
            (old, new) => self.differ(Some(old), Some(new)),
        }
    }

    fn maps(&mut self, old: &[(String, Tree)], new: &[(String, Tree)]) {
        let old: Vec<_> = old.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let new: Vec<_> = new.iter().map(|(k, v)| (k.as_str(), v)).collect();
        for (key, before, after) in paired(&old, &new) {
            self.at(&format!(".{key}"), before, after);
        }
    }

    fn identified(&mut self, old: &[(&str, &Tree)], new: &[(&str, &Tree)]) {
        let pairs = paired(old, new);
        let in_both: HashSet<&str> = pairs
            .iter()
            .filter(|(_, before, after)| before.is_some() && after.is_some())
            .map(|(id, ..)| *id)
            .collect();
        let kept = |list: &[(&str, &Tree)]| -> Vec<String> {
            let ids = list.iter().map(|(id, _)| *id);
            ids.filter(|id| in_both.contains(id))
                .map(str::to_owned)
                .collect()
        };
        if kept(old) != kept(new) {
            self.differences.push(Difference {
                path: self.path.trim_start_matches('.').to_owned(),
                before: Some(value::list(
                    old.iter().map(|(id, _)| value::string(*id)).collect(),
                )),
                after: Some(value::list(
                    new.iter().map(|(id, _)| value::string(*id)).collect(),
                )),
            });
        }
        for (id, before, after) in pairs {
            self.at(&format!("[{id}]"), before, after);
        }
    }

    fn by_place(&mut self, old: &[Tree], new: &[Tree]) {
        for index in 0..old.len().max(new.len()) {
            self.at(&format!("[{index}]"), old.get(index), new.get(index));
        }
    }

    /// Compares a member, whose path goes on with `segment`.
    fn at(&mut self, segment: &str, before: Option<&Tree>, after: Option<&Tree>) {
        let length = self.path.len();
        self.path.push_str(segment);
        match (before, after) {
            (Some(before), Some(after)) => self.compare(before, after),
            (before, after) => self.differ(before, after),
        }
        self.path.truncate(length);
    }

    fn differ(&mut self, before: Option<&Tree>, after: Option<&Tree>) {
        self.differences.push(Difference {
            path: self.path.trim_start_matches('.').to_owned(),
            before: before.map(Tree::to_value),
            after: after.map(Tree::to_value),
        });
    }
}

/// The members by id, when each has one of its own.
fn by_id(items: &[Tree]) -> Option<Vec<(&str, &Tree)>> {
    let mut seen = HashSet::with_capacity(items.len());
    items
        .iter()
        .map(|item| match item.member("id") {
            Some(Tree::Leaf(serde_json::Value::String(id))) if seen.insert(id.as_str()) => {
                Some((id.as_str(), item))
            }
            _ => None,
        })
        .collect()
}

type Pair<'a> = (&'a str, Option<&'a Tree>, Option<&'a Tree>);

/// The members of both sides by key, in the order of the newer one; what it lost stands
/// before that which followed it.
fn paired<'a>(old: &[(&'a str, &'a Tree)], new: &[(&'a str, &'a Tree)]) -> Vec<Pair<'a>> {
    let kept: HashSet<&str> = new.iter().map(|(key, _)| *key).collect();
    let places: HashMap<&str, usize> = old
        .iter()
        .enumerate()
        .map(|(place, (key, _))| (*key, place))
        .collect();
    let mut pairs: Vec<Pair<'a>> = Vec::with_capacity(old.len().max(new.len()));
    let mut next = 0;
    for (key, after) in new {
        let place = places.get(key).copied();
        let lost_end = place.unwrap_or_else(|| {
            let lost = old[next..].iter().take_while(|(k, _)| !kept.contains(k));
            next + lost.count()
        });
        push_lost(&mut pairs, old, next..lost_end, &kept);
        next = next.max(lost_end + usize::from(place.is_some()));
        pairs.push((key, place.map(|p| old[p].1), Some(after)));
    }
    push_lost(&mut pairs, old, next..old.len(), &kept);
    pairs
}

/// Adds those members of a range that the newer side no longer has.
fn push_lost<'a>(
    pairs: &mut Vec<Pair<'a>>,
    old: &[(&'a str, &'a Tree)],
    range: Range<usize>,
    kept: &HashSet<&str>,
) {
    let lost = old.get(range).unwrap_or_default();
    let lost = lost.iter().filter(|(key, _)| !kept.contains(key));
    pairs.extend(lost.map(|(key, tree)| (*key, Some(*tree), None)));
}
