//! Names, labels, timeouts and retry policies: numbers checked and resolved.

use std::time::Duration;

use super::compile::Compiler;
use crate::{
    core::{definition::format_duration, finding, time},
    proto::{RetryPolicy, Step, Workflow, retry_policy::Preset},
};

/// The most characters of a workflow's name.
const NAME_LENGTH_MAX: usize = 128;
/// The most bytes of a description.
const DESCRIPTION_BYTES_MAX: usize = 4096;
/// The most labels and tags together.
const LABELS_MAX: usize = 64;
/// The most bytes of a label's name or a tag.
const LABEL_NAME_BYTES_MAX: usize = 128;
/// The most bytes of a label's value.
const LABEL_VALUE_BYTES_MAX: usize = 256;

/// The classes of error that the server itself gives.
const CLASSES: [&str; 14] = [
    "timeout",
    "unavailable",
    "rate_limited",
    "invalid_output",
    "validation",
    "expression",
    "limit",
    "budget",
    "refused",
    "auth",
    "agent_error",
    "cancelled",
    "not_found",
    "no_transition",
];

/// When and how often to try again; every number resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Attempts in all, the first one counted; at least 1.
    pub max_attempts: u32,
    /// The wait before the second attempt.
    pub initial_delay: Duration,
    /// What each further wait is multiplied by; at least 1.
    pub multiplier: f64,
    /// The longest wait.
    pub max_delay: Duration,
    /// How much a wait is spread: 0.25 is ±25 %.
    pub jitter: f64,
    /// Only these classes, when any.
    pub retry_on: Vec<String>,
    /// Never these.
    pub never_on: Vec<String>,
}

