//! Compiling waits: spans and instants, checked at once where they are no templates.

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

/// What a wait waits for: the first of these; at least one.
#[derive(Debug)]
pub struct Wait(pub Vec<Moment>);

/// One thing to wait for.
#[derive(Debug)]
pub struct Moment {
    /// The field that says it: `duration`, `first_of[1].time`.
    pub field: String,
    /// What gives the span or the instant.
    pub template: Template,
    is_span: bool,
}

impl Moment {
    /// When it is for a wait that begins at `now`, for what its template gave.
    ///
    /// # Errors
    /// Why that is no span or instant, in words.
    pub fn due(&self, given: &Value, now: Time) -> Result<Time, String> {
        let text = match &given.kind {
            Some(value::Kind::StringValue(text)) => text.trim(),
            _ => "",
        };
        let shown = || value::to_text(given).chars().take(60).collect::<String>();
        if self.is_span {
            let span = span(text).ok_or_else(|| format!("`{}` is not a span", shown()))?;
            return time::checked_after(now, span)
                .ok_or_else(|| format!("`{}` ends after the year 2262", shown()));
        }
        time::instant(text).ok_or_else(|| {
            format!(
                "`{}` is not a time with its zone until the year 2262",
                shown()
            )
        })
    }
}

fn span(text: &str) -> Option<Duration> {
    time::span(&parse_duration(text).ok()?)
}

impl Compiler<'_> {
    pub(super) fn wait(&mut self, written: &proto::Wait) -> Kind {
        let mut moments = Vec::new();
        self.moments(written, "", &mut moments);
        if moments.is_empty() {
            return Kind::Set(Vec::new());
        }
        Kind::Wait(Wait(moments))
    }

    /// Adds what a wait, the one in this field of the step's, waits for.
    fn moments(&mut self, written: &proto::Wait, around: &str, moments: &mut Vec<Moment>) {
        let (name, value) = match (&written.r#for, written.first_of.as_slice()) {
            (Some(wait::For::Duration(value)), []) => ("duration", value),
            (Some(wait::For::Time(value)), []) => ("time", value),
            (None, several @ [_, ..]) => {
                for (at, one) in several.iter().enumerate() {
                    let field = format!("{around}first_of[{at}].");
                    let path = format!(".first_of[{at}]");
                    self.within(&path, |c| c.moments(one, &field, moments));
                }
                return;
            }
            (Some(_), _) => {
                let hint = "put the other one into the list, or leave the list out";
                let message = "either one thing is waited for or the first of several";
                return self.error(".first_of", "one-of", message, hint);
            }
            (None, []) => {
                let hint = "give `duration: 10m` or `time: \"2027-01-01T00:00:00Z\"`";
                return self.error("", "required", "there is nothing to wait for", hint);
            }
        };
        let path = format!(".{name}");
        let Some(template) = self.within(&path, |c| c.template(value)) else {
            return;
        };
        let moment = Moment {
            field: format!("{around}{name}"),
            template,
            is_span: name == "duration",
        };
        if let Some(constant) = moment.template.constant()
            && let Err(problem) = moment.due(constant, Time::default())
        {
            let hint = match moment.is_span {
                true => "a number with its unit, from zero on: `30s`, `10m`, `2h`, `1d`",
                false => "RFC 3339 with a zone: `2027-01-01T00:00:00Z`",
            };
            self.error(&path, "out-of-range", problem, hint);
        }
        moments.push(moment);
    }
}
