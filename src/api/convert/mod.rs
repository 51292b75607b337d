//! From requests to what the rooms below take: every bad field of a request is collected, then
//! told at once. Knows the rules of single fields; one file per service knows its requests.

pub mod agent;
pub mod execution;
pub mod limits;
pub mod system;
pub mod worker;
pub mod workflow;

use std::{collections::HashMap, fmt, time::Duration};

use prost::Message;
use uuid::Uuid;

use super::page::Cursor;
use crate::{
    core::{
        limits::Limits,
        time,
        value::{self, Value},
    },
    engine::Violation,
};

/// The namespace of requests that name none.
pub const NAMESPACE_DEFAULT: &str = "default";
/// The longest name, id or request id, in characters.
pub const NAME_CHARS_MAX: usize = 128;
/// The most labels in one place.
pub const LABELS_MAX: usize = 64;
/// The longest key of a label, in bytes.
pub const LABEL_KEY_BYTES_MAX: usize = 128;
/// The longest value of a label, in bytes.
pub const LABEL_VALUE_BYTES_MAX: usize = 256;
/// The longest reason a caller may give, in bytes.
pub const REASON_BYTES_MAX: usize = 1024;
/// The size of a page when the request leaves it out.
pub const PAGE_SIZE_DEFAULT: usize = 50;

/// Everything that is wrong with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// Bad fields.
    pub invalid: Vec<Violation>,
    /// Fields that are over a limit on bytes.
    pub too_large: Vec<TooLarge>,
}

/// A field over its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The field's path.
    pub field: String,
    /// The limit's name, as GetServerInfo publishes it.
    pub limit: &'static str,
    /// Its size, in bytes.
    pub bytes: usize,
    /// The most it may have.
    pub bytes_max: usize,
}

impl TooLarge {
    /// What is wrong, without the field.
    pub fn text(&self) -> String {
        let Self {
            limit,
            bytes,
            bytes_max,
            ..
        } = self;
        format!("has {bytes} bytes, {limit} is {bytes_max}")
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.text())
    }
}

/// Reads the fields of one request and remembers what is wrong with them. A bad field reads as
/// some stand-in, which `finish` never lets out.
pub struct Fields<'a> {
    limits: &'a Limits,
    rejected: Rejected,
}

