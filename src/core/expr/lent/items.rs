//! A JSON list as a CEL list.

use std::{fmt, slice, sync::OnceLock};

use cel::{
    ExecutionError,
    common::{
        traits::{Container, Indexer, Iterable, Iterator as CelIterator, Sizer, Zeroer},
        types::{CelDouble, CelInt, CelUInt, LIST_TYPE, Type},
        value::{CowVal, Val},
    },
};

use super::{lend_value, parts::Parts, size};
use crate::core::{
    expr::operators::equal,
    value::{Value, is_whole},
};

/// A JSON list.
pub(super) struct Items<'a> {
    values: &'a [Value],
    /// The items as CEL values, made when they are first iterated over.
    lent: OnceLock<Vec<Box<dyn Val + 'a>>>,
}

impl<'a> Items<'a> {
    pub fn new(values: &'a [Value]) -> Self {
        let lent = OnceLock::new();
        Self { values, lent }
    }
}

impl fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values).finish()
    }
}

impl Parts for Items<'_> {
    fn cel_type() -> &'static Type {
        &LIST_TYPE
    }

    fn again(&self) -> Self {
        Self::new(self.values)
    }
}

impl Container for Items<'_> {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        let mut items = self.values.iter().map(lend_value);
        Ok(items.any(|item| equal(item.as_ref(), value)))
    }
}

impl<'a> Indexer for Items<'a> {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let place = position(index).ok_or_else(|| ExecutionError::UnexpectedType {
            got: index.get_type().name().to_owned(),
            want: "int".to_owned(),
        })?;
        let item = usize::try_from(place).ok().and_then(|i| self.values.get(i));
        item.map(lend_value)
            .ok_or_else(|| ExecutionError::IndexOutOfBounds(place.into()))
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

impl<'a> Iterable for Items<'a> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn CelIterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        let lend = |value: &'a Value| lend_value(value).into_owned();
        let items = self
            .lent
            .get_or_init(|| self.values.iter().map(lend).collect());
        Box::new(LentItems(items.iter()))
    }
}

impl Sizer for Items<'_> {
    fn size(&self) -> CelInt {
        size(self.values.len())
    }
}

impl Zeroer for Items<'_> {
    fn is_zero_value(&self) -> bool {
        self.values.is_empty()
    }
}

/// The items of a list, as CEL iterates.
struct LentItems<'b, 'a>(slice::Iter<'b, Box<dyn Val + 'a>>);

impl<'b, 'a: 'v, 'v> CelIterator<'b, 'v> for LentItems<'b, 'a> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0
            .next()
            .map(|item| -> &'b (dyn Val + 'v) { item.as_ref() })
    }
}

/// The place that an index means: an int, or a uint or double that is one.
#[allow(clippy::cast_possible_truncation)]
fn position(index: &dyn Val) -> Option<i64> {
    if let Some(int) = index.downcast_ref::<CelInt>() {
        Some(*int.inner())
    } else if let Some(uint) = index.downcast_ref::<CelUInt>() {
        i64::try_from(*uint.inner()).ok()
    } else {
        let double = *index.downcast_ref::<CelDouble>()?.inner();
        is_whole(double).then_some(double as i64)
    }
}
