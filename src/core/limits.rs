//! Every bound of the kernel, named, with its default. Published by GetServerInfo; the
//! server's configuration may change them.

use std::time::Duration;

use crate::core::{definition::parse_duration, finding::did_you_mean, time::span};

/// The bounds that the kernel and the rooms around it keep to.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The largest gRPC message taken, in bytes.
    pub message_bytes_max: usize,
    /// The most calls that wait for their answer at once, over all connections.
    pub calls_waiting_max: usize,
    /// The largest input or output of an execution or step, in bytes as encoded Protobuf.
    pub payload_bytes_max: usize,
    /// The most steps of one definition, inner ones included.
    pub workflow_steps_max: usize,
    /// How deep steps may be nested.
    pub workflow_depth_max: usize,
    /// The largest definition, in bytes as encoded Protobuf.
    pub workflow_bytes_max: usize,
    /// How many executions may be above one: how deep children may have children.
    pub child_depth_max: u32,
    /// The most executions that are open at once.
    pub open_executions_max: usize,
    /// The most executions in memory that only wait; more make those touched longest ago leave.
    pub resident_executions_max: usize,
    /// The most events of one execution.
    pub execution_events_max: u64,
    /// The most calls of one execution in progress at once.
    pub parallel_steps_max: u32,
    /// The most items of one collection.
    pub each_items_max: usize,
    /// The most items of one collection in progress at once; what `max_parallel` is without one.
    pub each_parallel_max: u32,
    /// The most steps that GetExecution shows; ListSteps shows all.
    pub execution_steps_shown_max: usize,
    /// The most attempts of a retry policy, and the most repairs that a gate has made of one value.
    pub retry_attempts_max: u32,
    /// The largest page of a list.
    pub page_size_max: usize,
    /// The longest that a workflow's `finally` may take.
    pub finally_timeout: Duration,
    /// The longest expression, in bytes.
    pub expression_bytes_max: usize,
    /// The most credits a worker may hold.
    pub worker_credits_max: u32,
    /// How long a task's lease lasts without a heartbeat.
    pub lease_timeout: Duration,
    /// How long an offered task may stay unaccepted.
    pub accept_timeout: Duration,
    /// The least free space on the volume of the data directory, in bytes; with less, new
    /// executions are refused and accepted ones go on.
    pub disk_reserve_bytes: u64,
    /// How much of what is committed may wait in memory to be taken over into the state, in
    /// bytes; with more, new executions are refused and accepted ones go on.
    pub pending_bytes_max: usize,
    /// The most that is made durable as one, in bytes as journaled; more makes another group.
    pub group_bytes_max: u32,
    /// How long a start's request id is remembered.
    pub request_id_timeout: Duration,
    /// The longest that a step's output is kept for others; what `cache.ttl` is without one.
    pub cache_timeout: Duration,
    /// The most iterations of a loop, turns or rounds of a pattern, changes of state.
    pub iterations_max: u32,
    /// How often a `decompose` may divide a task at most.
    pub decompose_depth_max: u32,
}

/// How many ended iterations of a loop, or items of a collection, an execution keeps in memory
/// with all their steps; of those before, it keeps what they gave.
pub const ENDED_FRAMES_MAX: usize = 8;

/// The least `group_bytes_max` may be: so that what follows from one command always fits.
const GROUP_BYTES_MIN: usize = 64 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 64 << 20,
            calls_waiting_max: 100_000,
            payload_bytes_max: 16 << 20,
            workflow_steps_max: 10_000,
            workflow_depth_max: 32,
            workflow_bytes_max: 2 << 20,
            child_depth_max: 16,
            open_executions_max: 1_000_000,
            resident_executions_max: 4_000,
            execution_events_max: 5_000_000,
            parallel_steps_max: 1_000,
            each_items_max: 100_000,
            each_parallel_max: 1_000,
            execution_steps_shown_max: 1_000,
            retry_attempts_max: 100,
            page_size_max: 1_000,
            finally_timeout: Duration::from_secs(600),
            expression_bytes_max: 8 << 10,
            worker_credits_max: 10_000,
            lease_timeout: Duration::from_secs(30),
            accept_timeout: Duration::from_secs(5),
            disk_reserve_bytes: 256 << 20,
            pending_bytes_max: 64 << 20,
            group_bytes_max: 256 << 20,
            request_id_timeout: Duration::from_secs(7 * 86_400),
            cache_timeout: Duration::from_secs(7 * 86_400),
            iterations_max: 10_000,
            decompose_depth_max: 16,
        }
    }
}

