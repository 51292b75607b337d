//! A closed load: so many callers, each of which calls again as soon as it is answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

/// What a load came to.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// How many callers there were.
    pub concurrency: usize,
    /// The latency of each call that succeeded, ascending.
    pub latencies: Vec<Duration>,
    /// How many failed.
    pub errors: u64,
    /// Why the first of them did.
    pub first_error: Option<String>,
    /// How long it took, until the last answer.
    pub took: Duration,
}

impl Load {
    /// Calls in a second.
    #[allow(clippy::cast_precision_loss)]
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// The latency that this share of the calls kept to, in milliseconds; 0 without calls.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    pub fn percentile_ms(&self, share: f64) -> f64 {
        let place = (self.latencies.len() as f64 * share) as usize;
        let last = self.latencies.len().saturating_sub(1);
        let latency = self.latencies.get(place.min(last));
        latency.map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }
}

/// When callers stop.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After this time.
    Passed(Duration),
    /// After so many calls in all.
    Calls(u64),
}

/// Lets `concurrency` callers make one call after another. `call` is given the caller's number.
pub async fn closed<F, Answer>(concurrency: usize, until: Until, call: F) -> Load
where
    F: Fn(usize) -> Answer + Clone + Send + 'static,
    Answer: Future<Output = Result<(), String>> + Send + 'static,
{
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..concurrency {
        let calls = match until {
            Until::Passed(_) => u64::MAX,
            Until::Calls(all) => share(all, concurrency, caller),
        };
        callers.spawn(one_after_another(
            call.clone(),
            caller,
            calls,
            Arc::clone(&stop),
        ));
    }
    if let Until::Passed(span) = until {
        tokio::time::sleep(span).await;
        stop.store(true, Ordering::Relaxed);
    }
    let mut load = Load {
        concurrency,
        ..Load::default()
    };
    while let Some(joined) = callers.join_next().await {
        let one = joined.unwrap_or_else(|error| Load {
            errors: 1,
            first_error: Some(error.to_string()),
            ..Load::default()
        });
        load.latencies.extend(one.latencies);
        load.errors += one.errors;
        load.first_error = load.first_error.or(one.first_error);
    }
    load.took = begun.elapsed();
    load.latencies.sort_unstable();
    load
}

/// How many of all calls a caller makes.
fn share(all: u64, callers: usize, caller: usize) -> u64 {
    let (callers, caller) = (callers as u64, caller as u64);
    all / callers + u64::from(caller < all % callers)
}

async fn one_after_another<F, Answer>(
    call: F,
    caller: usize,
    calls: u64,
    stop: Arc<AtomicBool>,
) -> Load
where
    F: Fn(usize) -> Answer,
    Answer: Future<Output = Result<(), String>>,
{
    let mut load = Load::default();
    for _ in 0..calls {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let begun = Instant::now();
        match call(caller).await {
            Ok(()) => load.latencies.push(begun.elapsed()),
            Err(error) => {
                load.errors += 1;
                load.first_error.get_or_insert(error);
            }
        }
    }
    load
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_load_of_so_many_calls_makes_just_these() {
        let load = closed(3, Until::Calls(10), |caller| async move {
            if caller == 0 {
                Err("no".to_owned())
            } else {
                Ok(())
            }
        });
        let load = load.await;
        assert_eq!((load.latencies.len(), load.errors), (6, 4));
        assert_eq!(load.first_error.as_deref(), Some("no"));
    }

    #[test]
    fn a_load_without_answers_has_no_percentiles() {
        assert_eq!(Load::default().percentile_ms(0.99), 0.0);
    }
}
