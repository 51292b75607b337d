//! What CEL asks of every value that has parts, be it a list or a map: all that differs between
//! the two is `Parts`.

use std::fmt;

use cel::common::{
    traits::{Container, Indexer, Iterable, Sizer, Zeroer},
    types::Type,
    value::Val,
};

use crate::core::expr::operators::equal;

/// A value that has parts.
pub(super) trait Parts:
    Container + Indexer + Iterable + Sizer + Zeroer + fmt::Debug + Send + Sync + Sized
{
    /// The type that it is to CEL.
    fn cel_type() -> &'static Type;

    /// The same once more, without what was made while it was read.
    fn again(&self) -> Self;
}

/// A value that has parts, as a CEL value.
pub(super) struct Lent<T>(pub T);

impl<T: fmt::Debug> fmt::Debug for Lent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Parts> Val for Lent<T> {
    fn get_type(&self) -> &Type {
        T::cel_type()
    }

    fn cel_type() -> &'static Type {
        T::cel_type()
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(&self.0)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(&self.0)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(&self.0)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(&self.0)
    }

    fn as_zeroer(&self) -> Option<&dyn Zeroer> {
        Some(&self.0)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        equal(self, other)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(Self(self.0.again()))
    }
}