/// The names of the limits, as they are published.
const NAMES: [&str; 28] = [
    "message_bytes_max",
    "calls_waiting_max",
    "payload_bytes_max",
    "workflow_steps_max",
    "workflow_depth_max",
    "workflow_bytes_max",
    "child_depth_max",
    "open_executions_max",
    "resident_executions_max",
    "execution_events_max",
    "parallel_steps_max",
    "each_items_max",
    "each_parallel_max",
    "execution_steps_shown_max",
    "retry_attempts_max",
    "page_size_max",
    "finally_timeout",
    "expression_bytes_max",
    "worker_credits_max",
    "lease_timeout",
    "accept_timeout",
    "disk_reserve_bytes",
    "pending_bytes_max",
    "group_bytes_max",
    "request_id_timeout",
    "cache_timeout",
    "iterations_max",
    "decompose_depth_max",
];

impl Limits {
    /// Sets limits from `NAME=VALUE` texts: whole numbers, bytes also as `64KiB`, `16MiB` or
    /// `1GiB`, spans as `30s` or `2m`.
    ///
    /// # Errors
    /// What is wrong with the first text that is, or that two limits contradict each other.
    pub fn set(&mut self, settings: &[String]) -> Result<(), String> {
        for setting in settings {
            let (name, text) = setting
                .split_once('=')
                .ok_or_else(|| format!("`{setting}` is not NAME=VALUE"))?;
            self.set_one(name.trim(), text.trim())
                .map_err(|why| format!("limit {name}: {why}"))?;
        }
        if self.payload_bytes_max > self.message_bytes_max {
            return Err(format!(
                "limit payload_bytes_max: {} bytes do not fit into message_bytes_max, {}",
                self.payload_bytes_max, self.message_bytes_max
            ));
        }
        let least = self
            .message_bytes_max
            .saturating_mul(2)
            .max(GROUP_BYTES_MIN);
        if (self.group_bytes_max as usize) < least {
            return Err(format!(
                "limit group_bytes_max: {} bytes, at least {least} are needed for what follows \
                 from one command (64MiB, and twice message_bytes_max)",
                self.group_bytes_max
            ));
        }
        Ok(())
    }

    fn set_one(&mut self, name: &str, text: &str) -> Result<(), String> {
        match name {
            "message_bytes_max" => self.message_bytes_max = bytes(text)?,
            "calls_waiting_max" => self.calls_waiting_max = number(text)?,
            "payload_bytes_max" => self.payload_bytes_max = bytes(text)?,
            "workflow_steps_max" => self.workflow_steps_max = number(text)?,
            "workflow_depth_max" => self.workflow_depth_max = number(text)?,
            "workflow_bytes_max" => self.workflow_bytes_max = bytes(text)?,
            "child_depth_max" => self.child_depth_max = number(text)?,
            "open_executions_max" => self.open_executions_max = number(text)?,
            "resident_executions_max" => self.resident_executions_max = number(text)?,
            "execution_events_max" => self.execution_events_max = number(text)?,
            "parallel_steps_max" => self.parallel_steps_max = number(text)?,
            "each_items_max" => self.each_items_max = number(text)?,
            "each_parallel_max" => self.each_parallel_max = number(text)?,
            "execution_steps_shown_max" => self.execution_steps_shown_max = number(text)?,
            "retry_attempts_max" => self.retry_attempts_max = number(text)?,
            "page_size_max" => self.page_size_max = number(text)?,
            "finally_timeout" => self.finally_timeout = timeout(text)?,
            "expression_bytes_max" => self.expression_bytes_max = bytes(text)?,
            "worker_credits_max" => self.worker_credits_max = number(text)?,
            "lease_timeout" => self.lease_timeout = timeout(text)?,
            "accept_timeout" => self.accept_timeout = timeout(text)?,
            "cache_timeout" => self.cache_timeout = timeout(text)?,
            "request_id_timeout" => self.request_id_timeout = timeout(text)?,
            "disk_reserve_bytes" if text == "0" => self.disk_reserve_bytes = 0,
            "pending_bytes_max" => self.pending_bytes_max = bytes(text)?,
            "group_bytes_max" => self.group_bytes_max = bytes(text)?,
            "iterations_max" => self.iterations_max = number(text)?,
            "decompose_depth_max" => self.decompose_depth_max = number(text)?,
            "disk_reserve_bytes" => self.disk_reserve_bytes = bytes(text)?,
            _ => {
                let near = did_you_mean(name, NAMES);
                return Err(match near {
                    Some(near) => format!("there is no such limit (did you mean {near}?)"),
                    None => format!("there is no such limit (there are {})", NAMES.join(", ")),
                });
            }
        }
        Ok(())
    }
}

