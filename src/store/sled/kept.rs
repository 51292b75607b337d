//! All that is committed: the state, and over it what the state lacks.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use uuid::Uuid;

use super::{super::Error, drain, layer::Commit, overlay::Overlay, state::State};

/// The state and the overlay.
#[derive(Debug)]
pub struct Kept {
    /// The state.
    pub state: State,
    overlay: RwLock<Overlay>,
    /// Held while a layer is taken over, and by whoever wants the state to stay as it is.
    draining: Mutex<()>,
}

impl Kept {
    /// A state and what it lacks.
    pub fn new(state: State, overlay: Overlay) -> Self {
        Self {
            state,
            overlay: RwLock::new(overlay),
            draining: Mutex::new(()),
        }
    }

    /// The overlay, to be read for a moment. Whoever reads the state too takes hold of
    /// `State::reading` first, so that nothing goes from one to the other unseen.
    pub fn overlay(&self) -> RwLockReadGuard<'_, Overlay> {
        self.overlay.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn overlay_mut(&self) -> RwLockWriteGuard<'_, Overlay> {
        self.overlay.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a commit; gives whether there is something to be taken over then, or to be watched
    /// until it is.
    ///
    /// # Errors
    /// `Error::Damaged` when it is not readable.
    pub fn fold(&self, commit: Commit) -> Result<bool, Error> {
        let mut overlay = self.overlay_mut();
        let was_empty = overlay.end().is_none();
        overlay.fold(commit)?;
        Ok(was_empty || overlay.is_due())
    }

    /// Takes all over into the state that is committed now. Only one thread does.
    ///
    /// # Errors
    /// As `drain_one`.
    pub fn drain(&self) -> Result<(), Error> {
        let end = self.overlay().end();
        while let Some(end) = end
            && self.state.standing()?.applied.commit < end.commit
        {
            self.drain_one()?;
        }
        Ok(())
    }

    /// Takes the oldest layer over into the state. Only one thread does.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`; the state is then behind the journal for good.
    pub fn drain_one(&self) -> Result<(), Error> {
        let _alone = self.hold_drains();
        let layer = self.overlay_mut().oldest();
        let Some(layer) = layer else {
            return Ok(());
        };
        let changes = drain::changes(&self.state, &layer)?;
        self.state
            .apply(changes, layer.end, || self.overlay_mut().taken_over())
    }

    /// While this is held the state stays as it is; commits and reads go on.
    pub fn hold_drains(&self) -> MutexGuard<'_, ()> {
        self.draining.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last sequence of an execution; 0 when there is none.
    ///
    /// # Errors
    /// `Error::Io` or `Error::Damaged`.
    pub fn last_sequence(&self, id: Uuid) -> Result<u64, Error> {
        if let Some(last) = self.overlay().last_sequence(id) {
            return Ok(last);
        }
        let _still = self.state.reading();
        match self.overlay().last_sequence(id) {
            Some(last) => Ok(last),
            None => self.state.last_sequence(id),
        }
    }
}
