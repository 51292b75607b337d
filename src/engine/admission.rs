//! Slows starts down while the store's state falls behind its journal, so that a burst of some
//! seconds is taken in full; what lasts longer is refused by the shards.

use std::time::Duration;

use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

use crate::store::Pressure;

/// How long a start waits for room before it is tried all the same.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the one that waits longest looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Where starts wait, in order.
#[derive(Debug, Default)]
pub struct Admission {
    /// Held by the one that looks.
    turn: Mutex<()>,
}

impl Admission {
    /// Waits while the memory of the store is nearly full; no longer than `PATIENCE`. When
    /// dropped, the next one looks.
    pub async fn room(&self, pressure: impl Fn() -> Pressure) {
        if !pressure().is_high() {
            return;
        }
        let waited = async {
            let _turn = self.turn.lock().await;
            while pressure().is_high() {
                sleep(LOOK_EVERY).await;
            }
        };
        // Those whose patience ends are refused where it is known what for.
        let _ = timeout(PATIENCE, waited).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures::{FutureExt as _, poll};
    use tokio::time::Instant;

    use super::*;

    fn pressure(pending_bytes: u64) -> Pressure {
        Pressure {
            pending_bytes,
            pending_bytes_max: 100,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn starts_wait_for_room_and_go_on_when_there_is() {
        let (admission, pending) = (Admission::default(), AtomicU64::new(75));
        let now = || pressure(pending.load(Ordering::Relaxed));
        let mut first = Box::pin(admission.room(now));
        let mut second = Box::pin(admission.room(now));
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
        tokio::time::advance(PATIENCE / 2).await;
        assert!(poll!(&mut first).is_pending());
        pending.store(74, Ordering::Relaxed);
        let begun = Instant::now();
        first.await;
        second.await;
        assert!(begun.elapsed() <= LOOK_EVERY);
        assert!(admission.room(now).now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let begun = Instant::now();
        Admission::default().room(|| pressure(100)).await;
        assert_eq!(begun.elapsed(), PATIENCE);
    }

    #[tokio::test]
    async fn a_store_without_such_memory_never_makes_wait() {
        let admission = Admission::default();
        let room = admission.room(Pressure::default);
        assert!(room.now_or_never().is_some());
    }
}
