//! Compiling waits: a span or an instant, checked at once where it is no template.

use std::time::Duration;

use super::{Kind, Template, compile::Compiler};
use crate::{
    core::{
        definition::parse_duration,
        time::{self, Time},
        value::{self, Value},
    },
    proto::{self, wait},
};

/// What a wait waits for.
#[derive(Debug)]
pub enum Wait {
    /// So long, from when the step begins.
    For(Template),
    /// Until then.
    Until(Template),
}

impl Wait {
    /// The field that says it.
    pub fn field(&self) -> &'static str {
        match self {
            Self::For(_) => "duration",
            Self::Until(_) => "time",
        }
    }

    /// What gives the span or the instant.
    pub fn template(&self) -> &Template {
        match self {
            Self::For(template) | Self::Until(template) => template,
        }
    }

    /// When a wait that begins at `now` is over, for what its template gave.
    ///
    /// # Errors
    /// Why that is no span or instant, in words.
    pub fn due(&self, given: &Value, now: Time) -> Result<Time, String> {
        let text = match &given.kind {
            Some(value::Kind::StringValue(text)) => text.trim(),
            _ => "",
        };
        let shown = || value::to_text(given).chars().take(60).collect::<String>();
        match self {
            Self::For(_) => {
                let span = span(text).ok_or_else(|| format!("`{}` is not a span", shown()))?;
                time::checked_after(now, span)
                    .ok_or_else(|| format!("`{}` ends after the year 2262", shown()))
            }
            Self::Until(_) => time::instant(text).ok_or_else(|| {
                format!(
                    "`{}` is not a time with its zone until the year 2262",
                    shown()
                )
            }),
        }
    }
}

fn span(text: &str) -> Option<Duration> {
    time::span(&parse_duration(text).ok()?)
}

impl Compiler<'_> {
    pub(super) fn wait(&mut self, written: &proto::Wait) -> Kind {
        let nothing = Kind::Set(Vec::new());
        let (field, value) = match &written.r#for {
            Some(wait::For::Duration(value)) => (".duration", value),
            Some(wait::For::Time(value)) => (".time", value),
            None => {
                let hint = "give `duration: 10m` or `time: \"2027-01-01T00:00:00Z\"`";
                self.error("", "required", "there is nothing to wait for", hint);
                return nothing;
            }
        };
        let Some(template) = self.within(field, |c| c.template(value)) else {
            return nothing;
        };
        let wait = match field {
            ".duration" => Wait::For(template),
            _ => Wait::Until(template),
        };
        if let Some(constant) = wait.template().constant()
            && let Err(problem) = wait.due(constant, Time::default())
        {
            let hint = match &wait {
                Wait::For(_) => "a number with its unit, from zero on: `30s`, `10m`, `2h`, `1d`",
                Wait::Until(_) => "RFC 3339 with a zone: `2027-01-01T00:00:00Z`",
            };
            self.error(field, "out-of-range", problem, hint);
        }
        Kind::Wait(wait)
    }
}
