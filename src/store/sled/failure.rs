//! What made the store unusable, wherever it happened. After the first failure that may have
//! left something half written there is no further write: a sync that failed must not be tried
//! again, since the system may have dropped what it could not write and then report success.

use std::{
    fmt, io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::super::Error;

/// The first failure, if there was one.
#[derive(Default)]
pub struct Failure {
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    reason: Option<String>,
    tell: Option<Box<dyn FnOnce(String) + Send>>,
}

impl Failure {
    /// Refuses once something failed.
    ///
    /// # Errors
    /// `Error::Io` that names the first failure.
    pub fn check(&self) -> Result<(), Error> {
        match &self.told().reason {
            None => Ok(()),
            Some(reason) => Err(Error::Io {
                context: "the store stopped after a failure".into(),
                source: io::Error::other(reason.clone()),
            }),
        }
    }

    /// Notes whether a step that writes failed for good, and passes its result on.
    ///
    /// # Errors
    /// That of the step.
    pub fn note<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        if let Err(error @ (Error::Io { .. } | Error::Damaged(_))) = &done {
            self.set(error.to_string());
        }
        done
    }

    /// Notes a failure, and tells who asked to be told.
    pub fn set(&self, reason: String) {
        let tell = {
            let mut told = self.told();
            if told.reason.is_some() {
                return;
            }
            told.reason = Some(reason.clone());
            told.tell.take()
        };
        if let Some(tell) = tell {
            tell(reason);
        }
    }

    /// Calls `tell` with the first failure, at once when there was one.
    pub fn on_failure(&self, tell: Box<dyn FnOnce(String) + Send>) {
        let mut told = self.told();
        match told.reason.clone() {
            None => told.tell = Some(tell),
            Some(reason) => {
                drop(told);
                tell(reason);
            }
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Failure").field(&self.told().reason).finish()
    }
}
