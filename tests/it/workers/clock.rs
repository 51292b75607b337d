//! Time that passes only when a test says so, for leases and offers that run out.

use std::{sync::mpsc, time::Duration};

use crate::support::PATIENCE;

/// Holds the runtime's clock, that of the server in it included, until dropped. The time of
/// day goes on. For tests on one thread.
pub struct Clock {
    _held: mpsc::Sender<()>,
}

impl Clock {
    /// Stops the clock. Should nothing come of the test within its patience, the clock runs
    /// again, fast, and whatever the test waits for is found missing.
    pub fn stop() -> Self {
        let (held, hold) = mpsc::channel::<()>();
        // A clock that is paused does not run ahead while there is blocking work.
        drop(tokio::task::spawn_blocking(move || {
            hold.recv_timeout(PATIENCE)
        }));
        tokio::time::pause();
        Self { _held: held }
    }

    /// Lets time pass, and what is due happen.
    pub async fn pass(&self, span: Duration) {
        tokio::time::advance(span).await;
    }
}
