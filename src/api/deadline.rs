//! The caller's deadline, as the gRPC protocol carries it: a span from the call's arrival.

use std::time::Duration;

use tokio::time::Instant;
use tonic::{Request, metadata::MetadataMap};

/// The longest time kept back for answering before the deadline.
const MARGIN_MAX: Duration = Duration::from_millis(200);
/// The least.
const MARGIN_MIN: Duration = Duration::from_millis(5);

/// When a call arrived: before its message was read.
#[derive(Clone, Copy, Debug)]
pub struct Arrival(pub Instant);

/// Until when an answer can be put off so that it still reaches the caller in time; `None`
/// without a deadline.
pub fn answer_by<T>(request: &Request<T>) -> Option<Instant> {
    let arrival = request.extensions().get::<Arrival>();
    let arrival = arrival.map_or_else(Instant::now, |arrival| arrival.0);
    timeout(request.metadata()).and_then(|span| arrival.checked_add(patience(span)))
}

/// What is left of a timeout once a tenth of it, 5 to 200 ms, is kept back for the answer.
fn patience(timeout: Duration) -> Duration {
    let margin = (timeout / 10).clamp(MARGIN_MIN, MARGIN_MAX);
    timeout.saturating_sub(margin)
}

/// The `grpc-timeout`: up to eight digits and a unit (gRPC over HTTP/2, "Requests").
fn timeout(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count = digits.parse::<u64>().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 60 * 60)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Duration> {
        let mut metadata = MetadataMap::new();
        metadata.insert("grpc-timeout", text.parse().expect("visible ASCII"));
        timeout(&metadata)
    }

    #[test]
    fn every_unit_is_read() {
        let read = ["2H", "3M", "4S", "5m", "6u", "7n"].map(read);
        let seconds = [7200, 180, 4].map(Duration::from_secs);
        let smaller = [5_000_000, 6_000, 7].map(Duration::from_nanos);
        assert_eq!(read[..3], seconds.map(Some));
        assert_eq!(read[3..], smaller.map(Some));
    }

    #[test]
    fn a_malformed_timeout_is_none() {
        for text in ["", "S", "1", "1x", "123456789S", "-1S", "+1S"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(timeout(&MetadataMap::new()), None);
    }

    #[test]
    fn the_answer_has_a_tenth_of_the_time_within_bounds() {
        assert_eq!(patience(Duration::from_secs(1)), Duration::from_millis(900));
        assert_eq!(
            patience(Duration::from_secs(60)),
            Duration::from_millis(59_800)
        );
        assert_eq!(
            patience(Duration::from_millis(20)),
            Duration::from_millis(15)
        );
        assert_eq!(patience(Duration::from_millis(3)), Duration::ZERO);
    }

    #[test]
    fn the_span_counts_from_the_arrival() {
        let mut request = Request::new(());
        assert_eq!(answer_by(&request), None);
        let arrival = Instant::now();
        request.extensions_mut().insert(Arrival(arrival));
        request
            .metadata_mut()
            .insert("grpc-timeout", "10S".parse().expect("visible ASCII"));
        assert_eq!(
            answer_by(&request),
            Some(arrival + Duration::from_millis(9_800))
        );
    }
}
