//! Times as people read and write them. Reads the clock in one place, `now`.

use std::time::{Duration, SystemTime};

use prost_types::Timestamp;

use crate::core::time::{Time, span as span_of};

/// The time now, by this machine's clock.
pub fn now() -> Time {
    Timestamp::from(SystemTime::now()).into()
}

/// A span in words, three figures at most: `8 ms`, `1.2 s`, `2 min 05 s`, `3 h 04 min`, `2 d 3 h`.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 => format!("{} ms", span.as_millis()),
        // Cut, not rounded: 59.96 s must not read 60.0 s.
        1..60 => format!("{seconds}.{} s", span.subsec_millis() / 100),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
        _ => match (seconds / 86_400, seconds / 3_600 % 24) {
            (days, 0) => format!("{days} d"),
            (days, hours) => format!("{days} d {hours} h"),
        },
    }
}

/// How long ago an instant was: `just now`, `5 s ago`, `3 min ago`, `2 h ago`, `4 d ago`.
pub fn ago(then: Time, now: Time) -> String {
    let seconds = now.since(then).as_secs();
    match seconds {
        0 => "just now".to_owned(),
        1..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// `ago` of what a message carries; empty for none.
pub fn stamp_ago(stamp: Option<&Timestamp>, now: Time) -> String {
    stamp.map_or_else(String::new, |s| ago(Time::from(*s), now))
}

/// `span` of what a message carries; empty for none.
pub fn message_span(duration: Option<&prost_types::Duration>) -> String {
    duration.and_then(span_of).map_or_else(String::new, span)
}

/// A span: `90s`, `15m`, `2h`, `7d`.
///
/// # Errors
/// The forms that are understood.
pub fn parse_span(text: &str) -> Result<prost_types::Duration, String> {
    let span =
        parse_age(text).ok_or_else(|| format!("`{text}` is not a span (90s, 15m, 2h, 7d)"))?;
    prost_types::Duration::try_from(span).map_err(|_| format!("`{text}` is too long"))
}

/// An instant given as RFC 3339 (`2026-05-01T12:00:00Z`) or as an age (`90s`, `15m`, `2h`, `7d`).
///
/// # Errors
/// The forms that are understood.
pub fn parse_since(text: &str, now: Time) -> Result<Time, String> {
    if let Some(age) = parse_age(text) {
        let nanos = i64::try_from(age.as_nanos()).unwrap_or(i64::MAX);
        return Ok(Time::from_nanos(now.as_nanos().saturating_sub(nanos)));
    }
    text.parse::<Timestamp>().map(Time::from).map_err(|_| {
        format!("`{text}` is neither an age (90s, 15m, 2h, 7d) nor a time (2026-05-01T12:00:00Z)")
    })
}

fn parse_age(text: &str) -> Option<Duration> {
    let unit = text.char_indices().next_back()?;
    let count: u64 = text[..unit.0].parse().ok()?;
    let seconds = match unit.1 {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(count.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn spans_read_in_the_unit_that_fits() {
        let said = |ms| span(Duration::from_millis(ms));
        assert_eq!(said(0), "0 ms");
        assert_eq!(said(999), "999 ms");
        assert_eq!(said(1_250), "1.2 s");
        assert_eq!(said(59_990), "59.9 s");
        assert_eq!(said(125_000), "2 min 05 s");
        assert_eq!(said(11_045_000), "3 h 04 min");
        assert_eq!(said(183_600_000), "2 d 3 h");
    }

    #[test]
    fn ages_read_in_the_unit_that_fits_and_a_clock_ahead_does_not_matter() {
        assert_eq!(ago(at(100), at(100)), "just now");
        assert_eq!(ago(at(160), at(100)), "just now");
        assert_eq!(ago(at(100), at(142)), "42 s ago");
        assert_eq!(ago(at(100), at(100 + 180)), "3 min ago");
        assert_eq!(ago(at(100), at(100 + 7_200)), "2 h ago");
        assert_eq!(ago(at(100), at(100 + 400_000)), "4 d ago");
    }

    #[test]
    fn since_takes_ages_and_instants() {
        assert_eq!(parse_since("2h", at(10_000)), Ok(at(2_800)));
        assert_eq!(parse_since("1970-01-01T00:01:00Z", at(0)), Ok(at(60)));
        for bad in ["soon", "2w", "", "h", "-3m", "ä"] {
            let refused = parse_since(bad, at(0)).expect_err(bad);
            assert!(refused.contains("15m"), "{refused}");
        }
    }
}
