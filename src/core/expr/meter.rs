//! The bound on one evaluation. CEL has no loops, but macros nest and strings double; a meter
//! goes along and ends the evaluation when it has cost too much.

use std::{
    any::Any,
    sync::atomic::{AtomicU64, Ordering},
};

use cel::{
    ExecutionError,
    common::{
        types::Type,
        value::{CowVal, StaticVal, Val},
    },
};

/// What one evaluation may cost. A round of a macro and a value made cost 1 each, and 64 bytes
/// that are made cost 1.
pub(super) const WORK_MAX: u64 = 100_000;

const BYTES_PER_UNIT: usize = 64;

static METER: Type = Type::new_unspecified_type("tutti.Meter");

/// What an evaluation may still cost.
#[derive(Debug)]
pub(super) struct Meter {
    left: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            left: AtomicU64::new(WORK_MAX),
        }
    }
}

impl Meter {
    /// Takes `units` of what is left.
    ///
    /// # Errors
    /// When less is left. Nothing is left then.
    pub fn spend(&self, units: usize) -> Result<(), ExecutionError> {
        let units = u64::try_from(units).unwrap_or(u64::MAX);
        let left = self.left.load(Ordering::Relaxed);
        self.left
            .store(left.saturating_sub(units), Ordering::Relaxed);
        if left > units {
            return Ok(());
        }
        Err(ExecutionError::function_error(
            "@meter",
            "too much work: the lists or texts it makes or goes through are too long",
        ))
    }

    /// Takes what it costs to make `bytes` bytes.
    ///
    /// # Errors
    /// As `spend`.
    pub fn spend_bytes(&self, bytes: usize) -> Result<(), ExecutionError> {
        self.spend(bytes / BYTES_PER_UNIT)
    }

    /// The meter among a function's arguments.
    ///
    /// # Errors
    /// When the argument is no meter, which compiled expressions never have.
    pub fn of<'m>(argument: &'m CowVal<'_, '_>) -> Result<&'m Self, ExecutionError> {
        let none = || ExecutionError::InternalError("a function went without its meter".into());
        argument.downcast_ref::<Self>().ok_or_else(none)
    }
}

impl Val for Meter {
    fn get_type(&self) -> &Type {
        Self::cel_type()
    }

    fn cel_type() -> &'static Type {
        &METER
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        let left = AtomicU64::new(self.left.load(Ordering::Relaxed));
        Box::new(Self { left })
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Meter {}
