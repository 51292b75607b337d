//! The way from serving to the end: when the worker is asked to stop, it has a grace period
//! to finish its tasks, then a short time to say goodbye.

use std::{pin::Pin, time::Duration};

use tokio::time::Instant;

/// How long acks of the last reports are waited for after the grace period.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where the worker stands on its way to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Takes tasks.
    Serving,
    /// Finishes its tasks until then.
    Draining(Instant),
    /// Has given its tasks up and waits for the last acks until then.
    Leaving(Instant),
    /// Waits for nothing more.
    Over,
}

/// The stop of a worker.
pub(super) struct Stop {
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
    grace: Duration,
    phase: Phase,
}

impl Stop {
    pub(super) fn new(
        shutdown: impl Future<Output = ()> + Send + 'static,
        grace: Duration,
    ) -> Self {
        Self {
            shutdown: Box::pin(shutdown),
            grace,
            phase: Phase::Serving,
        }
    }

    /// Waits for the next phase. Cancel safe; never ends once all is over.
    pub(super) async fn next(&mut self) -> Phase {
        self.phase = match self.phase {
            Phase::Serving => {
                self.shutdown.as_mut().await;
                Phase::Draining(Instant::now() + self.grace)
            }
            Phase::Draining(until) => {
                tokio::time::sleep_until(until).await;
                Phase::Leaving(Instant::now() + FAREWELL)
            }
            Phase::Leaving(until) => {
                tokio::time::sleep_until(until).await;
                Phase::Over
            }
            Phase::Over => std::future::pending().await,
        };
        self.phase
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_grace_period_begins_with_the_shutdown_and_is_bounded() {
        let grace = Duration::from_secs(30);
        let began = Instant::now();
        let mut stop = Stop::new(tokio::time::sleep(Duration::from_secs(5)), grace);
        let until = began + Duration::from_secs(35);
        assert_eq!(stop.next().await, Phase::Draining(until));
        assert_eq!(stop.next().await, Phase::Leaving(until + FAREWELL));
        assert!(!stop.is_over());
        assert_eq!(stop.next().await, Phase::Over);
        assert!(stop.is_over());
    }
}
