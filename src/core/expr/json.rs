//! JSON data as CEL values, lent and not copied: an object or list is wrapped where it lies, and
//! a member becomes a CEL value when it is read. Objects iterate in the order of their keys.

use std::{fmt, slice, sync::OnceLock};

use cel::{
    ExecutionError,
    common::{
        traits::{Container, Indexer, Iterable, Iterator as CelIterator, Sizer, Zeroer},
        types::{
            CelBool, CelDouble, CelInt, CelNull, CelString, CelUInt, LIST_TYPE, MAP_TYPE, Type,
        },
        value::{CowVal, Val},
    },
};
use prost_types::value::Kind;

use super::{
    operators::equal,
    path::{Field, Found, of_step},
};
use crate::core::value::{Value, is_whole};

static NULL: CelNull = CelNull;
static TRUE: CelBool = CelBool::TRUE;
static FALSE: CelBool = CelBool::FALSE;

/// What a path led to, as a CEL value that borrows it.
pub(super) fn lend<'b, 'a: 'b>(found: Found<'a>) -> CowVal<'b, 'a> {
    match found {
        Found::Value(value) => lend_value(value),
        Found::State(state) => CowVal::owned(CelString::from(state)),
        Found::Attempts(attempts) => CowVal::owned(CelInt::from(i64::from(attempts))),
        Found::Step(_) | Found::Steps(_) => CowVal::owned(Members::new(found)),
    }
}

/// `value` as a CEL value that borrows it. A whole number within ±2^53 is an int.
pub(super) fn lend_value<'b, 'a: 'b>(value: &'a Value) -> CowVal<'b, 'a> {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => CowVal::Borrowed(&NULL),
        Some(Kind::BoolValue(true)) => CowVal::Borrowed(&TRUE),
        Some(Kind::BoolValue(false)) => CowVal::Borrowed(&FALSE),
        #[allow(clippy::cast_possible_truncation)]
        Some(Kind::NumberValue(n)) if is_whole(*n) => CowVal::owned(CelInt::from(*n as i64)),
        Some(Kind::NumberValue(n)) => CowVal::owned(CelDouble::from(*n)),
        Some(Kind::StringValue(text)) => CowVal::owned(CelString::from(text.as_str())),
        Some(Kind::ListValue(list)) => CowVal::owned(Items::new(&list.values)),
        Some(Kind::StructValue(_)) => CowVal::owned(Members::new(Found::Value(value))),
    }
}

/// A JSON list.
struct Items<'a> {
    values: &'a [Value],
    /// The items as CEL values, made when they are first iterated over.
    lent: OnceLock<Vec<Box<dyn Val + 'a>>>,
}

impl<'a> Items<'a> {
    fn new(values: &'a [Value]) -> Self {
        let lent = OnceLock::new();
        Self { values, lent }
    }
}

impl fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values).finish()
    }
}

impl<'a> Val for Items<'a> {
    fn get_type(&self) -> &Type {
        Self::cel_type()
    }

    fn cel_type() -> &'static Type {
        &LIST_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn as_zeroer(&self) -> Option<&dyn Zeroer> {
        Some(self)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        equal(self, other)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(Items::new(self.values))
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

/// A JSON object, a step, or all steps.
struct Members<'a> {
    of: Found<'a>,
    /// The keys as CEL values, made when they are first iterated over.
    keys: OnceLock<Vec<CelString<'a>>>,
}

impl<'a> Members<'a> {
    fn new(of: Found<'a>) -> Self {
        let keys = OnceLock::new();
        Self { of, keys }
    }

    fn member<'b>(&self, name: &str) -> Option<CowVal<'b, 'a>>
    where
        'a: 'b,
    {
        match self.of {
            Found::Steps(steps) => steps.get(name).map(|step| lend(Found::Step(step))),
            Found::Step(step) => Some(lend(of_step(step, Some(Field::named(name)?)))),
            found => fields(found)?.get(name).map(lend_value),
        }
    }

    fn names(&self) -> Vec<&'a str> {
        match self.of {
            Found::Steps(steps) => steps.keys().map(String::as_str).collect(),
            Found::Step(_) => Field::NAMES.to_vec(),
            found => {
                fields(found).map_or_else(Vec::new, |f| f.keys().map(String::as_str).collect())
            }
        }
    }

    fn len(&self) -> usize {
        match self.of {
            Found::Steps(steps) => steps.len(),
            Found::Step(_) => Field::NAMES.len(),
            found => fields(found).map_or(0, |fields| fields.len()),
        }
    }
}

fn fields<'a>(found: Found<'a>) -> Option<&'a std::collections::BTreeMap<String, Value>> {
    match found {
        Found::Value(Value {
            kind: Some(Kind::StructValue(object)),
        }) => Some(&object.fields),
        _ => None,
    }
}

impl fmt::Debug for Members<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.of.fmt(f)
    }
}

impl<'a> Val for Members<'a> {
    fn get_type(&self) -> &Type {
        Self::cel_type()
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn as_zeroer(&self) -> Option<&dyn Zeroer> {
        Some(self)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        equal(self, other)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(Members::new(self.of))
    }
}

impl Container for Members<'_> {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        let key = key.downcast_ref::<CelString>();
        Ok(key.is_some_and(|key| self.member(key.inner()).is_some()))
    }
}

impl Indexer for Members<'_> {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let Some(name) = key.downcast_ref::<CelString>() else {
            return Err(ExecutionError::UnexpectedType {
                got: key.get_type().name().to_owned(),
                want: "string".to_owned(),
            });
        };
        self.member(name.inner())
            .ok_or_else(|| ExecutionError::no_such_key(name.inner()))
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

impl Iterable for Members<'_> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn CelIterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        let make = || self.names().into_iter().map(CelString::from).collect();
        Box::new(LentKeys(self.keys.get_or_init(make).iter()))
    }
}

impl Sizer for Members<'_> {
    fn size(&self) -> CelInt {
        size(self.len())
    }
}

impl Zeroer for Members<'_> {
    fn is_zero_value(&self) -> bool {
        self.len() == 0
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

/// The keys of an object, as CEL iterates.
struct LentKeys<'b, 'a>(slice::Iter<'b, CelString<'a>>);

impl<'b, 'a: 'v, 'v> CelIterator<'b, 'v> for LentKeys<'b, 'a> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|key| -> &'b (dyn Val + 'v) { key })
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

fn size(length: usize) -> CelInt {
    CelInt::from(i64::try_from(length).unwrap_or(i64::MAX))
}