fn number<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let parsed = text.parse::<u64>().ok().filter(|n| *n > 0);
    parsed
        .and_then(|n| T::try_from(n).ok())
        .ok_or_else(|| format!("`{text}` is not a whole number from 1 that fits"))
}

fn bytes<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let unit = units.iter().find(|(unit, _)| text.ends_with(unit));
    let (digits, shift) = unit.map_or((text, 0), |(unit, shift)| {
        (text.trim_end_matches(unit).trim_end(), *shift)
    });
    let parsed = digits.parse::<u64>().ok().filter(|n| *n > 0);
    parsed
        .and_then(|n| n.checked_mul(1 << shift))
        .and_then(|n| T::try_from(n).ok())
        .ok_or_else(|| {
            format!("`{text}` is no number of bytes (write 65536, 64KiB, 16MiB or 1GiB)")
        })
}

fn timeout(text: &str) -> Result<Duration, String> {
    let parsed =
        parse_duration(text).map_err(|why| format!("`{text}` is not a duration: {why}"))?;
    span(&parsed)
        .filter(|span| !span.is_zero())
        .ok_or_else(|| format!("`{text}` is not longer than nothing"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn set(settings: &[&str]) -> Result<Limits, String> {
        let mut limits = Limits::default();
        let settings: Vec<String> = settings.iter().map(|s| (*s).to_owned()).collect();
        limits.set(&settings).map(|()| limits)
    }

    #[test]
    fn limits_are_set_by_their_published_names() {
        let limits = set(&[
            "message_bytes_max=16MiB",
            "payload_bytes_max = 8 MiB",
            "lease_timeout=2m",
            "open_executions_max=7",
            "disk_reserve_bytes=0",
        ])
        .unwrap();
        assert_eq!(limits.message_bytes_max, 16 << 20);
        assert_eq!(limits.payload_bytes_max, 8 << 20);
        assert_eq!(limits.lease_timeout, Duration::from_secs(120));
        assert_eq!(limits.open_executions_max, 7);
        assert_eq!(limits.disk_reserve_bytes, 0);
    }

    #[test]
    fn every_name_can_be_set() {
        for name in NAMES {
            let value = match name {
                "group_bytes_max" => "64MiB",
                timeout if timeout.ends_with("timeout") => "9s",
                _ => "9",
            };
            let mut limits = Limits {
                message_bytes_max: 9,
                payload_bytes_max: 9,
                ..Limits::default()
            };
            let before = format!("{limits:?}");
            limits.set(&[format!("{name}={value}")]).unwrap();
            let same = name == "message_bytes_max" || name == "payload_bytes_max";
            assert_eq!(before == format!("{limits:?}"), same, "{name}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_words() {
        for (setting, words) in [
            ("lease_timeout", "is not NAME=VALUE"),
            ("lease_timout=3s", "did you mean lease_timeout?"),
            (
                "nothing=3",
                "there is no such limit (there are message_bytes_max",
            ),
            ("lease_timeout=0s", "not longer than nothing"),
            ("lease_timeout=3x", "not a duration"),
            ("payload_bytes_max=3MB", "64KiB"),
            ("payload_bytes_max=99999999999GiB", "64KiB"),
            (
                "payload_bytes_max=65MiB",
                "do not fit into message_bytes_max",
            ),
            ("group_bytes_max=63MiB", "at least 134217728 are needed"),
            ("message_bytes_max=200MiB", "at least 419430400 are needed"),
            ("parallel_steps_max=0", "a whole number from 1"),
            ("parallel_steps_max=5000000000", "that fits"),
        ] {
            let refused = set(&[setting]).unwrap_err();
            assert!(refused.contains(words), "{setting}: {refused}");
        }
    }
}
