//! `list.sort()`, and what `list.sortBy(x, key)` becomes: ascending, with all kinds of numbers
//! in one order, as in JSON. Equal ones keep theirs.

use std::cmp::Ordering;

use cel::{
    ExecutionError,
    common::{
        types::CelList,
        value::{CowVal, Val},
    },
};

use super::{
    meter::Meter,
    operators::{elements, number},
};

type Arguments<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Outcome<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// `list.sort()`, with a meter as second argument.
pub(super) fn sort<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let items = elements(args[0].as_ref())?;
    Meter::of(&args[1])?.spend(items.len())?;
    let order = order(&items, "sort")?;
    Ok(arranged(items, &order))
}

/// The elements of a list in the order of the keys of another, with a meter as third argument.
pub(super) fn sort_by<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let (items, keys) = (elements(args[0].as_ref())?, elements(args[1].as_ref())?);
    Meter::of(&args[2])?.spend(items.len())?;
    if items.len() != keys.len() {
        return Err(ExecutionError::InternalError(
            "a list is sorted by as many keys as it has elements".into(),
        ));
    }
    let order = order(&keys, "sortBy")?;
    Ok(arranged(items, &order))
}

/// The places of the keys, the smallest key's first.
///
/// # Errors
/// When the keys are not all numbers, or all of another kind that has an order.
fn order(keys: &[Box<dyn Val + '_>], function: &str) -> Result<Vec<usize>, ExecutionError> {
    let keys: Vec<Key> = keys.iter().map(|key| Key::of(key.as_ref())).collect();
    if let Some(first) = keys.first()
        && let Some(other) = keys.iter().find(|key| first.compare(key).is_none())
    {
        let (first, other) = (first.name(), other.name());
        let message = if first == other {
            format!("values of type {first} have no order")
        } else {
            format!("{first} and {other} have no order among each other")
        };
        return Err(ExecutionError::function_error(function, message));
    }
    let mut order: Vec<usize> = (0..keys.len()).collect();
    // All compare with the first one, so all are of one kind and compare with each other.
    order.sort_by(|a, b| keys[*a].compare(&keys[*b]).unwrap_or(Ordering::Equal));
    Ok(order)
}

fn arranged<'b, 'v>(items: Vec<Box<dyn Val + 'v>>, order: &[usize]) -> CowVal<'b, 'v> {
    let sorted: Vec<_> = order.iter().map(|at| items[*at].clone_as_boxed()).collect();
    CowVal::owned(CelList::from(sorted))
}

/// A value to sort by.
struct Key<'a> {
    value: &'a dyn Val,
    /// The nearest double and, to tell apart what has the same, the whole part.
    number: Option<(f64, i128)>,
}

impl<'a> Key<'a> {
    fn of(value: &'a dyn Val) -> Self {
        let number = number(value);
        Self { value, number }
    }

    /// `None` when the two have no order.
    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self.number, other.number) {
            (Some((a, whole_a)), Some((b, whole_b))) => {
                Some(a.total_cmp(&b).then(whole_a.cmp(&whole_b)))
            }
            (None, None) if self.name() == other.name() => {
                self.value.as_comparer()?.compare(other.value).ok()
            }
            _ => None,
        }
    }

    fn name(&self) -> &str {
        self.value.get_type().name()
    }
}
