//! The one task that runs the timers: it sleeps until the next offer or lease runs out, and
//! tells the sink what was left to it.

use std::{future::Future, pin::pin};

use tokio::time::{Instant, sleep_until};

use super::Hub;

impl Hub {
    /// Runs the timers until `shutdown` ends, then shuts the room down and lets go of the
    /// sink. Run it once.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        loop {
            let next = self.turn();
            tokio::select! {
                () = &mut shutdown => break,
                () = self.woken() => {}
                () = reached(next) => {}
            }
        }
        self.shutdown("the server is shutting down");
        self.drop_sink();
    }

    /// Does what is due and says when to come back.
    fn turn(&self) -> Option<Instant> {
        self.told(|state, now| state.expire(now));
        self.locked(|state, _| {
            state.armed = state.next_due();
            state.armed
        })
    }
}

async fn reached(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
