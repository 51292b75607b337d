//! The server's clock, for those who must tell the pure kernel what time it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::core::time::Time;

/// The time now, by the system's clock.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Time::from_nanos(since.map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)))
}

/// The longest sleep towards a due time; a clock that is set is noticed after that.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// When to look again for what is due at `due`. Never before it by the system's clock, unless
/// it is more than a minute away.
pub fn instant_of(due: Time) -> Instant {
    // Tokio's timers have a resolution of a millisecond and round up.
    Instant::now() + due.since(now()).min(SLEEP_MAX)
}
