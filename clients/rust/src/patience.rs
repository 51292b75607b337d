//! How long a call that can be repeated waits for a server out of reach.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Status;

use crate::{Error, backoff::Backoff, error::is_transient};

/// An attempt that lasted this long was connected: connecting takes less, or fails.
const CONNECTED_AFTER: Duration = Duration::from_secs(20);

/// Waits between attempts, until the server has been out of reach for too long.
pub(crate) struct Patience {
    longest: Duration,
    began: Instant,
    lost_since: Option<Instant>,
    backoff: Backoff,
}

impl Patience {
    /// Begins the first attempt.
    pub(crate) fn new(longest: Duration) -> Self {
        Self {
            longest,
            began: Instant::now(),
            lost_since: None,
            backoff: Backoff::default(),
        }
    }

    /// The server was reached.
    pub(crate) fn reached(&mut self) {
        self.lost_since = None;
        self.backoff.reset();
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// What ended the attempt, when it is not to be repeated.
    pub(crate) async fn after(&mut self, status: Status) -> Result<(), Error> {
        if self.began.elapsed() >= CONNECTED_AFTER {
            self.reached();
        }
        let since = *self.lost_since.get_or_insert_with(Instant::now);
        if !is_transient(&status) || since.elapsed() >= self.longest {
            return Err(status.into());
        }
        tokio::time::sleep(self.backoff.next()).await;
        self.began = Instant::now();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> Status {
        Status::unavailable("shutting down")
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_the_server_stays_away_for_too_long() {
        let mut patience = Patience::new(Duration::from_secs(30));
        let began = Instant::now();
        while patience.after(lost()).await.is_ok() {}
        let waited = began.elapsed();
        assert!(waited >= Duration::from_secs(30), "{waited:?}");
        assert!(waited < Duration::from_secs(41), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn it_starts_over_once_the_server_was_reached() {
        let mut patience = Patience::new(Duration::from_secs(30));
        assert!(patience.after(lost()).await.is_ok());
        tokio::time::advance(Duration::from_secs(600)).await;
        assert!(
            patience.after(lost()).await.is_ok(),
            "a long call was connected"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn without_patience_and_for_a_refusal_it_ends_at_once() {
        let began = Instant::now();
        let refused = Status::not_found("no such execution");
        assert!(Patience::new(Duration::ZERO).after(lost()).await.is_err());
        assert!(Patience::new(Duration::MAX).after(refused).await.is_err());
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
