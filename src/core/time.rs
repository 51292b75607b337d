//! Instants as the kernel counts them. Reads no clock: callers say what time it is.

use std::time::Duration;

use prost_types::Timestamp;

/// An instant, in nanoseconds since the Unix epoch. Good until the year 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// The instant `nanos` nanoseconds after the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// This instant and `span`, saturating at the last one.
    pub fn after(self, span: Duration) -> Self {
        let nanos = i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// The span from `earlier` to this instant; zero when it is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<Time> for Timestamp {
    fn from(time: Time) -> Self {
        Self {
            seconds: time.0.div_euclid(1_000_000_000),
            nanos: i32::try_from(time.0.rem_euclid(1_000_000_000)).unwrap_or(0),
        }
    }
}

impl From<Timestamp> for Time {
    fn from(stamp: Timestamp) -> Self {
        Self(
            stamp
                .seconds
                .saturating_mul(1_000_000_000)
                .saturating_add(i64::from(stamp.nanos)),
        )
    }
}

/// The instant that a text in RFC 3339 means, with its zone; `None` for any other text, and for
/// one that an instant cannot be.
pub fn instant(text: &str) -> Option<Time> {
    let (_, clock) = text.split_once(['T', 't'])?;
    let has_zone = clock.ends_with(['Z', 'z']) || clock.contains(['+', '-']);
    let stamp: Timestamp = text.parse().ok().filter(|_| has_zone)?;
    let nanos = stamp.seconds.checked_mul(1_000_000_000)?;
    nanos.checked_add(i64::from(stamp.nanos)).map(Time)
}

/// The instant `span` after another; `None` when there is none so late.
pub fn checked_after(time: Time, span: Duration) -> Option<Time> {
    let nanos = i64::try_from(span.as_nanos()).ok()?;
    time.0.checked_add(nanos).map(Time)
}

/// The span a message gives; `None` for a negative one.
pub fn span(duration: &prost_types::Duration) -> Option<Duration> {
    let seconds = u64::try_from(duration.seconds).ok()?;
    let nanos = u32::try_from(duration.nanos).ok()?;
    Some(Duration::new(seconds, nanos))
}

/// The message for a span, saturating.
pub fn message(span: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(span.subsec_nanos()).unwrap_or(0),
    }
}
