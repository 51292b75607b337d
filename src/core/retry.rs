//! Whether a failed attempt is tried again, and when.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use crate::core::plan::Retry;

/// Classes that are not tried again unless `retry_on` names them.
const FINAL_CLASSES: [&str; 9] = [
    "validation",
    "expression",
    "limit",
    "budget",
    "refused",
    "auth",
    "cancelled",
    "not_found",
    "no_transition",
];

/// Whether an error of this class is tried again under the policy.
///
/// An expression that failed stays as it is whatever the policy says: nothing would change.
pub fn is_retried(retry: &Retry, class: &str) -> bool {
    let named = |list: &[String]| list.iter().any(|c| c == class);
    if class == "expression" || named(&retry.never_on) {
        return false;
    }
    if retry.retry_on.is_empty() {
        !FINAL_CLASSES.contains(&class)
    } else {
        named(&retry.retry_on)
    }
}

/// Returns the wait before `attempt` (counted from 1; the first waits zero).
///
/// Grows by `multiplier` from `initial_delay`, saturates at `max_delay`, then spreads by
/// ±`jitter`. `spread` is from -1 to 1.
pub fn backoff(retry: &Retry, attempt: u32, spread: f64) -> Duration {
    if attempt < 2 {
        return Duration::ZERO;
    }
    let power = i32::try_from(attempt - 2).unwrap_or(i32::MAX);
    let grown = retry.initial_delay.as_secs_f64() * retry.multiplier.powi(power);
    let capped = grown.min(retry.max_delay.as_secs_f64());
    let spread = capped * (1.0 + spread.clamp(-1.0, 1.0) * retry.jitter);
    Duration::try_from_secs_f64(spread).unwrap_or(retry.max_delay)
}

/// A number from -1 to 1 that is spread evenly over its seeds, the same for the same seeds.
pub fn spread(seed: impl Hash) -> f64 {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    #[allow(clippy::cast_precision_loss)]
    let unit = (hasher.finish() >> 11) as f64 / (1u64 << 53) as f64;
    unit * 2.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Retry {
        Retry {
            max_attempts: 5,
            initial_delay: Duration::from_secs(2),
            multiplier: 2.0,
            max_delay: Duration::from_secs(10),
            jitter: 0.25,
            retry_on: vec![],
            never_on: vec![],
        }
    }

    #[test]
    fn waits_grow_and_saturate() {
        let waits: Vec<u64> = (1..=5)
            .map(|a| backoff(&policy(), a, 0.0).as_secs())
            .collect();
        assert_eq!(waits, [0, 2, 4, 8, 10]);
    }

    #[test]
    fn waits_are_spread_by_the_jitter() {
        assert_eq!(backoff(&policy(), 2, 1.0), Duration::from_millis(2500));
        assert_eq!(backoff(&policy(), 2, -1.0), Duration::from_millis(1500));
        let all: Vec<f64> = (0..1000).map(|n| spread((7u8, n))).collect();
        assert!(all.iter().all(|s| (-1.0..=1.0).contains(s)));
        assert!(all.iter().any(|s| *s > 0.9) && all.iter().any(|s| *s < -0.9));
    }

    #[test]
    fn an_absurd_attempt_number_does_not_overflow() {
        assert_eq!(backoff(&policy(), u32::MAX, 0.0), Duration::from_secs(10));
    }

    #[test]
    fn classes_decide_what_is_tried_again() {
        let open = policy();
        for class in [
            "timeout",
            "unavailable",
            "rate_limited",
            "agent_error",
            "invalid_output",
            "own",
        ] {
            assert!(is_retried(&open, class), "{class}");
        }
        for class in FINAL_CLASSES {
            assert!(!is_retried(&open, class), "{class}");
        }
        let only = Retry {
            retry_on: vec!["auth".into()],
            ..policy()
        };
        assert!(is_retried(&only, "auth") && !is_retried(&only, "timeout"));
        let never = Retry {
            never_on: vec!["timeout".into()],
            ..policy()
        };
        assert!(!is_retried(&never, "timeout") && is_retried(&never, "unavailable"));
    }
}