impl<'a> Fields<'a> {
    /// Begins to read a request.
    pub fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            rejected: Rejected::default(),
        }
    }

    /// What was read.
    ///
    /// # Errors
    /// Everything that is wrong, when anything is.
    pub fn finish<T>(self, read: T) -> Result<T, Rejected> {
        if self.rejected == Rejected::default() {
            return Ok(read);
        }
        Err(self.rejected)
    }

    /// Remembers a bad field.
    pub fn reject(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.rejected.invalid.push(Violation {
            field: field.into(),
            message: message.into(),
        });
    }

    /// A namespace: a-z 0-9 - _ . and at most 128; `default` when left out.
    pub fn namespace(&mut self, given: String) -> String {
        self.namespace_at("namespace", given)
    }

    /// A namespace that is not the request's own field of that name.
    pub fn namespace_at(&mut self, field: &str, given: String) -> String {
        if given.is_empty() {
            return NAMESPACE_DEFAULT.to_owned();
        }
        self.lower_name(field, given)
    }

    /// A required name of a-z 0-9 - _ . and at most 128 characters.
    pub fn lower_name(&mut self, field: &str, given: String) -> String {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        self.check_name(field, &given, "a-z 0-9 - _ .", fits);
        given
    }

    /// A required id of a-z A-Z 0-9 - _ . and at most 128 characters.
    pub fn id(&mut self, field: &str, given: String) -> String {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        self.check_name(field, &given, "a-z A-Z 0-9 - _ .", fits);
        given
    }

    /// A required text of at most 128 characters, none of them a control character.
    pub fn key(&mut self, field: &str, given: String) -> String {
        let fits = |c: char| !c.is_control();
        self.check_name(field, &given, "no control characters", fits);
        given
    }

    /// A key that may be left out.
    pub fn optional_key(&mut self, field: &str, given: String) -> String {
        if given.is_empty() {
            return given;
        }
        self.key(field, given)
    }

    /// An execution id: UUID text with dashes.
    pub fn execution_id(&mut self, given: &str) -> Uuid {
        if given.is_empty() {
            self.reject("execution_id", "required");
            return Uuid::default();
        }
        self.uuid("execution_id", given)
    }

    /// The id of an execution, in whatever field: UUID text with dashes.
    pub fn uuid(&mut self, field: &str, given: &str) -> Uuid {
        const UUID_CHARS: usize = 36;
        let read = Uuid::try_parse(given)
            .ok()
            .filter(|_| given.len() == UUID_CHARS);
        if read.is_none() {
            let message =
                format!("{given:?} is not a UUID, such as 018f6b1c-3c5e-7a90-9b1d-1f2e3d4c5b6a");
            self.reject(field, message);
        }
        read.unwrap_or_default()
    }

    /// A reason in the caller's words, at most 1024 bytes.
    pub fn reason(&mut self, given: String) -> String {
        if given.len() > REASON_BYTES_MAX {
            let message = format!(
                "has {} bytes, at most {REASON_BYTES_MAX} are allowed",
                given.len()
            );
            self.reject("reason", message);
        }
        given
    }

    /// Labels: at most 64, keys of 1 to 128 bytes, values of at most 256.
    pub fn labels(
        &mut self,
        field: &str,
        given: HashMap<String, String>,
    ) -> HashMap<String, String> {
        if given.len() > LABELS_MAX {
            let message = format!("{} labels, at most {LABELS_MAX} are allowed", given.len());
            self.reject(field, message);
        }
        let mut long: Vec<_> = given
            .iter()
            .filter_map(|(k, v)| label_problem(k, v))
            .collect();
        long.sort();
        for (key, problem) in long {
            self.reject(format!("{field}[{key:?}]"), problem);
        }
        given
    }

    /// A payload: JSON, and within `payload_bytes_max`.
    pub fn payload(&mut self, field: &str, given: Option<&Value>) {
        let Some(value) = given else { return };
        self.json(field, value);
        self.size(
            field,
            "payload_bytes_max",
            value.encoded_len(),
            self.limits.payload_bytes_max,
        );
    }

    /// A value that JSON can write.
    pub fn json(&mut self, field: &str, value: &Value) {
        if let Some(pointer) = value::unwritable(value) {
            let message = "infinite or not a number: JSON cannot write it";
            self.reject(format!("{field}{pointer}"), message);
        }
    }

    /// Remembers a field that is over a limit on bytes.
    pub fn size(&mut self, field: &str, limit: &'static str, bytes: usize, bytes_max: usize) {
        if bytes > bytes_max {
            self.rejected.too_large.push(TooLarge {
                field: field.to_owned(),
                limit,
                bytes,
                bytes_max,
            });
        }
    }

    /// A size of a page; `default` for 0.
    pub fn page_size(&mut self, given: i32, default: usize) -> usize {
        let most = self.limits.page_size_max;
        self.count("page_size", given, default.min(most), most)
    }

    /// A count from 0 to `most`; `default` for 0.
    pub fn count<N>(&mut self, field: &str, given: i32, default: N, most: N) -> N
    where
        N: TryFrom<i32> + PartialOrd + Default + fmt::Display,
    {
        match N::try_from(given) {
            Ok(count) if count == N::default() => default,
            Ok(count) if count <= most => count,
            _ => {
                self.reject(field, format!("{given} is not between 0 and {most}"));
                default
            }
        }
    }

    /// The place after which a page begins; `None` for the first page.
    pub fn page_token<C: Cursor>(&mut self, given: &str) -> Option<C> {
        if given.is_empty() {
            return None;
        }
        let cursor = C::read(given);
        if cursor.is_none() {
            let message = "not a next_page_token of this list: leave it out for the first page";
            self.reject("page_token", message);
        }
        cursor
    }

    /// A span that is not negative and at most `most`; zero when left out.
    pub fn span(
        &mut self,
        field: &str,
        given: Option<&prost_types::Duration>,
        most: Duration,
    ) -> Duration {
        match given.map(time::span) {
            None => Duration::ZERO,
            Some(Some(span)) if span <= most => span,
            Some(_) => {
                self.reject(field, format!("not between 0 s and {} s", most.as_secs()));
                Duration::ZERO
            }
        }
    }

    fn check_name(&mut self, field: &str, given: &str, allowed: &str, fits: fn(char) -> bool) {
        if given.is_empty() {
            self.reject(field, "required");
        } else if given.chars().count() > NAME_CHARS_MAX {
            self.reject(field, format!("longer than {NAME_CHARS_MAX} characters"));
        } else if let Some(bad) = given.chars().find(|c| !fits(*c)) {
            self.reject(field, format!("{bad:?} is not allowed: {allowed}"));
        }
    }
}

fn label_problem<'k>(key: &'k str, value: &str) -> Option<(&'k str, String)> {
    let problem = if key.is_empty() {
        "a label's key is empty".to_owned()
    } else if key.len() > LABEL_KEY_BYTES_MAX {
        format!("a label's key has at most {LABEL_KEY_BYTES_MAX} bytes")
    } else if value.len() > LABEL_VALUE_BYTES_MAX {
        format!("a label's value has at most {LABEL_VALUE_BYTES_MAX} bytes")
    } else {
        return None;
    };
    Some((key, problem))
}

#[cfg(test)]
mod tests;
