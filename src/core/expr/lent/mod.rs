//! JSON data as CEL values, lent and not copied: an object or list is wrapped where it lies, and
//! a member becomes a CEL value when it is read.

mod items;
mod members;
mod parts;

use cel::common::{
    types::{CelBool, CelDouble, CelInt, CelNull, CelString},
    value::CowVal,
};
use prost_types::value::Kind;

use self::{items::Items, members::Members, parts::Lent};
use super::path::Found;
use crate::core::value::{Value, is_whole};

static NULL: CelNull = CelNull;
static TRUE: CelBool = CelBool::TRUE;
static FALSE: CelBool = CelBool::FALSE;

/// What a path led to, as a CEL value that borrows it.
pub(super) fn lend<'b, 'a: 'b>(found: Found<'a>) -> CowVal<'b, 'a> {
    match found {
        Found::Value(value) => lend_value(value),
        Found::State(state) => CowVal::owned(CelString::from(state)),
        Found::Count(count) => CowVal::owned(CelInt::from(i64::from(count))),
        Found::Step(_) | Found::Steps(_) => CowVal::owned(Lent(Members::new(found))),
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
        Some(Kind::ListValue(list)) => CowVal::owned(Lent(Items::new(&list.values))),
        Some(Kind::StructValue(_)) => CowVal::owned(Lent(Members::new(Found::Value(value)))),
    }
}

fn size(length: usize) -> CelInt {
    CelInt::from(i64::try_from(length).unwrap_or(i64::MAX))
}
