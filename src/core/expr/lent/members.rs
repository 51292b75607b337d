//! What has members, as a CEL map: a JSON object, a step, or all steps. It iterates in the order
//! of its keys.

use std::{collections::BTreeMap, fmt, slice, sync::OnceLock};

use cel::{
    ExecutionError,
    common::{
        traits::{Container, Indexer, Iterable, Iterator as CelIterator, Sizer, Zeroer},
        types::{CelInt, CelString, MAP_TYPE, Type},
        value::{CowVal, Val},
    },
};
use prost_types::value::Kind;

use super::{lend, lend_value, parts::Parts, size};
use crate::core::{
    expr::path::{Field, Found, of_step},
    value::Value,
};

/// A JSON object, a step, or all steps.
pub(super) struct Members<'a> {
    of: Found<'a>,
    /// The keys as CEL values, made when they are first iterated over.
    keys: OnceLock<Vec<CelString<'a>>>,
}

impl<'a> Members<'a> {
    pub fn new(of: Found<'a>) -> Self {
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
            Found::Step(_) => Field::MEMBERS.to_vec(),
            found => {
                fields(found).map_or_else(Vec::new, |f| f.keys().map(String::as_str).collect())
            }
        }
    }

    fn len(&self) -> usize {
        match self.of {
            Found::Steps(steps) => steps.len(),
            Found::Step(_) => Field::MEMBERS.len(),
            found => fields(found).map_or(0, |fields| fields.len()),
        }
    }
}

fn fields<'a>(found: Found<'a>) -> Option<&'a BTreeMap<String, Value>> {
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

impl Parts for Members<'_> {
    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn again(&self) -> Self {
        Self::new(self.of)
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

/// The keys of an object, as CEL iterates.
struct LentKeys<'b, 'a>(slice::Iter<'b, CelString<'a>>);

impl<'b, 'a: 'v, 'v> CelIterator<'b, 'v> for LentKeys<'b, 'a> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|key| -> &'b (dyn Val + 'v) { key })
    }
}
