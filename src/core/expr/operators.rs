//! Operators and macros as JSON users expect them, where CEL's own are too strict or would not
//! see through lent values: mixed arithmetic, deep equality, `has` on null, and the rounds of
//! macros. Compiling puts these in the place of CEL's.

use cel::{
    ExecutionError,
    common::{
        types::{
            CelBool, CelDouble, CelInt, CelList, CelMap, CelNull, CelOptional, CelString, CelUInt,
            Kind,
        },
        value::{CowVal, Val},
    },
};

use super::meter::Meter;

type Arguments<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Outcome<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// `a + b`, with a meter as third argument.
pub(super) fn add<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let (a, b) = (args[0].as_ref(), args[1].as_ref());
    if let Some((a, b)) = mixed(a, b) {
        return Ok(double(a + b));
    }
    if let (Some(a), Some(b)) = (text(a), text(b)) {
        Meter::of(&args[2])?.spend_bytes(a.len() + b.len())?;
        return Ok(CowVal::owned(CelString::from([a, b].concat())));
    }
    if let (Kind::List, Kind::List) = (a.get_type().kind(), b.get_type().kind()) {
        let mut all = elements(a)?;
        all.extend(elements(b)?);
        Meter::of(&args[2])?.spend(all.len())?;
        return Ok(CowVal::owned(CelList::from(all)));
    }
    let adder = a.as_adder().ok_or_else(|| mismatch("+", &args))?;
    Ok(CowVal::Owned(adder.add(b)?.into_owned()))
}

/// `a - b`.
pub(super) fn subtract<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let (a, b) = (args[0].as_ref(), args[1].as_ref());
    if let Some((a, b)) = mixed(a, b) {
        return Ok(double(a - b));
    }
    let subtractor = a.as_subtractor().ok_or_else(|| mismatch("-", &args))?;
    Ok(CowVal::Owned(subtractor.sub(b)?.into_owned()))
}

/// `a * b`.
pub(super) fn multiply<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let (a, b) = (args[0].as_ref(), args[1].as_ref());
    if let Some((a, b)) = mixed(a, b) {
        return Ok(double(a * b));
    }
    let multiplier = a.as_multiplier().ok_or_else(|| mismatch("*", &args))?;
    Ok(CowVal::Owned(multiplier.mul(b)?.into_owned()))
}

/// `a / b`: of whole numbers the whole part, as in CEL. By zero it is an error for all numbers.
pub(super) fn divide<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let (a, b) = (args[0].as_ref(), args[1].as_ref());
    if as_double(a).is_some() && as_double(b) == Some(0.0) {
        return Err(ExecutionError::DivisionByZero(0.into()));
    }
    if let Some((a, b)) = mixed(a, b) {
        return Ok(double(a / b));
    }
    let divider = a.as_divider().ok_or_else(|| mismatch("/", &args))?;
    Ok(CowVal::Owned(divider.div(b)?.into_owned()))
}

/// `a == b`.
pub(super) fn is_equal<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    Ok(boolean(equal(args[0].as_ref(), args[1].as_ref())))
}

/// `a != b`.
pub(super) fn is_unequal<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    Ok(boolean(!equal(args[0].as_ref(), args[1].as_ref())))
}

/// `a in b`, with a meter as third argument.
pub(super) fn is_contained<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let (wanted, among) = (args[0].as_ref(), args[1].as_ref());
    if let Some(list) = among.downcast_ref::<CelList>() {
        Meter::of(&args[2])?.spend(list.inner().len() / 8)?;
        let mut items = list.inner().iter();
        return Ok(boolean(items.any(|item| equal(item.as_ref(), wanted))));
    }
    let list = among
        .as_sizer()
        .filter(|_| among.get_type().kind() == Kind::List);
    if let Some(sizer) = list {
        let length = usize::try_from(*sizer.size().inner()).unwrap_or(usize::MAX);
        Meter::of(&args[2])?.spend(length / 8)?;
    }
    let container = among
        .as_container()
        .ok_or_else(|| mismatch("in", &args[..2]))?;
    container.contains(wanted).map(boolean)
}

/// `has(a.b)`: whether `a` has a member of the name `b`. False when `a` is null.
pub(super) fn has<'b, 'v>(args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let mut of = args[0].as_ref();
    if let Some(optional) = of.downcast_ref::<CelOptional>() {
        match optional.option() {
            Some(present) => of = present,
            None => return Ok(boolean(false)),
        }
    }
    if of.downcast_ref::<CelNull>().is_some() {
        return Ok(boolean(false));
    }
    let indexer = of.as_indexer().ok_or_else(|| mismatch(".", &args))?;
    match indexer.get(args[1].as_ref()) {
        Ok(_) => Ok(boolean(true)),
        Err(ExecutionError::NoSuchKey(_)) => Ok(boolean(false)),
        Err(error) => Err(error),
    }
}

/// One round of a macro: the second argument, paid for with the meter that is the first.
pub(super) fn step<'b, 'v>(mut args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let value = args.pop().ok_or(ExecutionError::MissingArgumentOrTarget)?;
    Meter::of(&args[0])?.spend(1 + weight(value.as_ref()))?;
    Ok(value)
}