impl Compiler<'_> {
    /// Checks name, description, labels and tags.
    pub(super) fn names_of_workflow(&mut self, workflow: &Workflow) {
        if workflow.name.is_empty() {
            let hint = "give it one: a-z 0-9 - _ . and at most 128 characters";
            self.error(".name", "required", "the workflow has no name", hint);
        } else if !is_workflow_name(&workflow.name) {
            let message = format!("`{}` is not a name", workflow.name);
            let hint = "a-z 0-9 - _ . and at most 128 characters";
            self.error(".name", "invalid-name", message, hint);
        }
        self.bytes(".description", &workflow.description, DESCRIPTION_BYTES_MAX);
        let count = workflow.labels.len() + workflow.tags.len();
        if count > LABELS_MAX {
            let message = format!("{count} labels and tags are too many");
            let hint = format!("give at most {LABELS_MAX}");
            self.error(".labels", "limit", message, hint);
        }
        let mut labels: Vec<_> = workflow.labels.iter().collect();
        labels.sort_unstable();
        for (name, value) in labels {
            let field = format!(".labels.{name}");
            self.label_name(&field, name);
            self.bytes(&field, value, LABEL_VALUE_BYTES_MAX);
        }
        for (index, tag) in workflow.tags.iter().enumerate() {
            self.label_name(&format!(".tags[{index}]"), tag);
        }
    }

    fn label_name(&mut self, field: &str, name: &str) {
        if name.is_empty() {
            self.error(field, "required", "the label has no name", "");
        }
        self.bytes(field, name, LABEL_NAME_BYTES_MAX);
    }

    pub(super) fn bytes(&mut self, field: &str, text: &str, most: usize) {
        if text.len() > most {
            let message = format!("it has {} bytes; the most is {most}", text.len());
            self.error(field, "limit", message, "make it shorter");
        }
    }

    /// Timeout, queue timeout and total timeout of a step.
    pub(in crate::core) fn timeouts(
        &mut self,
        step: &Step,
        calls: bool,
    ) -> (Option<Duration>, Option<Duration>, Option<Duration>) {
        let attempt = self.timeout(".timeout", step.timeout.as_ref());
        let queue = self.timeout(".queue_timeout", step.queue_timeout.as_ref());
        let total = self.timeout(".total_timeout", step.total_timeout.as_ref());
        if let (Some(attempt), Some(total)) = (attempt, total)
            && attempt > total
        {
            let message = format!(
                "one attempt may take {}, all of them only {}",
                show(attempt),
                show(total)
            );
            let hint = "make `total_timeout` the longer one";
            self.warn(".timeout", "timeout", message, hint);
        }
        // Node 0 is the workflow and has its timeout already.
        if let Some(whole) = self.nodes[0].timeout {
            for (field, timeout) in [(".timeout", attempt), (".total_timeout", total)] {
                if let Some(timeout) = timeout.filter(|t| *t > whole) {
                    let message = format!(
                        "it is longer ({}) than the workflow may take ({})",
                        show(timeout),
                        show(whole)
                    );
                    let hint = "shorten it, or lengthen the workflow's `timeout`";
                    self.warn(field, "timeout", message, hint);
                }
            }
        }
        if queue.is_some() && !calls {
            let hint = "remove it; `timeout` and `total_timeout` work on every step";
            self.warn(
                ".queue_timeout",
                "unused",
                "only calls wait in a queue",
                hint,
            );
        }
        (attempt, queue, total)
    }

    /// A timeout, which must be longer than nothing.
    pub(super) fn timeout(
        &mut self,
        field: &str,
        given: Option<&prost_types::Duration>,
    ) -> Option<Duration> {
        let span = time::span(given?).filter(|s| !s.is_zero());
        if span.is_none() {
            let hint = "give a span above zero, or leave it out for no limit";
            self.error(field, "timeout", "nothing can be done within no time", hint);
        }
        span
    }

    /// The retry policy at `.retry`, every number resolved.
    pub(in crate::core) fn retry(&mut self, policy: Option<&RetryPolicy>) -> Option<Retry> {
        let policy = policy?;
        Some(self.within(".retry", |c| c.resolve(policy)))
    }

    fn resolve(&mut self, policy: &RetryPolicy) -> Retry {
        let preset = preset(policy.preset());
        let initial_delay = self
            .delay(".initial_delay", policy.initial_delay.as_ref())
            .unwrap_or(preset.initial_delay);
        let max_delay = match self.delay(".max_delay", policy.max_delay.as_ref()) {
            Some(max) => {
                self.check_delays(initial_delay, max);
                max
            }
            None => preset.max_delay.max(initial_delay),
        };
        self.check_classes(policy);
        Retry {
            max_attempts: self.attempts(policy).unwrap_or(preset.max_attempts),
            initial_delay,
            multiplier: self
                .in_range(".multiplier", policy.multiplier, 1.0, 1_000.0)
                .unwrap_or(preset.multiplier),
            max_delay,
            jitter: self
                .in_range(".jitter", policy.jitter, 0.0, 1.0)
                .unwrap_or(preset.jitter),
            retry_on: policy.retry_on.clone(),
            never_on: policy.never_on.clone(),
        }
    }

    fn attempts(&mut self, policy: &RetryPolicy) -> Option<u32> {
        let given = policy.max_attempts;
        let most = self.limits.retry_attempts_max;
        if given > most {
            let message = format!("{given} attempts are more than the server's {most}");
            let hint = format!("limit `retry_attempts_max`: give a number from 1 to {most}");
            self.error(".max_attempts", "limit", message, hint);
        }
        (given > 0).then_some(given)
    }

    fn check_delays(&mut self, initial: Duration, max: Duration) {
        if max < initial {
            let message = format!(
                "the longest wait ({}) is shorter than the first ({})",
                show(max),
                show(initial)
            );
            let hint = "lengthen `max_delay`, or set a shorter `initial_delay`";
            self.error(".max_delay", "out-of-range", message, hint);
        }
    }

    fn delay(&mut self, field: &str, given: Option<&prost_types::Duration>) -> Option<Duration> {
        let span = time::span(given?);
        if span.is_none() {
            self.error(field, "out-of-range", "a wait cannot be negative", "");
        }
        span
    }

    fn in_range(&mut self, field: &str, given: Option<f64>, least: f64, most: f64) -> Option<f64> {
        let number = given?;
        if (least..=most).contains(&number) {
            return Some(number);
        }
        let message = format!("{number} is not from {least} to {most}");
        self.error(field, "out-of-range", message, "");
        None
    }

    fn check_classes(&mut self, policy: &RetryPolicy) {
        let lists = [
            ("retry_on", &policy.retry_on),
            ("never_on", &policy.never_on),
        ];
        for (name, classes) in lists {
            for (index, class) in classes.iter().enumerate() {
                self.check_class(&format!(".{name}[{index}]"), class);
            }
        }
        for (index, class) in policy.retry_on.iter().enumerate() {
            if policy.never_on.contains(class) {
                let message = format!("`{class}` is also in `never_on`, which counts");
                let field = format!(".retry_on[{index}]");
                self.warn(&field, "conflict", message, "remove it from one of the two");
            }
        }
    }

    pub(super) fn check_class(&mut self, field: &str, class: &str) {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let is_word =
            class.starts_with(|c: char| c.is_ascii_lowercase()) && class.chars().all(allowed);
        let lower = class.to_ascii_lowercase().replace('-', "_");
        let near = || finding::did_you_mean(&lower, CLASSES);
        if !is_word {
            let hint = near().map_or("classes are lower-case words with _".into(), |near| {
                format!("did you mean `{near}`?")
            });
            let message = format!("`{class}` is not a class of errors");
            self.error(field, "invalid-class", message, hint);
        } else if !CLASSES.contains(&class)
            && let Some(near) = near()
        {
            let message = format!("`{class}` is none of the server's classes");
            let hint = format!("did you mean `{near}`? An agent's own class is fine");
            self.warn(field, "unknown-class", message, hint);
        }
    }
}

/// True when a workflow may be called that.
pub(super) fn is_workflow_name(name: &str) -> bool {
    let allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= NAME_LENGTH_MAX && name.chars().all(allowed)
}

/// The numbers of a preset: first delay, multiplier, longest delay, attempts.
fn preset(preset: Preset) -> Retry {
    let (initial, multiplier, max, attempts) = match preset {
        Preset::Unspecified | Preset::Default => (3, 2.0, 60, 2),
        Preset::Validation => (1, 1.5, 10, 3),
        Preset::ApiCall => (2, 2.0, 120, 5),
        Preset::AiProcessing => (5, 3.0, 300, 3),
        Preset::Database => (3, 1.8, 30, 4),
        Preset::FileProcessing => (2, 2.0, 20, 3),
    };
    Retry {
        max_attempts: attempts,
        initial_delay: Duration::from_secs(initial),
        multiplier,
        max_delay: Duration::from_secs(max),
        jitter: 0.25,
        retry_on: Vec::new(),
        never_on: Vec::new(),
    }
}

fn show(span: Duration) -> String {
    format_duration(&time::message(span))
}
