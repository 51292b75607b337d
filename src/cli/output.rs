//! What is printed: tones of text, and stdout that a reader may close early.

use std::io::{self, Write as _};

use console::Style;

use super::failure::Failure;

/// What a piece of text means; colours follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// Of less interest.
    Dim,
    /// Stands out.
    Strong,
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// In progress.
    Busy,
    /// Waits, or worth a look.
    Warn,
}

/// Paints text, or leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    colours: bool,
}

impl Paint {
    /// Paints with colours, or without.
    pub fn new(colours: bool) -> Self {
        Self { colours }
    }

    /// The text in its tone.
    pub fn tone(self, tone: Tone, text: &str) -> String {
        if text.is_empty() || !self.colours {
            return text.to_owned();
        }
        style(tone).force_styling(true).apply_to(text).to_string()
    }
}

fn style(tone: Tone) -> Style {
    let style = Style::new();
    match tone {
        Tone::Plain => style,
        Tone::Dim => style.dim(),
        Tone::Strong => style.bold(),
        Tone::Good => style.green(),
        Tone::Bad => style.red(),
        Tone::Busy => style.cyan(),
        Tone::Warn => style.yellow(),
    }
}

/// Writes text and a line end to stdout.
///
/// # Errors
/// `Failure::Io`; but a reader that has gone away (`tutti list | head -1`) ends the command
/// quietly: `Failure::Closed`.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")
        .and_then(|()| stdout.flush())
        .map_err(|e| match e.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => Failure::Io {
                context: "writing the result".to_owned(),
                source: e,
            },
        })
}

/// A number of things in words: `1 step`, `2 steps`.
pub fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_text_stays_as_it_is() {
        assert_eq!(Paint::new(false).tone(Tone::Bad, "no"), "no");
    }

    #[test]
    fn with_colours_text_is_painted_wherever_it_goes() {
        assert_eq!(
            Paint::new(true).tone(Tone::Bad, "no"),
            "\u{1b}[31mno\u{1b}[0m"
        );
    }
}