/// What a macro iterates over: a map that was made, whose own order is random, by sorted keys.
pub(super) fn range<'b, 'v>(mut args: Arguments<'b, 'v>) -> Outcome<'b, 'v> {
    let over = args.pop().ok_or(ExecutionError::MissingArgumentOrTarget)?;
    let Some(map) = over.downcast_ref::<CelMap>() else {
        return Ok(over);
    };
    let mut keys: Vec<_> = map.inner().keys().collect();
    keys.sort();
    let keys: Vec<Box<dyn Val + 'v>> = keys.iter().map(|k| k.inner().clone_as_boxed()).collect();
    Ok(CowVal::owned(CelList::from(keys)))
}

/// Whether two values are the same data, however each is held.
pub(super) fn equal(a: &dyn Val, b: &dyn Val) -> bool {
    match (a.get_type().kind(), b.get_type().kind()) {
        (Kind::List, Kind::List) => equal_lists(a, b).unwrap_or(false),
        (Kind::Map, Kind::Map) => equal_maps(a, b).unwrap_or(false),
        (Kind::List | Kind::Map, _) | (_, Kind::List | Kind::Map) => false,
        _ => a.equals(b),
    }
}

fn equal_lists(a: &dyn Val, b: &dyn Val) -> Option<bool> {
    if a.as_sizer()?.size() != b.as_sizer()?.size() {
        return Some(false);
    }
    let (mut a, mut b) = (a.as_iterable()?.iter(), b.as_iterable()?.iter());
    while let (Some(a), Some(b)) = (a.next(), b.next()) {
        if !equal(a, b) {
            return Some(false);
        }
    }
    Some(true)
}

fn equal_maps(a: &dyn Val, b: &dyn Val) -> Option<bool> {
    if a.as_sizer()?.size() != b.as_sizer()?.size() {
        return Some(false);
    }
    let (of_a, of_b) = (a.as_indexer()?, b.as_indexer()?);
    let mut keys = a.as_iterable()?.iter();
    while let Some(key) = keys.next() {
        let (Ok(a), Ok(b)) = (of_a.get(key), of_b.get(key)) else {
            return Some(false);
        };
        if !equal(a.as_ref(), b.as_ref()) {
            return Some(false);
        }
    }
    Some(true)
}

/// Copies of a list's elements.
pub(super) fn elements<'v>(
    list: &(dyn Val + 'v),
) -> Result<Vec<Box<dyn Val + 'v>>, ExecutionError> {
    let mut items = list
        .as_iterable()
        .ok_or(ExecutionError::MissingArgumentOrTarget)?
        .iter();
    let mut elements = Vec::new();
    while let Some(item) = items.next() {
        elements.push(item.clone_as_boxed());
    }
    Ok(elements)
}

/// Two numbers of which one is a double and the other is not, both as doubles.
fn mixed(a: &dyn Val, b: &dyn Val) -> Option<(f64, f64)> {
    let is_double = |v: &dyn Val| v.get_type().kind() == Kind::Double;
    if is_double(a) == is_double(b) {
        return None;
    }
    Some((as_double(a)?, as_double(b)?))
}

#[allow(clippy::cast_precision_loss)]
fn as_double(value: &dyn Val) -> Option<f64> {
    match value.get_type().kind() {
        Kind::Int => value
            .downcast_ref::<CelInt>()
            .map(|int| *int.inner() as f64),
        Kind::UInt => value
            .downcast_ref::<CelUInt>()
            .map(|uint| *uint.inner() as f64),
        Kind::Double => value
            .downcast_ref::<CelDouble>()
            .map(|double| *double.inner()),
        _ => None,
    }
}

/// A number as the nearest double and its whole part; -0 is 0.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn number(value: &dyn Val) -> Option<(f64, i128)> {
    let nearest = as_double(value)? + 0.0;
    let whole = if let Some(int) = value.downcast_ref::<CelInt>() {
        i128::from(*int.inner())
    } else if let Some(uint) = value.downcast_ref::<CelUInt>() {
        i128::from(*uint.inner())
    } else {
        nearest as i128
    };
    Some((nearest, whole))
}

/// What it costs to hold `value`: lent values cost nothing.
fn weight(value: &dyn Val) -> usize {
    if let Some(text) = text(value) {
        text.len() / 64
    } else if let Some(list) = value.downcast_ref::<CelList>() {
        list.inner()
            .iter()
            .map(|item| 1 + weight(item.as_ref()))
            .sum()
    } else if let Some(map) = value.downcast_ref::<CelMap>() {
        map.inner()
            .values()
            .map(|item| 2 + weight(item.as_ref()))
            .sum()
    } else {
        0
    }
}

fn text(value: &dyn Val) -> Option<&str> {
    value.downcast_ref::<CelString>().map(CelString::inner)
}

fn double<'b, 'v>(value: f64) -> CowVal<'b, 'v> {
    CowVal::owned(CelDouble::from(value))
}

fn boolean<'b, 'v>(value: bool) -> CowVal<'b, 'v> {
    CowVal::owned(CelBool::from(value))
}

fn mismatch(operator: &str, args: &[CowVal<'_, '_>]) -> ExecutionError {
    let types = args.iter().take(2).map(|a| a.get_type().name().to_owned());
    ExecutionError::no_such_overload(operator, types.collect())
}
